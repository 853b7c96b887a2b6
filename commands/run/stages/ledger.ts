// The stage `ledger`: whoever has its one partition keeps the ledger, all others stand by.

import { limits } from '../../../core/limits.ts';
import type { LedgerMemory, Place } from '../../../core/ports.ts';
import { LEDGER_PARTITION, topics } from '../../../core/records.ts';
import type { Metrics } from '../../../core/telemetry.ts';
import { LedgerTask, type LedgerTaskOptions } from '../ledger-task.ts';
import { Restarting } from '../restarting.ts';
import { readers } from './readers.ts';
import type { Stage } from './stage.ts';

/** What only a memory on disk knows: how many rows have not ended. */
export type LedgerFile = LedgerMemory & { openRows(): number };

export interface LedgerOptions extends Omit<LedgerTaskOptions, 'memory'> {
  /** Opens the ledger's memory; again after its disk has refused something. */
  openLedger: (isOurs?: () => boolean) => Promise<LedgerFile>;
  now: () => number;
}

export class LedgerStage implements Stage {
  readonly name = 'ledger';
  private readonly options: LedgerOptions;
  private running: Restarting<LedgerFile, LedgerTask> | undefined;
  private openRows = 0;
  private countedMs = 0;

  constructor(options: LedgerOptions) {
    this.options = options;
  }

  async assign(partitions: readonly number[], isOurs?: () => boolean): Promise<void> {
    this.drop();
    if (!partitions.includes(LEDGER_PARTITION)) return;
    const { openLedger, ...options } = this.options;
    this.running = await Restarting.load({
      stream: options.stream,
      open: () => openLedger(isOurs),
      load: (memory) => LedgerTask.load({ ...options, memory }),
    });
  }

  private drop(): void {
    this.running?.[Symbol.dispose]();
    this.running = undefined;
    this.openRows = this.countedMs = 0;
  }

  async step(): Promise<number> {
    return (await this.running?.step()) ?? 0;
  }

  async commit(): Promise<void> {
    await this.running?.commit();
  }

  async save(): Promise<void> {
    if (this.running?.isBroken === false) await this.running.task.save();
  }

  needs(): Map<string, Place[]> {
    if (this.running === undefined) return new Map();
    const place = {
      topic: topics.credentials,
      partition: LEDGER_PARTITION,
      offset: this.running.task.keep,
    };
    return new Map([[readers.ledger, [place]]]);
  }

  metrics(): Metrics {
    const { running } = this;
    if (running === undefined) return { sealwatch_ledger_failing: 0 };
    const { counters, waiting } = running.task.ledger;
    return {
      sealwatch_ledger_records_total: counters.records,
      sealwatch_ledger_late_total: counters.late,
      sealwatch_ledger_early_total: counters.early,
      sealwatch_ledger_failed_total: counters.failed,
      sealwatch_ledger_questions_total: counters.questions,
      sealwatch_ledger_waiting_records: waiting,
      sealwatch_ledger_open_rows: this.countOpen(running),
      sealwatch_ledger_lag_records: running.task.lag,
      sealwatch_ledger_failing: running.isBroken ? 1 : 0,
    };
  }

  /** Counting a million rows takes its time. */
  private countOpen({ isBroken, memory }: Restarting<LedgerFile, LedgerTask>): number {
    const nowMs = this.options.now();
    if (nowMs - this.countedMs < limits.ledgerCountMs || isBroken) return this.openRows;
    this.countedMs = nowMs;
    try {
      this.openRows = memory.openRows();
    } catch {
      // A disk that refuses is told of by the work, not by who counts it.
    }
    return this.openRows;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.drop();
  }
}
