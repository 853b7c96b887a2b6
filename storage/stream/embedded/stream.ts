// The embedded stream: one folder of segments per topic and partition, group commits, snapshots of consumer groups.

import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { SealwatchError } from '../../../core/errors.ts';
import { limits } from '../../../core/limits.ts';
import type { NewRecord, Place, Snapshot, Stream, StreamRecord } from '../../../core/ports.ts';
import { type Topic, topics } from '../../../core/records.ts';
import { type Hole, PartitionReader } from './reader.ts';
import { deleteOldSegments, segmentBases } from './segments.ts';
import { readIfThere, readSnapshot, usedOffsets, writeDurably, writeSnapshot } from './snapshots.ts';
import { PartitionWriter } from './writer.ts';

interface Partition {
  dir: string;
  writer?: PartitionWriter;
  /** One reader per consumer place would be as good; one with a lock is simpler. */
  reader: PartitionReader;
  reading: Promise<unknown>;
  /** Durable end, told by the writer of this or of another thread. */
  end: number;
  /** The newest decoded records, so that the next stage needs no disk and no second parse. */
  recent: StreamRecord[];
  recentBytes: { end: number; bytes: number }[];
  recentTotal: number;
}

export class EmbeddedStream implements Stream {
  readonly partitions: number;
  private readonly dir: string;
  private readonly all = new Map<Topic, Partition[]>();
  /** What readers have told that they need, `topic/partition` of each. */
  private readonly needs = new Map<string, Map<string, number>>();
  private readonly holes = new Set<string>();
  private readonly onHole: (hole: Hole) => void;
  /** Records that could not be read since the start, each counted once whoever read them. */
  brokenRecords = 0;

  private constructor(dir: string, partitions: number, onHole: (hole: Hole) => void) {
    this.dir = dir;
    this.partitions = partitions;
    this.onHole = (hole) => {
      const name = `${hole.dir}/${hole.from}-${hole.to}`;
      if (this.holes.has(name)) return;
      this.holes.add(name);
      this.brokenRecords += hole.to - hole.from;
      onHole(hole);
    };
  }

  /**
   * Opens the stream in `dir`. This instance may append to `writes` only; of the other topics it shows what `follow` has
   * been told. The number of partitions is fixed at the first start: DATA_DIR_OTHER_LAYOUT when it differs. `onHole` hears
   * once of each stretch that cannot be read.
   */
  static async open(options: {
    dir: string;
    partitions: number;
    writes: readonly Topic[];
    onHole?: (hole: Hole) => void;
  }): Promise<EmbeddedStream> {
    const { dir, partitions, writes, onHole = () => {} } = options;
    await prepareStream(dir, partitions);
    const stream = new EmbeddedStream(dir, partitions, onHole);
    const used = writes.length === 0 ? new Map<string, number>() : usedOffsets(join(dir, 'groups'));
    for (const topic of Object.values(topics)) {
      for (let partition = 0; partition < partitions; partition++) {
        const floor = used.get(`${topic}/${partition}`);
        await stream.openPartition(topic, partition, writes.includes(topic), floor);
      }
    }
    return stream;
  }

  private async openPartition(topic: Topic, number: number, writes: boolean, floor = 0): Promise<void> {
    const dir = join(this.dir, topic, String(number));
    const partition: Partition = {
      dir,
      reader: new PartitionReader(dir, this.onHole),
      reading: Promise.resolve(),
      end: 0,
      recent: [],
      recentBytes: [],
      recentTotal: 0,
    };
    if (writes) {
      const onDurable = (records: StreamRecord[], end: number, bytes: number) =>
        keepRecent(partition, records, end, bytes);
      partition.writer = await PartitionWriter.open(dir, onDurable, floor);
      partition.end = partition.writer.durable;
    }
    const partitions = this.all.get(topic) ?? [];
    partitions[number] = partition;
    this.all.set(topic, partitions);
  }

  private of(topic: Topic, partition: number): Partition {
    const found = this.all.get(topic)?.[partition];
    if (found === undefined) throw new Error(`no partition ${partition} of ${topic}`);
    return found;
  }

  append(topic: Topic, partition: number, records: readonly NewRecord[]): void {
    const { writer } = this.of(topic, partition);
    if (writer === undefined) throw new Error(`${topic} is not written here`);
    writer.append(records);
  }

  async flush(): Promise<void> {
    await Promise.all([...this.all.values()].flat().map((partition) => partition.writer?.flush()));
  }

  /** One process sees all that it writes. */
  async sync(): Promise<void> {}

  /** Another thread's writer has made everything before `end` durable. */
  follow(topic: Topic, partition: number, end: number): void {
    this.of(topic, partition).end = end;
  }

