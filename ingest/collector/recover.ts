// Finds in the spool how far a file device had come when sealwatch ended, however it ended.

import { limits } from '../../core/limits.ts';
import type { Stream } from '../../core/ports.ts';
import { decodeLine } from '../../core/raw.ts';
import { type Tick, topics } from '../../core/records.ts';
import type { TailPlace } from './tail.ts';

/** The place of file device `device`, from the newest records of all partitions; undefined when there is none. */
export async function recoverPlace(stream: Stream, device: string): Promise<TailPlace | undefined> {
  let place: TailPlace | undefined;
  const starts: number[] = [];
  const consider = (inode: number, generation: number, durable: number) => {
    if (place !== undefined && generation < place.generation) return;
    if (place === undefined || generation > place.generation) {
      place = { inode, generation, durable, kept: new Set() };
      starts.length = 0;
    } else place.durable = Math.max(place.durable, durable);
  };
  for (let partition = 0; partition < stream.partitions; partition++) {
    const end = stream.end(topics.raw, partition);
    let offset = Math.max(stream.start(topics.raw, partition), end - limits.recoverRecordsMax);
    while (offset < end) {
      const records = await stream.read(topics.raw, partition, offset, limits.readBytesMax);
      if (records.length === 0) break;
      offset = (records.at(-1) as { offset: number }).offset + 1;
      for (const record of records) {
        if (record.kind === 'tick') {
          const file = (record.value as Tick).files?.[device];
          if (file !== undefined) consider(file.inode, file.generation, file.durable);
        } else if (record.kind === 'line') {
          const { head } = decodeLine(record.bytes);
          if (head.file === undefined || head.device !== device) continue;
          consider(head.file.inode, head.file.generation, head.file.durable);
          if (head.file.generation === place?.generation) starts.push(head.file.start);
        }
      }
    }
  }
  if (place === undefined) return undefined;
  const { durable } = place as TailPlace;
  (place as TailPlace).kept = new Set(starts.filter((start) => start >= durable));
  return place;
}
