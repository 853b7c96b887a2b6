// Cuts a byte stream into lines, whatever the chunks: a line may span many chunks, a chunk may hold many lines.

import { limits } from '../../core/limits.ts';
import { type Budget, type Holder, PartialBudget } from './partial.ts';

const NEWLINE = 10;
const CARRIAGE_RETURN = 13;
const nothing = Buffer.alloc(0);

export interface FrameSink {
  /** Lines lie in `bytes[from, to)` without their newline; the view is valid only during the call. */
  line(bytes: Buffer, from: number, to: number): void;
  /** A line that is longer than `limits.lineBytesMax`, or an end without a newline; its bytes are gone. */
  lost(reason: 'line_too_long' | 'truncated', bytes: number): void;
}

/** Turns the bytes of one connection into lines. */
export interface Framing {
  push(chunk: Buffer): void;
  /** The stream has ended; what is unfinished is lost and counted. */
  end(): void;
}

/** Makes the framing of one connection. */
export type MakeFraming = (sink: FrameSink, budget: Budget) => Framing;

export class Framer implements Framing, Holder {
  private readonly sink: FrameSink;
  private readonly budget: Budget;
  /** The unfinished line is `part[0, partBytes)`: one buffer that grows, or a sender of single bytes would cost a hundredfold. */
  private part = nothing;
  private partBytes = 0;
  /** Bytes of a line that is being given up, until its newline comes. */
  private skipped = 0;

  constructor(sink: FrameSink, budget: Budget = new PartialBudget()) {
    this.sink = sink;
    this.budget = budget;
  }

  get held(): number {
    return this.part.length;
  }

  push(chunk: Buffer): void {
    let from = 0;
    for (;;) {
      const newline = chunk.indexOf(NEWLINE, from);
      if (newline < 0) break;
      this.finish(chunk, from, newline);
      from = newline + 1;
    }
    if (from < chunk.length) this.keep(chunk, from, chunk.length);
  }

  /** The stream has ended: a tail without newline is a line that Vault writes again on its next connection. */
  end(): void {
    const bytes = this.skipped + this.partBytes;
    if (bytes > 0) this.sink.lost(this.skipped > 0 ? 'line_too_long' : 'truncated', bytes);
    this.drop();
    this.skipped = 0;
  }

  /** Hands out the unfinished tail as a line, where the end of the input ends its last line. */
  endAsLine(): void {
    if (this.skipped > 0) this.end();
    else if (this.partBytes > 0) this.emitPart();
  }

  private finish(chunk: Buffer, from: number, to: number): void {
    if (this.skipped === 0 && this.partBytes === 0 && to - from <= limits.lineBytesMax)
      this.emit(chunk, from, to);
    else {
      this.keep(chunk, from, to);
      if (this.skipped > 0) this.end();
      else this.emitPart();
    }
  }

  private emitPart(): void {
    const { part, partBytes } = this;
    this.drop();
    this.emit(part, 0, partBytes);
  }

  private emit(bytes: Buffer, from: number, to: number): void {
    const end = to > from && bytes[to - 1] === CARRIAGE_RETURN ? to - 1 : to;
    if (end > from) this.sink.line(bytes, from, end);
  }

  private keep(chunk: Buffer, from: number, to: number): void {
    const bytes = to - from;
    if (this.skipped > 0) this.skipped += bytes;
    else if (this.partBytes + bytes > limits.lineBytesMax) {
      this.giveUp();
      this.skipped += bytes;
    } else if (bytes > 0) this.append(chunk, from, to);
  }

  /** A copy: the chunk may be the reader's own buffer, and a short tail must not hold on to a large chunk. */
  private append(chunk: Buffer, from: number, to: number): void {
    const needed = this.partBytes + to - from;
    const { length } = this.part;
    if (needed > length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, Math.min(2 * length, limits.lineBytesMax)));
      this.part.copy(larger, 0, 0, this.partBytes);
      this.part = larger;
    }
    chunk.copy(this.part, this.partBytes, from, to);
    this.partBytes = needed;
    if (this.part.length > length) this.budget.take(this, this.part.length - length);
  }

  /** The line so far is dropped; its length is told when its newline comes. */
  giveUp(): void {
    this.skipped += this.partBytes;
    this.drop();
  }

  private drop(): void {
    if (this.part.length > 0) this.budget.give(this, this.part.length);
    this.part = nothing;
    this.partBytes = 0;
  }
}
