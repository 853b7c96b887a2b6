// The ledger of `run`: its task, begun anew from the last commit when its disk has refused something.

import { limits } from '../../core/limits.ts';
import type { LedgerMemory } from '../../core/ports.ts';
import type { Metrics } from '../../core/telemetry.ts';
import { LedgerTask, type LedgerTaskOptions } from './ledger-task.ts';

/** What only a memory on disk knows: how many rows have not ended. */
export type LedgerFile = LedgerMemory & { openRows(): number };

export interface RunningLedgerOptions extends Omit<LedgerTaskOptions, 'memory'> {
  open: () => LedgerFile;
  now: () => number;
}

export class RunningLedger implements Disposable {
  private readonly options: RunningLedgerOptions;
  private memory: LedgerFile;
  private task: LedgerTask;
  private isBroken = false;
  private openRows = 0;
  private countedMs = 0;

  private constructor(options: RunningLedgerOptions, memory: LedgerFile, task: LedgerTask) {
    this.options = options;
    this.memory = memory;
    this.task = task;
  }

  static async load(options: RunningLedgerOptions): Promise<RunningLedger> {
    const memory = options.open();
    return new RunningLedger(options, memory, await LedgerTask.load({ ...options, memory }));
  }

  /** Takes one batch; the caller flushes, then commits. Throws when the disk refuses: then the next step begins anew. */
  async step(): Promise<number> {
    if (this.isBroken) await this.beginAnew();
    return this.breaking(() => this.task.step());
  }

  /** Only after a flush. Throws as `step` does. */
  async commit(): Promise<void> {
    if (!this.isBroken) await this.breaking(() => this.task.commit());
  }

  private async breaking<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      this.isBroken = true;
      throw error;
    }
  }

  /** What was appended must be known by its cause before anything is made again. */
  private async beginAnew(): Promise<void> {
    await this.options.stream.flush();
    this.memory[Symbol.dispose]();
    this.memory = this.options.open();
    this.task = await LedgerTask.load({ ...this.options, memory: this.memory });
    this.isBroken = false;
  }

  async save(): Promise<void> {
    if (!this.isBroken) await this.task.save();
  }

  /** Credentials before this offset are no longer needed here. */
  get keep(): number {
    return this.task.keep;
  }

  metrics(): Metrics {
    const { counters, waiting } = this.task.ledger;
    return {
      sealwatch_ledger_records_total: counters.records,
      sealwatch_ledger_late_total: counters.late,
      sealwatch_ledger_early_total: counters.early,
      sealwatch_ledger_failed_total: counters.failed,
      sealwatch_ledger_questions_total: counters.questions,
      sealwatch_ledger_waiting_records: waiting,
      sealwatch_ledger_open_rows: this.countOpen(),
      sealwatch_ledger_lag_records: this.task.lag,
      sealwatch_ledger_failing: this.isBroken ? 1 : 0,
    };
  }

  /** Counting a million rows takes its time. */
  private countOpen(): number {
    const nowMs = this.options.now();
    if (nowMs - this.countedMs < limits.ledgerCountMs || this.isBroken) return this.openRows;
    this.countedMs = nowMs;
    try {
      this.openRows = this.memory.openRows();
    } catch {
      // A disk that refuses is told of by the work, not by who counts it.
    }
    return this.openRows;
  }

  [Symbol.dispose](): void {
    this.memory[Symbol.dispose]();
  }
}
