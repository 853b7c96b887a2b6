// HyperLogLog: how many distinct values were added, in 4 KiB, with a standard error of 1.6 % (1.04 / sqrt(4096)).
// Flajolet et al., "HyperLogLog: the analysis of a near-optimal cardinality estimation algorithm" (2007).

import { createHash } from 'node:crypto';

const BITS = 12;
const REGISTERS = 1 << BITS;
const ALPHA = 0.7213 / (1 + 1.079 / REGISTERS);

/** Where a value goes: its register, and the place of the first one bit in the rest of its hash. */
export type Hashed = [register: number, rank: number];

/** The hash decides, never the order; SHA-256, so that whoever picks the values can hardly steer the estimate. */
export function hashed(value: string): Hashed {
  const digest = createHash('sha256').update(value).digest();
  return [digest.readUInt16BE(0) >>> (16 - BITS), Math.clz32(digest.readUInt32BE(2)) + 1];
}

export class HyperLogLog {
  readonly #registers: Uint8Array;
  /** Sum of 2^-register, and registers that are zero, kept as they change. Sums of such powers are exact. */
  #sum = 0;
  #zeros = 0;

  /** @param state of `snapshot` */
  constructor(state?: string) {
    this.#registers = new Uint8Array(REGISTERS);
    if (state !== undefined) this.#registers.set(Buffer.from(state, 'base64'));
    for (const rank of this.#registers) {
      this.#sum += 2 ** -rank;
      if (rank === 0) this.#zeros++;
    }
  }

  add([register, rank]: Hashed): void {
    const before = this.#registers[register] as number;
    if (rank <= before) return;
    this.#registers[register] = rank;
    this.#sum += 2 ** -rank - 2 ** -before;
    if (before === 0) this.#zeros--;
  }

  merge(other: HyperLogLog): void {
    for (let i = 0; i < REGISTERS; i++) this.add([i, other.#registers[i] as number]);
  }

  estimate(): number {
    // Few values are told more exactly by the registers that none has come to.
    const raw = (ALPHA * REGISTERS * REGISTERS) / this.#sum;
    const few = raw <= 2.5 * REGISTERS && this.#zeros > 0;
    return Math.round(few ? REGISTERS * Math.log(REGISTERS / this.#zeros) : raw);
  }

  snapshot(): string {
    return Buffer.from(this.#registers).toString('base64');
  }
}
