// Sigma predicates: a selection of a rule, compiled once to a closure over events.
// Source: Sigma rules specification 2.0.0 and its modifiers appendix.

import ipaddr from 'ipaddr.js';
import { anyText, fieldTest, type Predicate, textOf, type ValueTest } from './match-fields.ts';
import { regexTest } from './match-regex.ts';
import { literal, type Place, parsePattern, placed, textTest } from './match-text.ts';

export type { Predicate } from './match-fields.ts';

/** A selection that cannot be compiled; who reads the file adds where. */
export class SelectionError extends Error {
  override readonly name = 'SelectionError';
}

/**
 * A selection: a map of `field|modifier` to value or list of values (all must hold), a list of such maps (one must
 * hold), or a list of keywords (one must be in some text of the event). Throws SelectionError.
 */
export function compileSelection(selection: unknown): Predicate {
  if (Array.isArray(selection)) {
    if (selection.length === 0) throw new SelectionError('the list is empty');
    if (selection.every(isMap)) return anyOf(selection.map(compileMap));
    if (selection.some((item) => typeof item === 'object')) {
      throw new SelectionError('a list must hold maps only, or keywords only');
    }
    return anyOf(selection.map(compileKeyword));
  }
  if (isMap(selection)) return compileMap(selection);
  throw new SelectionError('must be a map of fields, a list of maps or a list of keywords');
}

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function compileMap(map: Record<string, unknown>): Predicate {
  const entries = Object.entries(map);
  if (entries.length === 0) throw new SelectionError('the map is empty, so it would match everything');
  return allOf(entries.map(([key, value]) => compileField(key, value)));
}

const places = ['contains', 'startswith', 'endswith'] as const;
const comparisons = ['gt', 'gte', 'lt', 'lte'] as const;
const kinds = [...places, ...comparisons, 're', 'cidr', 'exists'] as const;
const modifierNames = [...kinds, 'all', 'cased', 'base64', 'i', 'm', 's'] as const;
type Modifier = (typeof modifierNames)[number];

/** A field key taken apart: `kind` is what is done with the value, `flags` are the sub-modifiers of `re`. */
interface FieldKey {
  all: boolean;
  base64: boolean;
  cased: boolean;
  flags: string;
  kind: (typeof kinds)[number] | 'equals';
  name: string;
}

function compileField(key: string, value: unknown): Predicate {
  const field = parseKey(key);
  const values = Array.isArray(value) ? value : [value];
  if (values.length === 0) throw new SelectionError(`${key}: the list of values is empty`);
  if (field.all && values.length === 1)
    throw new SelectionError(`${key}: |all needs a list of two values or more`);
  if (field.name === '') return compileKeywords(field, values);
  if (field.kind === 'exists') return compileExists(field.name, values);
  const tests = values.map((one) => named(key, () => valueTest(field, one)));
  if (field.all) return allOf(tests.map((test) => fieldTest(field.name, test)));
  return fieldTest(field.name, anyValue(tests));
}

function anyValue(tests: ValueTest[]): ValueTest {
  const [only] = tests;
  if (tests.length === 1 && only !== undefined) return only;
  return (value) => {
    for (let i = 0; i < tests.length; i++) if ((tests[i] as ValueTest)(value)) return true;
    return false;
  };
}

function parseKey(key: string): FieldKey {
  const [name = '', ...modifiers] = key.split('|');
  const unknown = modifiers.find((one) => !(modifierNames as readonly string[]).includes(one));
  if (unknown !== undefined) {
    throw new SelectionError(
      `${key}: modifier ${unknown} is not supported; known are ${modifierNames.join(', ')}`,
    );
  }
  const has = (modifier: Modifier) => modifiers.includes(modifier);
  const chosen = kinds.filter(has);
  const kind = chosen[0] ?? 'equals';
  const flags = modifiers.filter((one) => one === 'i' || one === 'm' || one === 's').join('');
  const isText = kind === 'equals' || isPlace(kind);
  if (chosen.length > 1) throw new SelectionError(`${key}: ${chosen.join(' and ')} exclude each other`);
  if (new Set(modifiers).size < modifiers.length) throw new SelectionError(`${key}: a modifier stands twice`);
  if (flags !== '' && kind !== 're') throw new SelectionError(`${key}: i, m and s belong to re`);
  if ((has('cased') || has('base64')) && !isText) {
    throw new SelectionError(`${key}: cased and base64 do not go with ${kind}`);
  }
  if (has('base64') && modifiers.indexOf('base64') > modifiers.findIndex(isPlace) && isPlace(kind)) {
    throw new SelectionError(`${key}: base64 must stand before ${kind}`);
  }
  return { all: has('all'), base64: has('base64'), cased: has('cased'), flags, kind, name };
}

