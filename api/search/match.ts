// A search in Sigma's own words: a selection, or several with a condition, as JSON or YAML. The same language as in rules.

import { LineCounter, parseDocument } from 'yaml';
import { limits } from '../../core/limits.ts';
import { ConditionError, conditionExpr, readCondition } from '../../core/match/condition.ts';
import type { Expr } from '../../core/match/expr.ts';
import { type Predicate, predicateOf } from '../../core/match/predicate.ts';
import { readSelection, SelectionError } from '../../core/match/read.ts';
import { nearest } from '../../core/nearest.ts';
import type { Clause } from '../../core/query.ts';
import { ProblemError } from '../problem.ts';
import { isField, namesOf } from './names.ts';
import { clausesOf } from './pushdown.ts';

type Searched = 'events' | 'alerts';

export interface Match<K extends Searched> {
  /** Hold for every row that is searched for: what the store looks up. */
  where: Clause<K>[];
  test: Predicate;
}

/** Reads the text of a search. Throws the problem `invalid-request`, which says where and what was meant. */
export function readMatch<K extends Searched>(kind: K, text: string): Match<K> {
  try {
    const expr = exprOf(parse(text));
    check(kind, expr);
    return { where: clausesOf(kind, expr), test: predicateOf(expr) };
  } catch (error) {
    if (!(error instanceof MatchError || error instanceof SelectionError || error instanceof ConditionError))
      throw error;
    const detail = `match: ${error.message}`;
    throw new ProblemError('invalid-request', detail, [{ parameter: 'match', detail: error.message }]);
  }
}

class MatchError extends Error {}

function parse(text: string): unknown {
  const lineCounter = new LineCounter();
  try {
    const document = parseDocument(text, { lineCounter, uniqueKeys: true });
    const [problem] = [...document.errors, ...document.warnings];
    if (problem !== undefined) throw new MatchError(problem.message.split('\n')[0]?.replace(/:$/, ''));
    // No aliases: they are how a small text grows to fill the memory.
    return document.toJS({ maxAliasCount: 0 });
  } catch (error) {
    if (error instanceof MatchError) throw error;
    throw new MatchError('is no JSON or YAML that can be read; aliases (*name) are not supported');
  }
}

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** With a `condition` the other members are selections; without one the whole is a selection. */
function exprOf(value: unknown): Expr {
  if (typeof value === 'string')
    throw new MatchError('is a text alone; a field and its value look like {"user.name": "mara"}');
  if (!isMap(value)) return readSelection(value);
  if (!('condition' in value)) {
    const [selection] = Object.keys(value).filter((name) => isMap(value[name]));
    if (selection === undefined) return readSelection(value);
    throw new MatchError(
      `${selection}: is a selection of its own and needs a condition beside it, such as condition: ${selection}`,
    );
  }
  const { condition, ...selections } = value;
  const texts = Array.isArray(condition) ? condition : [condition];
  if (texts.length === 0 || !texts.every((text) => typeof text === 'string'))
    throw new MatchError('condition: must be a text, or a list of texts of which one must hold');
  const names = Object.keys(selections);
  const read = new Map(names.map((name) => [name, named(name, () => readSelection(selections[name]))]));
  return named('condition', () => conditionExpr(readCondition(texts, names), read));
}

function named<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new MatchError(`${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Every field must be one that rows have, and regular expressions few: each may take long on a text made for it. */
function check(kind: Searched, expr: Expr): void {
  const fields: string[] = [];
  let regexes = 0;
  const walk = (part: Expr): void => {
    if (part.kind === 'not') walk(part.part);
    else if ('parts' in part) for (const inner of part.parts) walk(inner);
    else if ('test' in part) {
      if (part.kind === 'field') fields.push(part.field);
      if (part.test.kind === 'field') fields.push(part.test.field);
      if (part.test.kind === 'regex') regexes++;
    }
  };
  walk(expr);
  const stranger = fields.find((field) => !isField(kind, field));
  if (stranger !== undefined)
    throw new MatchError(`${stranger}: is no field of ${kind}${meant(kind, stranger)}`);
  if (regexes > limits.searchRegexesMax)
    throw new MatchError(`has ${regexes} regular expressions; ${limits.searchRegexesMax} are the most`);
}

function meant(kind: Searched, field: string): string {
  const near = nearest(field, namesOf(kind));
  return near === undefined ? '' : `; did you mean ${near}?`;
}
