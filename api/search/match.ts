// A search in Sigma's own words: a selection, or several with a condition, as JSON or YAML. The same language as in rules.

import { LineCounter, parseDocument } from 'yaml';
import { limits } from '../../core/limits.ts';
import type { Expr } from '../../core/match/expr.ts';
import { readFilter } from '../../core/match/filter.ts';
import { type Predicate, predicateOf } from '../../core/match/predicate.ts';
import { SelectionError } from '../../core/match/read.ts';
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
    const expr = readFilter(parse(text));
    check(kind, expr);
    return { where: clausesOf(kind, expr), test: predicateOf(expr) };
  } catch (error) {
    if (!(error instanceof MatchError || error instanceof SelectionError)) throw error;
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

/** Every field must be one that rows have, and tests few, regular expressions above all: each may take long on a text made for it. */
function check(kind: Searched, expr: Expr): void {
  const fields: string[] = [];
  let regexes = 0;
  let tests = 0;
  const walk = (part: Expr): void => {
    if (part.kind === 'not') walk(part.part);
    else if ('parts' in part) for (const inner of part.parts) walk(inner);
    else if ('test' in part) {
      tests++;
      if (part.kind === 'field') fields.push(part.field);
      if (part.test.kind === 'field') fields.push(part.test.field);
      if (part.test.kind === 'regex') regexes++;
    }
  };
  walk(expr);
  const stranger = fields.find((field) => !isField(kind, field));
  if (stranger !== undefined)
    throw new MatchError(`${stranger}: is no field of ${kind}${meant(kind, stranger)}`);
  if (tests > limits.searchTestsMax)
    throw new MatchError(`has ${tests} tests when it is written out; ${limits.searchTestsMax} are the most`);
  if (regexes > limits.searchRegexesMax)
    throw new MatchError(`has ${regexes} regular expressions; ${limits.searchRegexesMax} are the most`);
}

function meant(kind: Searched, field: string): string {
  const near = nearest(field, namesOf(kind));
  return near === undefined ? '' : `; did you mean ${near}?`;
}
