// The conditions of all rules as one graph: what rules share is there once and is found out once an event.

import type { Expr, Test } from '../../../core/match/expr.ts';
import type { Predicate, ValueTest } from '../../../core/match/fields.ts';
import { keyOf } from '../../../core/match/key.ts';
import { predicateOf, valueTestOf } from '../../../core/match/predicate.ts';
import { textTest } from '../../../core/match/text.ts';
import { ANYWHERE, type Field, type Fields, lowered } from './fields.ts';

/** What a condition does, and about how much it costs: cheap ones are asked first. */
const ops = {
  never: 0,
  ever: 1,
  whole: 2,
  oneOf: 3,
  start: 4,
  value: 5,
  text: 6,
  within: 7,
  not: 8,
  all: 9,
  any: 10,
  other: 11,
} as const;
type Op = (typeof ops)[keyof typeof ops];

/** All of one shape, so that V8 reads them without looking twice; each op uses the members it needs. */
export interface Condition {
  field: Field;
  op: Op;
  parts: Condition[];
  predicate: Predicate;
  /** Asked by more than one other condition or rule. */
  isShared: boolean;
  /** What it was in `turn`. */
  result: boolean;
  text: string;
  texts: ReadonlySet<string>;
  textTest: (text: string) => boolean;
  turn: number;
  valueTest: ValueTest;
}

/** Texts from which on one look into a set is cheaper than comparing. */
const LIST_MIN = 3;

const no = () => false;
const none: Condition[] = [];
const noTexts: ReadonlySet<string> = new Set();

/** Makes conditions of expressions, equal ones once. */
export class Conditions {
  private event: object = {};
  private readonly fields: Fields;
  private readonly made = new Map<string, Condition>();
  private readonly noField: Field;

  constructor(fields: Fields) {
    this.fields = fields;
    this.noField = fields.of(ANYWHERE);
  }

  begin(event: object): void {
    this.event = event;
    if (this.fields.begin(event)) for (const condition of this.made.values()) condition.turn = 0;
  }

  of(expr: Expr): Condition {
    const key = keyOf(expr);
    const known = this.made.get(key);
    if (known !== undefined) {
      known.isShared = true;
      return known;
    }
    const condition = this.make(expr);
    this.made.set(key, condition);
    return condition;
  }

  private make(expr: Expr): Condition {
    if (expr.kind === 'always') return this.with({ op: expr.value ? ops.ever : ops.never });
    if (expr.kind === 'not') return this.with({ op: ops.not, parts: [this.of(expr.part)] });
    if ('parts' in expr) return this.group(expr.kind, expr.parts);
    // A keyword with the test of a field is for predicateOf: there are none.
    if (expr.test.kind === 'field') return this.with({ op: ops.other, predicate: predicateOf(expr) });
    return this.test(this.fields.of(expr.kind === 'field' ? expr.field : ANYWHERE), expr.test);
  }

  /** Which part decides is no matter, so the cheap ones come first. */
  private ordered(parts: Expr[]): Condition[] {
    return parts.map((part) => this.of(part)).sort((a, b) => a.op - b.op);
  }

  private group(kind: 'all' | 'any', exprs: Expr[]): Condition {
    if (kind === 'all') return this.with({ op: ops.all, parts: this.ordered(exprs) });
    // A list of whole texts is one look into a set.
    let parts = this.ordered(exprs);
    for (const field of new Set(parts.map((part) => part.field))) {
      const wholes = parts.filter((part) => part.op === ops.whole && part.field === field);
      if (wholes.length < LIST_MIN) continue;
      const texts = new Set(wholes.map(({ text }) => text));
      parts = [this.with({ op: ops.oneOf, field, texts }), ...parts.filter((part) => !wholes.includes(part))];
    }
    return parts.length === 1 ? (parts[0] as Condition) : this.with({ op: ops.any, parts });
  }

  private test(field: Field, test: Test): Condition {
    if (test.kind !== 'text' || test.cased)
      return this.with({ op: ops.value, field, valueTest: valueTestOf(test) });
    const pattern = test.pattern.map((piece) => ({ ...piece, text: piece.text.toLowerCase() }));
    const isPlain = pattern.every(({ any }) => any === undefined);
    const [first, second, third] = pattern.map(({ text }) => text);
    const isLast = (at: number) => isPlain && pattern.length === at;
    if (isLast(1)) return this.with({ op: ops.whole, field, text: first as string });
    if (isLast(2) && second === '') return this.with({ op: ops.start, field, text: first as string });
    if (isLast(3) && first === '' && third === '')
      return this.with({ op: ops.within, field, text: second as string });
    return this.with({ op: ops.text, field, textTest: textTest(pattern, true) });
  }

  private with(some: Partial<Condition> & { op: Op }): Condition {
    return {
      field: some.field ?? this.noField,
      op: some.op,
      parts: some.parts ?? none,
      predicate: some.predicate ?? no,
      isShared: false,
      result: false,
      text: some.text ?? '',
      texts: some.texts ?? noTexts,
      textTest: some.textTest ?? no,
      turn: 0,
      valueTest: some.valueTest ?? no,
    };
  }

  /** Whether the condition holds for the event of `begin`. */
  holds(condition: Condition): boolean {
    if (!condition.isShared) return this.find(condition);
    if (condition.turn === this.fields.turn) return condition.result;
    const result = this.find(condition);
    condition.turn = this.fields.turn;
    condition.result = result;
    return result;
  }

  private find(condition: Condition): boolean {
    const { op } = condition;
    if (op === ops.all) return this.all(condition.parts);
    if (op === ops.any) return this.anyOf(condition.parts);
    if (op === ops.not) return !this.holds(condition.parts[0] as Condition);
    if (op === ops.other) return condition.predicate(this.event);
    if (op <= ops.ever) return op === ops.ever;
    return this.testField(condition);
  }

  private all(parts: Condition[]): boolean {
    for (let i = 0; i < parts.length; i++) if (!this.holds(parts[i] as Condition)) return false;
    return true;
  }

  private anyOf(parts: Condition[]): boolean {
    for (let i = 0; i < parts.length; i++) if (this.holds(parts[i] as Condition)) return true;
    return false;
  }

  private testField(condition: Condition): boolean {
    const { field } = condition;
    this.fields.load(field);
    for (let i = 0; i < field.count; i++) if (passes(condition, field, i)) return true;
    return false;
  }
}

function passes(condition: Condition, field: Field, i: number): boolean {
  const { op } = condition;
  if (op === ops.value) return condition.valueTest(field.values[i]);
  const text = lowered(field, i);
  if (text === undefined) return false;
  if (op === ops.whole) return text === condition.text;
  if (op === ops.start) return text.startsWith(condition.text);
  if (op === ops.within) return text.includes(condition.text);
  return op === ops.oneOf ? condition.texts.has(text) : condition.textTest(text);
}
