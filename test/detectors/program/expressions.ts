// Expressions for property tests: any shape, made of the fields and values of real events, so that many of them hold.

import fc from 'fast-check';
import type { Expr, Test } from '../../../core/match/expr.ts';
import { regexTest } from '../../../core/match/regex.ts';
import { parsePattern, placed } from '../../../core/match/text.ts';

type Value = { field: string; text: string };

/** Every field of the events with its values as text; `vault.request.path`, `user.roles`. */
export function valuesOf(events: object[]): Value[] {
  const seen = new Map<string, Value>();
  const visit = (value: unknown, field: string): void => {
    if (Array.isArray(value)) for (const item of value) visit(item, field);
    else if (typeof value === 'object' && value !== null) {
      for (const [key, member] of Object.entries(value))
        visit(member, field === '' ? key : `${field}.${key}`);
    } else seen.set(`${field} ${value}`, { field, text: String(value) });
  };
  for (const event of events) visit(event, '');
  return [...seen.values()];
}

const odd = [
  'İstanbul',
  'ΣΟΦΟΣ',
  'K',
  'straße',
  '',
  '*',
  '?',
  '\\',
  'a*b?c',
  'undefined',
  'null',
  'constructor',
];

/** An expression over the fields of `values`. */
export function anyExpr(values: Value[]): fc.Arbitrary<Expr> {
  const value = fc.oneof(
    { arbitrary: fc.constantFrom(...values), weight: 9 },
    {
      arbitrary: fc.record({
        field: fc.constantFrom('vault', 'event.action.none', 'nothing', 'tags.name', 'tags'),
        text: fc.constantFrom(...odd),
      }),
      weight: 1,
    },
  );
  const leaf = value.chain(({ field, text }) =>
    fc.oneof(
      { arbitrary: anyTest(text, values).map((test): Expr => ({ kind: 'field', field, test })), weight: 8 },
      { arbitrary: textTest(text).map((test): Expr => ({ kind: 'anywhere', test })), weight: 1 },
    ),
  );
  const { expr } = fc.letrec<{ expr: Expr }>((tie) => ({
    expr: fc.oneof(
      { depthSize: 'small', maxDepth: 4 },
      leaf,
      fc.record({
        kind: fc.constantFrom('all' as const, 'any' as const),
        parts: fc.array(tie('expr'), { maxLength: 5 }),
      }),
      fc.record({ kind: fc.constant('not' as const), part: tie('expr') }),
      fc.record({ kind: fc.constant('always' as const), value: fc.boolean() }),
      // A list of whole texts, of one field or two, among others.
      fc
        .tuple(fc.array(value, { maxLength: 8 }), fc.array(leaf, { maxLength: 2 }))
        .map(([some, rest]): Expr => {
          const fields = some.slice(0, 2).map(({ field }) => field);
          const wholes = some.map(({ text }, at) => wholeOf(fields[at % fields.length] as string, text));
          return { kind: 'any', parts: [...wholes, ...rest] };
        }),
    ),
  }));
  return expr;
}

const wholeOf = (field: string, text: string): Expr => ({
  kind: 'field',
  field,
  test: { kind: 'text', pattern: [{ text }], cased: false },
});

/** A pattern that often fits `text`: a part of it, in either case, with wildcards put in. */
const textTest = (text: string): fc.Arbitrary<Test> =>
  fc
    .record({
      cased: fc.boolean(),
      cut: fc.tuple(fc.nat(text.length), fc.nat(text.length)),
      place: fc.constantFrom(
        'whole' as const,
        'contains' as const,
        'startswith' as const,
        'endswith' as const,
      ),
      shape: fc.constantFrom('as it is', 'upper', 'lower', 'star', 'question', 'odd'),
      strange: fc.constantFrom(...odd),
    })
    .map(({ cased, cut, place, shape, strange }) => {
      const from = place === 'contains' || place === 'endswith' ? Math.min(...cut) : 0;
      const part = text.slice(from, place === 'endswith' ? undefined : Math.max(...cut) + 1);
      const middle = part.length >> 1;
      const texts: Record<string, string> = {
        lower: part.toLowerCase(),
        odd: strange,
        question: `${part.slice(0, middle)}?${part.slice(middle + 1)}`,
        star: `${part.slice(0, middle)}*${part.slice(middle + 2)}`,
        upper: part.toUpperCase(),
      };
      return { cased, kind: 'text', pattern: placed(parsePattern(texts[shape] ?? part), place) };
    });

const comparisons = ['gt', 'gte', 'lt', 'lte'] as const;

function anyTest(text: string, values: Value[]): fc.Arbitrary<Test> {
  const number = Number.isFinite(Number(text)) ? Number(text) : 1;
  return fc.oneof(
    { arbitrary: textTest(text), weight: 6 },
    fc.constant<Test>({ kind: 'null' }),
    fc.boolean().map((wanted): Test => ({ kind: 'exists', wanted })),
    fc
      .constantFrom(...comparisons)
      .map((comparison): Test => ({ kind: 'number', comparison, value: number })),
    anyRegex(text),
    fc.constantFrom('127.0.0.0/8', '127.0.0.16/28', '::/0').map((range): Test => ({ kind: 'cidr', range })),
    fc.record({
      kind: fc.constant('field' as const),
      field: fc.constantFrom(...values.map(({ field }) => field)),
      place: fc.constantFrom(
        'whole' as const,
        'contains' as const,
        'startswith' as const,
        'endswith' as const,
      ),
      cased: fc.boolean(),
    }),
    fc.record({
      kind: fc.constant('time' as const),
      part: fc.constantFrom(
        'minute' as const,
        'hour' as const,
        'day' as const,
        'week' as const,
        'month' as const,
        'year' as const,
      ),
      comparison: fc.constantFrom(...comparisons, 'eq' as const),
      value: fc.constantFrom(1, 2, 11, 23, 48, 2026),
    }),
  );
}

const anyRegex = (text: string): fc.Arbitrary<Test> =>
  fc
    .record({
      end: fc.constantFrom('$', '', '.*', '+', '?', '{2}', '{0,3}'),
      flags: fc.constantFrom('', 'i', 'm', 's'),
      length: fc.nat(Math.min(text.length, 60)),
      middle: fc.constantFrom('', '.', '[a-z]', '(?:x|[^/]+)', '\\w', '\\x61', '[^]', 'q|'),
      start: fc.constantFrom('^', ''),
    })
    .map(({ end, flags, length, middle, start }) => {
      const quoted = (part: string) => part.replace(/[^\w\s]/g, '\\$&');
      const source = `${start}${quoted(text.slice(0, length))}${middle}${quoted(text.slice(length + 1, length + 4))}`;
      return { flags, kind: 'regex' as const, source: source + (/[\w/]$/.test(source) ? end : '') };
    })
    .filter(({ flags, source }) => isAllowed(source, flags));

/** An expression that could run away is refused where rules are read. */
function isAllowed(source: string, flags: string): boolean {
  try {
    return regexTest(source, flags) !== undefined;
  } catch {
    return false;
  }
}
