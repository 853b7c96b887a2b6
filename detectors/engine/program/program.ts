// One program for all rules: finds the few rules that an event can match by the texts it must hold, then asks only those.

import type { Expr } from '../../../core/match/expr.ts';
import { type Condition, Conditions } from './conditions.ts';
import { type Field, Fields, lowered } from './fields.ts';
import { type Key, keysOf, likelihoodFrom, possibleKeys } from './keys.ts';
import { type Mark, Texts } from './texts.ts';

export interface Program {
  /**
   * Writes the numbers of the expressions that hold for `event` to `hits`, ascending, and returns how many; what stands behind
   * them is old. Not to be called from `onError`.
   */
  run(event: object, hits: number[]): number;
  /** Leaves an expression out from now on: it never holds. */
  switchOff(number: number): void;
}

/** A field whose values are searched for keys. */
interface Search {
  field: Field;
  searches: ((value: string, mark: Mark) => void)[];
}

/**
 * Compiles all expressions together; the number of each is its index. An expression that throws on an event counts as one
 * that does not hold and is told to `onError`; the others are not touched by it.
 */
export function compileProgram(exprs: Expr[], onError: (number: number, error: unknown) => void): Program {
  const fields = new Fields();
  const conditions = new Conditions(fields);
  const tops = exprs.map((expr) => conditions.of(expr));
  const words = (exprs.length + 31) >>> 5;
  const { searches, always } = indexOf(exprs, fields);
  const marks = new Int32Array(words);
  const on = new Int32Array(words).fill(-1);
  const mark: Mark = (numbers) => {
    for (let i = 0; i < numbers.length; i++) {
      const number = numbers[i] as number;
      marks[number >>> 5] = (marks[number >>> 5] as number) | (1 << (number & 31));
    }
  };
  const holds = (number: number): boolean => {
    try {
      return conditions.holds(tops[number] as Condition);
    } catch (error) {
      onError(number, error);
      return false;
    }
  };
  return {
    run(event, hits) {
      conditions.begin(event);
      marks.set(always);
      try {
        for (let i = 0; i < searches.length; i++) searchField(searches[i] as Search, fields, mark);
      } catch {
        // Whoever asks for the field that cannot be read will throw by itself, below; the others go on.
        for (let number = 0; number < exprs.length; number++) mark(Int32Array.of(number));
      }
      let count = 0;
      for (let word = 0; word < words; word++) {
        let bits = (marks[word] as number) & (on[word] as number);
        while (bits !== 0) {
          const number = (word << 5) | (31 - Math.clz32(bits & -bits));
          bits &= bits - 1;
          if (holds(number)) hits[count++] = number;
        }
      }
      return count;
    },
    switchOff(number) {
      on[number >>> 5] = (on[number >>> 5] as number) & ~(1 << (number & 31));
    },
  };
}

function searchField({ field, searches }: Search, fields: Fields, mark: Mark): void {
  fields.load(field);
  for (let i = 0; i < field.count; i++) {
    const value = field.values[i];
    const text = typeof value === 'string' ? value : lowered(field, i);
    if (text === undefined) continue;
    for (let s = 0; s < searches.length; s++) (searches[s] as Search['searches'][number])(text, mark);
  }
}

interface Index {
  /** Bits of the expressions that have no key: they are asked each time. */
  always: Int32Array;
  searches: Search[];
}

function indexOf(exprs: Expr[], fields: Fields): Index {
  const possible: Key[] = [];
  for (const expr of exprs) possibleKeys(expr, possible);
  const likelihood = likelihoodFrom(possible);
  const always = new Int32Array((exprs.length + 31) >>> 5);
  const sets = new Map<string, { anchored: Texts; within: Texts }>();
  for (const [number, expr] of exprs.entries()) {
    const keys = keysOf(expr, likelihood);
    if (keys === undefined || !keys.every((key) => addKey(sets, key, number))) {
      always[number >>> 5] = (always[number >>> 5] as number) | (1 << (number & 31));
    }
  }
  const searches = [...sets].map(([name, { anchored, within }]) => ({
    field: fields.of(name),
    searches: [anchored, within].filter((texts) => !texts.isEmpty).map((texts) => texts.build()),
  }));
  return { always, searches };
}

/** Returns false when there is no room for the key. */
function addKey(sets: Map<string, { anchored: Texts; within: Texts }>, key: Key, number: number): boolean {
  const set = sets.get(key.field) ?? { anchored: new Texts(true), within: new Texts(false) };
  sets.set(key.field, set);
  const texts = key.standing === 'within' ? set.within : set.anchored;
  if (!texts.hasRoomFor(key.text)) return false;
  texts.add(key.text, key.standing, number);
  return true;
}
