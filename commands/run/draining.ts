// Drains the spool for as long as the process runs: tries again, later and later, while Kafka is away.

import { SealwatchError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import type { Stream } from '../../core/ports.ts';
import type { Logger, Metrics } from '../../core/telemetry.ts';
import type { Drain } from './drain.ts';

export interface DrainingOptions {
  drain: Drain;
  /** Rejects while Kafka is away. */
  open: () => Promise<Stream>;
  /** After each step that brought something: bytes of each input that need no room in the spool any more. */
  onFreed: (freed: Record<string, number>) => void;
  logger: Logger;
}

const IDLE_MS = 200;

export class Draining {
  private readonly options: DrainingOptions;
  private stream: Stream | undefined;
  private isFailing = false;
  private isStopped = false;
  private retryMs = 0;
  private drained = 0;
  private wake: () => void = () => {};

  constructor(options: DrainingOptions) {
    this.options = options;
  }

  /** Until `stop`, and then until what is in the spool is drained or Kafka refuses. Never rejects. */
  async run(): Promise<void> {
    for (;;) {
      const count = await this.step();
      if (this.isStopped && (count === 0 || this.isFailing)) break;
      if (this.isFailing) await this.pause(this.retryMs);
      else if (count === 0) await this.pause(IDLE_MS);
    }
    await this.end();
  }

  /** New records are in the spool. A Kafka that is away is not asked earlier for it. */
  notify(): void {
    if (!this.isFailing) this.wake();
  }

  stop(): void {
    this.isStopped = true;
    this.wake();
  }

  private async step(): Promise<number> {
    const { drain, open, onFreed, logger } = this.options;
    try {
      this.stream ??= await open();
      const count = await drain.step(this.stream);
      if (this.isFailing) logger.info({ lag: drain.lag }, 'the spool is drained again');
      this.isFailing = false;
      this.retryMs = 0;
      this.drained += count;
      if (count > 0 && drain.freed !== undefined) onFreed(drain.freed);
      return count;
    } catch (error) {
      // Said once: an outage may last for hours.
      if (!this.isFailing)
        logger.error(
          { error: error instanceof SealwatchError ? error.line : String(error) },
          'the spool cannot be drained: lines wait in it; trying again',
        );
      this.isFailing = true;
      this.retryMs = Math.min(Math.max(2 * this.retryMs, limits.drainRetryMsMin), limits.drainRetryMsMax);
      return 0;
    }
  }

  private async end(): Promise<void> {
    const { drain, logger } = this.options;
    try {
      await drain.save();
      if (this.stream !== undefined && !this.isFailing) await drain.mark(this.stream);
      await this.stream?.[Symbol.asyncDispose]();
    } catch (error) {
      logger.warn(
        { error: String(error) },
        'the end could not be kept; the next start drains a little again',
      );
    }
  }

  private pause(ms: number): Promise<void> {
    if (this.isStopped) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  metrics(): Metrics {
    return {
      sealwatch_drain_records_total: this.drained,
      sealwatch_drain_lag_records: this.options.drain.lag,
      sealwatch_drain_failing: this.isFailing ? 1 : 0,
    };
  }
}
