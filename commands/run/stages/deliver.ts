// The stage `deliver`: alerts to each output, beside the other stages: an output that does not answer holds up none of them.

import type { Place, Stream } from '../../../core/ports.ts';
import type { Logger, Metrics } from '../../../core/telemetry.ts';
import { Delivery } from '../../../outputs/alerts/deliver.ts';
import type { AlertOutput } from '../../../outputs/alerts/output.ts';
import { Failing } from '../failing.ts';
import type { Stage } from './stage.ts';

export interface DeliverOptions {
  stream: Stream;
  outputs: readonly AlertOutput[];
  logger: Logger;
}

const IDLE_MS = 200;

export class DeliverStage implements Stage {
  readonly name = 'deliver';
  private readonly options: DeliverOptions;
  private stopping = new AbortController();
  /** Settles when nothing is sent any more of what was assigned before. */
  private running: Promise<unknown> = Promise.resolve();
  private deliveries: Delivery[] = [];
  /** Of assignments that are over. */
  private readonly before = { sent: 0, filtered: 0, missed: 0 };

  constructor(options: DeliverOptions) {
    this.options = options;
  }

  /** Does not wait for what is being sent: what comes next waits for it. */
  async assign(partitions: readonly number[]): Promise<void> {
    this.stopping.abort();
    if (partitions.length === 0) return;
    const stopping = new AbortController();
    this.stopping = stopping;
    this.running = this.running.then(() => this.run(partitions, stopping.signal));
  }

  private async run(partitions: readonly number[], signal: AbortSignal): Promise<void> {
    this.count();
    await Promise.all(this.options.outputs.map((output) => this.deliver(output, partitions, signal)));
  }

  private async deliver(output: AlertOutput, partitions: readonly number[], signal: AbortSignal) {
    let delivery: Delivery | undefined;
    // One part, so it is told once: an outage may last for hours.
    const failing = new Failing(this.options.logger);
    while (!signal.aborted) {
      let count = 0;
      try {
        delivery ??= await this.begin(output, partitions, signal);
        count = await delivery.step();
        failing.mended('deliver');
      } catch (error) {
        failing.fails('deliver', 'alerts cannot be delivered', error);
      }
      if (count === 0) await pause(signal);
    }
  }

  private async begin(output: AlertOutput, partitions: readonly number[], signal: AbortSignal) {
    const delivery = await Delivery.load({ ...this.options, output, partitions, signal });
    this.deliveries.push(delivery);
    return delivery;
  }

  /** It works by itself. */
  async step(): Promise<number> {
    return 0;
  }

  async commit(): Promise<void> {}

  async save(): Promise<void> {}

  /** The stream does not wait for outputs: what it deletes is in the API. */
  needs(): Map<string, Place[]> {
    return new Map();
  }

  private total(key: keyof typeof this.before): number {
    return this.deliveries.reduce((total, { counters }) => total + counters[key], this.before[key]);
  }

  private count(): void {
    for (const key of ['sent', 'filtered', 'missed'] as const) this.before[key] = this.total(key);
    this.deliveries = [];
  }

  metrics(): Metrics {
    return {
      sealwatch_alerts_sent_total: this.total('sent'),
      sealwatch_alerts_filtered_total: this.total('filtered'),
      sealwatch_alerts_missed_total: this.total('missed'),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stopping.abort();
    await this.running;
  }
}

function pause(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, IDLE_MS);
    signal.addEventListener('abort', done, { once: true });
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
  });
}
