// From parsed documents to rules that run: correlations find the rules they count, ids and names are unique.

import type { AuditEvent } from '../../core/event.ts';
import { limits } from '../../core/limits.ts';
import { anyOf, compileSelection, type Predicate } from '../../core/match.ts';
import { fieldReader } from '../../core/match-fields.ts';
import { compileCondition } from './condition.ts';
import type { CompiledRule, CompiledRules, RuleInfo } from './rule.ts';
import type { ParsedRule } from './sigma.ts';
import { type CorrelationDocument, type RuleDocument, techniqueOf } from './sigma-schema.ts';
import { compileTemplate } from './template.ts';

type Parsed<K extends ParsedRule['kind']> = Extract<ParsedRule, { kind: K }>;
type Base = { rule: Parsed<'rule'>; test: Predicate };

/** Compiles all documents together, so that a correlation may count rules of another file. Throws SealwatchError. */
export function compileRules(parsed: ParsedRule[]): CompiledRules {
  refuseDuplicates(parsed);
  const bases: Base[] = [];
  for (const rule of parsed) if (rule.kind === 'rule') bases.push({ rule, test: compileDetection(rule) });
  const correlations = parsed.filter((rule) => rule.kind === 'correlation');
  const silent = new Set<Base>();
  const counted = correlations.map((correlation) => compileCorrelation(correlation, bases, silent));
  const plain = bases.map((base) => compilePlain(base, !silent.has(base)));
  const all = [...plain, ...counted].sort((a, b) => (a.id < b.id ? -1 : 1));
  return { alerting: all.filter((rule) => rule.alerts), catalogue: all };
}

function refuseDuplicates(parsed: ParsedRule[]): void {
  const seen = new Map<string, string>();
  for (const { document, fault, file } of parsed) {
    for (const key of ['id', 'name'] as const) {
      const value = document[key];
      if (value === undefined) continue;
      const before = seen.get(value);
      if (before !== undefined) throw fault([key], `${value} is also in ${before}`);
      seen.set(value, file);
    }
  }
}

/** The predicate of a plain rule's `detection`. */
function compileDetection({ document, fault }: Parsed<'rule'>): Predicate {
  const { condition, ...selections } = document.detection;
  if (Array.isArray(condition))
    throw fault(['detection', 'condition'], 'a list of conditions is not supported: join them by or');
  if (typeof condition !== 'string') throw fault(['detection', 'condition'], 'is missing');
  const compiled = new Map<string, Predicate>();
  for (const [name, selection] of Object.entries(selections)) {
    compiled.set(
      name,
      blamed(fault, ['detection', name], () => compileSelection(selection)),
    );
  }
  return blamed(fault, ['detection', 'condition'], () => compileCondition(condition, compiled));
}

function compilePlain({ rule, test }: Base, alerts: boolean): CompiledRule {
  const groupBy = rule.document['group-by'] ?? ['user.id'];
  const info = infoOf(rule, { alerts, groupBy, threshold: 1, timespanSeconds: 0 });
  return { ...info, group: groupOf(groupBy, true), message: messageOf(rule), test };
}

function compileCorrelation(
  correlation: Parsed<'correlation'>,
  bases: Base[],
  silent: Set<Base>,
): CompiledRule {
  const { document, fault } = correlation;
  const counted = document.correlation.rules.map((reference, i) => {
    const base = bases.find(({ rule }) => rule.document.id === reference || rule.document.name === reference);
    if (base === undefined)
      throw fault(['correlation', 'rules', i], `there is no rule ${reference} that could be counted`);
    return base;
  });
  const generate = document.generate ?? document.correlation.generate ?? false;
  if (!generate) for (const base of counted) silent.add(base);
  const groupBy = document.correlation['group-by'];
  const threshold = thresholdOf(correlation);
  const info = infoOf(correlation, {
    alerts: true,
    groupBy,
    threshold,
    timespanSeconds: secondsOf(document),
  });
  return {
    ...info,
    group: groupOf(groupBy, false),
    message: messageOf(correlation),
    test: anyOf(counted.map((base) => base.test)),
  };
}

/** The smallest count that fulfils the condition. A stream cannot know that a count will stay low. */
function thresholdOf({ document, fault }: Parsed<'correlation'>): number {
  const entries = Object.entries(document.correlation.condition);
  const [entry] = entries;
  const path = ['correlation', 'condition'];
  if (entry === undefined || entries.length > 1) throw fault(path, 'must be one of gte, gt with a number');
  const [operator, count] = entry;
  if (operator !== 'gte' && operator !== 'gt')
    throw fault([...path, operator], 'is not supported: use gte or gt');
  if (!Number.isInteger(count)) throw fault([...path, operator], 'must be a whole number');
  const threshold = operator === 'gte' ? (count as number) : (count as number) + 1;
  if (threshold < 1 || threshold > limits.windowEventsMax) {
    throw fault([...path, operator], `must ask for 1 to ${limits.windowEventsMax} events`);
  }
  return threshold;
}

const unitSeconds = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

function secondsOf(document: CorrelationDocument): number {
  const { timespan } = document.correlation;
  return Number(timespan.slice(0, -1)) * unitSeconds[timespan.slice(-1) as keyof typeof unitSeconds];
}

function infoOf(
  { document, file }: { document: CorrelationDocument | RuleDocument; file: string },
  counting: Pick<RuleInfo, 'alerts' | 'groupBy' | 'threshold' | 'timespanSeconds'>,
): RuleInfo {
  return {
    ...counting,
    description: document.description,
    falsePositives: document.falsepositives,
    file,
    id: document.id,
    level: document.level,
    ...(document.name === undefined ? {} : { name: document.name }),
    references: document.references ?? [],
    runbook: document.runbook,
    status: document.status,
    techniques: document.tags
      .map(techniqueOf)
      .filter((one) => one !== undefined)
      .sort(),
    title: document.title,
    version: document.version ?? '1',
  };
}

/** Reads the group of an event. `always`: an absent field is a value of its own, so that a single match always alerts. */
function groupOf(groupBy: string[], always: boolean): (event: AuditEvent) => string | undefined {
  const readers = groupBy.map(fieldReader);
  return (event) => {
    const values = readers.map((read) => read(event) ?? null);
    return always || !values.includes(null) ? JSON.stringify(values) : undefined;
  };
}

const messageOf = ({ document, fault }: ParsedRule): ((event: object) => string) =>
  blamed(fault, ['message'], () => compileTemplate(document.message));

function blamed<T>(fault: ParsedRule['fault'], path: string[], compile: () => T): T {
  try {
    return compile();
  } catch (error) {
    throw fault(path, error instanceof Error ? error.message : String(error));
  }
}
