// Value modifiers: what stands behind the bars of `field|modifier|modifier`, checked and applied.

import ipaddr from 'ipaddr.js';
import { limits } from '../limits.ts';
import { nearest } from '../nearest.ts';
import { encodedTexts, encodings, windashes } from './encode.ts';
import type { Comparison, Expr, Test } from './expr.ts';
import { textOf } from './fields.ts';
import { regexTest } from './regex.ts';
import { literal, type Place, parsePattern, placed } from './text.ts';
import { type TimePart, timeParts } from './time-part.ts';

export type Placeholders = Readonly<Record<string, readonly (string | number)[]>>;

/** A selection that cannot be read; who reads the file adds where. */
export class SelectionError extends Error {
  override readonly name = 'SelectionError';
}

const places = ['contains', 'startswith', 'endswith'] as const;
const comparisons = ['gt', 'gte', 'lt', 'lte'] as const;
const types = ['re', 'cidr', 'exists', 'fieldref'] as const;
const regexFlags = { i: 'i', ignorecase: 'i', m: 'm', multiline: 'm', s: 's', dotall: 's' } as const;
const parts = Object.keys(timeParts) as TimePart[];

/** Every modifier that is known. docs/detections/sigma.md lists them; a test keeps both equal. */
export const modifierNames: readonly string[] = [
  ...['all', 'neq', 'cased', 'expand', 'windash'],
  ...places,
  ...Object.keys(encodings),
  ...types,
  ...Object.keys(regexFlags),
  ...comparisons,
  ...parts,
];

/** The modifiers of one field, sorted into what they do. */
interface Plan {
  all: boolean;
  cased: boolean;
  encodings: string[];
  expand: boolean;
  flags: string;
  negated: boolean;
  /** What is done with the value; `text` without any of these. */
  type: 'text' | (typeof types)[number] | 'number' | 'time';
  comparison?: Comparison;
  part?: TimePart;
  place: Place;
  windash: boolean;
}

/** `field` with `modifiers` and the values of its list. Throws SelectionError, or an Error with a reason. */
export function fieldExpr(
  field: string,
  modifiers: string[],
  values: unknown[],
  placeholders: Placeholders,
): Expr {
  const plan = planOf(modifiers);
  if (plan.type === 'exists') return existsExpr(field, values, plan.negated);
  return joinValues(plan, values, placeholders, (test) => ({ kind: 'field', field, test }));
}

/** Keywords: `values` somewhere in the texts of the event. */
export function keywordExpr(modifiers: string[], values: unknown[], placeholders: Placeholders): Expr {
  const plan = planOf(modifiers);
  if (plan.type !== 'text' && plan.type !== 're')
    throw new SelectionError(`a keyword takes no modifier ${plan.comparison ?? plan.part ?? plan.type}`);
  for (const value of values) {
    const text = textOf(value);
    if (text === undefined || text === '')
      throw new SelectionError('a keyword must be text that is not empty');
  }
  const anywhere = plan.place === 'whole' && plan.type === 'text' ? 'contains' : plan.place;
  return joinValues({ ...plan, place: anywhere }, values, placeholders, (test) => ({
    kind: 'anywhere',
    test,
  }));
}

function joinValues(
  plan: Plan,
  values: unknown[],
  placeholders: Placeholders,
  exprOf: (test: Test) => Expr,
): Expr {
  if (plan.all && values.length === 1) throw new SelectionError('|all needs a list of two values or more');
  const each = values.map((value) =>
    combined(
      'any',
      (plan.expand ? expanded(value, placeholders) : [value])
        .flatMap((one) => testsOf(plan, one))
        .map(exprOf),
    ),
  );
  const expr = combined(plan.all ? 'all' : 'any', each);
  return plan.negated ? { kind: 'not', part: expr } : expr;
}

function combined(kind: 'all' | 'any', exprs: Expr[]): Expr {
  const flat = exprs.flatMap((expr) => (expr.kind === kind ? expr.parts : [expr]));
  if (flat.length > limits.selectionValuesMax)
    throw new SelectionError(`stands for more than ${limits.selectionValuesMax} values`);
  const [only] = flat;
  return flat.length === 1 && only !== undefined ? only : { kind, parts: flat };
}

