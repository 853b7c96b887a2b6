// What waits for its turn: calls come as their partitions bring them, and are worked in the order in which Vault had done them.

import type { LedgerInput } from './change.ts';

/** Text order is the order of work: when it was done, then by id; the half of a call before the whole. */
export const keyOf = (input: LedgerInput): string =>
  `${input.done} ${input.id} ${input.kind === 'call' ? input.event.vault.revision : 0}`;

/** Behind every key that was done at `time`, before every later one. */
export const throughTime = (time: string): string => `${time}~`;

interface Waiting {
  key: string;
  input: LedgerInput;
  offset: number;
}

/** A binary heap by key; a key that waits already is not taken again. */
export class Order {
  private readonly heap: Waiting[] = [];
  private readonly keys = new Set<string>();

  get size(): number {
    return this.heap.length;
  }

  /** Lowest offset among the records that wait, at most `next`. */
  lowestOffset(next: number): number {
    let lowest = next;
    for (const { offset } of this.heap) if (offset < lowest) lowest = offset;
    return lowest;
  }

  push(input: LedgerInput, offset: number): void {
    const key = keyOf(input);
    if (this.keys.has(key)) return;
    this.keys.add(key);
    const { heap } = this;
    let at = heap.length;
    heap.push({ key, input, offset });
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.at(parent).key <= key) break;
      this.swap(at, parent);
      at = parent;
    }
  }

  /** The first, when its key is not behind `through`. */
  pop(through: string): Waiting | undefined {
    const first = this.heap[0];
    if (first === undefined || first.key > through) return undefined;
    const last = this.heap.pop() as Waiting;
    this.keys.delete(first.key);
    if (this.heap.length === 0) return first;
    this.heap[0] = last;
    this.sink();
    return first;
  }

  private sink(): void {
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.heap.length) return;
      if (child + 1 < this.heap.length && this.at(child + 1).key < this.at(child).key) child++;
      if (this.at(at).key <= this.at(child).key) return;
      this.swap(at, child);
      at = child;
    }
  }

  private at = (index: number): Waiting => this.heap[index] as Waiting;

  private swap(a: number, b: number): void {
    const waiting = this.at(a);
    this.heap[a] = this.at(b);
    this.heap[b] = waiting;
  }
}
