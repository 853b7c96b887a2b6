// Follows the file of a file audit device by its open handle: through rename, truncation and a restart of sealwatch.
// The place is durable because it travels in each line's own spool record.

import { type FileHandle, open, stat } from 'node:fs/promises';
import { systemCode } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import type { FilePosition } from '../../core/raw.ts';
import type { Intake, Source } from './intake.ts';

/** What the spool says of the file device after a restart. */
export interface TailPlace {
  inode: number;
  generation: number;
  /** Every line before this byte is in the spool. */
  durable: number;
  /** Lines at or behind `durable` that are in the spool as well, by where they begin. */
  kept: Set<number>;
}

const NEWLINE = 10;
const CARRIAGE_RETURN = 13;
const CHUNK_BYTES = 256 * 1024;

export class FileTail {
  private readonly source: Source;
  private readonly path: string;
  private readonly intake: Intake;
  private readonly now: () => number;
  private file: FileHandle | undefined;
  private inode = 0;
  private generation: number;
  /** Where the next line begins. */
  private position = 0;
  private durable = 0;
  private kept: Set<number>;
  private resume: TailPlace | undefined;
  private buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  private skipping = 0;
  private quietSinceMs = 0;
  private stopped = false;
  /** There is more in the file than has been read. */
  isBehind = false;
  private running: Promise<void> = Promise.resolve();

  constructor(options: {
    source: Source;
    path: string;
    intake: Intake;
    now: () => number;
    place?: TailPlace | undefined;
  }) {
    this.source = options.source;
    this.path = options.path;
    this.intake = options.intake;
    this.now = options.now;
    this.resume = options.place;
    this.generation = options.place?.generation ?? 0;
    this.kept = options.place?.kept ?? new Set();
  }

  /** Where the tail is; everything before this has been handed over. */
  get place(): { inode: number; generation: number; position: number } {
    return { inode: this.inode, generation: this.generation, position: this.position };
  }

  /** The spool says that everything handed over up to `place` is durable. */
  setDurable(place: { generation: number; position: number }): void {
    if (place.generation === this.generation) this.durable = Math.max(this.durable, place.position);
  }

  /** Undefined before the file is open. */
  get durablePlace(): { inode: number; generation: number; durable: number } | undefined {
    if (this.file === undefined) return undefined;
    return { inode: this.inode, generation: this.generation, durable: this.durable };
  }

  /** Reads what is there once, then goes on in the background until `stop`. */
  async start(onError: (error: unknown) => void): Promise<void> {
    await this.step().catch(onError);
    this.running = this.loop(onError);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.running;
    await this.file?.close();
  }

  private async loop(onError: (error: unknown) => void): Promise<void> {
    while (!this.stopped) {
      const more = await this.step().catch((error: unknown) => {
        onError(error);
        return false;
      });
      await new Promise((resolve) => (more ? setImmediate(resolve) : setTimeout(resolve, limits.tailPollMs)));
    }
  }

  /** One read; true when there may be more at once. A full spool makes the file wait: it is the device that can. */
  private async step(): Promise<boolean> {
    if (this.intake.isFull) {
      this.isBehind = true;
      return false;
    }
    if (this.file === undefined && !(await this.openFile())) return false;
    const file = this.file as FileHandle;
    const { bytesRead } = await file.read(this.buffer, 0, this.buffer.length, this.position + this.skipping);
    this.isBehind = bytesRead > 0 && this.takeLines(bytesRead);
    if (this.isBehind) {
      this.quietSinceMs = 0;
      return true;
    }
    await this.lookForChange(file);
    return false;
  }

  private async openFile(): Promise<boolean> {
    try {
      this.file = await open(this.path, 'r');
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return false;
      throw error;
    }
    const { ino, size } = await this.file.stat();
    const { resume } = this;
    this.resume = undefined;
    this.inode = ino;
    if (resume !== undefined && resume.inode === ino && (await this.endsLineAt(resume.durable, size))) {
      this.position = this.durable = resume.durable;
    } else {
      // Another file by now: what was left unread of the one before is a gap, of unknown size.
      if (resume !== undefined) this.intake.lost(this.source.feed, 'unread', 0);
      this.begin();
    }
    return true;
  }

