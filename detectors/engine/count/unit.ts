// What a correlation counts: a match of a rule below it, or the alert of a correlation below it; and the window it is counted in.

import type { Match } from '../match.ts';
import type { Bound, Correlation } from '../rule-set.ts';

/** A JSON value. */
export interface Unit {
  /** Id of the rule or correlation that brought it. */
  rule: string;
  /** When it counts: of an inner alert that was judged at the end of its window, that end. */
  time: string;
  /** `event.id` of the call that brought it, the last one of an inner alert. */
  event: string;
  /** The match, or the first one of an inner alert. */
  match: Match;
  inner?: Inner;
}

/** What an inner alert brings along: enough to name it in the outer one. */
export interface Inner {
  addresses: string[];
  /** The first ones and the last, to `innerEventIdsMax`. */
  eventIds: string[];
  lastSeen: string;
  users: [id: string, label: string][];
}

/** Values by field, or by the names that an inner correlation groups by. */
export type Values = Readonly<Record<string, string>>;

/** What an alert says of its window. */
export type WindowFacts = Record<string, string | number>;

/** What is counted of one group, from the first unit on. Everything in it hangs on (time, event) alone. */
export interface Window {
  /** Takes in a unit that is not before any other and has what is counted. */
  add(unit: Unit, values: Values): void;
  /** Lets go what is before `since`. */
  slide(since: string): void;
  /** Whether an alert is due, with these bounds. */
  holds(bounds: readonly Bound[]): boolean;
  facts(): WindowFacts;
  /** What proves it, in order: at least one of each rule that was needed. */
  proof(): Unit[];
  /** Units that it counts and no longer holds: the proof does not list them. */
  readonly unlisted: number;
  readonly first: Unit | undefined;
  /** About how many matches' worth of memory it takes. */
  readonly size: number;
  /** A JSON value, from which a window of the same correlation goes on. */
  snapshot(): unknown;
}

/** What makes a window anew, or out of its snapshot. */
export type WindowMaker = (state?: unknown) => Window;

/** The field that `name` stands for in what `rule` brings. */
export const fieldOf = ({ aliases }: Pick<Correlation, 'aliases'>, name: string, rule: string): string =>
  aliases[name]?.[rule] ?? name;
