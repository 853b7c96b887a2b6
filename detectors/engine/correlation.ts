// A correlation document read: bounds, presence, aliases and the rules it counts. Source: Sigma correlation rules
// specification 2.1.

import { limits } from '../../core/limits.ts';
import { type Condition, ConditionError, readCondition } from '../../core/match/condition.ts';
import { nearest } from '../../core/nearest.ts';
import { alternativesOf } from './count/presence.ts';
import { infoOf, messageOf } from './info.ts';
import type { Bound, Correlation, CorrelationType, EventRule, Presence } from './rule-set.ts';
import type { ParsedRule } from './sigma.ts';
import { boundsSchema } from './sigma-schema.ts';

type ParsedCorrelation = Extract<ParsedRule, { kind: 'correlation' }>;
export type Node = EventRule | Correlation;
/** A rule by its id or name; undefined when there is none. */
export type FindRule = (reference: string) => { id: string; kind: Node['kind'] } | undefined;

const isTemporal = (type: CorrelationType): boolean => type === 'temporal' || type === 'temporal_ordered';
const countsFields: readonly CorrelationType[] = [
  'value_count',
  'value_sum',
  'value_avg',
  'value_percentile',
];

/** Reads `parsed`; `find` knows every rule and correlation by id and name, `names` lists the latter. Throws SealwatchError. */
export function readCorrelation(parsed: ParsedCorrelation, find: FindRule, names: string[]): Correlation {
  const { document, fault, file } = parsed;
  const { correlation } = document;
  const references = referencesOf(parsed);
  const rules = references.map((reference, i) => {
    const rule = find(reference);
    if (rule === undefined)
      throw fault(['correlation', 'rules', i], `there is no rule ${reference}${meant(reference, names)}`);
    return rule;
  });
  const ids = rules.map(({ id }) => id);
  if (new Set(ids).size < ids.length) throw fault(['correlation', 'rules'], 'names a rule twice');
  const { type } = correlation;
  const counted = isTemporal(type) ? temporalOf(parsed, references, ids) : countOf(parsed);
  const metric = type === 'value_sum' || type === 'value_avg' || type === 'value_percentile';
  if (metric && rules.some(({ kind }) => kind === 'correlation'))
    throw fault(['correlation', 'rules'], `${type} takes numbers from events: it cannot count a correlation`);
  const groupBy = correlation['group-by'] ?? [];
  const info = infoOf(document, file, {
    alerts: true,
    groupBy,
    threshold: counted.threshold,
    timespanSeconds: secondsOf(correlation.timespan),
  });
  return {
    ...info,
    aliases: aliasesOf(parsed, ids, find, names),
    bounds: counted.bounds,
    fields: counted.fields,
    kind: 'correlation',
    messageTemplate: messageOf(document),
    ...(counted.percentile === undefined ? {} : { percentile: counted.percentile }),
    ...(counted.presence === undefined ? {} : { presence: counted.presence }),
    rules: ids,
    type,
  };
}

interface Counted {
  bounds: Bound[];
  fields: string[];
  percentile?: number | undefined;
  presence?: Presence;
  threshold: number;
}

/** The references of `rules`; an extended condition may name them instead. */
export function referencesOf({ document, fault }: ParsedCorrelation): string[] {
  const { condition, rules } = document.correlation;
  if (rules !== undefined) return rules;
  if (typeof condition !== 'string') throw fault(['correlation', 'rules'], 'is missing');
  const words = condition.match(/[^\s()]+/g) ?? [];
  return [...new Set(words.filter((word) => !/^(?:and|or|not)$/i.test(word)))];
}

function meant(word: string, words: string[]): string {
  const near = nearest(word, words);
  return near === undefined ? '' : `; did you mean ${near}?`;
}

const unitSeconds = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

const secondsOf = (timespan: string): number =>
  Number(timespan.slice(0, -1)) * unitSeconds[timespan.slice(-1) as keyof typeof unitSeconds];

