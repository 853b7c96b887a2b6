// What the store can answer of an expression by its fields: clauses that hold for every row for which the expression holds.
// The rest is asked of each row that is left (api/search/page.ts); so a clause may let through too much, never too little.

import type { Expr, Test } from '../../core/match/expr.ts';
import { type Clause, type Field, fields } from '../../core/query.ts';

type Searched = 'events' | 'alerts';

/** Fields whose values are our own words, all in small letters: there a text may be looked up whatever its case. */
const smallLetters: readonly string[] = [
  'event.action',
  'event.outcome',
  'event.reason',
  'vault.pair',
  'vault.caller.kind',
  'rule.level',
];

/** All of them hold wherever `expr` holds. */
export function clausesOf<K extends Searched>(kind: K, expr: Expr): Clause<K>[] {
  if (expr.kind === 'all') return expr.parts.flatMap((part) => clausesOf(kind, part));
  if (expr.kind === 'any') return anyOf(kind, expr.parts);
  if (expr.kind !== 'field') return [];
  const field = fieldOf(kind, expr.field);
  const clause = field && clauseOf(field, expr.test);
  return clause === undefined ? [] : [clause as Clause<K>];
}

const fieldOf = <K extends Searched>(kind: K, name: string): Field<K> | undefined =>
  (fields[kind] as readonly string[]).includes(name) ? (name as Field<K>) : undefined;

/** Values of one field, as a list in Sigma has them. */
function anyOf<K extends Searched>(kind: K, parts: Expr[]): Clause<K>[] {
  const clauses = parts.map((part) => clausesOf(kind, part));
  const [first] = clauses[0] ?? [];
  if (first === undefined) return [];
  const values: string[] = [];
  for (const [clause, ...others] of clauses) {
    if (clause?.op !== 'eq' || others.length > 0 || clause.field !== first.field) return [];
    values.push(clause.value);
  }
  return [{ field: first.field, op: 'in', value: values } as Clause<K>];
}

function clauseOf(field: string, test: Test): object | undefined {
  if (test.kind === 'null') return { field, op: 'exists', value: false };
  if (test.kind === 'exists') return { field, op: 'exists', value: test.wanted };
  if (test.kind !== 'text') return undefined;
  const [first, last, ...more] = test.pattern;
  if (first === undefined || first.any !== undefined || more.length > 0) return undefined;
  const value = smallLetters.includes(field) ? first.text.toLowerCase() : first.text;
  if (!test.cased && !smallLetters.includes(field) && !hasNoCase(first.text)) return undefined;
  if (last === undefined) return { field, op: 'eq', value };
  // Numbers have no prefix in the store.
  const isPrefix = last.text === '' && value !== '' && field !== 'vault.secret.version';
  return isPrefix ? { field, op: 'prefix', value } : undefined;
}

/** An address, a number, a time: nothing else is the same but for the case of its letters. */
const hasNoCase = (text: string): boolean => text.toLowerCase() === text.toUpperCase();
