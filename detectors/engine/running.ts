// The rules as they run: one program over all of them, which tree each leaf belongs to, and which are switched off because they
// threw. All detectors of a process share it.

import type { AuditEvent } from '../../core/event.ts';
import type { Lists } from '../../core/lists.ts';
import { shortHash } from './alert.ts';
import { compileProgram, type Program } from './program/program.ts';
import type { RuleInfo } from './rule.ts';
import type { Root, RuleSet } from './rule-set.ts';

/** A rule or behaviour that threw. */
export interface Thrown {
  /** Of a rule, or of a correlation with everything below it. */
  id: string;
  error: string;
  /** The event that it threw on, where there is one. */
  event?: string;
  /** Event time. */
  time: string;
  title: string;
  version: string;
}

/** It is out until it is another one. A JSON value. */
export interface Failure extends Thrown {
  /** Hash of what threw. */
  logic: string;
}

/** What is worked on. */
interface Moment {
  time: string;
  id?: string;
}

interface Leaf {
  root: Root;
  leaf: string;
}

export class RunningRules {
  readonly set: RuleSet;
  readonly lists: Lists;
  readonly #program: Program;
  readonly #hits: number[] = [];
  /** By the number of the event rule: the trees that it is a leaf of. */
  readonly #leaves: Leaf[][];
  readonly #roots: Map<string, Root>;
  readonly #off = new Map<string, Failure>();
  #failures: Failure[] = [];
  /** The event that is being matched. */
  #at: Moment = { time: '' };

  constructor(set: RuleSet, lists: Lists) {
    this.set = set;
    this.lists = lists;
    this.#program = compileProgram(
      set.events.map(({ expr }) => expr),
      (number, error) => this.#threw(number, error),
    );
    this.#roots = new Map(set.roots.map((root) => [root.top.id, root]));
    const leaves = new Map<string, Leaf[]>();
    for (const root of set.roots)
      for (const leaf of root.leaves) leaves.set(leaf, [...(leaves.get(leaf) ?? []), { root, leaf }]);
    this.#leaves = set.events.map(({ id }) => leaves.get(id) ?? []);
  }

  /** Calls `matched` for each leaf of each tree that `event` matches. */
  run(event: AuditEvent, matched: (root: Root, leaf: string) => void): void {
    const at = { time: event['@timestamp'], id: event.event.id };
    this.#at = at;
    const hits = this.#hits;
    const count = this.#program.run(event, hits);
    for (let i = 0; i < count; i++)
      for (const { root, leaf } of this.#leaves[hits[i] as number] as Leaf[])
        if (!this.#off.has(root.top.id)) this.guard(root, at, () => matched(root, leaf));
  }

  /** By the id of its top. */
  rootOf(id: string): Root | undefined {
    return this.#roots.get(id);
  }

  /** Does `work` for `root`; when it throws, the tree is switched off. */
  guard(root: Root, at: Moment, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#fail(root.top, root.logic, error, at);
    }
  }

  #threw(number: number, error: unknown): void {
    const rule = this.set.events[number];
    if (rule !== undefined) this.#fail(rule, logicOf(rule), error, this.#at);
  }

  #fail({ id, title, version }: RuleInfo, logic: string, error: unknown, at: Moment): void {
    if (this.#off.has(id)) return;
    const event = at.id === undefined ? {} : { event: at.id };
    const failure = { id, error: String(error), ...event, logic, time: at.time, title, version };
    this.switchOff([failure]);
    this.#failures.push(failure);
  }

  /** Leaves rules out that threw before, those that have become others excepted. */
  switchOff(failures: readonly Failure[]): void {
    for (const failure of failures) {
      const number = this.set.events.findIndex(({ id }) => id === failure.id);
      const root = this.set.roots.find(({ top }) => top.id === failure.id);
      const rule = this.set.events[number];
      const logics = [root?.logic, rule === undefined ? undefined : logicOf(rule)];
      const { version } = root?.top ?? rule ?? {};
      if (version !== failure.version || !logics.includes(failure.logic)) continue;
      this.#off.set(failure.id, failure);
      if (rule !== undefined) this.#program.switchOff(number);
    }
  }

  isOff(id: string): boolean {
    return this.#off.has(id);
  }

  /** Those that are off. */
  get off(): Failure[] {
    return [...this.#off.values()];
  }

  /** Those that were switched off since the last take. */
  takeFailures(): Failure[] {
    if (this.#failures.length === 0) return none;
    const failures = this.#failures;
    this.#failures = [];
    return failures;
  }
}

const none: Failure[] = [];

const logicOf = ({ expr }: RuleSet['events'][number]): string => shortHash(JSON.stringify(expr));
