// Where sigma-rust 0.7.0 and we read a rule differently, on purpose, each with the reason. The test fails on a difference that
// is not here, and on one here that does not occur.

import type { Detection } from '../../bench/rules/maker.ts';
import type { Leaf } from './corpus.ts';

export interface Difference {
  /** Whether this can change the verdict of a condition that holds `leaf` on an event in which its field has `found`. */
  concerns: (leaf: Leaf, found: Found) => boolean;
  /** A rule with just this difference, on some event of the comparison. */
  example: Detection;
  name: string;
  why: string;
}

/** What stands in the event: values of a field, through lists; `isList` when there is a list on the way or at the end. */
export interface Found {
  isList: boolean;
  /** Values of the other field of `fieldref`. */
  other: Found | undefined;
  /** Every scalar of the event, for keywords. */
  scalars: unknown[];
  /** Empty when the field is absent. */
  values: unknown[];
}

const has = (leaf: Leaf, modifier: string) => leaf.modifiers.includes(modifier);
const isOrder = ({ modifiers }: Leaf) => modifiers.some((one) => ['gt', 'gte', 'lt', 'lte'].includes(one));
const isPrintedAlike = (a: unknown, b: unknown) => String(a).toLowerCase() === String(b).toLowerCase();
/** A number that sigma-rust does not compare with whole ones: text, or with a fraction. */
const isOddNumber = (value: unknown) =>
  typeof value === 'number' ? !Number.isInteger(value) : typeof value === 'string' && /^-?\d/.test(value);
const isScalar = (value: unknown) => typeof value === 'number' || typeof value === 'boolean';

export const differences: Difference[] = [
  {
    name: 'a list in the event',
    example: { a: { 'vault.caller.policies': 'root' }, condition: 'a' },
    why: 'sigma-rust matches no list or map (its issue 9). Sigma says that a field is searched; Elasticsearch, for which pySigma writes, and Splunk match when one element does, and so do we: policies, devices and flags are lists.',
    concerns: (leaf, { isList, other }) => leaf.field !== '' && (isList || other?.isList === true),
  },
  {
    name: 'a number or boolean beside text that prints the same',
    example: { a: { 'user_agent.original': 3600 }, condition: 'a' },
    why: 'sigma-rust compares types strictly (its README). Vault writes the same value as a number or as text, by version and engine, so we compare as it prints, as pySigma does where it writes text queries.',
    concerns: (leaf, { other, values }) => {
      if (leaf.field === '') return false;
      if (isOrder(leaf)) return [...values, ...leaf.values].some(isOddNumber);
      if (other !== undefined) return values.some(isScalar) !== other.values.some(isScalar);
      return leaf.values.some((one) =>
        values.some((value) => typeof one !== typeof value && isPrintedAlike(one, value)),
      );
    },
  },
  {
    name: 'null of an absent field',
    example: { a: { 'user.domain': null }, condition: 'a' },
    why: 'Rules specification 2.1, special values: null is a field that has no value. Vault leaves absent fields out of its JSON and sigma-rust asks for a literal null.',
    concerns: ({ values }, { values: found }) => values.includes(null) && found.length === 0,
  },
  {
    name: 'null as empty text',
    example: { a: { 'vault.response.data.custom_metadata': '' }, condition: 'a' },
    why: 'sigma-rust puts a literal null in the place of empty text before wildcards and regular expressions. The specification sets the two apart: an empty value is two quotes, a missing one is null.',
    concerns: ({ field }, { values: found }) => field !== '' && found.includes(null),
  },
  {
    name: 'a keyword in a longer text',
    example: { a: ['sys/generate-root'], condition: 'a' },
    why: 'Rules specification 2.1, keywords: the list is searched for in the log. sigma-rust wants a field whose whole value is the keyword; we look in each text.',
    concerns: ({ field, values }) =>
      field === '' && values.some((word) => !/^\*.*(?<!\\)\*$/s.test(String(word))),
  },
  {
    name: 'a keyword in a number',
    example: { a: ['*2764800*'], condition: 'a' },
    why: 'We search texts for keywords. sigma-rust also searches numbers and booleans, as it prints them.',
    concerns: ({ field, values }, { scalars }) =>
      field === '' &&
      scalars.some(
        (one) =>
          isScalar(one) &&
          values.some((word) => String(one).includes(String(word).replace(/\*/g, '').toLowerCase())),
      ),
  },
  {
    name: 'a question mark behind a star',
    example: { a: { 'user_agent.original': '*ab?c' }, condition: 'a' },
    why: 'Rules specification 2.1: * is any number of characters, ? is one. sigma-rust takes the first place that fits and does not go back, so *?c is no match for abc.',
    concerns: (leaf) =>
      leaf.values.some((value) => /\*.*\?/.test(plain(value, leaf))) ||
      (hasOpenStart(leaf) && leaf.values.some((value) => plain(value, leaf).includes('?'))),
  },
  {
    name: 'the padding of base64',
    example: { a: { 'user_agent.original|base64|contains': 'my vault, secret' }, condition: 'a' },
    why: 'Modifiers appendix, base64: the value is encoded with Base64. sigma-rust cuts the padding and the last character before it, so that it finds text that goes on; base64offset is the modifier for that.',
    concerns: (leaf) => has(leaf, 'base64'),
  },
  {
    name: 'fieldref in other case',
    example: { a: { 'user_agent.original|fieldref': 'user.name' }, condition: 'a' },
    why: 'Rules specification 2.1: values are compared without regard to case unless cased is given. sigma-rust compares the two whole fields with regard to it.',
    concerns: (leaf) => has(leaf, 'fieldref') && leaf.modifiers.length === 1,
  },
  {
    name: 'exists: false and a field that is false',
    example: { a: { 'vault.response.data.destroyed|exists': false }, condition: 'a' },
    why: 'sigma-rust goes on to compare the value of exists with the field, so that a field that is there and false counts as absent.',
    concerns: (leaf, { values: found }) =>
      has(leaf, 'exists') && leaf.values.includes(false) && found.includes(false),
  },
];

const hasOpenStart = (leaf: Leaf) => has(leaf, 'contains') || has(leaf, 'endswith');

/** The value without what is escaped. */
const plain = (value: unknown, { modifiers }: Leaf): string =>
  modifiers.includes('re') ? '' : String(value).replace(/\\[\\*?]/g, '');

/** What `leaf` finds in the event. */
export function find(event: object, leaf: Leaf): Found {
  const other = has(leaf, 'fieldref')
    ? find(event, { field: String(leaf.values[0]), modifiers: [], values: [] })
    : undefined;
  const found: Found = { isList: false, other, scalars: [], values: [] };
  if (leaf.field === '') collect(event, found.scalars);
  else walk(event, leaf.field.split('.'), found);
  return found;
}

function walk(value: unknown, keys: string[], found: Found): void {
  if (Array.isArray(value)) {
    found.isList = true;
    for (const item of value) walk(item, keys, found);
  } else if (keys.length === 0) found.values.push(value);
  else if (typeof value === 'object' && value !== null && Object.hasOwn(value, keys[0] as string)) {
    walk((value as Record<string, unknown>)[keys[0] as string], keys.slice(1), found);
  }
}

function collect(value: unknown, into: unknown[]): void {
  if (typeof value !== 'object' || value === null) into.push(value);
  else for (const member of Object.values(value)) collect(member, into);
}