/** `exists: false` is the opposite of `true`, also where a list is met. */
function existsExpr(field: string, values: unknown[], negated: boolean): Expr {
  const [wanted] = values;
  if (values.length !== 1 || typeof wanted !== 'boolean') throw new SelectionError('must be true or false');
  const expr: Expr = { kind: 'field', field, test: { kind: 'exists', wanted: true } };
  return wanted !== negated ? expr : { kind: 'not', part: expr };
}

function planOf(modifiers: string[]): Plan {
  checkNames(modifiers);
  const chosen = <T extends string>(names: readonly T[]): T[] =>
    names.filter((one) => modifiers.includes(one));
  const plan: Plan = {
    all: modifiers.includes('all'),
    cased: modifiers.includes('cased'),
    encodings: modifiers.filter((one) => one in encodings),
    expand: modifiers.includes('expand'),
    flags: [
      ...new Set(
        chosen(Object.keys(regexFlags) as (keyof typeof regexFlags)[]).map((one) => regexFlags[one]),
      ),
    ]
      .sort()
      .join(''),
    negated: modifiers.includes('neq'),
    place: 'whole',
    type: 'text',
    windash: modifiers.includes('windash'),
  };
  const [place] = atMostOne(chosen(places));
  if (place !== undefined) plan.place = place;
  const [part] = atMostOne(chosen(parts));
  const [comparison] = atMostOne(chosen(comparisons));
  const [type] = atMostOne([...chosen(types), ...((part ?? comparison) ? [part ?? comparison] : [])]);
  if (part !== undefined) plan.part = part;
  if (comparison !== undefined) plan.comparison = comparison;
  plan.type =
    part !== undefined ? 'time' : comparison !== undefined ? 'number' : ((type as Plan['type']) ?? 'text');
  checkTogether(plan, modifiers);
  return plan;
}

function checkNames(modifiers: string[]): void {
  for (const name of modifiers) {
    if (modifierNames.includes(name)) continue;
    const near = nearest(name, modifierNames);
    throw new SelectionError(
      `there is no modifier ${name}${near === undefined ? `; there are ${modifierNames.join(', ')}` : `; did you mean ${near}?`}`,
    );
  }
  if (new Set(modifiers).size < modifiers.length) throw new SelectionError('a modifier stands twice');
}

function atMostOne<T>(found: T[]): T[] {
  if (found.length > 1) throw new SelectionError(`${found.join(' and ')} exclude each other`);
  return found;
}

function checkTogether(plan: Plan, modifiers: string[]): void {
  const { type } = plan;
  const named = plan.part ?? plan.comparison ?? type;
  const isText = type === 'text';
  if (plan.flags !== '' && type !== 're') throw new SelectionError('i, m and s belong to re');
  for (const [has, word] of [
    [plan.encodings.length > 0, plan.encodings.join(', ')],
    [plan.windash, 'windash'],
    [plan.cased && type !== 'fieldref', 'cased'],
    [plan.place !== 'whole' && type !== 'fieldref' && type !== 're', plan.place],
  ] as const) {
    if (has && !isText) throw new SelectionError(`${word} does not go with ${named}`);
  }
  if (type === 'exists' && (plan.all || plan.expand)) throw new SelectionError('exists stands alone');
  if (plan.encodings.includes('base64offset') && plan.place !== 'contains')
    throw new SelectionError('base64offset finds a part of encoded text: write |base64offset|contains');
  const placeAt = modifiers.indexOf(plan.place);
  const late = modifiers.find(
    (one, at) => placeAt >= 0 && at > placeAt && (one in encodings || one === 'fieldref'),
  );
  if (late !== undefined) throw new SelectionError(`${late} must stand before ${plan.place}`);
}

/** The tests of one value of a list: several where it stands for several. */
function testsOf(plan: Plan, value: unknown): Test[] {
  switch (plan.type) {
    case 're':
      return [regexOf(plan, wantText(value))];
    case 'cidr':
      return [cidrOf(wantText(value))];
    case 'fieldref':
      return [{ kind: 'field', field: wantText(value), place: plan.place, cased: plan.cased }];
    case 'number':
      return [{ kind: 'number', comparison: plan.comparison as Comparison, value: wantNumber(value) }];
    case 'time':
      return [timeOf(plan, wantNumber(value))];
    default:
      return textsOf(plan, value);
  }
}