function countOf(parsed: ParsedCorrelation): Counted {
  const { document, fault } = parsed;
  const { condition, type } = document.correlation;
  const path = ['correlation', 'condition'];
  if (condition === undefined) throw fault(path, 'is missing');
  if (typeof condition === 'string')
    throw fault(path, `${type} takes a map such as gte: 10; names of rules belong to temporal`);
  const { field, percentile, ...given } = checkedBounds(parsed, condition);
  const bounds = boundsOf(given);
  if (bounds.length === 0) throw fault(path, 'needs one of gte, gt, lte, lt, eq with a number');
  const needsField = countsFields.includes(type);
  if (needsField && field === undefined) throw fault(path, `${type} needs field`);
  if (!needsField && field !== undefined) throw fault([...path, 'field'], `does not go with ${type}`);
  if (type !== 'value_count' && (field?.length ?? 0) > 1)
    throw fault([...path, 'field'], `${type} takes one field`);
  if ((percentile === undefined) === (type === 'value_percentile'))
    throw fault(
      [...path, 'percentile'],
      percentile === undefined ? 'is missing (0 to 100)' : `does not go with ${type}`,
    );
  const threshold = thresholdOf(parsed, bounds);
  return { bounds, fields: field ?? [], percentile, threshold };
}

function checkedBounds({ fault }: ParsedCorrelation, condition: Record<string, unknown>) {
  const path = ['correlation', 'condition'];
  const known = Object.keys(boundsSchema.shape);
  const stranger = Object.keys(condition).find((key) => !known.includes(key));
  if (stranger !== undefined) throw fault([...path, stranger], `is not supported: use ${known.join(', ')}`);
  const result = boundsSchema.safeParse(condition);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw fault([...path, ...(issue?.path ?? [])], issue?.message ?? 'is not valid');
}

const operators = ['gt', 'gte', 'lt', 'lte', 'eq'] as const;

function boundsOf(given: Partial<Record<Bound['op'], number | undefined>>): Bound[] {
  return operators.flatMap((op) => (given[op] === undefined ? [] : [{ op, value: given[op] }]));
}

/** The smallest count that fulfils `bounds`. */
function thresholdOf({ document, fault }: ParsedCorrelation, bounds: Bound[]): number {
  const { type } = document.correlation;
  const path = ['correlation', 'condition'];
  if (type !== 'event_count' && type !== 'value_count') return 1;
  for (const { op, value } of bounds)
    if (!Number.isInteger(value) || value < 0) throw fault([...path, op], 'must be a whole number');
  let least = 1;
  let most = Number.POSITIVE_INFINITY;
  for (const { op, value } of bounds) {
    if (op === 'gte' || op === 'eq') least = Math.max(least, value);
    if (op === 'gt') least = Math.max(least, value + 1);
    if (op === 'lte' || op === 'eq') most = Math.min(most, value);
    if (op === 'lt') most = Math.min(most, value - 1);
  }
  if (least > most) throw fault(path, 'can never hold: nothing is counted that is not there at least once');
  if (type === 'event_count' && least > limits.windowEventsMax)
    throw fault(path, `must ask for 1 to ${limits.windowEventsMax} events`);
  return least;
}

/** Rules of which so many can be asked for by number. */
const temporalRulesMax = 12;

function temporalOf(parsed: ParsedCorrelation, references: string[], ids: string[]): Counted {
  const { document, fault } = parsed;
  const { condition, type } = document.correlation;
  const path = ['correlation', 'condition'];
  if (ids.length < 2) throw fault(['correlation', 'rules'], `${type} needs two rules or more`);
  const every: Presence = { kind: 'all', parts: ids.map((id) => ({ kind: 'rule', id })) };
  if (condition === undefined) return { bounds: [], fields: [], presence: every, threshold: ids.length };
  const presence =
    typeof condition === 'string'
      ? extended(parsed, condition, new Map(references.map((reference, i) => [reference, ids[i] as string])))
      : manyOf(parsed, condition, ids);
  if (holds(presence, new Set())) throw fault(path, 'holds when nothing happened: it must ask for a rule');
  if (type === 'temporal_ordered') refuseMany(parsed, presence, ids);
  return { bounds: [], fields: [], presence, threshold: leastOf(presence, ids) };
}

/** Of rules in order each alternative is followed by itself. */
function refuseMany({ fault }: ParsedCorrelation, presence: Presence, rules: string[]): void {
  try {
    alternativesOf({ presence, rules });
  } catch (error) {
    throw fault(['correlation', 'condition'], error instanceof Error ? error.message : String(error));
  }
}

