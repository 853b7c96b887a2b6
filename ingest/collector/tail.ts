// Follows the file of a file audit device by its open handle: through rename, truncation, deletion and a restart of sealwatch.
// The place is durable because it travels in each line's own spool record.

import { type FileHandle, open, stat } from 'node:fs/promises';
import { limits } from '../../core/limits.ts';
import type { FilePosition } from '../../core/raw.ts';
import type { FilePlace } from '../../core/records.ts';
import type { Intake, Source } from './intake.ts';
import { bytesBefore, ignoreMissing, markOf, type NextFile, nextFile, reopen } from './rotated.ts';

/** What the spool says of the file input after a restart. */
export interface TailPlace extends FilePlace {
  /** Lines at or behind `durable` that are in the spool as well: where each begins, and where the next one does. */
  kept: Map<number, number>;
}

/** A byte of a file before which everything has been handed over. */
export interface Reached {
  generation: number;
  position: number;
  /** CRC-32 of the bytes before it. */
  mark: number;
}

const NEWLINE = 10;
const CARRIAGE_RETURN = 13;
const CHUNK_BYTES = 256 * 1024;
const nothing = Buffer.alloc(0);

export class FileTail {
  private readonly source: Source;
  private readonly path: string;
  private readonly intake: Intake;
  private readonly now: () => number;
  private file: FileHandle | undefined;
  private inode = 0;
  /** Everything before this has been handed over; the next line begins here. */
  private reached: Reached;
  private durable: Reached;
  private kept: Map<number, number>;
  private resume: TailPlace | undefined;
  private buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  /** The bytes before the next read: each read begins with them, and so sees that the file is still the one it was. */
  private before: Buffer = nothing;
  /** Bytes of a line that is being given up. */
  private skipped = 0;
  private writtenMs: number;
  private quietSinceMs = 0;
  private stopped = false;
  /** There is more than has been read. */
  isBehind = false;
  private running: Promise<void> = Promise.resolve();

  constructor(options: {
    source: Source;
    path: string;
    intake: Intake;
    now: () => number;
    place?: TailPlace | undefined;
  }) {
    const { place } = options;
    this.source = options.source;
    this.path = options.path;
    this.intake = options.intake;
    this.now = options.now;
    this.resume = place;
    this.reached = { generation: place?.generation ?? 0, position: 0, mark: 0 };
    this.durable = this.reached;
    this.kept = place?.kept ?? new Map();
    this.writtenMs = place?.writtenMs ?? 0;
  }

  /** Where the tail is. */
  get place(): Reached {
    return this.reached;
  }

  /** The spool says that everything handed over up to `place` is durable. */
  setDurable(place: Reached): void {
    if (place.generation === this.reached.generation && place.position >= this.durable.position)
      this.durable = place;
  }

  /** Undefined before the file is open. */
  get durablePlace(): FilePlace | undefined {
    return this.file === undefined ? undefined : this.durablePlaceOf();
  }

  private durablePlaceOf(): FilePlace {
    const { inode, writtenMs } = this;
    const { generation, position, mark } = this.durable;
    return { inode, generation, durable: position, mark, writtenMs };
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
    if (this.intake.mustWait(this.source.feed)) {
      // Whoever waits for its quota may wait for days: event time does not wait with it.
      this.isBehind = !this.intake.isOverQuota(this.source.feed);
      return false;
    }
    if (this.file === undefined && !(await this.openFile())) return false;
    const file = this.file as FileHandle;
    const from = this.reached.position + this.skipped - this.before.length;
    const { bytesRead } = await file.read(this.buffer, 0, this.buffer.length, from);
    if (!this.before.equals(this.buffer.subarray(0, Math.min(bytesRead, this.before.length)))) {
      return this.findReplaced();
    }
    this.isBehind = bytesRead > this.before.length && this.takeLines(bytesRead);
    if (this.isBehind) {
      this.quietSinceMs = 0;
      return true;
    }
    return this.lookForChange(file);
  }

  /** At a restart the file of the place, whatever it is called by now; else the one that comes next. */
  private async openFile(): Promise<boolean> {
    const { resume } = this;
    const again = resume === undefined ? undefined : await reopen(this.path, resume);
    if (resume !== undefined && again !== undefined) {
      this.resume = undefined;
      this.durable = { generation: resume.generation, position: resume.durable, mark: resume.mark };
      await this.goOn(again, this.durable);
      return true;
    }
    // Of a file that is gone only its last write says which ones came after it.
    const next = await nextFile(this.path, resume?.writtenMs ?? Number.POSITIVE_INFINITY);
    if (next === undefined || !(await this.goTo(next))) return false;
    // What was left unread of it is a gap, of unknown size.
    if (resume !== undefined && next.unread === 0) this.intake.lost(this.source.feed, 'unread', 0);
    this.resume = undefined;
    return true;
  }

  /** Reads on in `file`, which holds the same bytes before `place` as the one that was read so far. */
  private async goOn(file: FileHandle, place: Reached): Promise<void> {
    await this.file?.close();
    this.file = file;
    this.inode = (await file.stat()).ino;
    this.reached = place;
    this.before = await bytesBefore(file, place.position);
    this.skipped = this.quietSinceMs = 0;
  }

  /** Begins `next`; false when it has another name by now. */
  private async goTo({ path, inode, unread }: NextFile): Promise<boolean> {
    const file = await open(path, 'r').catch(ignoreMissing);
    if (file === undefined) return false;
    const is = await file.stat();
    if (is.ino !== inode) {
      await file.close();
      return false;
    }
    for (let i = 0; i < unread; i++) this.intake.lost(this.source.feed, 'unread', 0);
    await this.file?.close();
    this.file = file;
    this.inode = inode;
    this.writtenMs = Math.max(this.writtenMs, is.mtimeMs);
    this.begin();
    return true;
  }

