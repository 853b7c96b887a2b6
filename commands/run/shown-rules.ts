// The rules and behaviours as the API shows them: what each is, and whether it is on.

import { basename } from 'node:path';
import type { RuleInfo as ShownRule } from '../../api/options.ts';
import { type Metrics, nameAndLabels } from '../../core/telemetry.ts';
import { allBehaviours } from '../../detectors/behaviours/all.ts';
import type { RuleInfo } from '../../detectors/engine/rule.ts';

/** Gauge with the label `rule`: 1 while a rule or behaviour is switched off, because it threw. */
export const OFF_METRIC = 'sealwatch_detect_off';

/** By id. Behaviours follow the Sigma rules' catalogue, unless it has them already. */
export function shownRules(catalogue: readonly RuleInfo[]): ShownRule[] {
  const behaviours = allBehaviours.map(({ info }) => info);
  const known = new Set(behaviours.map(({ id }) => id));
  const rules = catalogue.filter(({ id }) => !known.has(id)).map((rule) => shown(rule, typeOf(rule)));
  return [...rules, ...behaviours.map((info) => shown(info, 'behaviour'))].sort((a, b) =>
    a.id < b.id ? -1 : 1,
  );
}

const typeOf = ({ timespanSeconds }: RuleInfo): string => (timespanSeconds === 0 ? 'event' : 'correlation');

/** Its file without the folder, which is this machine's. */
function shown(rule: RuleInfo, type: string): ShownRule {
  const { id, title, level, version, description, techniques, groupBy, file } = rule;
  const what = { id, title, level, type, version, description, techniques };
  return { ...what, groups: groupBy, file: basename(file), enabled: true };
}

/** Ids of what the pipeline's thread has switched off, by what it measures. */
export function switchedOff(metrics: Metrics): Set<string> {
  const off = new Set<string>();
  for (const [metric, value] of Object.entries(metrics)) {
    if (value !== 1 || !metric.startsWith(OFF_METRIC)) continue;
    off.add(nameAndLabels(metric).labels['rule'] ?? '');
  }
  return off;
}

/** The rules with those off that are. */
export const withStates = (rules: readonly ShownRule[], off: ReadonlySet<string>): ShownRule[] =>
  rules.map((rule) =>
    off.has(rule.id)
      ? { ...rule, enabled: false, why: 'it threw an error; the alert of it says which' }
      : rule,
  );
