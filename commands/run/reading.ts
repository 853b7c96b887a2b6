// How far a detector has read its partition, how far each way to it has come, and which records it has taken; and the way back
// after a crash: to where what waits came from.

import { limits } from '../../core/limits.ts';
import type { Cause, Stream, StreamRecord } from '../../core/ports.ts';
import type { Topic, Watermark } from '../../core/records.ts';
import { isAfter } from './causes.ts';

/** All that is known at an offset of the partition. A JSON value. */
interface Checkpoint {
  next: number;
  /** By source, the time that it has come to. */
  marks: Record<string, string>;
  /** By source, the last cause that was taken. */
  causes: Record<string, Cause>;
}

/** A JSON value. */
export interface ReadingState {
  /** Oldest first; what waits at `now` lies behind the first of them. */
  earlier: Checkpoint[];
  now: Checkpoint;
}

export class Reading {
  /** Event time is where the slowest of all ways is; empty until each has been heard of. */
  watermark = '';
  private readonly stream: Stream;
  private readonly topic: Topic;
  private readonly partition: number;
  private readonly sources: number;
  private at: Checkpoint = { next: 0, marks: {}, causes: {} };
  private earlier: Checkpoint[] = [{ next: 0, marks: {}, causes: {} }];

  /** @param sources how many there are, each of which tells how far it has come */
  constructor(stream: Stream, topic: Topic, partition: number, sources: number) {
    this.stream = stream;
    this.topic = topic;
    this.partition = partition;
    this.sources = sources;
  }

  /** Next offset. */
  get next(): number {
    return this.at.next;
  }

  /** Records of the partition that are still to be read. */
  get lag(): number {
    return this.stream.end(this.topic, this.partition) - this.at.next;
  }

  /** Goes to where `state` was saved, and hands over what was read before and may have to wait again. */
  async resume(state: ReadingState, again: (record: StreamRecord) => void): Promise<void> {
    const { earlier, now } = structuredClone(state);
    this.earlier = [...earlier, now].slice(0, limits.detectorCheckpointsMax);
    this.at = structuredClone(earlier[0] ?? now);
    while (this.next < now.next) {
      const records = (await this.read()).filter(({ offset }) => offset < now.next);
      if (records.length === 0) break;
      for (const record of records) if (this.take(record)) again(record);
    }
    // Whatever the disk has lost of it.
    this.at = structuredClone(now);
    this.raise();
    this.kept(state);
  }

  /** The next records, about `readBytesMax`; what retention has taken is passed over. */
  read(): Promise<StreamRecord[]> {
    const { stream, topic, partition, at } = this;
    at.next = Math.max(at.next, stream.start(topic, partition));
    return stream.read(topic, partition, at.next, limits.readBytesMax);
  }

  /** Takes the next record; false when another life has made it before, and it was taken then. `watermark` may rise by it. */
  take({ kind, offset, cause, value }: StreamRecord): boolean {
    const { at } = this;
    at.next = offset + 1;
    if (cause !== undefined) {
      const last = at.causes[cause.partition];
      if (last !== undefined && !isAfter(cause, last)) return false;
      at.causes[cause.partition] = cause;
    }
    if (kind === 'watermark') {
      const { source, time } = value as Watermark;
      if (time > (at.marks[source] ?? '')) at.marks[source] = time;
      this.raise();
    }
    return true;
  }

  /** How far the way from `source` has come. */
  markOf(source: number | undefined): string {
    return this.at.marks[source ?? -1] ?? '';
  }

  private raise(): void {
    const marks = Object.values(this.at.marks);
    if (marks.length < this.sources) return;
    const lowest = marks.reduce((low, time) => (time < low ? time : low));
    if (lowest > this.watermark) this.watermark = lowest;
  }

  /** What a commit keeps, when what waits came from `lowest` on. */
  state(lowest: number): ReadingState {
    const now = structuredClone(this.at);
    const first = this.earlier.findLastIndex(({ next }) => next <= lowest);
    const earlier = lowest >= now.next ? [] : this.earlier.slice(Math.max(0, first));
    this.earlier = [...earlier, now].slice(0, limits.detectorCheckpointsMax);
    return { earlier, now };
  }

  /** Records before this offset are no longer needed; moved by whoever has committed `state`. */
  keep = 0;

  /** `state` lasts. */
  kept({ earlier, now }: ReadingState): void {
    this.keep = (earlier[0] ?? now).next;
  }
}
