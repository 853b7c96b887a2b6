// Reads Sigma YAML strictly: what is not understood is an error that names the place and what was most likely meant.

import type { z } from 'zod';
import { SealwatchError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { nearest } from '../../core/nearest.ts';
import { type Fault, readStrictDocuments } from '../../core/strict-yaml.ts';
import { collected } from './collection.ts';
import { idOf } from './info.ts';
import {
  type CorrelationDocument,
  correlationBody,
  correlationSchema,
  customAttributes,
  type FilterDocument,
  filterSchema,
  type RuleDocument,
  ruleSchema,
} from './sigma-schema.ts';
import { refuseOldAttributes, requireOfPack } from './strict.ts';

/** One document of a rule file. `fault` makes the error for the value at `path` inside it. */
export type ParsedRule = { fault: Fault; file: string } & (
  | { document: CorrelationDocument & { id: string }; kind: 'correlation' }
  | { document: FilterDocument & { id: string }; kind: 'filter' }
  | { document: RuleDocument & { id: string }; kind: 'rule' }
);

export interface ReadOptions {
  /** Rules of sealwatch itself: they must have what foreign ones may leave out. */
  strictPack?: boolean;
  /** Told what was left out, and what looks like a slip without being an error. */
  note?: (text: string) => void;
}

const advice = 'Mend the rule; docs/detections/sigma.md shows what is read';

/**
 * The rules, correlations and filters in `text`, which may hold several documents.
 * @param file name for messages
 * Throws SealwatchError RULE_INVALID.
 */
export function parseRuleFile(text: string, file: string, options: ReadOptions = {}): ParsedRule[] {
  const documents = readStrictDocuments(text, file, {
    code: 'RULE_INVALID',
    advice,
    bytesMax: limits.ruleBytesMax,
    what: 'a rule',
  });
  if (documents.length === 0) throw new SealwatchError('RULE_INVALID', `${file}: holds no rule`, advice);
  return collected(documents).flatMap(({ fault, value }) => parseDocument(value, file, fault, options));
}

function parseDocument(
  value: Record<string, unknown>,
  file: string,
  fault: Fault,
  options: ReadOptions,
): ParsedRule[] {
  refuseOldAttributes(value, fault);
  const parsed = parsedBy(value, file, fault, options);
  if (options.strictPack === true && parsed.kind !== 'filter') requireOfPack(parsed);
  if (parsed.kind === 'correlation' || isOurs(parsed.document.logsource)) return [parsed];
  options.note?.(`${file}: ${parsed.document.title} is for another log source and was left out`);
  return [];
}

function parsedBy(
  value: Record<string, unknown>,
  file: string,
  fault: Fault,
  options: ReadOptions,
): ParsedRule {
  const read = <T extends z.ZodObject>(schema: T) => {
    checkAttributes(Object.keys(schema.shape), value, fault, file, options);
    const document = checked(schema, value, fault) as z.infer<T> & { name?: string; title: string };
    return { ...document, id: idOf(document) };
  };
  if ('correlation' in value) {
    checkBody(value['correlation'], fault);
    return { document: read(correlationSchema), fault, file, kind: 'correlation' };
  }
  if ('filter' in value) return { document: read(filterSchema), fault, file, kind: 'filter' };
  return { document: read(ruleSchema), fault, file, kind: 'rule' };
}

/** Whether the rule is meant for Vault's audit log: OpenBao writes the same. Nothing named means any log. */
const isOurs = ({ category, product, service }: RuleDocument['logsource']): boolean =>
  category === undefined &&
  (product === 'vault' || product === 'openbao') &&
  (service === undefined || service === 'audit');

/** Sigma allows attributes of one's own: they pass, unless one looks like a slip of the pen. */
function checkAttributes(
  known: string[],
  value: Record<string, unknown>,
  fault: Fault,
  file: string,
  { note, strictPack }: ReadOptions,
): void {
  for (const key of Object.keys(value)) {
    if (known.includes(key) || customAttributes.includes(key)) continue;
    const near = nearest(key, known);
    if (near !== undefined) throw fault([key], `is no attribute of a rule; did you mean ${near}?`);
    if (strictPack === true) throw fault([key], 'is no attribute of a rule of sealwatch');
    note?.(`${file}: attribute ${key} is none of Sigma's and says nothing to sealwatch`);
  }
}

function checkBody(body: unknown, fault: Fault): void {
  const known = Object.keys(correlationBody.shape);
  if (typeof body !== 'object' || body === null) throw fault(['correlation'], 'must be a map');
  const stranger = Object.keys(body).find((key) => !known.includes(key));
  if (stranger === undefined) return;
  const near = nearest(stranger, known);
  throw fault(
    ['correlation', stranger],
    `is no attribute of a correlation${near === undefined ? '' : `; did you mean ${near}?`}`,
  );
}

function checked<T extends z.ZodObject>(schema: T, value: Record<string, unknown>, fault: Fault): z.infer<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  if (issue === undefined) throw fault([], 'is not valid');
  const found = reach(value, issue.path);
  throw fault(issue.path, found === undefined ? 'is missing' : problemOf(issue, found));
}

/** What is wrong with `found`, with the word that was meant where a list of words is known. */
function problemOf(issue: z.core.$ZodIssue, found: unknown): string {
  if (issue.code !== 'invalid_value' || typeof found !== 'string') return issue.message;
  const words = issue.values.map(String);
  const near = nearest(found, words);
  return `${found} is not one of ${words.join(', ')}${near === undefined ? '' : `; did you mean ${near}?`}`;
}

function reach(value: unknown, path: PropertyKey[]): unknown {
  let at: unknown = value;
  for (const key of path) at = (at as Record<PropertyKey, unknown> | null | undefined)?.[key];
  return at;
}
