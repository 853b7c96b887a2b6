// How a rule reaches into an event: dotted names through nested objects; a list on the way stands for each of its elements.

export type ValueTest = (value: unknown) => boolean;
export type Predicate = (event: object) => boolean;

/**
 * Whether `test` holds for the field at `name` (`vault.request.path`): for any element where a list is met. An absent
 * field and an empty list are `undefined`.
 */
export function fieldTest(name: string, test: ValueTest): Predicate {
  const keys = keysOf(name);
  return (event) => holds(event, keys, 0, test);
}

/** The keys of a dotted name. Object.keys gives texts that V8 finds in an object without hashing them again. */
const keysOf = (name: string): string[] => name.split('.').map((key) => Object.keys({ [key]: 0 })[0] ?? key);

function holds(start: unknown, keys: string[], from: number, test: ValueTest): boolean {
  let value = start;
  for (let at = from; at < keys.length; at++) {
    if (Array.isArray(value)) return anyHolds(value, keys, at, test);
    if (typeof value !== 'object' || value === null) return test(undefined);
    value = (value as Record<string, unknown>)[keys[at] as string];
  }
  return Array.isArray(value) ? anyHolds(value, keys, keys.length, test) : test(value);
}

function anyHolds(list: unknown[], keys: string[], at: number, test: ValueTest): boolean {
  for (let i = 0; i < list.length; i++) if (holds(list[i], keys, at, test)) return true;
  return list.length === 0 && test(undefined);
}

/** Reads the field at `name` as text: numbers and booleans as they print, a list joined by commas; undefined when absent. */
export function fieldReader(name: string): (event: object) => string | undefined {
  const keys = keysOf(name);
  return (event) => {
    let value: unknown = event;
    for (const key of keys) {
      if (typeof value !== 'object' || value === null) return undefined;
      value = (value as Record<string, unknown>)[key];
    }
    if (Array.isArray(value)) return value.length === 0 ? undefined : value.map(textOf).join(', ');
    return textOf(value);
  };
}

/** A scalar as text; undefined for anything else. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

/** Whether any text in `value`, however deep, passes `test`. */
export function anyText(value: unknown, test: (text: string) => boolean): boolean {
  if (typeof value === 'string') return test(value);
  if (typeof value !== 'object' || value === null) return false;
  for (const key in value) if (anyText((value as Record<string, unknown>)[key], test)) return true;
  return false;
}

/** Reads every value of the field at `name`; lists on the way and at its end give each of their elements. */
export function valuesAt(name: string): (event: object) => unknown[] {
  const keys = keysOf(name);
  return (event) => {
    const values: unknown[] = [];
    holds(event, keys, 0, (value) => {
      if (value !== undefined) values.push(value);
      return false;
    });
    return values;
  };
}
