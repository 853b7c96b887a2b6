// What waits for its turn: calls come as their partitions bring them, and are worked in the order in which Vault had done them.

import type { JsonObject } from '../../core/event.ts';
import { limits } from '../../core/limits.ts';
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
  chars: number;
}

/** About what it takes: a caller chooses the data, an answer may hold a whole policy. */
function charsOf(input: LedgerInput): number {
  if (input.kind === 'hashes') return BASE_CHARS;
  if (input.kind === 'answer') return BASE_CHARS + JSON.stringify(input.answer).length;
  const { request, response } = input.event.vault;
  return BASE_CHARS + lengthOf(request.data) + lengthOf(response?.data);
}

const lengthOf = (data: JsonObject | undefined): number =>
  data === undefined ? 0 : JSON.stringify(data).length;

/** What every event has beside its data. */
const BASE_CHARS = 2_000;

/** A binary heap by key; a key that waits already is not taken again. */
export class Order {
  private readonly heap: Waiting[] = [];
  private readonly keys = new Set<string>();
  private chars = 0;

  get size(): number {
    return this.heap.length;
  }

  /** More waits than may. */
  get isOver(): boolean {
    return this.size > limits.ledgerWaitingMax || this.chars > limits.ledgerWaitingCharsMax;
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
    const chars = charsOf(input);
    this.chars += chars;
    heap.push({ key, input, offset, chars });
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
    this.chars -= first.chars;
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
