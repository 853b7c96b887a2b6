// Finds in the spool how far each input had come when sealwatch ended, however it ended: its event time, what it had put on
// the spool, and for a file the place in it.

import { inputId } from '../../core/devices.ts';
import { limits } from '../../core/limits.ts';
import type { Stream, StreamRecord } from '../../core/ports.ts';
import { decodeLine, type FilePosition, type LineHead } from '../../core/raw.ts';
import { type FilePlace, type Tick, topics } from '../../core/records.ts';
import { utcTime } from '../../core/time.ts';
import type { TailPlace } from './tail.ts';

/** By `inputId`; only inputs that are still configured. */
export interface Recovered {
  /** Highest event time of each input. */
  times: Map<string, string>;
  /** Place of each file input. */
  places: Map<string, TailPlace>;
  /** Bytes that each input has put on the spool since its first start. */
  spooled: Map<string, number>;
}

/** Looks through the newest records of all partitions; what no record of those speaks of begins anew. */
export async function recover(stream: Stream, inputs: ReadonlySet<string>): Promise<Recovered> {
  const search = new Search(inputs);
  for (let partition = 0; partition < stream.partitions; partition++) {
    const end = stream.end(topics.raw, partition);
    let offset = Math.max(stream.start(topics.raw, partition), end - limits.recoverRecordsMax);
    while (offset < end) {
      const records = await stream.read(topics.raw, partition, offset, limits.readBytesMax);
      if (records.length === 0) break;
      for (const record of records) search.take(record);
      offset = (records.at(-1) as StreamRecord).offset + 1;
    }
  }
  return search.result();
}

class Search {
  private readonly inputs: ReadonlySet<string>;
  private readonly times = new Map<string, string>();
  private readonly places = new Map<string, TailPlace>();
  private readonly spooled = new Map<string, number>();

  constructor(inputs: ReadonlySet<string>) {
    this.inputs = inputs;
  }

  take(record: StreamRecord): void {
    if (record.kind === 'line') this.takeLine(record.bytes);
    if (record.kind !== 'tick') return;
    const { devices, files, spooled } = record.value as Tick;
    for (const [id, time] of this.known(devices)) this.reach(id, time);
    for (const [id, file] of this.known(files)) this.consider(id, file);
    for (const [id, bytes] of this.known(spooled))
      this.spooled.set(id, Math.max(bytes, this.spooled.get(id) ?? 0));
  }

  private known<T>(byInput: Record<string, T> = {}): [string, T][] {
    return Object.entries(byInput).filter(([id]) => this.inputs.has(id));
  }

  private takeLine(payload: Buffer): void {
    const { head, at } = decodeLine(payload);
    const id = this.inputOf(head);
    if (id === undefined) return;
    const { timeStart, timeEnd } = head.spans;
    const time =
      timeEnd === 0 ? undefined : utcTime(payload.toString('latin1', at + timeStart, at + timeEnd));
    if (time !== undefined) this.reach(id, time);
    if (head.file !== undefined) this.takePlace(id, head.file);
  }

  /** A socket may know the node of a line by its address; then the input that is configured has none. */
  private inputOf(head: LineHead): string | undefined {
    return [inputId(head), head.device].find((id) => this.inputs.has(id));
  }

  private takePlace(id: string, file: FilePosition): void {
    const { start, end, ...of } = file;
    this.consider(id, of);
    const place = this.places.get(id) as TailPlace;
    if (of.generation === place.generation) place.kept.set(start, end);
  }

  private reach(id: string, time: string): void {
    if (time > (this.times.get(id) ?? '')) this.times.set(id, time);
  }

  /** A higher generation is a later file; within one, the highest durable place holds. */
  private consider(id: string, file: FilePlace): void {
    const { inode, generation, durable, mark, writtenMs } = file;
    const place = this.places.get(id);
    if (place === undefined || generation > place.generation) {
      this.places.set(id, { ...file, kept: new Map() });
    } else if (generation === place.generation) {
      if (durable >= place.durable) Object.assign(place, { inode, durable, mark });
      place.writtenMs = Math.max(writtenMs, place.writtenMs);
    }
  }

  result(): Recovered {
    for (const place of this.places.values())
      for (const start of place.kept.keys()) if (start < place.durable) place.kept.delete(start);
    return { times: this.times, places: this.places, spooled: this.spooled };
  }
}
