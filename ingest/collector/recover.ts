// Finds in the spool how far each device had come when sealwatch ended, however it ended: its event time, and for a file
// device the place in its file.

import { inputId } from '../../core/devices.ts';
import { limits } from '../../core/limits.ts';
import type { Stream, StreamRecord } from '../../core/ports.ts';
import { decodeLine } from '../../core/raw.ts';
import { type Tick, topics } from '../../core/records.ts';
import { utcTime } from '../../core/time.ts';
import type { TailPlace } from './tail.ts';

export interface Recovered {
  /** Highest event time of each device. */
  times: Map<string, string>;
  /** Place of each file device. */
  places: Map<string, TailPlace>;
}

/** Looks through the newest records of all partitions; what no record of those speaks of begins anew. */
export async function recover(stream: Stream): Promise<Recovered> {
  const search = new Search();
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
  private readonly times = new Map<string, string>();
  private readonly places = new Map<string, TailPlace>();
  private readonly starts = new Map<string, number[]>();

  take(record: StreamRecord): void {
    if (record.kind === 'line') this.takeLine(record.bytes);
    if (record.kind !== 'tick') return;
    const { devices, files = {} } = record.value as Tick;
    for (const [device, time] of Object.entries(devices)) this.reach(device, time);
    for (const [device, file] of Object.entries(files)) this.consider(device, file);
  }

  private takeLine(payload: Buffer): void {
    const { head, at } = decodeLine(payload);
    const { spans, file } = head;
    const device = inputId({ device: head.device, node: file === undefined ? undefined : head.node });
    const time =
      spans.timeEnd === 0
        ? undefined
        : utcTime(payload.toString('latin1', at + spans.timeStart, at + spans.timeEnd));
    if (time !== undefined) this.reach(device, time);
    if (file === undefined) return;
    this.consider(device, file);
    if (file.generation === this.places.get(device)?.generation) this.starts.get(device)?.push(file.start);
  }

  private reach(device: string, time: string): void {
    if (time > (this.times.get(device) ?? '')) this.times.set(device, time);
  }

  /** A higher generation is a later file; within one, the highest durable place holds. */
  private consider(device: string, file: { inode: number; generation: number; durable: number }): void {
    const place = this.places.get(device);
    if (place === undefined || file.generation > place.generation) {
      const { inode, generation, durable } = file;
      this.places.set(device, { inode, generation, durable, kept: new Set() });
      this.starts.set(device, []);
    } else if (file.generation === place.generation) place.durable = Math.max(place.durable, file.durable);
  }

  result(): Recovered {
    for (const [device, place] of this.places) {
      place.kept = new Set(this.starts.get(device)?.filter((start) => start >= place.durable));
    }
    return { times: this.times, places: this.places };
  }
}
