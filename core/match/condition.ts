// The condition of a Sigma rule, `selection and not 1 of filter_*`, and of a temporal correlation, `probe and not login`.

import { limits } from '../limits.ts';
import { nearest } from '../nearest.ts';
import type { Expr } from './expr.ts';
import { parsePattern, textTest } from './text.ts';

export class ConditionError extends Error {
  override readonly name = 'ConditionError';
}

/** What a condition says, over names. */
export type Condition =
  | { kind: 'name'; name: string }
  | { kind: 'all' | 'any'; parts: Condition[] }
  | { kind: 'not'; part: Condition };

/** What the names are, for messages: selections of a rule, rules of a correlation. */
type Noun = 'selection' | 'rule';

interface Reader {
  at: number;
  /** Selections that quantities stand for so far. */
  chosen: number;
  depth: number;
  names: readonly string[];
  noun: Noun;
  used: Set<string>;
  words: string[];
}

/**
 * Reads `texts`, of which one must hold, over `names`. Every name must be used: one that is not is most likely a slip of the
 * pen. Throws ConditionError.
 */
export function readCondition(
  texts: string[],
  names: readonly string[],
  noun: Noun = 'selection',
): Condition {
  const used = new Set<string>();
  const parts = texts.map((text) => readOne(text, names, noun, used));
  const unused = names.find((name) => !used.has(name) && !name.startsWith('_'));
  if (unused !== undefined) throw new ConditionError(`${noun} ${unused} is never used`);
  return joined('any', parts);
}

function readOne(text: string, names: readonly string[], noun: Noun, used: Set<string>): Condition {
  refuseOld(text);
  const words = text.match(/[()]|[^\s()]+/g) ?? [];
  const reader: Reader = { at: 0, chosen: 0, depth: 0, names, noun, used, words };
  const condition = readOr(reader);
  if (reader.at < words.length) throw new ConditionError(`"${words[reader.at]}" is not expected here`);
  return condition;
}

/** Constructs of Sigma before version 2, by their names. */
function refuseOld(text: string): void {
  if (/\|\s*near\b/i.test(text))
    throw new ConditionError('"| near" is no longer Sigma: write a correlation of type temporal');
  if (text.includes('|'))
    throw new ConditionError(
      'counting after "|" is no longer Sigma: write a correlation of type event_count or value_count',
    );
}

/** The condition as an expression over `selections`. */
export function conditionExpr(condition: Condition, selections: ReadonlyMap<string, Expr>): Expr {
  if (condition.kind === 'name') return selections.get(condition.name) as Expr;
  if (condition.kind === 'not') return { kind: 'not', part: conditionExpr(condition.part, selections) };
  return { kind: condition.kind, parts: condition.parts.map((part) => conditionExpr(part, selections)) };
}

function joined(kind: 'all' | 'any', parts: Condition[]): Condition {
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : { kind, parts };
}

/** Takes the next word if it is `word`, whatever its case. */
function take(reader: Reader, word: string): boolean {
  const found = reader.words[reader.at]?.toLowerCase() === word;
  if (found) reader.at++;
  return found;
}

function readOr(reader: Reader): Condition {
  const parts = [readAnd(reader)];
  while (take(reader, 'or')) parts.push(readAnd(reader));
  return joined('any', parts);
}

function readAnd(reader: Reader): Condition {
  const parts = [readNot(reader)];
  while (take(reader, 'and')) parts.push(readNot(reader));
  return joined('all', parts);
}

function readNot(reader: Reader): Condition {
  if (++reader.depth > limits.nestingMax) throw new ConditionError(`nested deeper than ${limits.nestingMax}`);
  try {
    if (!take(reader, 'not')) return readTerm(reader);
    return { kind: 'not', part: readNot(reader) };
  } finally {
    reader.depth--;
  }
}

function readTerm(reader: Reader): Condition {
  if (take(reader, '(')) {
    const inner = readOr(reader);
    if (!take(reader, ')')) throw new ConditionError('a ( is not closed');
    return inner;
  }
  const word = reader.words[reader.at++];
  if (word === undefined || /^(?:and|or|of|them|\))$/i.test(word)) {
    throw new ConditionError(
      `a ${reader.noun} is expected ${word === undefined ? 'at the end' : `before "${word}"`}`,
    );
  }
  if (reader.words[reader.at]?.toLowerCase() === 'of') return readQuantity(reader, word);
  if (!reader.names.includes(word))
    throw new ConditionError(`there is no ${reader.noun} ${word}${known(reader, word)}`);
  reader.used.add(word);
  return { kind: 'name', name: word };
}

/** `1 of sel*`, `all of them`. `them` leaves out names that start with an underscore, as Sigma says. */
function readQuantity(reader: Reader, quantity: string): Condition {
  reader.at++;
  const target = reader.words[reader.at++];
  if (target === undefined) throw new ConditionError(`"${quantity} of" needs a name, a pattern or them`);
  if (!/^(?:1|any|all)$/i.test(quantity))
    throw new ConditionError(`"${quantity} of" is not Sigma: 1 of or all of`);
  const them = target.toLowerCase() === 'them';
  const fits = textTest(parsePattern(target), true);
  const names = reader.names.filter((name) => (them ? !name.startsWith('_') : fits(name)));
  if (names.length === 0)
    throw new ConditionError(`no ${reader.noun} is called ${target}${known(reader, target)}`);
  reader.chosen += names.length;
  if (reader.chosen > limits.selectionValuesMax)
    throw new ConditionError(`stands for more than ${limits.selectionValuesMax} ${reader.noun}s`);
  for (const name of names) reader.used.add(name);
  const chosen = names.map((name): Condition => ({ kind: 'name', name }));
  return joined(quantity.toLowerCase() === 'all' ? 'all' : 'any', chosen);
}

function known({ names }: Reader, word: string): string {
  const near = nearest(word, names);
  return near === undefined ? `; there are ${names.join(', ')}` : `; did you mean ${near}?`;
}
