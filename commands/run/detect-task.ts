// One partition of events through the rules: alerts on its users, and what is counted for other groups onto
// `vault.audit.groups`. Exactly once in effect: what a restart makes again has the same causes and alert ids (decision 0029).

import type { AuditEvent } from '../../core/event.ts';
import { limits } from '../../core/limits.ts';
import { partitionOf } from '../../core/partition.ts';
import type { NewRecord, StreamRecord } from '../../core/ports.ts';
import {
  type Crossing,
  LEDGER_PARTITION,
  type OwnToken,
  topics,
  type Watermark,
} from '../../core/records.ts';
import type { Taken } from '../../detectors/engine/detect.ts';
import { OwnTraffic, type OwnTrafficState } from '../../detectors/engine/own.ts';
import { type DetectorPlace, DetectorTask, type DetectorTaskOptions } from './detector-task.ts';

interface Place extends DetectorPlace {
  own: OwnTrafficState;
  /** Next offset of what the ledger tells. */
  nextLedger: number;
}

export class DetectTask extends DetectorTask {
  private readonly own: OwnTraffic;
  private nextLedger: number;
  private savedLedger = 0;
  private offset = 0;
  private index = 0;

  private constructor(options: DetectorTaskOptions, place: Place | undefined) {
    super(
      options,
      { topic: topics.events, sources: options.stream.partitions },
      (crossing) => this.cross(crossing),
      place,
    );
    this.own = new OwnTraffic(options.cluster, place?.own, options.ownSecrets);
    this.nextLedger = this.savedLedger = place?.nextLedger ?? 0;
  }

  /** Goes on where the memory was committed. */
  static async load(options: DetectorTaskOptions): Promise<DetectTask> {
    const place = (await DetectorTask.placeIn(options, topics.events)) as Place | undefined;
    const task = new DetectTask(options, place);
    await task.resume(place);
    return task;
  }

  override async step(): Promise<number> {
    const told = await this.readLedger();
    if (told > 0) this.changed();
    return told + (await super.step());
  }

  /** Which tokens are ours, and how far that is known. */
  private async readLedger(): Promise<number> {
    const { stream } = this.options;
    const from = Math.max(this.nextLedger, stream.start(topics.leases, LEDGER_PARTITION));
    const records = await stream.read(topics.leases, LEDGER_PARTITION, from, limits.readBytesMax);
    for (const { kind, value, offset } of records) {
      if (kind === 'own') this.own.own(value as OwnToken);
      else if (kind === 'watermark') this.own.ledger((value as Watermark).time);
      this.nextLedger = offset + 1;
    }
    return records.length;
  }

  protected override record({ kind, value, offset, cause }: StreamRecord): void {
    this.offset = offset;
    this.index = 0;
    if (kind === 'event') {
      const event = value as AuditEvent;
      this.detector.event(event, this.reading.markOf(cause?.partition), offset);
      this.own.event(event);
    } else if (kind === 'watermark' && this.advance()) this.tellWatermark();
  }

  protected override again({ kind, value, offset, cause }: StreamRecord): void {
    if (kind === 'event')
      this.detector.restoreEvent(value as AuditEvent, this.reading.markOf(cause?.partition), offset);
  }

  private cross(crossing: Crossing): void {
    const { partitions } = this.options.stream;
    this.put(partitionOf(crossing.rule + crossing.group, partitions), { kind: 'crossing', value: crossing });
  }

  /** After all that it stands for. */
  private tellWatermark(): void {
    const { partition, stream } = this.options;
    const value: Watermark = { source: partition, time: this.reading.watermark };
    for (let to = 0; to < stream.partitions; to++) this.put(to, { kind: 'watermark', value });
  }

  private put(to: number, record: NewRecord): void {
    const { partition } = this.options;
    const cause = { partition, offset: this.offset, index: this.index++ };
    this.outbox.put(topics.groups, to, { ...record, cause });
  }

  protected override take(): Taken {
    const { alerts, baselines } = super.take();
    return { alerts: [...alerts, ...this.own.take()], baselines };
  }

  protected override place(): Place {
    return { ...super.place(), own: this.own.snapshot(), nextLedger: this.nextLedger };
  }

  override async commit(): Promise<void> {
    const { nextLedger } = this;
    await super.commit();
    this.savedLedger = nextLedger;
  }

  /** Leases before this offset are no longer needed here. */
  get keepLedger(): number {
    return this.savedLedger;
  }
}
