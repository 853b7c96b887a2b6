// Reads the project's own source files for the tidy rules: text, code without comments and strings, imports, functions.

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { posix } from 'node:path';

export interface Source {
  /** From the project's root, with `/`. */
  path: string;
  text: string;
  /** The text with comments, strings and regular expressions blanked; lines stay where they are. */
  code: string;
}

const skipped = new Set(['node_modules', 'dist', 'data', 'fixtures']);

/** All TypeScript and JavaScript of the project. */
export function readSources(folders: readonly string[]): Source[] {
  return folders
    .flatMap((folder) => filesUnder(folder))
    .map((path) => source(path, readFileSync(path, 'utf8')));
}

/** Folders and files of the root that can hold source; `.ci` is the only hidden one. */
export const rootEntries = () =>
  readdirSync('.').filter((name) => !skipped.has(name) && (!name.startsWith('.') || name === '.ci'));

function filesUnder(path: string): string[] {
  if (!existsSync(path)) return [];
  if (statSync(path).isFile()) return /\.(ts|mjs)$/.test(path) ? [path] : [];
  return readdirSync(path)
    .filter((name) => !skipped.has(name))
    .flatMap((name) => filesUnder(posix.join(path, name)));
}

export const source = (path: string, text: string): Source => ({ path, text, code: blank(text, true) });

const comment = String.raw`\/\/[^\n]*|\/\*[\s\S]*?\*\/`;
const string = String.raw`'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|\`(?:\\.|[^\`\\])*\``;
/** A slash begins a regular expression only where no value can stand before it. */
const regex = String.raw`(?<=[=(,:[!&|?{};]\s*|return\s)\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*`;
const token = new RegExp(`(${comment})|(${string}|${regex})`, 'g');

/** Comments always go; strings and regular expressions keep only their quotes if `strings` is set. */
function blank(text: string, strings: boolean): string {
  return text.replace(token, (match, isComment: string | undefined) => {
    if (isComment !== undefined) return match.replace(/[^\n]/g, ' ');
    return strings ? match[0] + match.slice(1, -1).replace(/[^\n]/g, ' ') + match.at(-1) : match;
  });
}

/** What a file imports, and the files it names by `new URL('...', import.meta.url)`, as for a worker. */
export function importsOf({ text }: Source): string[] {
  const code = blank(text, false);
  const found = code.matchAll(
    /(?:\bfrom\s+|\bimport\s+|\bimport\(\s*)['"]([^'"]+)['"]|new URL\(\s*['"]([^'"]+\.m?[jt]s)['"],\s*import\.meta/g,
  );
  return [...found].map((match) => match[1] ?? match[2] ?? '');
}

/** A relative import as a path from the root; undefined for a package or a module of Node. */
export const importTarget = (from: string, specifier: string): string | undefined =>
  specifier.startsWith('.') ? posix.join(posix.dirname(from), specifier) : undefined;

/** Where each function begins and how many lines it has. The formatter's indentation shows where it ends. */
export function functionsOf({ code }: Source): { line: number; lines: number }[] {
  const lines = code.split('\n');
  return lines.flatMap((line, start) => {
    // A contract suite is a function around a `describe`; like one, it is a list of tests.
    if (!beginsFunction(line, lines, start) || /^\s*describe\b/.test(lines[start + 1] ?? '')) return [];
    const indent = /^\s*/.exec(line)?.[0] ?? '';
    const end = lines.findIndex((other, i) => i > start && new RegExp(`^${indent}\\}[;,)\\]]*$`).test(other));
    return end < 0 ? [] : [{ line: start + 1, lines: end - start + 1 }];
  });
}

function beginsFunction(line: string, lines: readonly string[], at: number): boolean {
  if (/^\s*(describe|suite)\(|^\s*[}\]]|^\s*(if|for|while|switch|do|else|try|class)\b/.test(line))
    return false;
  if (/\bfunction\b|=> \{$/.test(line)) return true;
  if (/^\s+[\w #[\].]+\(.*\{$/.test(line)) return true;
  if (!line.endsWith('(')) return false;
  const indent = /^\s*/.exec(line)?.[0] ?? '';
  const next = lines
    .slice(at + 1)
    .find((other) => other.startsWith(indent) && /^\S/.test(other.slice(indent.length)));
  return next !== undefined && /^\s*\).*\{$/.test(next);
}
