// All of the engine in one: events of every partition in, alerts out, groups and leases beside them. For recorded logs and cases;
// `run` has a detector for each partition.

import type { AuditEvent } from '../../core/event.ts';
import type { Lease } from '../../core/lease.ts';
import { type Lists, noLists } from '../../core/lists.ts';
import type { Memory } from '../../core/ports.ts';
import type { Behaviour } from '../behaviours/behaviour.ts';
import { Detector, type DetectorCounters, type DetectorOptions, type Taken } from './detect.ts';
import type { RuleSet } from './rule-set.ts';
import { RunningRules } from './running.ts';

/** Each has a memory of its own, as in `run`. */
export const wholeParts = ['events', 'groups', 'leases'] as const;
export type WholePart = (typeof wholeParts)[number];

export interface WholeOptions {
  cluster: string;
  rules: RuleSet;
  lists?: Lists;
  slowCallNanos: number;
  /** Paths of sealwatch's own secrets in Vault. */
  ownSecrets?: readonly string[] | undefined;
  /** Without them nothing is learned. */
  learned?: { behaviours: readonly Behaviour[]; memories: Record<WholePart, Memory> };
}

export class WholeDetector {
  readonly #events: Detector;
  readonly #groups: Detector;
  readonly #leases: Detector;

  constructor({ learned, lists = noLists, ...options }: WholeOptions) {
    const rules = new RunningRules(options.rules, lists);
    const part = (name: WholePart, cross: DetectorOptions['cross'] = crossesNoMore) =>
      new Detector({
        ...{ ...options, name, rules, cross },
        behaviours: learned?.behaviours ?? [],
        memory: learned?.memories[name] ?? noMemory,
      });
    this.#groups = part('groups');
    this.#leases = part('leases');
    this.#events = part('events', (crossing) => this.#groups.crossing(crossing, 0));
  }

  /** As `Detector.event`; late at or behind `mark`, which is the watermark unless given. */
  event(event: AuditEvent, mark = this.#events.watermark): void {
    this.#events.event(event, mark, 0);
  }

  advance(watermark: string): void {
    this.#events.advance(watermark);
    this.#groups.advance(watermark);
  }

  /** As `Detector.lease`. */
  lease(lease: Lease, revision: number, at: string): void {
    this.#leases.lease(lease, revision, at);
  }

  /** The ledger has come to `time`. */
  ledger(time: string): void {
    this.#leases.advance(time);
  }

  take(): Taken {
    const taken = [this.#events, this.#groups, this.#leases].map((part) => part.take());
    return {
      alerts: taken.flatMap(({ alerts }) => alerts),
      baselines: taken.flatMap(({ baselines }) => baselines),
    };
  }

  get counters(): DetectorCounters {
    const { counters } = this.#events;
    return { ...counters, evicted: counters.evicted + this.#groups.counters.evicted };
  }
}

export const crossesNoMore = (): never => {
  throw new Error('what is counted for its group, or came of a lease, crosses no more');
};

/** Nobody learns. */
const noMemory: Memory = { get: () => undefined, set: () => {}, delete: () => {}, list: () => [] };
