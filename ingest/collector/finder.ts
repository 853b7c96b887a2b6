// Searches a chunk of lines for a rare text once, not once per line: what lies ahead is remembered until it is reached.

import { standsAt } from '../../core/json-bytes.ts';

export class Finder {
  readonly length: number;
  private readonly head: Buffer;
  /** One byte is searched for as a number, which is faster. */
  private readonly tail: Buffer | number;
  private bytes: Buffer | undefined;
  private asked = 0;
  private next = 0;

  /**
   * The native search hops from one first byte to the next, so the search begins at `text[rare]`, the first character that
   * hashes in hexadecimal and JSON punctuation do not hold; what stands before it is compared afterwards.
   */
  constructor(text: string, rare = 0) {
    this.length = text.length;
    this.head = Buffer.from(text.slice(0, rare));
    const tail = Buffer.from(text.slice(rare));
    this.tail = tail.length === 1 ? (tail[0] as number) : tail;
  }

  /**
   * Where the text begins in `bytes[from, to)`, or -1. Within one chunk ask with a `from` that grows. A buffer that is
   * filled anew must come as another object: its old bytes are remembered by it.
   */
  find(bytes: Buffer, from: number, to: number): number {
    if (bytes !== this.bytes || from <= this.asked || this.next < from) {
      this.bytes = bytes;
      this.next = this.search(bytes, from);
    }
    this.asked = from;
    return this.next < to ? this.next : -1;
  }

  private search(bytes: Buffer, from: number): number {
    const { head, tail } = this;
    for (let at = bytes.indexOf(tail, from + head.length); at >= 0; at = bytes.indexOf(tail, at + 1)) {
      if (standsAt(bytes, at - head.length, head)) return at - head.length;
    }
    return Number.POSITIVE_INFINITY;
  }
}
