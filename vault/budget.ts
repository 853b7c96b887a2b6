// How many questions sealwatch may ask: each makes lines in the log that it reads, and they must stay few among the others.

import { limits } from '../core/limits.ts';

export interface BudgetOptions {
  /** Lines of questions in percent of the lines received. */
  percent: number;
  /** Questions that may be asked before lines have earned them. */
  calls: number;
  /** Lines that one call makes: two on each audit device. */
  linesPerCall: number;
}

export class Budget {
  private readonly options: BudgetOptions;
  private earned = 0;
  private spent = 0;

  constructor(options: BudgetOptions) {
    this.options = options;
  }

  /** So many lines were received since the start, and so many calls of all kinds were made: their own lines earn nothing. */
  received(lines: number, ownCalls: number): void {
    const { calls, percent, linesPerCall } = this.options;
    const others = Math.max(0, lines - ownCalls * linesPerCall);
    this.earned = Math.max(this.earned, (others * percent) / 100 / linesPerCall);
    // Old lines that are read in one go earn no flood of questions: what goes past the bound is lost.
    const heldMax = Math.max(limits.vaultBudgetHeldMax, calls);
    this.spent = Math.max(this.spent, Math.floor(calls + this.earned) - heldMax);
  }

  /** Questions that may be asked now. */
  get left(): number {
    return Math.max(0, Math.floor(this.options.calls + this.earned) - this.spent);
  }

  spend(): void {
    this.spent++;
  }
}
