// A question as a search of Elasticsearch: its conditions, and the indices that can hold the answer. Values stay values: no query is
// built as text.

import type { Clause, QueryKind } from '../../../core/query.ts';
import { columnName, columnText, isInteger, isNumberText } from '../columns.ts';
import type { estypes } from './client.ts';
import { eventsPattern, indexName, otherIndex } from './names.ts';

/** What a row must be. */
export type Condition = NonNullable<estypes.QueryDslQueryContainer>;

interface Asked {
  from?: string | undefined;
  to?: string | undefined;
  where: readonly Clause[];
}

/** The field of the document that holds a column. */
export const fieldName = (column: string): string => `row.${column}`;

/** The conditions of a question: `from` inclusive, `to` exclusive, all of the clauses. */
export function queryOf(kind: QueryKind, { from, to, where }: Asked): Condition {
  const filter = where.map((clause) => conditionOf(kind, clause));
  if (from !== undefined || to !== undefined)
    filter.push({
      range: {
        [fieldName('ts')]: { ...(from !== undefined && { gte: from }), ...(to !== undefined && { lt: to }) },
      },
    });
  return { bool: { filter } };
}

function conditionOf(kind: QueryKind, clause: Clause): Condition {
  const field = fieldName(columnName(kind, clause.field));
  switch (clause.op) {
    case 'eq':
      return oneOf(field, valuesOf(kind, clause.field, [clause.value]));
    case 'prefix':
      return beginsWith(field, columnText(clause.value));
    case 'in':
      return oneOf(field, valuesOf(kind, clause.field, clause.value));
    case 'after':
      return { range: { [field]: { gt: columnText(clause.value) } } };
    case 'after_or_absent':
      return { bool: { should: [absent(field), { range: { [field]: { gt: clause.value } } }] } };
    case 'over':
      return { range: { [field]: { gt: clause.value } } };
    case 'exists':
      return clause.value ? { exists: { field } } : absent(field);
  }
}

/** As a range: a condition on a prefix takes 1,000 characters at most. */
function beginsWith(field: string, prefix: string): Condition {
  const beyond = textBeyond(prefix);
  return { range: { [field]: { gte: prefix, ...(beyond !== undefined && { lt: beyond }) } } };
}

/** The lowest text above all that begin with `prefix`; undefined when there is none. Bytes of UTF-8 order as code points do. */
function textBeyond(prefix: string): string | undefined {
  const points = Array.from(prefix, (char) => char.codePointAt(0) as number);
  while (points.at(-1) === LAST_POINT) points.pop();
  const last = points.pop();
  if (last === undefined) return undefined;
  // Between the two lie the halves of surrogate pairs, which are no characters.
  points.push(last === 0xd7ff ? 0xe000 : last + 1);
  return points.map((point) => String.fromCodePoint(point)).join('');
}

const LAST_POINT = 0x10ffff;

const absent = (field: string): Condition => ({ bool: { must_not: { exists: { field } } } });

/** Values that Elasticsearch takes in one condition (`index.max_terms_count`). */
const TERMS_MAX = 65_536;

function oneOf(field: string, values: string[]): Condition {
  const parts: Condition[] = [];
  for (let at = 0; at < values.length; at += TERMS_MAX)
    parts.push({ terms: { [field]: values.slice(at, at + TERMS_MAX) } });
  const [only, ...more] = parts;
  if (only === undefined) return { match_none: {} };
  return more.length === 0 ? only : { bool: { should: parts } };
}

/** What a column must hold one of. */
const valuesOf = (kind: QueryKind, field: string, values: string[]): string[] =>
  isInteger(kind, field) ? values.filter(isNumberText) : values.map(columnText);

/** Characters of index names in one call: they stand in its address, of which Elasticsearch takes 4 KiB. */
const NAMES_CHARS_MAX = 3_000;

/**
 * Where rows of `kind` in the period lie; more than that does no harm. Events: a pattern for each day, or each month, so that an
 * index that is missing is empty, and one that is closed is an error: its rows would be missing from the answer.
 */
export function indicesOf(prefix: string, kind: QueryKind, { from, to }: Omit<Asked, 'where'>): string {
  if (kind !== 'events') return indexName(prefix, kind);
  const begin = Date.parse(from?.slice(0, 10) ?? '');
  const end = Date.parse(to?.slice(0, 10) ?? '');
  if (Number.isNaN(begin) || Number.isNaN(end)) return eventsPattern(prefix);
  for (const chars of [DAY_CHARS, MONTH_CHARS]) {
    const names = namesOf(prefix, begin, end, chars);
    if (names !== undefined) return names;
  }
  return eventsPattern(prefix);
}

/** Of `2026-11-23`. */
const DAY_CHARS = 10;
const MONTH_CHARS = 7;
const DAY_MS = 86_400_000;

/** A pattern for each text that the first `chars` characters of the days have; undefined when these are too many. */
function namesOf(prefix: string, begin: number, end: number, chars: number): string | undefined {
  const names = new Set<string>();
  let length = 0;
  for (let day = begin; day <= end; day += DAY_MS) {
    const text = new Date(day).toISOString().slice(0, chars).replaceAll('-', '.');
    const name = `${prefix}-events-${text}${chars === DAY_CHARS ? '*' : '.*'}`;
    if (names.has(name)) continue;
    names.add(name);
    length += name.length + 1;
    if (length > NAMES_CHARS_MAX) return undefined;
  }
  // With a star, as the others: it may not be there.
  return names.size === 0 ? eventsPattern(prefix) : [...names, `${otherIndex(prefix)}*`].join(',');
}
