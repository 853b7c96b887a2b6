// The condition of a Sigma rule: `selection and not 1 of filter_*`, compiled over the rule's selections.

import { limits } from '../../core/limits.ts';
import { allOf, anyOf, type Predicate } from '../../core/match.ts';

export class ConditionError extends Error {
  override readonly name = 'ConditionError';
}

interface Reader {
  at: number;
  depth: number;
  selections: ReadonlyMap<string, Predicate>;
  used: Set<string>;
  words: string[];
}

/** Compiles `text`. Every selection must be used: one that is not is most likely a slip of the pen. Throws ConditionError. */
export function compileCondition(text: string, selections: ReadonlyMap<string, Predicate>): Predicate {
  if (text.includes('|')) throw new ConditionError('counting after | is old Sigma: write a correlation');
  const words = text.match(/[()]|[^\s()]+/g) ?? [];
  const reader: Reader = { at: 0, depth: 0, selections, used: new Set(), words };
  const predicate = readOr(reader);
  if (reader.at < words.length) throw new ConditionError(`"${words[reader.at]}" is not expected here`);
  const unused = [...selections.keys()].find((name) => !reader.used.has(name) && !name.startsWith('_'));
  if (unused !== undefined) throw new ConditionError(`selection ${unused} is never used`);
  return predicate;
}

/** Takes the next word if it is `word`, whatever its case. */
function take(reader: Reader, word: string): boolean {
  const found = reader.words[reader.at]?.toLowerCase() === word;
  if (found) reader.at++;
  return found;
}

function readOr(reader: Reader): Predicate {
  const parts = [readAnd(reader)];
  while (take(reader, 'or')) parts.push(readAnd(reader));
  return anyOf(parts);
}

function readAnd(reader: Reader): Predicate {
  const parts = [readNot(reader)];
  while (take(reader, 'and')) parts.push(readNot(reader));
  return allOf(parts);
}

function readNot(reader: Reader): Predicate {
  if (++reader.depth > limits.nestingMax) throw new ConditionError(`nested deeper than ${limits.nestingMax}`);
  try {
    if (!take(reader, 'not')) return readTerm(reader);
    const inner = readNot(reader);
    return (event) => !inner(event);
  } finally {
    reader.depth--;
  }
}

function readTerm(reader: Reader): Predicate {
  if (take(reader, '(')) {
    const inner = readOr(reader);
    if (!take(reader, ')')) throw new ConditionError('a ( is not closed');
    return inner;
  }
  const word = reader.words[reader.at++];
  if (word === undefined || /^(?:and|or|of|them|\))$/i.test(word)) {
    throw new ConditionError(
      `a selection is expected ${word === undefined ? 'at the end' : `before "${word}"`}`,
    );
  }
  if (reader.words[reader.at]?.toLowerCase() === 'of') return readQuantity(reader, word);
  reader.used.add(word);
  const selection = reader.selections.get(word);
  if (selection === undefined) throw new ConditionError(`there is no selection ${word}${known(reader)}`);
  return selection;
}

/** `1 of sel*`, `all of them`. `them` leaves out names that start with an underscore, as Sigma says. */
function readQuantity(reader: Reader, quantity: string): Predicate {
  reader.at++;
  const target = reader.words[reader.at++];
  if (target === undefined) throw new ConditionError(`"${quantity} of" needs a name, a pattern or them`);
  if (!/^(?:1|any|all)$/i.test(quantity))
    throw new ConditionError(`"${quantity} of" is not supported: 1 or all`);
  const them = target.toLowerCase() === 'them';
  const parts = target.split('*');
  const names = [...reader.selections.keys()].filter((name) =>
    them ? !name.startsWith('_') : matchesName(parts, name),
  );
  if (names.length === 0) throw new ConditionError(`no selection is called ${target}${known(reader)}`);
  for (const name of names) reader.used.add(name);
  const chosen = names.map((name) => reader.selections.get(name) as Predicate);
  return quantity.toLowerCase() === 'all' ? allOf(chosen) : anyOf(chosen);
}

/** Whether `name` is `parts` with any text between them. */
function matchesName(parts: string[], name: string): boolean {
  const escaped = parts.map((part) => part.replace(/[^\w]/g, '\\$&'));
  return new RegExp(`^${escaped.join('.*')}$`).test(name);
}

const known = (reader: Reader): string => `; there are ${[...reader.selections.keys()].join(', ')}`;
