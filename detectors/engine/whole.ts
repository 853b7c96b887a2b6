// All of the engine in one: events of every partition in, alerts out, groups counted beside them. For recorded logs and cases;
// `run` has a detector for each partition.

import type { AuditEvent } from '../../core/event.ts';
import { type Lists, noLists } from '../../core/lists.ts';
import { Detector, type DetectorCounters } from './detect.ts';
import type { AlertRow } from './place.ts';
import type { CompiledRules } from './rule.ts';

export interface WholeOptions {
  cluster: string;
  rules: CompiledRules;
  lists?: Lists;
  slowCallNanos: number;
}

export class WholeDetector {
  readonly #events: Detector;
  readonly #groups: Detector;

  constructor({ lists = noLists, ...options }: WholeOptions) {
    const nowhere = () => {
      throw new Error('what is counted for its group crosses no more');
    };
    this.#groups = new Detector({ ...options, lists, cross: nowhere });
    this.#events = new Detector({
      ...options,
      lists,
      cross: (crossing) => this.#groups.crossing(crossing, 0),
    });
  }

  /** As `Detector.event`; late at or behind `mark`, which is the watermark unless given. */
  event(event: AuditEvent, mark = this.#events.watermark): void {
    this.#events.event(event, mark, 0);
  }

  advance(watermark: string): void {
    this.#events.advance(watermark);
    this.#groups.advance(watermark);
  }

  take(): AlertRow[] {
    return [...this.#events.take(), ...this.#groups.take()];
  }

  get counters(): DetectorCounters {
    const { counters } = this.#events;
    return { ...counters, evicted: counters.evicted + this.#groups.counters.evicted };
  }
}
