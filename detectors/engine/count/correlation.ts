// One correlation of a tree: its groups, each from the first unit on to an alert, and what joins the alert. Units come in order.

import { limits } from '../../../core/limits.ts';
import type { Lists } from '../../../core/lists.ts';
import { addSeconds } from '../../../core/time.ts';
import type { AlertState } from '../alert.ts';
import type { Bound, Correlation } from '../rule-set.ts';
import { Aged } from './aged.ts';
import { isJudgedAtEnd, namedThreshold, withThreshold } from './bounds.ts';
import { Distinct, distinctOf } from './distinct.ts';
import { innerOf, OpenAlerts, type OpenSnapshot } from './open-alerts.ts';
import { Ordered } from './ordered.ts';
import { alternativesOf, presenceOf, wantedRules } from './presence.ts';
import { numberOf, Tally } from './tally.ts';
import { Temporal } from './temporal.ts';
import { fieldOf, type Unit, type Values, type Window, type WindowFacts, type WindowMaker } from './unit.ts';

/** An alert that opened, or took something in. */
export interface Fired {
  alert: AlertState;
  /** It was open before. */
  again: boolean;
  /** As what the outer correlations count it. */
  unit: Unit;
  values: Values;
}

/** A group without an alert so far, or whose window has not ended. */
interface Pending {
  /** `event.id` of the last unit: a call that matches several rules counts once. */
  last: string;
  /** Time of the first unit. */
  since: string;
  /** Last time that belongs to the window: nothing that comes later finds it. */
  until: string;
  /** What its alert is grouped by. */
  values: Values;
  window: Window;
}

/** Rules that must be absent, seen before a window began. */
interface Mark {
  units: Record<string, Unit>;
  until: string;
}

export interface CorrelationSnapshot {
  marks: [group: string, Mark][];
  open: OpenSnapshot;
  pending: [group: string, Omit<Pending, 'window'> & { window: unknown }][];
}

export interface Placed {
  correlation: Correlation;
  /** It raises alerts itself: its group is the root's. */
  isTop: boolean;
  /** It is no correlation, but a rule on single events. */
  isPlain: boolean;
  threshold: Lists['threshold'];
}

export class CorrelationCounter {
  /** Groups dropped because a bound was reached. */
  evicted = 0;
  readonly correlation: Correlation;
  /** Matches' worth of memory that the windows hold. */
  #held = 0;
  readonly #isAtEnd: boolean;
  readonly #isTemporal: boolean;
  readonly #make: WindowMaker;
  readonly #marked: ReadonlySet<string>;
  /** Those that were added to last stand last, in each. */
  readonly #marks: Aged<Mark>;
  readonly #open: OpenAlerts;
  readonly #pending = new Aged<Pending>();
  readonly #placed: Placed;