const isPlace = (word: string): word is (typeof places)[number] =>
  (places as readonly string[]).includes(word);

const isComparison = (word: string): word is (typeof comparisons)[number] =>
  (comparisons as readonly string[]).includes(word);

function compileExists(name: string, values: unknown[]): Predicate {
  const [wanted] = values;
  if (values.length !== 1 || typeof wanted !== 'boolean') {
    throw new SelectionError(`${name}|exists must be true or false`);
  }
  return fieldTest(name, (value) => (value !== undefined) === wanted);
}

function valueTest(field: FieldKey, value: unknown): ValueTest {
  if (field.kind === 're') return onText(regexTest(wantText(value), field.flags));
  if (field.kind === 'cidr') return cidrTest(wantText(value));
  if (isComparison(field.kind)) return comparison(field.kind, value);
  const place: Place = isPlace(field.kind) ? field.kind : 'whole';
  if (value === null) {
    if (place !== 'whole' || field.base64) throw new SelectionError('null takes no modifier');
    return (found) => found === undefined || found === null;
  }
  return textValueTest(field, place, value);
}

function textValueTest(field: FieldKey, place: Place, value: unknown): ValueTest {
  const text = textOf(value);
  if (text === undefined) throw new SelectionError('a value must be text, a number, true, false or null');
  const pattern = field.base64
    ? literal(Buffer.from(text).toString('base64'))
    : typeof value === 'string'
      ? parsePattern(text)
      : literal(text);
  return onText(textTest(placed(pattern, place), field.cased));
}

const onText =
  (test: (text: string) => boolean): ValueTest =>
  (value) => {
    if (typeof value === 'string') return test(value);
    const text = textOf(value);
    return text !== undefined && test(text);
  };

function wantText(value: unknown): string {
  if (typeof value !== 'string') throw new SelectionError('the value must be text');
  return value;
}

function comparison(kind: (typeof comparisons)[number], wanted: unknown): ValueTest {
  if (typeof wanted !== 'number') throw new SelectionError(`${kind} needs a number`);
  if (kind === 'gt') return (value) => typeof value === 'number' && value > wanted;
  if (kind === 'gte') return (value) => typeof value === 'number' && value >= wanted;
  if (kind === 'lt') return (value) => typeof value === 'number' && value < wanted;
  return (value) => typeof value === 'number' && value <= wanted;
}

/** Addresses inside `range`. An IPv4 address written as IPv6 (`::ffff:10.0.0.1`) counts as IPv4. */
function cidrTest(range: string): ValueTest {
  if (!ipaddr.isValidCIDR(range)) throw new SelectionError(`${range} is no address range such as 10.0.0.0/8`);
  const [network, bits] = ipaddr.parseCIDR(range);
  return (value) => {
    if (typeof value !== 'string' || !ipaddr.isValid(value)) return false;
    const address = ipaddr.process(value);
    return address.kind() === network.kind() && address.match(network, bits);
  };
}

function compileKeywords(field: FieldKey, values: unknown[]): Predicate {
  if (field.kind !== 'equals' || field.base64 || field.cased) {
    throw new SelectionError('keywords take no modifier but |all');
  }
  return (field.all ? allOf : anyOf)(values.map(compileKeyword));
}

function compileKeyword(value: unknown): Predicate {
  const text = textOf(value);
  if (text === undefined || text === '') throw new SelectionError('a keyword must be text that is not empty');
  const test = textTest(placed(parsePattern(text), 'contains'), false);
  return (event) => anyText(event, test);
}

/** Runs `compile` and puts the field's key before what it complains about. */
function named<T>(key: string, compile: () => T): T {
  try {
    return compile();
  } catch (error) {
    throw new SelectionError(`${key}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Whether all hold. */
export function allOf(predicates: Predicate[]): Predicate {
  const [only] = predicates;
  if (predicates.length === 1 && only !== undefined) return only;
  return (event) => {
    for (let i = 0; i < predicates.length; i++) if (!(predicates[i] as Predicate)(event)) return false;
    return true;
  };
}

/** Whether one holds. */
export function anyOf(predicates: Predicate[]): Predicate {
  const [only] = predicates;
  if (predicates.length === 1 && only !== undefined) return only;
  return (event) => {
    for (let i = 0; i < predicates.length; i++) if ((predicates[i] as Predicate)(event)) return true;
    return false;
  };
}
