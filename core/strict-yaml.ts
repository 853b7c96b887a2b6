// YAML that people write for sealwatch, read strictly: what is not understood is an error that names file and line, and what was
// most likely meant.

import { type Document, isMap, isNode, isScalar, LineCounter, parseAllDocuments } from 'yaml';
import type { z } from 'zod';
import { type ErrorCode, SealwatchError } from './errors.ts';
import { nearest } from './nearest.ts';

/** Makes the error for the value at `path`. */
export type Fault = (path: PropertyKey[], what: string) => SealwatchError;

export interface StrictYaml {
  value: Record<string, unknown>;
  fault: Fault;
}

interface YamlOptions {
  code: ErrorCode;
  advice: string;
  bytesMax: number;
  /** For messages: `a rule must be a map`. */
  what?: string;
}

/**
 * The one document of `text`, a map; an empty one for a text without any.
 * @param file name for messages
 * Throws SealwatchError with `code`, as `readStrictDocuments` does, and for a second document.
 */
export function readStrictYaml(text: string, file: string, options: YamlOptions): StrictYaml {
  const [document, second] = readStrictDocuments(text, file, options);
  if (second !== undefined) throw second.fault([], 'is a second document');
  const fault = faultAt(
    () => '',
    (what) => new SealwatchError(options.code, `${file}${what}`, options.advice),
  );
  return document ?? { value: {}, fault };
}

/**
 * The documents of `text`, each a map; empty ones are left out.
 * @param file name for messages
 * Throws SealwatchError with `code`: over `bytesMax`, not YAML, a key twice, aliases (how a small file grows to fill the memory).
 */
export function readStrictDocuments(
  text: string,
  file: string,
  { code, advice, bytesMax, what: noun }: YamlOptions,
): StrictYaml[] {
  const invalid = (what: string, cause?: unknown) =>
    new SealwatchError(code, `${file}${what}`, advice, { cause });
  if (Buffer.byteLength(text) > bytesMax) throw invalid(`: over ${bytesMax} bytes`);
  const lines = new LineCounter();
  const documents = parseDocuments(text, lines, invalid);
  for (const document of documents) {
    const [problem] = [...document.errors, ...document.warnings];
    if (problem !== undefined) throw invalid(`: ${problem.message.split('\n')[0]}`, problem);
  }
  return documents
    .filter((document) => !isEmpty(document))
    .map((document) => {
      const fault = faultAt((path) => place(lines, offsetOf(document, path)), invalid);
      if (!isMap(document.contents)) throw fault([], `${noun === undefined ? '' : `${noun} `}must be a map`);
      try {
        return { value: document.toJS({ maxAliasCount: 0 }) as Record<string, unknown>, fault };
      } catch {
        throw fault([], 'YAML aliases (*name) are not supported');
      }
    });
}

const isEmpty = ({ contents }: Document): boolean =>
  contents === null || (isScalar(contents) && contents.value === null);

function parseDocuments(
  text: string,
  lineCounter: LineCounter,
  invalid: (what: string, cause: unknown) => SealwatchError,
): Document[] {
  try {
    return [...parseAllDocuments(text, { lineCounter, uniqueKeys: true })];
  } catch (error) {
    throw invalid(': is not YAML that can be read', error);
  }
}

const faultAt =
  (where: (path: PropertyKey[]) => string, invalid: (what: string) => SealwatchError): Fault =>
  (path, what) =>
    invalid(`${where(path)}:${path.length === 0 ? '' : ` ${path.map(String).join('.')}`} ${what}`);

const place = (lines: LineCounter, offset: number | undefined): string =>
  offset === undefined ? '' : ` line ${lines.linePos(offset).line}`;

/** Where the value at `path` begins, or the nearest part around it that is there. */
function offsetOf(document: Document, path: PropertyKey[]): number | undefined {
  for (let length = path.length; length >= 0; length--) {
    const node: unknown = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range != null) return node.range[0];
  }
  return undefined;
}

/** `value` as `schema` wants it; else the fault of the first thing that is wrong. */
export function checked<T extends z.ZodType>(schema: T, { value, fault }: StrictYaml): z.output<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  // A misspelt key is why another one is missing.
  const { issues } = result.error;
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0];
  if (issue === undefined) throw fault([], 'is not valid');
  if (issue.code === 'unrecognized_keys') {
    const [stranger = ''] = issue.keys;
    const known = keysOf(schema, issue.path);
    throw fault([...issue.path, stranger], `is not known${meant(stranger, known)}`);
  }
  throw fault(issue.path, reach(value, issue.path) === undefined ? 'is missing' : issue.message);
}

/** `; did you mean X?` for the word of `known` that is near to `word`, else which there are. */
export function meant(word: string, known: readonly string[]): string {
  const near = nearest(word, known);
  if (near !== undefined) return `; did you mean ${near}?`;
  return known.length === 0 || known.length > 20 ? '' : `; there are ${known.join(', ')}`;
}

/** The keys that `schema` knows at `path`. */
function keysOf(schema: unknown, path: PropertyKey[]): string[] {
  let at = unwrapped(schema);
  for (const key of path) at = unwrapped(typeof key === 'number' ? at.element : at.shape?.[String(key)]);
  return Object.keys(at.shape ?? {});
}

interface Inside {
  def?: { innerType?: unknown; in?: unknown };
  element?: unknown;
  shape?: Record<string, unknown>;
}

function unwrapped(schema: unknown): Inside {
  let at = (schema ?? {}) as Inside;
  for (let inner = at.def?.innerType ?? at.def?.in; inner !== undefined && at.shape === undefined; ) {
    at = inner as Inside;
    inner = at.def?.innerType ?? at.def?.in;
  }
  return at;
}

function reach(value: unknown, path: PropertyKey[]): unknown {
  let at: unknown = value;
  for (const key of path) at = (at as Record<PropertyKey, unknown> | null | undefined)?.[key];
  return at;
}