  constructor(placed: Placed, state?: CorrelationSnapshot) {
    const { correlation } = placed;
    this.#placed = placed;
    this.correlation = correlation;
    this.#isAtEnd = isJudgedAtEnd(correlation);
    this.#isTemporal = correlation.type === 'temporal' || correlation.type === 'temporal_ordered';
    [this.#make, this.#marked] = makerOf(correlation);
    this.#open = new OpenAlerts(correlation, state?.open);
    this.#marks = new Aged(state?.marks);
    for (const [group, pending] of state?.pending ?? []) {
      const window = this.#make(pending.window);
      this.#pending.set(group, { ...pending, window });
      this.#held += window.size;
    }
  }

  /** Groups that are held. */
  get groups(): number {
    return this.#pending.size + this.#open.groups + this.#marks.size;
  }

  /** About how many matches' worth of memory it holds. */
  get size(): number {
    return this.#held + this.#open.size + this.#marks.size;
  }

  /** When the first window ends that must be judged then. */
  get due(): string | undefined {
    return this.#isAtEnd ? this.#pending.oldest?.value.until : undefined;
  }

  /** @param again an inner alert that took something in: it is not counted anew, but still goes on for temporal ones */
  count(unit: Unit, values: Values, again: boolean): Fired | undefined {
    if (again && !this.#isTemporal) return undefined;
    const names = this.#namesOf(unit, values);
    const value = this.#valueOf(unit, values);
    if (names === undefined || value === undefined) return undefined;
    const group = this.#groupOf(unit, names);
    if (this.#isAtEnd) return this.#gather(group, unit, values, names);
    const open = this.#open.at(group, unit.time);
    if (open === undefined) return this.#slide(group, unit, values, names);
    if (unit.inner === undefined && open.last === unit.event) return undefined;
    return this.#fired(this.#open.join(open, unit, value), unit, names, true);
  }

  /** What is counted of a unit; true where it is the unit itself, undefined when it lacks it. */
  #valueOf({ rule }: Unit, values: Values): string | number | true | undefined {
    if (this.#isTemporal) return true;
    const { correlation } = this;
    return correlation.type === 'value_count'
      ? distinctOf(correlation, rule, values)
      : numberOf(correlation, rule, values);
  }

  /** Values of an inner correlation's group, by the names it groups by; undefined when one is absent. */
  #namesOf(unit: Unit, values: Values): Values | undefined {
    const names: Record<string, string> = {};
    if (this.#placed.isTop) return names;
    for (const name of this.correlation.groupBy) {
      const value = values[fieldOf(this.correlation, name, unit.rule)];
      if (value === undefined) return undefined;
      names[name] = value;
    }
    return names;
  }

  #groupOf({ match }: Unit, names: Values): string {
    return this.#placed.isTop ? match.group : JSON.stringify([match.group, ...Object.values(names)]);
  }

  #slide(group: string, unit: Unit, values: Values, names: Values): Fired | undefined {
    const before = this.#take(group);
    before?.window.slide(addSeconds(unit.time, -this.correlation.timespanSeconds));
    const pending = before ?? this.#begin(unit, names);
    this.#add(pending, unit, values);
    const { window } = pending;
    const bounds = this.#boundsOf(window);
    if (window.holds(bounds)) return this.#fired(this.#alert(group, window, bounds), unit, names, false);
    pending.until = addSeconds(unit.time, this.correlation.timespanSeconds);
    this.#put(group, pending);
    return undefined;
  }

  /** A unit of a window that is judged at its end; a rule that must be absent begins none. */
  #gather(group: string, unit: Unit, values: Values, names: Values): undefined {
    const pending = this.#pending.get(group);
    if (pending !== undefined) {
      const before = pending.window.size;
      this.#add(pending, unit, values);
      this.#held += pending.window.size - before;
    } else if (!this.#marked.has(unit.rule)) {
      const begun = this.#begin(unit, names);
      begun.until = addSeconds(unit.time, this.correlation.timespanSeconds);
      this.#addMarks(group, begun);
      this.#add(begun, unit, values);
      this.#put(group, begun);
    }
    if (this.#marked.has(unit.rule)) this.#mark(group, unit);
  }

  #mark(group: string, unit: Unit): void {
    const mark = this.#marks.get(group) ?? { units: {}, until: '' };
    this.#marks.delete(group);
    mark.units[unit.rule] = unit;
    mark.until = addSeconds(unit.time, this.correlation.timespanSeconds);
    this.#marks.set(group, mark);
    this.#makeRoom();
  }

  #addMarks(group: string, { since, window }: Pending): void {
    const from = addSeconds(since, -this.correlation.timespanSeconds);
    const units = Object.values(this.#marks.get(group)?.units ?? {});
    for (const unit of units.sort((a, b) => (a.time < b.time ? -1 : 1)))
      if (unit.time >= from) window.add(unit, {});
    this.#marks.delete(group);
  }

  #begin({ time }: Unit, values: Values): Pending {
    return { last: '', since: time, until: time, values, window: this.#make() };
  }

