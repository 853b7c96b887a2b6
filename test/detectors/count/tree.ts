// Trees of rules made by hand, their matches, and runs of the counter that may stop and go on from a snapshot.

import type { AlertState } from '../../../detectors/engine/alert.ts';
import type { CountBudget } from '../../../detectors/engine/count/budget.ts';
import { RootCounter } from '../../../detectors/engine/count/counter.ts';
import { byTimeAndId, type Match } from '../../../detectors/engine/match.ts';
import type { RuleInfo } from '../../../detectors/engine/rule.ts';
import type { Correlation, EventRule, Root } from '../../../detectors/engine/rule-set.ts';
import { at } from '../../builders.ts';

const info = (id: string): RuleInfo => ({
  alerts: true,
  description: '',
  falsePositives: [],
  file: `${id}.yml`,
  groupBy: ['user.id'],
  id,
  level: 'high',
  references: [],
  runbook: '',
  status: 'test',
  techniques: [],
  threshold: 1,
  timespanSeconds: 0,
  title: id,
  version: '1',
});

export const leaf = (id: string): EventRule => ({
  ...info(id),
  kind: 'event',
  expr: { kind: 'always', value: true },
  messageTemplate: '{user.name} did it',
});

/** A correlation over rules of these ids, a minute long, unless `parts` say otherwise. */
export const correlation = (id: string, rules: string[], parts: Partial<Correlation>): Correlation => ({
  ...info(id),
  kind: 'correlation',
  type: 'event_count',
  rules,
  bounds: [],
  fields: [],
  aliases: {},
  messageTemplate: '{user.name} did it',
  timespanSeconds: 60,
  ...parts,
});

/** A tree with the first as its top. */
export function treeOf(...nodes: [EventRule | Correlation, ...(EventRule | Correlation)[]]): Root {
  return {
    top: nodes[0],
    nodes: new Map(nodes.map((node) => [node.id, node])),
    leaves: nodes.filter(({ kind }) => kind === 'event').map(({ id }) => id),
    isLocal: true,
    needs: {},
    logic: 'logic',
  };
}

export interface MatchParts {
  second: number;
  id?: string;
  leaf?: string;
  group?: string;
  values?: Record<string, string>;
  user?: string;
  ip?: string;
  className?: string;
}

/** A match of the root `top`. */
export function aMatch({ second, leaf, group = 'g', user = 'u', ip, ...parts }: MatchParts): Match {
  return {
    facts: {
      event: { action: 'a', category: [], outcome: 'success', type: [] },
      ...(ip !== undefined && { ip }),
      message: 'it',
      user: { id: user },
      vault: { caller: { kind: 'human' }, request: {} },
    },
    group,
    id: parts.id ?? `e${String(second).padStart(6, '0')}`,
    ...(leaf !== undefined && { leaf }),
    revision: 2,
    rule: 'top',
    time: at(second),
    ...(parts.values && { values: parts.values }),
    ...(parts.className !== undefined && { className: parts.className }),
  };
}

export interface RunOptions {
  budget?: CountBudget;
  /** Indices of matches before which the counter is restored from its snapshot, by way of JSON. */
  restarts?: readonly number[];
  /** The watermark is told after matches with these indices, as far as the next match lets it come. */
  steps?: readonly number[];
  threshold?: (rule: string, className: string) => number | undefined;
}

/** The last state of every alert, in order of (first event, id), when all matches were counted and all windows have ended. */
export function countAll(root: Root, matches: Match[], options: RunOptions = {}): AlertState[] {
  const { budget, restarts = [], steps = [], threshold = () => undefined } = options;
  const alerts = new Map<string, AlertState>();
  const settings = { threshold, ...(budget && { budget }) };
  let counter = new RootCounter(root, settings);
  const keep = (changed: AlertState[]) => {
    for (const alert of changed) alerts.set(alert.id, structuredClone(alert));
  };
  const sorted = [...matches].sort(byTimeAndId);
  for (const [i, match] of sorted.entries()) {
    if (restarts.includes(i))
      counter = new RootCounter(root, settings, JSON.parse(JSON.stringify(counter.snapshot())));
    keep(counter.count(match));
    const next = sorted[i + 1];
    if (steps.includes(i) && (next === undefined || next.time > match.time)) keep(counter.expire(match.time));
  }
  keep(counter.expire(at(10_000_000)));
  return [...alerts.values()].sort((a, b) => byTimeAndId(a.first, b.first));
}
