// All partitions of events through one detector (decision 0004), alerts onto the stream. Alert ids come from content, so
// what a restart makes again is the same alert again.

import type { AuditEvent } from '../../core/event.ts';
import { limits } from '../../core/limits.ts';
import { partitionOf } from '../../core/partition.ts';
import type { Stream } from '../../core/ports.ts';
import {
  LEDGER_PARTITION,
  type Loss,
  type OwnToken,
  type Reject,
  type Topic,
  topics,
  type Watermark,
} from '../../core/records.ts';
import { createDetector, type Detector } from '../../detectors/engine/detect.ts';
import { LostLines } from '../../detectors/engine/lost.ts';
import { OwnTraffic, type OwnTrafficState } from '../../detectors/engine/own.ts';
import type { CompiledRules } from '../../detectors/engine/rule.ts';

const GROUP = 'detect';

interface DetectState {
  detector: unknown;
  /** Watermark of each (events partition, raw partition). */
  marks: Record<string, string>;
  /** What was lost, and the next offsets of the coverage partitions that tell it. */
  lost: ReturnType<LostLines['snapshot']>;
  nextRejects: Record<number, number>;
  own: OwnTrafficState;
  /** Next offset of what the ledger tells. */
  nextLedger: number;
}

export class DetectTask {
  readonly detector: Detector;
  private readonly stream: Stream;
  private readonly next: Record<number, number>;
  private readonly marks: Map<string, string>;
  private readonly lost: LostLines;
  private readonly nextRejects: Record<number, number>;
  private readonly ownTraffic: OwnTraffic;
  private nextLedger: number;
  watermark = '';
  private changed = false;
  private saved: Record<number, number> = {};
  private savedRejects: Record<number, number> = {};
  private savedLedger = 0;

  private constructor(
    stream: Stream,
    detector: Detector,
    lost: LostLines,
    ownTraffic: OwnTraffic,
    next: Record<number, number>,
    state: DetectState | undefined,
  ) {
    this.stream = stream;
    this.detector = detector;
    this.lost = lost;
    this.ownTraffic = ownTraffic;
    this.nextLedger = this.savedLedger = state?.nextLedger ?? 0;
    this.next = next;
    this.marks = new Map(Object.entries(state?.marks ?? {}));
    this.nextRejects = { ...state?.nextRejects };
  }

  static async load(options: {
    stream: Stream;
    rules: CompiledRules;
    cluster: string;
    slowCallNanos: number;
    /** Paths of sealwatch's own secrets in Vault. */
    ownSecrets?: readonly string[];
  }): Promise<DetectTask> {
    const { stream, rules, cluster, slowCallNanos, ownSecrets } = options;
    const snapshot = await stream.loadSnapshot(GROUP, 'all');
    const state = snapshot?.state as DetectState | undefined;
    const detector = createDetector({
      rules,
      cluster,
      slowCallNanos,
      ...(state === undefined ? {} : { snapshot: state.detector }),
    });
    const lost = new LostLines(cluster, state?.lost);
    const ownTraffic = new OwnTraffic(cluster, state?.own, ownSecrets);
    return new DetectTask(stream, detector, lost, ownTraffic, { ...snapshot?.inputs }, state);
  }

  /** Takes one batch of each partition; returns the number of records. The caller flushes. */
  async step(): Promise<number> {
    let count = await this.readLedger();
    for (let partition = 0; partition < this.stream.partitions; partition++)
      count += (await this.readLosses(partition)) + (await this.read(partition));
    if (count === 0) return 0;
    this.changed = true;
    this.advance();
    const alerts = [...this.detector.take(), ...this.lost.take(), ...this.ownTraffic.take()];
    for (const { revision, body } of alerts) {
      const partition = partitionOf(body.alert.id, this.stream.partitions);
      this.stream.append(topics.alerts, partition, [{ kind: 'alert', value: { revision, body } }]);
    }
    return count;
  }