  private begin(): void {
    this.reached = { generation: this.reached.generation + 1, position: 0, mark: markOf(nothing) };
    this.durable = this.reached;
    this.before = nothing;
    this.kept = new Map();
    this.skipped = this.quietSinceMs = 0;
  }

  /**
   * A later generation in the spool says that the ones before are done, so none may begin before they are durable: a kill
   * leaves of some partitions what came later.
   */
  private get isAllDurable(): boolean {
    return this.durable.position === this.reached.position;
  }

  /** Hands over the whole lines in the buffer; false when there was none and no more bytes may make one. */
  private takeLines(bytesRead: number): boolean {
    // A view of its own for each read: the collector's searches remember a chunk by its object.
    const chunk = this.buffer.subarray(this.before.length, bytesRead);
    if (this.skipped > 0) return this.skipLine(chunk);
    const nowMs = this.now();
    const { generation, position } = this.reached;
    let from = 0;
    for (let newline = chunk.indexOf(NEWLINE); newline >= 0; newline = chunk.indexOf(NEWLINE, from)) {
      this.takeLine(chunk, from, newline, position, nowMs);
      from = newline + 1;
      if (this.intake.mustWait(this.source.feed)) break;
    }
    if (from === 0) return bytesRead === this.buffer.length && this.growOrSkip(chunk);
    this.remember(chunk, from);
    this.reached = { generation, position: position + from, mark: markOf(this.before) };
    return true;
  }

  /** The line in `chunk[from, newline)`; the chunk lies at `at` in the file. */
  private takeLine(chunk: Buffer, from: number, newline: number, at: number, nowMs: number): void {
    const start = at + from;
    const end = at + newline + 1;
    const to = newline > from && chunk[newline - 1] === CARRIAGE_RETURN ? newline - 1 : newline;
    if (to === from || this.kept.get(start) === end) return;
    if (to - from > limits.lineBytesMax) {
      this.intake.lost(this.source.feed, 'line_too_long', to - from);
      return;
    }
    const file: FilePosition = { ...this.durablePlaceOf(), start, end };
    this.intake.line(this.source, chunk, from, to, nowMs, file);
  }

  /** The bytes before the next read, which begins behind `chunk[0, to)`; the buffer holds those before the chunk as well. */
  private remember(chunk: Buffer, to: number): void {
    const end = chunk.byteOffset - this.buffer.byteOffset + to;
    this.before = Buffer.from(this.buffer.subarray(Math.max(0, end - limits.fileMarkBytes), end));
  }

  /** The line is longer than the buffer: a larger buffer, or past the limit, give the line up. */
  private growOrSkip(chunk: Buffer): boolean {
    // One byte more than the longest line: room for its newline.
    const longest = limits.fileMarkBytes + limits.lineBytesMax + 1;
    if (this.buffer.length < longest)
      this.buffer = Buffer.allocUnsafe(Math.min(this.buffer.length * 4, longest));
    else this.skip(chunk);
    return true;
  }

  private skip(chunk: Buffer): void {
    this.skipped += chunk.length;
    this.remember(chunk, chunk.length);
  }

  private skipLine(chunk: Buffer): boolean {
    const newline = chunk.indexOf(NEWLINE);
    if (newline < 0) {
      this.skip(chunk);
      return true;
    }
    const bytes = this.skipped + newline;
    this.intake.lost(this.source.feed, 'line_too_long', bytes);
    this.remember(chunk, newline + 1);
    const { generation, position } = this.reached;
    this.reached = { generation, position: position + bytes + 1, mark: markOf(this.before) };
    this.skipped = 0;
    return true;
  }

  /**
   * What stood before our place stands there no more: the file was truncated, mostly after it had been copied. The copy has
   * what we had not read; without one nobody can say how much that was.
   */
  private async findReplaced(): Promise<boolean> {
    this.isBehind = true;
    if (!this.isAllDurable) return false;
    const copy = await reopen(this.path, this.durablePlaceOf());
    if (copy !== undefined) {
      await this.goOn(copy, this.reached);
      return true;
    }
    this.intake.lost(this.source.feed, 'unread', 0);
    this.begin();
    return true;
  }

  /** At the end of what is there: does the name belong to another file now? True when that has begun. */
  private async lookForChange(file: FileHandle): Promise<boolean> {
    if (this.buffer.length > CHUNK_BYTES) this.buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    const { mtimeMs, size } = await file.stat();
    this.writtenMs = Math.max(this.writtenMs, mtimeMs);
    const named = await stat(this.path).catch(ignoreMissing);
    const next = named?.ino === this.inode ? undefined : await nextFile(this.path, this.writtenMs);
    // A deleted file goes on being written until Vault gets SIGHUP (vault-audit.md 3).
    if (next === undefined) {
      this.quietSinceMs = 0;
      return false;
    }
    // So does a renamed one: leave it only when it has been quiet.
    this.isBehind = true;
    const nowMs = this.now();
    if (this.quietSinceMs === 0) this.quietSinceMs = nowMs;
    if (nowMs - this.quietSinceMs < limits.tailSwitchMs || !this.isAllDurable) return false;
    const left = size - this.reached.position;
    if (!(await this.goTo(next))) return false;
    if (left > 0) this.intake.lost(this.source.feed, 'unread', left);
    return true;
  }
}
