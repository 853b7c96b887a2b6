// The values of one event that conditions ask for: each field is walked to once an event, each text put in lower case once.
// Everything is kept in arrays that are used again, so that a run allocates nothing.

import { textOf } from '../../../core/match/fields.ts';

/** The name of the field that stands for all texts of the event: Sigma's keywords. No field is called this: names are not empty. */
export const ANYWHERE = '';

/** An object on the way to fields: `vault.request` is looked up once for all that is under it. */
class Place {
  readonly key: string;
  readonly parent: Place | undefined;
  turn = 0;
  value: unknown = undefined;
  constructor(key: string, parent: Place | undefined) {
    this.key = key;
    this.parent = parent;
  }
}

/** A field's values in this event: one, or several where lists are met. Absent fields and empty lists are one `undefined`. */
export class Field {
  count = 0;
  readonly keys: string[];
  readonly lowered: (string | undefined)[] = [];
  readonly name: string;
  readonly place: Place | undefined;
  turn = 0;
  readonly values: unknown[] = [];
  constructor(name: string, place: Place | undefined) {
    this.name = name;
    this.keys = name.split('.');
    this.place = place;
  }
}

/** In place of a value: a list is on the way, so the field may have many. */
const SPREAD = Symbol('list');
/** Turns stay small integers, which V8 keeps without allocating. */
const TURNS_MAX = 2 ** 30;

/** All fields of a program, and the event they are read from. */
export class Fields {
  private event: unknown = undefined;
  private readonly fields = new Map<string, Field>();
  private readonly places = new Map<string, Place>();
  turn = 0;

  /** The field at the dotted `name`, or `ANYWHERE`. */
  of(name: string): Field {
    const known = this.fields.get(name);
    if (known !== undefined) return known;
    const field = new Field(name, name === ANYWHERE ? undefined : this.placeOf(name));
    this.fields.set(name, field);
    return field;
  }

  /** Another event. Returns true when turns begin anew, so that nothing remembered by turn counts. */
  begin(event: object): boolean {
    this.event = event;
    this.turn++;
    if (this.turn < TURNS_MAX) return false;
    this.turn = 1;
    for (const field of this.fields.values()) field.turn = 0;
    for (const place of this.places.values()) place.turn = 0;
    return true;
  }

  /** Reads the field from the event, unless that was done. */
  load(field: Field): void {
    if (field.turn === this.turn) return;
    field.count = 0;
    if (field.place === undefined) addTexts(field, this.event);
    else this.addPlace(field, field.place);
    field.turn = this.turn;
  }

  private addPlace(field: Field, place: Place): void {
    const value = this.valueAt(place);
    if (value === SPREAD) addValues(field, this.event, 0);
    else if (Array.isArray(value)) addValues(field, value, field.keys.length);
    else add(field, value);
  }

  private placeOf(name: string): Place {
    const known = this.places.get(name);
    if (known !== undefined) return known;
    const dot = name.lastIndexOf('.');
    const parent = dot < 0 ? undefined : this.placeOf(name.slice(0, dot));
    const place = new Place(internalized(name.slice(dot + 1)), parent);
    this.places.set(name, place);
    return place;
  }

  private valueAt(place: Place): unknown {
    if (place.turn === this.turn) return place.value;
    const parent = place.parent === undefined ? this.event : this.valueAt(place.parent);
    place.value = memberOf(parent, place.key);
    place.turn = this.turn;
    return place.value;
  }
}

function memberOf(parent: unknown, key: string): unknown {
  if (typeof parent !== 'object' || parent === null) return parent === SPREAD ? SPREAD : undefined;
  return Array.isArray(parent) ? SPREAD : (parent as Record<string, unknown>)[key];
}

/** Object.keys gives texts that V8 finds in an object without hashing them again. */
const internalized = (key: string): string => Object.keys({ [key]: 0 })[0] ?? key;

function add(field: Field, value: unknown): void {
  field.values[field.count] = value;
  field.lowered[field.count] = undefined;
  field.count++;
}

function addValues(field: Field, value: unknown, at: number): void {
  if (Array.isArray(value)) {
    if (value.length === 0) add(field, undefined);
    for (let i = 0; i < value.length; i++) addValues(field, value[i], at);
  } else if (at === field.keys.length) add(field, value);
  else if (typeof value !== 'object' || value === null) add(field, undefined);
  else addValues(field, (value as Record<string, unknown>)[field.keys[at] as string], at + 1);
}

function addTexts(field: Field, value: unknown): void {
  if (typeof value === 'string') add(field, value);
  else if (typeof value === 'object' && value !== null) {
    for (const key in value) addTexts(field, (value as Record<string, unknown>)[key]);
  }
}

/** The `i`th value as text in lower case; undefined when it is no text, number or boolean. */
export function lowered(field: Field, i: number): string | undefined {
  const known = field.lowered[i];
  if (known !== undefined) return known;
  const text = textOf(field.values[i])?.toLowerCase();
  field.lowered[i] = text;
  return text;
}