  async read(topic: Topic, partition: number, offset: number, bytesMax: number): Promise<StreamRecord[]> {
    const from = this.of(topic, partition);
    const oldest = from.recent[0]?.offset;
    if (oldest !== undefined && offset >= oldest) return takeRecent(from.recent, offset - oldest, bytesMax);
    const result = from.reading.then(() => from.reader.read(offset, from.end, bytesMax));
    from.reading = result.catch(() => {});
    return result;
  }

  end(topic: Topic, partition: number): number {
    return this.of(topic, partition).end;
  }

  start(topic: Topic, partition: number): number {
    const { dir } = this.of(topic, partition);
    // A follower may look before the writer has made the folder.
    return existsSync(dir) ? (segmentBases(dir)[0] ?? 0) : 0;
  }

  async commit(reader: string, places: readonly Place[]): Promise<void> {
    let needs = this.needs.get(reader);
    if (needs === undefined) {
      needs = new Map();
      this.needs.set(reader, needs);
    }
    for (const { topic, partition, offset } of places) needs.set(`${topic}/${partition}`, offset);
  }

  async needed(topic: Topic, partition: number, readers: readonly string[]): Promise<number> {
    return Math.min(...readers.map((reader) => this.needs.get(reader)?.get(`${topic}/${partition}`) ?? 0));
  }

  async retain(topic: Topic, partition: number, beforeMs: number, keepOffset: number): Promise<number> {
    return deleteOldSegments(this.of(topic, partition).dir, beforeMs, keepOffset);
  }

  async saveSnapshot(group: string, member: string, snapshot: Snapshot): Promise<void> {
    await writeSnapshot(join(this.dir, 'groups'), `${group}-${member}.json`, snapshot);
  }

  async loadSnapshot(group: string, member: string): Promise<Snapshot | undefined> {
    return readSnapshot(join(this.dir, 'groups', `${group}-${member}.json`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const partition of [...this.all.values()].flat()) {
      await partition.writer?.close();
      await partition.reading;
      await partition.reader.close();
    }
  }
}

/** Recent records from the `from`th on, about `bytesMax` of text, at least one if there is one. */
function takeRecent(recent: readonly StreamRecord[], from: number, bytesMax: number): StreamRecord[] {
  let to = from;
  for (let bytes = 0; to < recent.length && bytes < bytesMax; to++)
    bytes += (recent[to] as StreamRecord).text.length;
  return recent.slice(from, to);
}

function keepRecent(partition: Partition, records: StreamRecord[], end: number, bytes: number): void {
  const before = partition.end;
  partition.end = end;
  // Lines have no decoded form: behind one the run of recent records begins anew.
  if (records.length !== end - before) {
    partition.recent = [];
    partition.recentBytes = [];
    partition.recentTotal = 0;
    return;
  }
  for (const record of records) partition.recent.push(record);
  partition.recentBytes.push({ end, bytes });
  partition.recentTotal += bytes;
  while (partition.recentTotal > limits.recentBytesMax && partition.recentBytes.length > 1) {
    const oldest = partition.recentBytes.shift() as { end: number; bytes: number };
    partition.recentTotal -= oldest.bytes;
    const first = partition.recent[0]?.offset ?? oldest.end;
    partition.recent.splice(0, oldest.end - first);
  }
}

/** Of the files of the stream: count up when an older version could not read them. */
const LAYOUT = 2;

/**
 * Makes the folder, or checks that it fits: the partition count decides where a call goes, so it cannot change under data
 * that is there. Before several threads open the stream, one calls this.
 */
export async function prepareStream(dir: string, partitions: number): Promise<void> {
  mkdirSync(join(dir, 'groups'), { recursive: true, mode: 0o700 });
  const text = readIfThere(join(dir, 'layout.json'));
  if (text === undefined) {
    await writeDurably(dir, 'layout.json', JSON.stringify({ layout: LAYOUT, partitions }));
    return;
  }
  const found = parseLayout(dir, text);
  if (found.layout === LAYOUT && found.partitions === partitions) return;
  throw new SealwatchError(
    'DATA_DIR_OTHER_LAYOUT',
    `the stream in ${dir} has ${found.partitions} partitions in layout ${found.layout}, this version wants ${partitions} in layout ${LAYOUT}`,
    'Set partitions back, or start with another data folder.',
  );
}

function parseLayout(dir: string, text: string): { layout: number; partitions: number } {
  try {
    return JSON.parse(text) as { layout: number; partitions: number };
  } catch (error) {
    throw new SealwatchError(
      'DATA_DIR_UNUSABLE',
      `${join(dir, 'layout.json')} is damaged`,
      `Write {"layout":${LAYOUT},"partitions":N} into it; N is the number of folders in ${join(dir, topics.raw)}.`,
      { cause: error },
    );
  }
}