  /** Which tokens are ours, and how far that is known. */
  private async readLedger(): Promise<number> {
    const { stream } = this;
    const from = Math.max(this.nextLedger, stream.start(topics.leases, LEDGER_PARTITION));
    const records = await stream.read(topics.leases, LEDGER_PARTITION, from, limits.readBytesMax);
    for (const { kind, value, offset } of records) {
      if (kind === 'own') this.ownTraffic.own(value as OwnToken);
      else if (kind === 'watermark') this.ownTraffic.ledger((value as Watermark).time);
      this.nextLedger = offset + 1;
    }
    return records.length;
  }

  private async readLosses(partition: number): Promise<number> {
    const { stream } = this;
    const from = Math.max(this.nextRejects[partition] ?? 0, stream.start(topics.coverage, partition));
    const records = await stream.read(topics.coverage, partition, from, limits.readBytesMax);
    for (const { kind, value, offset } of records) {
      if (kind === 'reject') this.lost.reject(value as Reject);
      this.nextRejects[partition] = offset + 1;
    }
    return records.length;
  }

  private async read(partition: number): Promise<number> {
    const records = await this.stream.read(
      topics.events,
      partition,
      this.next[partition] ?? 0,
      limits.readBytesMax,
    );
    for (const { kind, value, offset, cause } of records) {
      if (kind === 'event') {
        const event = value as AuditEvent;
        this.detector.event(event, this.marks.get(`${partition}/${cause?.partition}`) ?? '');
        this.ownTraffic.event(event);
      } else if (kind === 'watermark') {
        const { source, time } = value as Watermark;
        this.marks.set(`${partition}/${source}`, time);
      } else if (kind === 'loss') this.hole(value as Loss, partition, offset);
      this.next[partition] = offset + 1;
    }
    return records.length;
  }

  /** Events that the disk has lost: no rule has seen them. */
  private hole({ bytes, count, device, reason }: Loss, partition: number, offset: number): void {
    const id = `${reason}-${topics.events}-${partition}-${offset}`;
    const time = this.watermark === '' ? {} : { '@timestamp': this.watermark };
    this.lost.reject({ ...time, bytes, device, id, lines: count, reason });
  }

  /** Event time is where the slowest of all ways from raw to events is. */
  private advance(): void {
    const { partitions } = this.stream;
    if (this.marks.size < partitions * partitions) return;
    let lowest: string | undefined;
    for (const time of this.marks.values()) if (lowest === undefined || time < lowest) lowest = time;
    if (lowest === undefined || lowest <= this.watermark) return;
    this.watermark = lowest;
    this.detector.advance(lowest);
  }

  /** What lies before this offset is no longer needed here. */
  keep(topic: Topic, partition: number): number {
    if (topic === topics.events) return this.saved[partition] ?? 0;
    if (topic === topics.leases && partition === LEDGER_PARTITION) return this.savedLedger;
    return topic === topics.coverage ? (this.savedRejects[partition] ?? 0) : Number.POSITIVE_INFINITY;
  }

  /** Only after a flush. */
  async save(): Promise<void> {
    if (!this.changed) return;
    const state: DetectState = {
      detector: this.detector.snapshot(),
      marks: Object.fromEntries(this.marks),
      lost: this.lost.snapshot(),
      nextRejects: this.nextRejects,
      own: this.ownTraffic.snapshot(),
      nextLedger: this.nextLedger,
    };
    const outputs = {
      ...endsOf(topics.events, this.next),
      ...endsOf(topics.coverage, this.nextRejects),
      ...endsOf(topics.leases, { [LEDGER_PARTITION]: this.nextLedger }),
    };
    await this.stream.saveSnapshot(GROUP, 'all', { inputs: this.next, outputs, state });
    this.saved = { ...this.next };
    this.savedRejects = { ...this.nextRejects };
    this.savedLedger = this.nextLedger;
    this.changed = false;
  }
}

const endsOf = (topic: Topic, next: Record<number, number>): Record<string, number> =>
  Object.fromEntries(Object.entries(next).map(([partition, offset]) => [`${topic}/${partition}`, offset]));
