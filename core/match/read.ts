// Reads a Sigma selection into an expression. Source: Sigma rules specification 2.1, its modifiers appendix 2.1.0.

import type { Expr } from './expr.ts';
import { fieldExpr, keywordExpr, type Placeholders, SelectionError } from './modifiers.ts';

export { type Placeholders, SelectionError } from './modifiers.ts';

export interface SelectionOptions {
  /** What `%name%` stands for under `|expand`. */
  placeholders?: Placeholders;
}

/**
 * A selection: a map of `field|modifier` to value or list of values (all must hold), or a list of such maps and of
 * keywords (one must hold; a keyword is text somewhere in the event). Throws SelectionError.
 */
export function readSelection(selection: unknown, { placeholders = {} }: SelectionOptions = {}): Expr {
  if (Array.isArray(selection)) {
    if (selection.length === 0) throw new SelectionError('the list is empty');
    return anyOf(selection.map((item) => readItem(item, placeholders)));
  }
  if (isMap(selection)) return readMap(selection, placeholders);
  throw new SelectionError('must be a map of fields, a list of maps or a list of keywords');
}

/** The expression that holds when all of `parts` do; `parts` is not empty. */
export const allOf = (parts: Expr[]): Expr => joined('all', parts);

/** The expression that holds when one of `parts` does; `parts` is not empty. */
export const anyOf = (parts: Expr[]): Expr => joined('any', parts);

function joined(kind: 'all' | 'any', parts: Expr[]): Expr {
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : { kind, parts };
}

export const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function readItem(item: unknown, placeholders: Placeholders): Expr {
  return isMap(item) ? readMap(item, placeholders) : keywordExpr([], [item], placeholders);
}

function readMap(map: Record<string, unknown>, placeholders: Placeholders): Expr {
  const entries = Object.entries(map);
  if (entries.length === 0) throw new SelectionError('the map is empty, so it would match everything');
  return allOf(entries.map(([key, value]) => readEntry(key, value, placeholders)));
}

function readEntry(key: string, value: unknown, placeholders: Placeholders): Expr {
  const [name = '', ...modifiers] = key.split('|');
  const values = Array.isArray(value) ? value : [value];
  try {
    if (values.length === 0) throw new SelectionError('the list of values is empty');
    if (name === '') return keywordExpr(modifiers, values, placeholders);
    if (!/^@?[\w-]+(?:\.[\w@-]+)*$/.test(name)) throw new SelectionError('is no field name such as user.id');
    return fieldExpr(name, modifiers, values, placeholders);
  } catch (error) {
    throw new SelectionError(`${key}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
