// Regular expressions of rules: the subset that Sigma allows, run so that no hostile text can make one run for minutes.

import { limits } from '../limits.ts';
import { linearTest } from './linear.ts';

/** Longest expression that is read. */
const patternCharsMax = 512;
/** Steps that the worst text may cost V8: about a millisecond. */
const stepsMax = 1e6;
/** `{n,m}` with more choices than this counts like an unbounded repeat. */
const choicesMax = 16;

/** What a group, or the whole expression, can cost beyond its length. */
interface Cost {
  alternatives: number;
  /** Ways to match a given text apart from unbounded repeats. */
  choices: number;
  /** Something that varies is repeated, as in `(a+)+`: steps may double with each character. */
  nested: boolean;
  /** Unbounded repeats: each multiplies the steps by the length of the text. */
  repeats: number;
}

const once: Cost = { alternatives: 1, choices: 1, nested: false, repeats: 0 };

/**
 * A test with `source` (JavaScript `flags`) for text up to `limits.regexCharsMax`; what is beyond is not looked at. V8 runs it
 * on texts so short that its worst is `stepsMax`; longer ones take linear time. Throws an Error that says what to change.
 */
export function regexTest(source: string, flags: string): (text: string) => boolean {
  if (source.length > patternCharsMax)
    throw new Error(`the expression is over ${patternCharsMax} characters`);
  const charsMax = nativeChars(source, flags);
  const regex = new RegExp(source, flags);
  const linear = charsMax < limits.regexCharsMax ? linearTest(source, flags) : undefined;
  return (text) => {
    const seen = text.length > limits.regexCharsMax ? text.slice(0, limits.regexCharsMax) : text;
    return linear === undefined || seen.length <= charsMax ? regex.test(seen) : linear(seen);
  };
}

/**
 * A backtracking engine tries, at worst, every way to share the text out among the repeats, at every start. So repeats
 * inside repeats (exponential) are never safe and the rest is weighed: the length of text up to which V8 may run it.
 */
function nativeChars(source: string, flags: string): number {
  const stack: Cost[] = [{ ...once }];
  let at = 0;
  while (at < source.length) {
    const cost = stack[stack.length - 1] as Cost;
    const char = source[at];
    if (char === '(') {
      if (source[at + 1] === '?' && source[at + 2] !== ':')
        throw new Error('look-around and named groups are not supported');
      stack.push({ ...once });
      at += source[at + 1] === '?' ? 3 : 1;
    } else if (char === '|') {
      cost.alternatives++;
      at++;
    } else at = char === ')' ? closeGroup(source, at, stack) : readAtom(source, at, cost);
  }
  if (stack.length > 1) throw new Error('a ( is not closed');
  const whole = stack[0] as Cost;
  const anchored = source.startsWith('^') && whole.alternatives === 1 && !flags.includes('m');
  const degree = whole.repeats + (anchored ? 0 : 1);
  if (whole.nested) return 0;
  return Math.floor((stepsMax / (whole.choices * whole.alternatives)) ** (1 / Math.max(degree, 1)));
}

/** Reads one character, class or escape and its quantifier; returns where it ends. */
function readAtom(source: string, at: number, cost: Cost): number {
  let end = at + 1;
  if (source[at] === '\\') {
    if (/[1-9k]/.test(source[end] ?? '')) throw new Error('back-references are not supported');
    // What JavaScript only reads for old web pages.
    if (/^(?:0\d|c(?![A-Za-z]))/.test(source.slice(end, end + 2)))
      throw new Error('a backslash with 0 or c means something else: write \\xHH');
    end++;
  } else if (source[at] === '[') end = classEnd(source, at);
  return applyQuantifier(source, end, once, cost);
}

/** Closes the innermost group at `at` and adds what it costs to the one around it. */
function closeGroup(source: string, at: number, stack: Cost[]): number {
  const group = stack.pop() as Cost;
  const outer = stack[stack.length - 1];
  if (outer === undefined) throw new Error('a ) closes nothing');
  return applyQuantifier(source, at + 1, group, outer);
}

function classEnd(source: string, at: number): number {
  for (let i = at + 1; i < source.length; i++) {
    if (source[i] === '\\') i++;
    else if (source[i] === ']') return i + 1;
  }
  throw new Error('a [ is not closed');
}

const quantifier = /(?:[*+?]|\{(\d+)(,?)(\d*)\})\??/y;

function applyQuantifier(source: string, at: number, inner: Cost, outer: Cost): number {
  quantifier.lastIndex = at;
  const found = quantifier.exec(source);
  const varies = inner.repeats > 0 || inner.choices > 1 || inner.alternatives > 1;
  outer.choices *= inner.choices * inner.alternatives;
  outer.repeats += inner.repeats;
  outer.nested ||= inner.nested;
  if (found === null) return at;
  const ways = waysOf(found);
  if (varies && !found[0].startsWith('?')) outer.nested = true;
  if (ways > choicesMax) outer.repeats++;
  else outer.choices *= ways;
  return at + found[0].length;
}

/** How many counts a quantifier allows. */
function waysOf(found: RegExpExecArray): number {
  if (!found[0].startsWith('{')) return found[0].startsWith('?') ? 2 : Number.POSITIVE_INFINITY;
  const [, from = '0', comma, to = ''] = found;
  if (comma === '') return 1;
  return to === '' ? Number.POSITIVE_INFINITY : Number(to) - Number(from) + 1;
}