  private begin(): void {
    this.generation++;
    this.position = this.durable = this.skipping = 0;
    this.kept = new Set();
  }

  /** An inode number is used again for a new file; a place that is not behind a newline shows it. */
  private async endsLineAt(position: number, size: number): Promise<boolean> {
    if (position > size) return false;
    if (position === 0) return true;
    const one = Buffer.alloc(1);
    await (this.file as FileHandle).read(one, 0, 1, position - 1);
    return one[0] === NEWLINE;
  }

  /** Hands over the whole lines in the buffer; false when there was none and no more bytes may make one. */
  private takeLines(bytesRead: number): boolean {
    if (this.skipping > 0) return this.skipLine(bytesRead);
    const nowMs = this.now();
    // A view of its own for each read: the collector's searches remember a chunk by its object.
    const chunk = this.buffer.subarray(0, bytesRead);
    let from = 0;
    for (let newline = chunk.indexOf(NEWLINE); newline >= 0; newline = chunk.indexOf(NEWLINE, from)) {
      this.takeLine(chunk, from, newline, nowMs);
      from = newline + 1;
      if (this.intake.isFull) break;
    }
    if (from > 0) return true;
    return bytesRead === this.buffer.length && this.growOrSkip();
  }

  private takeLine(chunk: Buffer, from: number, newline: number, nowMs: number): void {
    const start = this.position;
    this.position += newline + 1 - from;
    const end = newline > from && chunk[newline - 1] === CARRIAGE_RETURN ? newline - 1 : newline;
    if (end === from || this.kept.delete(start)) return;
    const { inode, generation, durable } = this;
    const file: FilePosition = { inode, generation, start, end: this.position, durable };
    this.intake.line(this.source, chunk, from, end, nowMs, file);
  }

  /** The line is longer than the buffer: a larger buffer, or past the limit, give the line up. */
  private growOrSkip(): boolean {
    // One byte more than the longest line: room for its newline.
    const longest = limits.lineBytesMax + 1;
    if (this.buffer.length >= longest) this.skipping = this.buffer.length;
    else this.buffer = Buffer.allocUnsafe(Math.min(this.buffer.length * 4, longest));
    return true;
  }

  private skipLine(bytesRead: number): boolean {
    const newline = this.buffer.indexOf(NEWLINE);
    if (newline < 0 || newline >= bytesRead) {
      this.skipping += bytesRead;
      return true;
    }
    const bytes = this.skipping + newline;
    this.intake.lost(this.source.feed, 'line_too_long', bytes);
    this.position += bytes + 1;
    this.skipping = 0;
    return true;
  }

  /** At the end of what is there: has the file shrunk, or does its name belong to another file now? */
  private async lookForChange(file: FileHandle): Promise<void> {
    if (this.buffer.length > CHUNK_BYTES) this.buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    if ((await file.stat()).size < this.position) {
      this.begin();
      return;
    }
    const named = await stat(this.path).catch(() => undefined);
    if (named === undefined || named.ino === this.inode) {
      this.quietSinceMs = 0;
      return;
    }
    // Vault goes on writing to the renamed file until it gets SIGHUP: leave it only when it has been quiet.
    const nowMs = this.now();
    if (this.quietSinceMs === 0) this.quietSinceMs = nowMs;
    else if (nowMs - this.quietSinceMs >= limits.tailSwitchMs) await this.leave(file);
  }

  private async leave(file: FileHandle): Promise<void> {
    const left = (await file.stat()).size - this.position;
    if (left > 0) this.intake.lost(this.source.feed, 'unread', left);
    await file.close();
    this.file = undefined;
    this.quietSinceMs = 0;
    await this.openFile();
  }
}
