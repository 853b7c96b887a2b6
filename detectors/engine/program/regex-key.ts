// The plain text that a regular expression cannot match without: an index key for `^secret/data/[a-z]+/prod$` is its beginning.

import type { Standing } from './texts.ts';

interface Run {
  isFirst: boolean;
  text: string;
}

/** The longest plain run outside of groups, in lower case; undefined when there is none, or one of alternatives may do. */
export function regexKey(source: string, flags: string): { standing: Standing; text: string } | undefined {
  // With these, letters beyond ASCII may stand for those within.
  if (/[uv]/.test(flags)) return undefined;
  const isAnchored = source.startsWith('^') && !flags.includes('m');
  const runs = runsOf(source, isAnchored ? 1 : 0);
  if (runs === undefined) return undefined;
  const best = runs.reduce<Run | undefined>(
    (longest, run) => (run.text.length > (longest?.text.length ?? 0) ? run : longest),
    undefined,
  );
  if (best === undefined) return undefined;
  return { standing: isAnchored && best.isFirst ? 'start' : 'within', text: best.text.toLowerCase() };
}

const quantifier = /(?:[*+?]|\{\d+(?:,\d*)?\})\??/y;

/** Plain runs at the outermost level; undefined when there are alternatives there, or escapes that are not read here. */
function runsOf(source: string, from: number): Run[] | undefined {
  const runs: Run[] = [];
  let run = { isFirst: true, text: '' };
  for (let at = from; at < source.length; ) {
    const atom = atomAt(source, at);
    if (atom === undefined) return undefined;
    quantifier.lastIndex = atom.end;
    const repeat = quantifier.exec(source)?.[0] ?? '';
    // One or more of it: it is there, but what follows need not stand next to it.
    if (atom.char !== undefined && (repeat === '' || repeat.startsWith('+'))) run.text += atom.char;
    if (atom.char === undefined || repeat !== '') {
      runs.push(run);
      run = { isFirst: false, text: '' };
    }
    at = atom.end + repeat.length;
  }
  return [...runs, run];
}

/** Where the atom at `at` ends, and the character that it is if it is plain. */
function atomAt(source: string, at: number): { char?: string; end: number } | undefined {
  const char = source[at] as string;
  if (char === '|') return undefined;
  if (char === '[') return { end: classEnd(source, at) };
  if (char === '(') return { end: groupEnd(source, at) };
  if (char !== '\\')
    return '.^$)]{}'.includes(char) || char > '\x7f' ? { end: at + 1 } : { char, end: at + 1 };
  const escaped = source[at + 1] ?? '\\';
  if (/[^\w\x80-\uffff]/.test(escaped)) return { char: escaped, end: at + 2 };
  return /[dDwWsSbBnrtvf]/.test(escaped) ? { end: at + 2 } : undefined;
}

function classEnd(source: string, at: number): number {
  let end = at + 1;
  while (end < source.length && source[end] !== ']') end += source[end] === '\\' ? 2 : 1;
  return end + 1;
}

function groupEnd(source: string, at: number): number {
  let depth = 0;
  for (let i = at; i < source.length; i++) {
    if (source[i] === '\\') i++;
    else if (source[i] === '[') i = classEnd(source, i) - 1;
    else if (source[i] === '(') depth++;
    else if (source[i] === ')' && --depth === 0) return i + 1;
  }
  return source.length;
}