function textsOf(plan: Plan, value: unknown): Test[] {
  if (value === null) {
    if (plan.place !== 'whole' || plan.cased || plan.windash || plan.encodings.length > 0)
      throw new SelectionError('null takes no modifier but neq');
    return [{ kind: 'null' }];
  }
  const text = textOf(value);
  if (text === undefined) throw new SelectionError('a value must be text, a number, true, false or null');
  const isText = typeof value === 'string';
  const texts = plan.windash && isText ? windashes(text) : [text];
  const patterns = texts.flatMap((one) => {
    const pattern = isText ? parsePattern(one) : literal(one);
    return plan.encodings.length === 0 ? [pattern] : encodedTexts(pattern, plan.encodings).map(literal);
  });
  return patterns.map((pattern) => ({
    kind: 'text',
    pattern: placed(pattern, plan.place),
    cased: plan.cased,
  }));
}

/** Sigma's expressions may match anywhere in the value; a place ties them to its start or end. */
function regexOf(plan: Plan, source: string): Test {
  const inline = /^\(\?([ims]+)\)/.exec(source);
  const rest = source.slice(inline?.[0].length ?? 0);
  const flags = [...new Set(plan.flags + (inline?.[1] ?? ''))].sort().join('');
  const tied =
    plan.place === 'startswith' ? `^(?:${rest})` : plan.place === 'endswith' ? `(?:${rest})$` : rest;
  regexTest(tied, flags);
  return { kind: 'regex', source: tied, flags };
}

function cidrOf(range: string): Test {
  if (!ipaddr.isValidCIDR(range)) throw new SelectionError(`${range} is no address range such as 10.0.0.0/8`);
  return { kind: 'cidr', range };
}

function timeOf(plan: Plan, value: number): Test {
  const part = plan.part as TimePart;
  const [least, greatest] = timeParts[part];
  if (!Number.isInteger(value) || value < least || value > greatest)
    throw new SelectionError(`${part} must be a whole number from ${least} to ${greatest}`);
  return { kind: 'time', part, comparison: plan.comparison ?? 'eq', value };
}

function wantText(value: unknown): string {
  if (typeof value !== 'string' || value === '') throw new SelectionError('the value must be text');
  return value;
}

function wantNumber(value: unknown): number {
  if (typeof value !== 'number') throw new SelectionError('the value must be a number');
  return value;
}

/** The values that `value` stands for when each `%name%` in it is replaced; `\%` is a plain percent sign. */
function expanded(value: unknown, placeholders: Placeholders): unknown[] {
  if (typeof value !== 'string') return [value];
  const whole = /^%([\w-]+)%$/.exec(value)?.[1];
  if (whole !== undefined) return [...wordsOf(whole, placeholders)];
  let texts = [''];
  for (const part of value.match(/\\%|%[\w-]+%|[\s\S]/g) ?? []) {
    const name = /^%([\w-]+)%$/.exec(part)?.[1];
    const words = name === undefined ? [part === '\\%' ? '%' : part] : wordsOf(name, placeholders);
    texts = texts.flatMap((text) => words.map((word) => text + String(word)));
    if (texts.length > limits.selectionValuesMax)
      throw new SelectionError(`stands for more than ${limits.selectionValuesMax} values`);
  }
  return texts;
}

function wordsOf(name: string, placeholders: Placeholders): readonly (string | number)[] {
  const words = Object.hasOwn(placeholders, name) ? placeholders[name] : undefined;
  if (words !== undefined && words.length > 0) return words;
  const known = Object.keys(placeholders);
  const near = nearest(name, known);
  throw new SelectionError(
    words !== undefined
      ? `placeholder %${name}% has no value`
      : `there is no placeholder %${name}%${near === undefined ? '' : `; did you mean %${near}%?`}${
          known.length === 0 ? '; none is defined' : `; there are ${known.join(', ')}`
        }`,
  );
}
