// A filter in Sigma's words: a selection, or several selections under a `condition`, as in the detection of a rule.

import { conditionExpr, readCondition } from './condition.ts';
import type { Expr } from './expr.ts';
import { isMap, readSelection, SelectionError, type SelectionOptions } from './read.ts';

/** With a `condition` the other members are selections; without one the whole is a selection. Throws SelectionError. */
export function readFilter(value: unknown, options: SelectionOptions = {}): Expr {
  if (typeof value === 'string')
    throw new SelectionError('is a text alone; a field and its value look like {"user.name": "mara"}');
  if (!isMap(value)) return readSelection(value, options);
  if (!('condition' in value)) {
    const selection = Object.keys(value).find((name) => isMap(value[name]));
    if (selection === undefined) return readSelection(value, options);
    throw new SelectionError(
      `${selection}: is a selection of its own and needs a condition beside it, such as condition: ${selection}`,
    );
  }
  const { condition, ...selections } = value;
  const texts: unknown[] = Array.isArray(condition) ? condition : [condition];
  if (texts.length === 0 || !texts.every((text) => typeof text === 'string'))
    throw new SelectionError('condition: must be a text, or a list of texts of which one must hold');
  const read = new Map(
    Object.entries(selections).map(([name, selection]) => [
      name,
      named(name, () => readSelection(selection, options)),
    ]),
  );
  return named('condition', () => conditionExpr(readCondition(texts, [...read.keys()]), read));
}

function named<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new SelectionError(`${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Names of the fields that `expr` asks for. */
export function fieldsOf(expr: Expr): string[] {
  if (expr.kind === 'all' || expr.kind === 'any') return expr.parts.flatMap(fieldsOf);
  if (expr.kind === 'not') return fieldsOf(expr.part);
  if (expr.kind !== 'field') return [];
  return expr.test.kind === 'field' ? [expr.field, expr.test.field] : [expr.field];
}