  #add(pending: Pending, unit: Unit, values: Values): void {
    const isSame = unit.inner === undefined && pending.last === unit.event;
    if (isSame && pending.window instanceof Tally) return;
    if (unit.inner === undefined) pending.last = unit.event;
    pending.window.add(unit, values);
  }

  /** Judges the window that ends first. */
  close(): Fired | undefined {
    const { key: group, value: pending } = this.#pending.oldest as { key: string; value: Pending };
    const { since, until, values, window } = pending;
    this.#take(group);
    const bounds = this.#boundsOf(window);
    if (!window.holds(bounds)) return undefined;
    const open = this.#open.at(group, since);
    const last = window.proof().at(-1) as Unit;
    const unit = { ...last, time: until };
    if (open === undefined) return this.#fired(this.#alert(group, window, bounds), unit, values, false);
    open.alert.count += window.unlisted;
    this.#open.joinAll(open, window.proof());
    return this.#fired(open.alert, unit, values, true);
  }

  #alert(group: string, window: Window, bounds: readonly Bound[]): AlertState {
    const values = window instanceof Distinct ? window.values : undefined;
    const alert = this.#open.open(group, window.proof(), {
      unlisted: window.unlisted,
      ...(!this.#placed.isPlain && { facts: this.#factsOf(window, bounds) }),
      ...(values && !this.#isAtEnd && { values }),
    });
    this.#makeRoom();
    return alert;
  }

  #factsOf(window: Window, bounds: readonly Bound[]): WindowFacts {
    const { timespanSeconds, type } = this.correlation;
    const isCount = type === 'event_count' || type === 'value_count';
    const threshold = this.#isTemporal ? undefined : namedThreshold(bounds, isCount);
    return {
      ...window.facts(),
      timespan_s: timespanSeconds,
      type,
      ...(threshold !== undefined && { threshold }),
    };
  }

  /** What the class of the group's first unit has instead of the rule's own threshold. */
  #boundsOf(window: Window): readonly Bound[] {
    const { bounds, id } = this.correlation;
    const className = window.first?.match.className;
    if (className === undefined || this.#placed.isPlain) return bounds;
    return withThreshold(bounds, this.#placed.threshold(id, className));
  }

  #fired(alert: AlertState, { event, time }: Unit, values: Values, again: boolean): Fired {
    const unit: Unit = { rule: this.correlation.id, time, event, match: alert.first };
    if (!this.#placed.isTop) unit.inner = innerOf(alert);
    return { alert, again, unit, values };
  }

  #take(group: string): Pending | undefined {
    const pending = this.#pending.get(group);
    if (pending === undefined) return undefined;
    this.#pending.delete(group);
    this.#held -= pending.window.size;
    return pending;
  }

  #put(group: string, pending: Pending): void {
    this.#pending.set(group, pending);
    this.#held += pending.window.size;
    this.#makeRoom();
  }

  #makeRoom(): void {
    if (this.groups > limits.ruleGroupsMax) this.evict();
  }

  /** Forgets the oldest group, first those without an alert; false when there is none. */
  evict(): boolean {
    const pending = this.#pending.oldest;
    const mark = this.#marks.oldest;
    if (pending !== undefined) this.#take(pending.key);
    else if (mark === undefined ? !this.#open.evict() : !this.#marks.delete(mark.key)) return false;
    this.evicted++;
    return true;
  }

  /** Drops groups that nothing at or after `time` can add to. Windows that are judged at their end must be closed before. */
  expire(time: string): void {
    // A window that has begun may still join an alert when it ends.
    this.#open.expire(this.#isAtEnd ? addSeconds(time, -this.correlation.timespanSeconds) : time);
    this.#marks.deleteWhile(({ until }) => until < time);
    if (this.#isAtEnd) return;
    for (;;) {
      const { oldest } = this.#pending;
      if (oldest === undefined || oldest.value.until >= time) return;
      this.#take(oldest.key);
    }
  }

  snapshot(): CorrelationSnapshot {
    return {
      marks: [...this.#marks],
      open: this.#open.snapshot(),
      pending: [...this.#pending].map(([group, pending]) => [
        group,
        { ...pending, window: pending.window.snapshot() },
      ]),
    };
  }
}

/** How the correlation's windows are made, and the rules that it wants absent and never present. */
function makerOf(correlation: Correlation): [WindowMaker, ReadonlySet<string>] {
  const { type } = correlation;
  if (type === 'value_count') return [(state) => new Distinct(correlation, state), new Set()];
  if (type !== 'temporal' && type !== 'temporal_ordered')
    return [(state) => new Tally(correlation, state), new Set()];
  const wanted = wantedRules(presenceOf(correlation));
  const marked = new Set(correlation.rules.filter((rule) => !wanted.has(rule)));
  if (type === 'temporal') return [(state) => new Temporal(correlation, state), marked];
  const alternatives = alternativesOf(correlation);
  return [(state) => new Ordered(alternatives, state), marked];
}
