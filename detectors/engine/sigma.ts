// Reads Sigma YAML strictly: what is not understood is an error that names the place and what was most likely meant.

import { type Document, isMap, isNode, isScalar, LineCounter, parseAllDocuments } from 'yaml';
import type { z } from 'zod';
import { SealwatchError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { nearest } from '../../core/nearest.ts';
import {
  type CorrelationDocument,
  correlationSchema,
  type RuleDocument,
  ruleSchema,
} from './sigma-schema.ts';

/** One document of a rule file. `fault` makes the error for the value at `path` inside it. */
export type ParsedRule = { fault: Fault; file: string } & (
  | { document: CorrelationDocument; kind: 'correlation' }
  | { document: RuleDocument; kind: 'rule' }
);
export type Fault = (path: PropertyKey[], what: string) => SealwatchError;

const advice = 'Mend the rule; docs/detections.md shows the attributes';

/**
 * The rules and correlations in `text`, which may hold several documents.
 * @param file name for messages
 * Throws SealwatchError RULE_INVALID.
 */
export function parseRuleFile(text: string, file: string): ParsedRule[] {
  if (Buffer.byteLength(text) > limits.ruleBytesMax) {
    throw new SealwatchError('RULE_INVALID', `${file}: over ${limits.ruleBytesMax} bytes`, advice);
  }
  const lines = new LineCounter();
  const documents = readYaml(text, file, lines);
  if (documents.length === 0) throw new SealwatchError('RULE_INVALID', `${file}: holds no rule`, advice);
  return documents.map((document) => parseDocument(document, file, faultOf(document, file, lines)));
}

function readYaml(text: string, file: string, lineCounter: LineCounter): Document[] {
  const invalid = (what: string, cause?: unknown) =>
    new SealwatchError('RULE_INVALID', `${file}: ${what}`, advice, { cause });
  let documents: ReturnType<typeof parseAllDocuments>;
  try {
    documents = parseAllDocuments(text, { lineCounter, uniqueKeys: true });
  } catch (error) {
    throw invalid('is not YAML that can be read', error);
  }
  const found = [...documents].filter((document) => document.errors.length > 0 || !isEmpty(document));
  for (const document of found) {
    const [problem] = [...document.errors, ...document.warnings];
    if (problem !== undefined) throw invalid(problem.message.split('\n')[0] ?? 'is not YAML', problem);
  }
  return found;
}

const isEmpty = ({ contents }: Document): boolean =>
  contents === null || (isScalar(contents) && contents.value === null);

function faultOf(document: Document, file: string, lines: LineCounter): Fault {
  return (path, what) => {
    const line = lineOf(document, lines, path);
    const place = path.length === 0 ? '' : ` ${path.map(String).join('.')}`;
    return new SealwatchError(
      'RULE_INVALID',
      `${file}${line === undefined ? '' : ` line ${line}`}:${place} ${what}`,
      advice,
    );
  };
}

/** The line of the value at `path`, or of the nearest part around it that is there. */
function lineOf(document: Document, lines: LineCounter, path: PropertyKey[]): number | undefined {
  for (let length = path.length; length >= 0; length--) {
    const node: unknown = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range != null) return lines.linePos(node.range[0]).line;
  }
  return undefined;
}

function parseDocument(document: Document, file: string, fault: Fault): ParsedRule {
  if (!isMap(document.contents)) throw fault([], 'a rule must be a map of attributes');
  const value = plainValue(document, fault);
  if ('correlation' in value) {
    return { document: checked(correlationSchema, value, fault), fault, file, kind: 'correlation' };
  }
  return { document: checked(ruleSchema, value, fault), fault, file, kind: 'rule' };
}

function plainValue(document: Document, fault: Fault): Record<string, unknown> {
  try {
    // No aliases: they are how a small file grows to fill the memory.
    return document.toJS({ maxAliasCount: 0 }) as Record<string, unknown>;
  } catch {
    throw fault([], 'YAML aliases (*name) are not supported');
  }
}

function checked<T extends z.ZodObject>(schema: T, value: Record<string, unknown>, fault: Fault): z.infer<T> {
  const known = Object.keys(schema.shape);
  const stranger = Object.keys(value).find((key) => !known.includes(key));
  if (stranger !== undefined) throw fault([stranger], `is no attribute of a rule${meant(stranger, known)}`);
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  if (issue === undefined) throw fault([], 'is not valid');
  throw fault(issue.path, reach(value, issue.path) === undefined ? 'is missing' : issue.message);
}

function meant(word: string, known: string[]): string {
  const near = nearest(word, known);
  return near === undefined ? '' : `; did you mean ${near}?`;
}

function reach(value: unknown, path: PropertyKey[]): unknown {
  let at: unknown = value;
  for (const key of path) at = (at as Record<PropertyKey, unknown> | null | undefined)?.[key];
  return at;
}
