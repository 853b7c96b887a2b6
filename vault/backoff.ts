// How long to wait for a Vault that does not answer: twice as long each time, to a bound, and never all at the same moment.

import { limits } from '../core/limits.ts';

export class Backoff {
  private failures = 0;
  private readonly random: () => number;

  /** `random` gives numbers from 0 up to 1. */
  constructor(random: () => number) {
    this.random = random;
  }

  /** Milliseconds to wait after one more failure; at least `atLeastMs`, which Vault asked for. */
  failed(atLeastMs = 0): number {
    const { vaultBackoffMsMin, vaultBackoffMsMax } = limits;
    const full = Math.min(vaultBackoffMsMin * 2 ** this.failures, vaultBackoffMsMax);
    if (full < vaultBackoffMsMax) this.failures++;
    const wait = full / 2 + (full / 2) * this.random();
    // After a pause that Vault asked for, not everybody comes back in the same millisecond either.
    return Math.round(atLeastMs > 0 ? atLeastMs + wait / 2 : wait);
  }

  succeeded(): void {
    this.failures = 0;
  }
}
