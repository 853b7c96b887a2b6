// Cuts a byte stream into lines, whatever the chunks: a line may span many chunks, a chunk may hold many lines.

import { limits } from '../../core/limits.ts';

const NEWLINE = 10;
const CARRIAGE_RETURN = 13;

export interface FrameSink {
  /** Lines lie in `bytes[from, to)` without their newline; the view is valid only during the call. */
  line(bytes: Buffer, from: number, to: number): void;
  /** A line that is longer than `limits.lineBytesMax`, or an end without a newline; its bytes are gone. */
  lost(reason: 'line_too_long' | 'truncated', bytes: number): void;
}

/** Unfinished lines of all framers, together at most `limits.partialBytesMax`: past it the longest is given up. */
export class PartialBudget {
  used = 0;
  private readonly open = new Set<Framer>();

  take(framer: Framer, bytes: number): void {
    this.used += bytes;
    this.open.add(framer);
    while (this.used > limits.partialBytesMax) {
      const [longest] = [...this.open].sort((a, b) => b.partBytes - a.partBytes);
      (longest as Framer).giveUp();
    }
  }

  give(framer: Framer, bytes: number): void {
    this.used -= bytes;
    this.open.delete(framer);
  }
}

export class Framer {
  private readonly sink: FrameSink;
  private readonly budget: PartialBudget;
  private parts: Buffer[] = [];
  partBytes = 0;
  /** Bytes of a line that is being given up, until its newline comes. */
  private skipped = 0;

  constructor(sink: FrameSink, budget = new PartialBudget()) {
    this.sink = sink;
    this.budget = budget;
  }

  push(chunk: Buffer): void {
    let from = 0;
    for (;;) {
      const newline = chunk.indexOf(NEWLINE, from);
      if (newline < 0) break;
      this.finish(chunk, from, newline);
      from = newline + 1;
    }
    if (from < chunk.length) this.keep(chunk, from);
  }

  /** The stream has ended: a tail without newline is a line that Vault writes again on its next connection. */
  end(): void {
    const bytes = this.skipped + this.partBytes;
    if (bytes > 0) this.sink.lost(this.skipped > 0 ? 'line_too_long' : 'truncated', bytes);
    this.drop();
    this.skipped = 0;
  }

  /** Hands out the unfinished tail as a line, for a recorded log whose last line has no newline. */
  endAsLine(): void {
    if (this.skipped > 0) this.end();
    else if (this.partBytes > 0) this.emitParts();
  }

  private finish(chunk: Buffer, from: number, to: number): void {
    if (this.skipped > 0) {
      this.sink.lost('line_too_long', this.skipped + to - from);
      this.skipped = 0;
    } else if (this.partBytes + to - from > limits.lineBytesMax) {
      this.sink.lost('line_too_long', this.partBytes + to - from);
      this.drop();
    } else if (this.partBytes > 0) {
      if (to > from) this.parts.push(chunk.subarray(from, to));
      this.emitParts();
    } else this.emit(chunk, from, to);
  }

  private emitParts(): void {
    const line = Buffer.concat(this.parts);
    this.drop();
    this.emit(line, 0, line.length);
  }

  private emit(bytes: Buffer, from: number, to: number): void {
    const end = to > from && bytes[to - 1] === CARRIAGE_RETURN ? to - 1 : to;
    if (end > from) this.sink.line(bytes, from, end);
  }

  private keep(chunk: Buffer, from: number): void {
    const bytes = chunk.length - from;
    if (this.skipped > 0) this.skipped += bytes;
    else if (this.partBytes + bytes > limits.lineBytesMax) {
      this.giveUp();
      this.skipped += bytes;
    } else {
      // A copy: the chunk may be the reader's own buffer, and a short tail must not hold on to a large chunk.
      this.parts.push(Buffer.from(chunk.subarray(from)));
      this.partBytes += bytes;
      this.budget.take(this, bytes);
    }
  }

  /** The line so far is dropped; its length is told when its newline comes. */
  giveUp(): void {
    this.skipped = this.partBytes;
    this.drop();
  }

  private drop(): void {
    this.budget.give(this, this.partBytes);
    this.parts = [];
    this.partBytes = 0;
  }
}
