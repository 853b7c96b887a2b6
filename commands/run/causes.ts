// Which records of a partition have been taken: whoever wrote them may have written them twice, and a process that has lost the
// partition may write a while longer what its successor writes, too.

import type { Cause } from '../../core/ports.ts';

type At = Pick<Cause, 'offset' | 'index'>;

/** The highest cause of each source that was taken, the source heard of last standing last. A JSON value. */
export type CausesState = [source: string, at: At][];

export class TakenCauses {
  private readonly taken: Map<string, At>;
  private readonly max: number;
  /** Most records come from the source that the one before came from. */
  private last = '';

  /** @param max sources that are remembered; past it the one that was silent longest is forgotten */
  constructor(state: CausesState = [], max = Number.POSITIVE_INFINITY) {
    this.taken = new Map(state);
    this.max = max;
  }

  /** False when the record was taken before. What has no cause is always new. */
  take(cause: Cause | undefined): boolean {
    if (cause === undefined) return true;
    const { offset, index } = cause;
    const source = cause.spool === undefined ? `${cause.partition}` : `${cause.spool}/${cause.partition}`;
    const before = this.taken.get(source);
    if (before !== undefined && !isAfter(cause, before)) return false;
    if (source !== this.last) this.taken.delete(source);
    this.taken.set(source, { offset, index });
    this.last = source;
    if (this.taken.size > this.max) this.taken.delete(this.taken.keys().next().value as string);
    return true;
  }

  state(): CausesState {
    return [...this.taken];
  }
}

export const isAfter = (a: At, b: At): boolean =>
  a.offset > b.offset || (a.offset === b.offset && a.index > b.index);