function extended(
  { fault }: ParsedCorrelation,
  condition: string,
  ids: ReadonlyMap<string, string>,
): Presence {
  const toPresence = (one: Condition): Presence => {
    if (one.kind === 'name') return { kind: 'rule', id: ids.get(one.name) as string };
    if (one.kind === 'not') return { kind: 'not', part: toPresence(one.part) };
    return { kind: one.kind, parts: one.parts.map(toPresence) };
  };
  try {
    return toPresence(readCondition([condition], [...ids.keys()], 'rule'));
  } catch (error) {
    if (error instanceof ConditionError) throw fault(['correlation', 'condition'], error.message);
    throw error;
  }
}

/** `gte: 2`: so many of the rules, whichever they are. */
function manyOf(parsed: ParsedCorrelation, condition: Record<string, unknown>, ids: string[]): Presence {
  const { fault } = parsed;
  const path = ['correlation', 'condition'];
  const { field, percentile, ...given } = checkedBounds(parsed, condition);
  const bounds = boundsOf(given);
  if (bounds.length === 0 || field !== undefined || percentile !== undefined)
    throw fault(
      path,
      'of a temporal correlation is gte with a number of rules, or names of rules joined by and, or, not',
    );
  if (ids.length > temporalRulesMax)
    throw fault(path, `cannot count over ${temporalRulesMax} rules: join their names by and, or, not`);
  const atLeast = (least: number): Presence => ({ kind: 'any', parts: chosen(ids, least) });
  const parts = bounds.flatMap(({ op, value }): Presence[] => {
    if (!Number.isInteger(value) || value < 0 || value > ids.length)
      throw fault([...path, op], `must be a number of the ${ids.length} rules`);
    const least = op === 'gt' ? value + 1 : value;
    const most = op === 'lt' ? value - 1 : value;
    return [
      ...(op === 'gt' || op === 'gte' || op === 'eq' ? [atLeast(least)] : []),
      ...(op === 'lt' || op === 'lte' || op === 'eq'
        ? [{ kind: 'not' as const, part: atLeast(most + 1) }]
        : []),
    ];
  });
  return { kind: 'all', parts };
}

/** Every choice of `many` of `ids`, all of which must be there. */
function chosen(ids: string[], many: number): Presence[] {
  if (many <= 0) return [{ kind: 'all', parts: [] }];
  return ids.flatMap((id, at) =>
    chosen(ids.slice(at + 1), many - 1).map(
      (rest): Presence => ({
        kind: 'all',
        parts: [{ kind: 'rule', id }, ...(rest.kind === 'all' ? rest.parts : [rest])],
      }),
    ),
  );
}

/** Whether `presence` holds when the rules `ids` have matched and no other. */
export function holds(presence: Presence, ids: ReadonlySet<string>): boolean {
  if (presence.kind === 'rule') return ids.has(presence.id);
  if (presence.kind === 'not') return !holds(presence.part, ids);
  const test = (part: Presence) => holds(part, ids);
  return presence.kind === 'all' ? presence.parts.every(test) : presence.parts.some(test);
}

/** For the catalogue: how many of the rules must have matched at least. */
function leastOf(presence: Presence, ids: string[]): number {
  if (presence.kind === 'rule') return 1;
  if (presence.kind === 'not') return 0;
  const each = presence.parts.map((part) => leastOf(part, ids));
  if (presence.kind === 'any') return Math.min(...each, ids.length);
  return presence.parts.every(({ kind }) => kind === 'rule' || kind === 'not')
    ? each.reduce((sum, one) => sum + one, 0)
    : Math.max(...each, 1);
}

function aliasesOf(
  { document, fault }: ParsedCorrelation,
  ids: string[],
  find: FindRule,
  names: string[],
): Correlation['aliases'] {
  const aliases: Correlation['aliases'] = {};
  for (const [alias, fields] of Object.entries(document.correlation.aliases ?? {})) {
    const byId: Record<string, string> = {};
    for (const [reference, field] of Object.entries(fields)) {
      const rule = find(reference);
      if (rule === undefined)
        throw fault(['correlation', 'aliases', alias, reference], `is no rule${meant(reference, names)}`);
      if (!ids.includes(rule.id))
        throw fault(
          ['correlation', 'aliases', alias, reference],
          'is not among the rules of the correlation',
        );
      byId[rule.id] = field;
    }
    aliases[alias] = byId;
  }
  return aliases;
}
