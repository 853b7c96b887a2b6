// Rules over real events, made from a seed: every modifier, kind of value and condition that both engines read, with values
// taken from the events, so that many of them match.

import { type Detection, seeded } from '../../bench/rules/maker.ts';

export interface Leaf {
  /** Empty for a keyword. */
  field: string;
  modifiers: string[];
  values: unknown[];
}

interface Value {
  field: string;
  value: unknown;
}

type Random = <T>(list: readonly T[]) => T;

/** `count` rules. */
export function makeCorpus(events: object[], count: number, seed: number): Detection[] {
  const random = seeded(seed);
  const pick: Random = (list) => list[Math.floor(random() * list.length)] as (typeof list)[number];
  const values = valuesOf(events);
  const fields = [...new Set(values.map(({ field }) => field))];
  return Array.from({ length: count }, () => makeRule(pick, { fields, values }));
}

/** Every value of every field, once: a field with few values is as likely as one with many. */
function valuesOf(events: object[]): Value[] {
  const seen = new Map<string, Value>();
  const visit = (value: unknown, field: string): void => {
    if (Array.isArray(value)) for (const item of value) visit(item, field);
    else if (typeof value === 'object' && value !== null) {
      for (const [key, member] of Object.entries(value))
        visit(member, field === '' ? key : `${field}.${key}`);
    } else if (!seen.has(`${field} ${value}`)) seen.set(`${field} ${value}`, { field, value });
  };
  for (const event of events) visit(event, '');
  // Names with dots or slashes inside a key, as an OpenAPI document has, are no names of fields.
  return [...seen.values()].filter(({ field }) => /^@?[\w-]+(?:\.[\w-]+)*$/.test(field));
}

interface Known {
  fields: string[];
  values: Value[];
}

const conditions: Record<number, string[]> = {
  1: ['a', 'not a', '1 of them', 'all of them'],
  2: ['a and b', 'a or b', 'a and not b', 'not a or b', 'not (a and b)', '1 of them', 'all of them'],
  3: [
    'a and b and c',
    'a or b and c',
    '(a or b) and not c',
    'a and not (b or c)',
    'a and not 1 of filter_*',
    'all of filter_* or a',
    'not a and not b or c',
  ],
};

function makeRule(pick: Random, known: Known): Detection {
  const count = pick([1, 1, 2, 3]);
  const condition = pick(conditions[count] as string[]);
  const names = condition.includes('filter_') ? ['a', 'filter_b', 'filter_c'] : ['a', 'b', 'c'];
  const selections = names.slice(0, count).map((name) => [name, makeSelection(pick, known)]);
  return { ...Object.fromEntries(selections), condition };
}

function makeSelection(pick: Random, known: Known): unknown {
  const shape = pick(['map', 'map', 'map', 'map', 'map', 'list', 'keywords']);
  if (shape === 'keywords') return makeKeywords(pick, known);
  const map = () => {
    const made = Array.from({ length: pick([1, 1, 2]) }, () => makeLeaf(pick, known));
    return Object.fromEntries(
      made.map(({ field, modifiers, values }) => [
        [field, ...modifiers].join('|'),
        values.length === 1 ? values[0] : values,
      ]),
    );
  };
  return shape === 'map' ? map() : [map(), map()];
}

function makeKeywords(pick: Random, { values }: Known): string[] {
  return Array.from({ length: pick([1, 2, 3]) }, () => {
    const text = String(pick(values).value);
    return pick([
      `*${escaped(cut(pick, text))}*`,
      `*${escaped(cut(pick, text).toUpperCase())}*`,
      escaped(text),
    ]);
  });
}

/** A part of the text, of two characters or more. */
function cut(pick: Random, text: string): string {
  const from = pick([0, 0, text.length >> 2, text.length >> 1]);
  const part = text.slice(from, from + pick([2, 5, 9, 40]));
  return part.length < 2 ? 'xy' : part;
}

/** Encodings take no wildcards. */
const bare = (text: string): string => text.replace(/[\\*?]/g, '-');

const escaped = (text: string): string => text.replace(/[\\*?]/g, '\\$&');

