// Counting one root: an event rule, or a correlation with everything below it. Matches in order of (time, id, leaf) in, alerts out.

import type { Lists } from '../../../core/lists.ts';
import type { AlertState } from '../alert.ts';
import type { Match } from '../match.ts';
import type { Correlation, EventRule, Root } from '../rule-set.ts';
import { isJudgedAtEnd } from './bounds.ts';
import type { CountBudget, Spender } from './budget.ts';
import { CorrelationCounter, type CorrelationSnapshot, type Fired } from './correlation.ts';
import type { Unit, Values } from './unit.ts';

export interface CounterOptions {
  /** Thresholds of classes, by rule and class. */
  threshold: Lists['threshold'];
  /** Shared by all counters of a detector. */
  budget?: CountBudget;
}

/** A JSON value. */
export interface CounterSnapshot {
  evicted: number;
  /** `Root.logic`: what was counted otherwise is left out. */
  logic: string;
  nodes: [id: string, CorrelationSnapshot][];
}

export class RootCounter implements Spender {
  readonly root: Root;
  readonly #budget: CountBudget | undefined;
  /** By id: the correlations that count it. */
  readonly #above = new Map<string, CorrelationCounter[]>();
  readonly #evictedBefore: number;
  /** Inner ones before outer ones. */
  readonly #nodes: CorrelationCounter[] = [];
  readonly #atEnd: CorrelationCounter[];
  #size = 0;

  /** @param state a snapshot that nothing else holds on to */
  constructor(root: Root, options: CounterOptions, state?: CounterSnapshot) {
    this.root = root;
    this.#budget = options.budget;
    const known = state?.logic === root.logic ? state : undefined;
    this.#evictedBefore = known?.evicted ?? 0;
    const states = new Map(known?.nodes);
    for (const correlation of innerFirst(root)) {
      const placed = {
        correlation,
        isPlain: root.top.kind === 'event',
        isTop: correlation.id === root.top.id,
        threshold: options.threshold,
      };
      const node = new CorrelationCounter(placed, states.get(correlation.id));
      this.#nodes.push(node);
      for (const id of new Set(correlation.rules))
        this.#above.set(id, [...(this.#above.get(id) ?? []), node]);
    }
    this.#atEnd = this.#nodes.filter(({ correlation }) => isJudgedAtEnd(correlation));
    this.#size = this.size;
    this.#budget?.enter(this);
  }

  /** Counts a match that was not counted before, none being before it; returns the alerts that are new or have grown. */
  count(match: Match): AlertState[] {
    const changed = new Map<string, AlertState>();
    this.#close(match.time, false, changed);
    for (const node of this.#nodes) node.expire(match.time);
    const unit = { rule: match.leaf ?? this.root.top.id, time: match.time, event: match.id, match };
    this.#bring(unit, match.values ?? {}, false, changed);
    this.#settle();
    return [...changed.values()];
  }

  /** Event time has come to `time`, and all matches up to it are counted: judges the windows that have ended, forgets what is over. */
  expire(time: string): AlertState[] {
    const changed = new Map<string, AlertState>();
    this.#close(time, true, changed);
    for (const node of this.#nodes) node.expire(time);
    this.#settle();
    return [...changed.values()];
  }

  /** Judges windows in the order of their ends. */
  #close(time: string, inclusive: boolean, changed: Map<string, AlertState>): void {
    for (;;) {
      let next: CorrelationCounter | undefined;
      for (const node of this.#atEnd)
        if (node.due !== undefined && (next?.due === undefined || node.due < next.due)) next = node;
      const due = next?.due;
      if (next === undefined || due === undefined || due > time || (due === time && !inclusive)) return;
      for (const node of this.#nodes) node.expire(due);
      this.#pass(next, next.close(), changed);
    }
  }

  /** Brings a unit to the correlations that count it. */
  #bring(unit: Unit, values: Values, again: boolean, changed: Map<string, AlertState>): void {
    for (const node of this.#above.get(unit.rule) ?? [])
      this.#pass(node, node.count(unit, values, again), changed);
  }

  #pass(node: CorrelationCounter, fired: Fired | undefined, changed: Map<string, AlertState>): void {
    if (fired === undefined) return;
    if (node.correlation.id === this.root.top.id) changed.set(fired.alert.id, fired.alert);
    else this.#bring(fired.unit, fired.values, fired.again, changed);
  }

  #settle(): void {
    const change = this.size - this.#size;
    this.#size += change;
    if (change !== 0) this.#budget?.spend(change);
  }

  get size(): number {
    let size = 0;
    for (const node of this.#nodes) size += node.size;
    return size;
  }

  /** Groups that were dropped because a bound of core/limits.ts was reached. */
  get evicted(): number {
    return this.#nodes.reduce((sum, { evicted }) => sum + evicted, this.#evictedBefore);
  }

  evict(): boolean {
    const before = this.size;
    const largest = this.#nodes.reduce((a, b) => (b.size > a.size ? b : a));
    const isEvicted = largest.evict();
    this.#size += this.size - before;
    return isEvicted;
  }

  /** Holds on to what goes on being counted: to be written before that. */
  snapshot(): CounterSnapshot {
    return {
      evicted: this.evicted,
      logic: this.root.logic,
      nodes: this.#nodes.map((node) => [node.correlation.id, node.snapshot()]),
    };
  }
}

/** The correlations of a tree, each behind those below it. A rule on single events is one that a single match fulfils. */
function innerFirst({ nodes, top }: Root): Correlation[] {
  if (top.kind === 'event') return [plainCorrelation(top)];
  const found = new Set<Correlation>();
  const visit = (correlation: Correlation) => {
    for (const id of correlation.rules) {
      const below = nodes.get(id);
      if (below?.kind === 'correlation' && !found.has(below)) visit(below);
    }
    found.add(correlation);
  };
  visit(top);
  return [...found];
}

const plainCorrelation = (rule: EventRule): Correlation => ({
  ...rule,
  kind: 'correlation',
  type: 'event_count',
  rules: [rule.id],
  bounds: [{ op: 'gte', value: 1 }],
  fields: [],
  aliases: {},
  timespanSeconds: 0,
});
