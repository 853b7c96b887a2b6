// What the detectors of partitions have in common: they read their partition, wait for the watermark, write alerts, and keep
// what they know in a memory that is committed together with their place.
//
// A step reads and appends; the caller flushes, then commits. A crash in between makes the same records again, which whoever
// reads them knows by their causes, and the same alerts, whose ids come from content.

import type { Json } from '../../core/event.ts';
import { partitionOf } from '../../core/partition.ts';
import type { DetectorMemory, Stream, StreamRecord } from '../../core/ports.ts';
import { type Crossing, type Loss, type Topic, topics } from '../../core/records.ts';
import type { Behaviour } from '../../detectors/behaviours/behaviour.ts';
import { Detector, type DetectorSnapshot, type Taken } from '../../detectors/engine/detect.ts';
import { LostLines } from '../../detectors/engine/lost.ts';
import type { RunningRules } from '../../detectors/engine/running.ts';
import { Outbox } from './outbox.ts';
import { Reading, type ReadingState } from './reading.ts';

export interface DetectorTaskOptions {
  stream: Stream;
  partition: number;
  memory: DetectorMemory;
  rules: RunningRules;
  behaviours: readonly Behaviour[];
  cluster: string;
  slowCallNanos: number;
  /** Paths of sealwatch's own secrets in Vault. */
  ownSecrets?: readonly string[] | undefined;
}

/** What a commit keeps. A JSON value. */
export interface DetectorPlace {
  detector: DetectorSnapshot;
  format: 1;
  /** What the disk has lost of the partition. */
  lost: ReturnType<LostLines['snapshot']>;
  reading: ReadingState;
}

export abstract class DetectorTask {
  readonly detector: Detector;
  protected readonly options: DetectorTaskOptions;
  protected readonly outbox: Outbox;
  protected readonly reading: Reading;
  private readonly topic: Topic;
  private readonly lost: LostLines;
  private hasChanged = false;

  protected constructor(
    options: DetectorTaskOptions,
    { topic, sources }: { topic: Topic; sources: number },
    cross: (crossing: Crossing) => void,
    place: DetectorPlace | undefined,
  ) {
    const { stream, partition, memory, rules, behaviours, cluster, slowCallNanos, ownSecrets } = options;
    this.options = options;
    this.topic = topic;
    this.reading = new Reading(stream, topic, partition, sources);
    this.outbox = new Outbox(stream);
    const name = `${nameOf(topic)}-${partition}`;
    this.lost = new LostLines(cluster, place?.lost, name);
    this.detector = new Detector({
      ...{ name, rules, behaviours, memory, cluster, slowCallNanos, cross },
      ownSecrets,
      snapshot: place?.detector,
    });
  }

  /** Where the memory was committed; undefined when it is new, or of another stream. */
  protected static async placeIn(
    { memory, stream, partition }: DetectorTaskOptions,
    topic: Topic,
  ): Promise<DetectorPlace | undefined> {
    await stream.sync();
    const place = memory.place() as unknown as DetectorPlace | undefined;
    if (place === undefined || place.reading.now.next > stream.end(topic, partition)) return undefined;
    if (place.format !== 1)
      throw new Error(`a detector's place of format ${place.format}; this version reads 1`);
    return place;
  }

  protected async resume(place: DetectorPlace | undefined): Promise<void> {
    if (place !== undefined) await this.reading.resume(place.reading, (record) => this.again(record));
  }

  /** Takes one batch and appends what it makes; returns the number of records. The caller flushes, then commits. */
  async step(): Promise<number> {
    const records = await this.reading.read();
    for (const record of records) {
      if (!this.reading.take(record)) continue;
      if (record.kind === 'loss') this.hole(record);
      else this.record(record);
    }
    this.putTaken(this.take());
    this.outbox.send();
    if (records.length > 0) this.hasChanged = true;
    return records.length;
  }

  private putTaken({ alerts, baselines }: Taken): void {
    const { partitions } = this.options.stream;
    for (const { revision, body } of alerts)
      this.outbox.put(topics.alerts, partitionOf(body.alert.id, partitions), {
        kind: 'alert',
        value: { revision, body },
      });
    for (const value of baselines)
      this.outbox.put(topics.alerts, partitionOf(value.id, partitions), { kind: 'baseline', value });
  }

  /** A record, once. */
  protected abstract record(record: StreamRecord): void;

  /** A record from before a restart: what waited waits again. */
  protected abstract again(record: StreamRecord): void;

  /** Time comes to where the slowest way is; false when it was there already. */
  protected advance(): boolean {
    const { watermark } = this.reading;
    if (watermark <= this.detector.watermark) return false;
    this.detector.advance(watermark);
    return true;
  }

  /** Records that the disk has lost: no rule has seen them. */
  private hole({ value, offset }: StreamRecord): void {
    const { bytes, count, device, reason } = value as Loss;
    const id = `${reason}-${this.topic}-${this.options.partition}-${offset}`;
    const { watermark } = this.detector;
    const time = watermark === '' ? {} : { '@timestamp': watermark };
    this.lost.reject({ ...time, bytes, device, id, lines: count, reason });
  }

  protected take(): Taken {
    const { alerts, baselines } = this.detector.take();
    return { alerts: [...alerts, ...this.lost.take()], baselines };
  }

  protected place(): DetectorPlace {
    return {
      detector: this.detector.snapshot(),
      format: 1,
      lost: this.lost.snapshot(),
      reading: this.reading.state(this.detector.lowest),
    };
  }

  /** Only after a flush: what the memory stands for must be on disk. */
  async commit(): Promise<void> {
    if (!this.hasChanged) return;
    const place = this.place();
    await this.options.memory.commit(place as unknown as Json);
    this.reading.kept(place.reading);
    this.hasChanged = false;
  }

  /** Something beside the partition has changed what is known. */
  protected changed(): void {
    this.hasChanged = true;
  }

  /** Records of the partition before this offset are no longer needed here. */
  get keep(): number {
    return this.reading.keep;
  }

  get lag(): number {
    return this.reading.lag;
  }

  /** How far it has read, as `topic/partition` to offset. */
  get read(): [string, number] {
    return [`${this.topic}/${this.options.partition}`, this.reading.next];
  }
}

const nameOf = (topic: Topic): string => topic.slice(topic.lastIndexOf('.') + 1);