const makers: ((pick: Random, value: unknown, known: Known) => Omit<Leaf, 'field'>)[] = [
  // Whole values of their own type, in lists, in other case, and with the other values of the field.
  (_, value) => ({ modifiers: [], values: [value] }),
  (pick, value, { values }) => ({ modifiers: [], values: [value, pick(values).value, pick(values).value] }),
  (pick, value) => ({
    modifiers: [],
    values: [pick([String(value).toUpperCase(), String(value), `${value}x`])],
  }),
  (pick, value) => ({
    modifiers: ['cased'],
    values: [pick([escaped(String(value)), escaped(String(value).toUpperCase())])],
  }),
  () => ({ modifiers: [], values: [null] }),
  () => ({ modifiers: [], values: [''] }),
  // Wildcards.
  (pick, value) => ({ modifiers: [], values: [wild(pick, String(value))] }),
  (pick, value) => ({
    modifiers: [],
    values: [`*${escaped(cut(pick, String(value)))}*`, escaped(String(value))],
  }),
  // Parts of text.
  (pick, value) => ({ modifiers: placedModifiers(pick), values: [escaped(cut(pick, String(value)))] }),
  (pick, value, { values }) => ({
    modifiers: placedModifiers(pick),
    values: [escaped(cut(pick, String(value))), escaped(cut(pick, String(pick(values).value)))],
  }),
  (pick, value) => ({
    modifiers: ['contains', 'all'],
    values: [escaped(cut(pick, String(value))), escaped(cut(pick, String(value)).toUpperCase())],
  }),
  // Backslashes, stars and question marks that are meant as they stand.
  (pick) => ({
    modifiers: pick([[], ['contains']]),
    values: [pick(['a\\*b', 'a\\?b', 'a\\\\b', 'a\\b', '\\*', '\\\\*', 'back\\\\*'])],
  }),
  // Regular expressions that both engines read alike.
  (pick, value) => ({ modifiers: ['re'], values: [regex(pick, String(value))] }),
  // Numbers.
  (pick, value) => ({
    modifiers: [pick(['gt', 'gte', 'lt', 'lte'])],
    values: [typeof value === 'number' ? value + pick([-1, 0, 1]) : pick([0, 1, 3600, 2.5])],
  }),
  (pick) => ({
    modifiers: ['cidr'],
    values: [pick(['127.0.0.0/8', '127.0.0.16/28', '10.0.0.0/8', '127.0.0.1/32', 'fd00::/8'])],
  }),
  (pick) => ({ modifiers: ['exists'], values: [pick([true, false])] }),
  (pick, _, { fields }) => ({
    modifiers: pick([
      ['fieldref'],
      ['fieldref', 'contains'],
      ['fieldref', 'startswith'],
      ['fieldref', 'endswith'],
    ]),
    values: [pick(fields)],
  }),
  // Encodings.
  (pick, value) => ({ modifiers: ['base64', 'contains'], values: [bare(cut(pick, String(value)))] }),
  (pick, value) => ({
    modifiers: ['base64offset', 'contains'],
    values: [pick(['vault', 'secret/data', 'billing', bare(cut(pick, String(value)))])],
  }),
  (pick) => ({
    modifiers: [pick(['wide', 'utf16le', 'utf16be', 'utf16']), 'base64', 'contains'],
    values: [pick(['vault', 'billing'])],
  }),
  (pick) => ({ modifiers: ['windash', 'contains'], values: [pick([' -dev', ' /dev', '-mode', 'none'])] }),
];

const placedModifiers = (pick: Random): string[] =>
  pick([
    ['contains'],
    ['startswith'],
    ['endswith'],
    ['contains', 'cased'],
    ['startswith', 'cased'],
    ['endswith', 'cased'],
  ]);

function makeLeaf(pick: Random, known: Known): Leaf {
  const { field, value } = pick(known.values);
  // Half of the fields of few values, so that conditions often hold.
  const common = pick([
    '',
    'event.action',
    'vault.request.path',
    'vault.request.operation',
    'source.ip',
    'user.name',
    'event.outcome',
    'user_agent.original',
  ]);
  const chosen = common === '' ? { field, value } : pick(known.values.filter((one) => one.field === common));
  return { field: chosen.field, ...pick(makers)(pick, chosen.value, known) };
}

function wild(pick: Random, text: string): string {
  const at = Math.floor(text.length / 2);
  const [start, end] = [escaped(text.slice(0, at)), escaped(text.slice(at + 1))];
  return pick([
    `${start}*${end}`,
    `${start}?${end}`,
    `*${end}`,
    `${start}*`,
    `*${end}*`,
    `*?${end}`,
    '*',
    '?*',
    `${start.slice(0, 3)}*?${end.slice(-3)}`,
  ]);
}

function regex(pick: Random, text: string): string {
  const quoted = cut(pick, text).replace(/[^\w]/g, (char) => (char.charCodeAt(0) < 128 ? `\\${char}` : '.'));
  const at = quoted.replace(/\\+$/, '');
  return pick([
    `^${at}`,
    at,
    `^[a-z]+[-/]${at}`,
    `^.${at}`,
    '^[a-z-]+$',
    '^(?:secret|auth)\\/[a-z]+\\/',
    '[0-9]{3}',
    '^$',
  ]);
}

/** Every condition on a field, and every keyword, of a rule. */
export function leavesOf({ condition: _, ...selections }: Detection): Leaf[] {
  return Object.values(selections).flatMap((selection) =>
    (Array.isArray(selection) ? selection : [selection]).flatMap((item: unknown) =>
      typeof item === 'object' && item !== null
        ? Object.entries(item).map(([key, value]) => leafOf(key, value))
        : [leafOf('', item)],
    ),
  );
}

function leafOf(key: string, value: unknown): Leaf {
  const [field = '', ...modifiers] = key.split('|');
  return { field, modifiers, values: Array.isArray(value) ? value : [value] };
}

/** The text of a rule. JSON is YAML. */
export const ruleText = (detection: Detection, title = 'A rule'): string =>
  JSON.stringify({
    title,
    id: '00000000-0000-4000-8000-000000000000',
    status: 'test',
    description: 'Made for a comparison.',
    logsource: { product: 'vault', service: 'audit' },
    detection,
    falsepositives: ['None.'],
    level: 'low',
    tags: ['attack.t1078'],
    message: 'It matched.',
    runbook: 'Nothing.',
  });
