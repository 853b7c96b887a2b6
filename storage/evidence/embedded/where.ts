// A question as SQL: the conditions and the values to bind. Column names come from our own table, values are bound.

import type { Clause, QueryKind } from '../../../core/query.ts';
import { columnName, columnText, isInteger, isNumberText, plainText } from '../columns.ts';

type Bound = string | number | Uint8Array;

interface Conditions {
  /** Begins with ` where `, or empty. */
  sql: string;
  values: Bound[];
}

/** The conditions of a question: `from` inclusive, `to` exclusive, all of `clauses`, and beyond `after` in the order asked. */
export function whereOf(
  kind: QueryKind,
  question: {
    from?: string | undefined;
    to?: string | undefined;
    where: readonly Clause[];
    after?: { time: string; id: string; order: 'asc' | 'desc' } | undefined;
  },
): Conditions {
  const parts: string[] = [];
  const values: Bound[] = [];
  const add = (sql: string, ...bound: Bound[]) => {
    parts.push(sql);
    values.push(...bound);
  };
  const { from, to, after } = question;
  if (from !== undefined) add('ts >= ?', from);
  if (to !== undefined) add('ts < ?', to);
  for (const clause of question.where) add(...conditionOf(kind, clause));
  if (after !== undefined)
    add(`(ts, id) ${after.order === 'asc' ? '>' : '<'} (?, ?)`, after.time, plainText(after.id));
  return { sql: parts.length === 0 ? '' : ` where ${parts.join(' and ')}`, values };
}

function conditionOf(kind: QueryKind, clause: Clause): [string, ...Bound[]] {
  const column = columnName(kind, clause.field);
  switch (clause.op) {
    case 'eq':
      return inOf(column, valuesOf(kind, clause.field, [clause.value]));
    case 'prefix':
      return prefixOf(column, columnText(clause.value));
    case 'in':
      return inOf(column, valuesOf(kind, clause.field, clause.value));
    case 'after':
      return [`${column} > ?`, columnText(clause.value)];
    case 'after_or_absent':
      // As the index on what lives has it: no time is greater than a tilde.
      return [`ifnull(${column}, '~') > ?`, clause.value];
    case 'over':
      return [`${column} > ?`, clause.value];
    case 'exists':
      return [`${column} is ${clause.value ? 'not null' : 'null'}`];
  }
}

/** As a range, which an index can serve. The byte 0xff never stands in UTF-8, so nothing with the prefix lies beyond it. */
const prefixOf = (column: string, prefix: string): [string, ...Bound[]] => [
  `${column} >= ? and ${column} < cast(? as text)`,
  prefix,
  Buffer.concat([Buffer.from(prefix), Buffer.of(0xff)]),
];

/** SQLite binds at most 32,766 values in one statement. */
const BOUND_VALUES_MAX = 10_000;

function inOf(column: string, values: string[]): [string, ...Bound[]] {
  if (values.length > BOUND_VALUES_MAX)
    return [`${column} in (select value from json_each(?))`, JSON.stringify(values)];
  return values.length === 1
    ? [`${column} = ?`, ...values]
    : [`${column} in (${values.map(() => '?').join(', ')})`, ...values];
}

/** What a column must hold one of. */
const valuesOf = (kind: QueryKind, field: string, values: string[]): string[] =>
  isInteger(kind, field) ? values.filter(isNumberText) : values.map(columnText);
