// The normaliser of one partition of raw: lines, losses and ticks in; events, rejects, coverage, hash pairs, nodes and the
// watermark out. Pure: its only clock is the ticks in the partition.

import type { Config } from '../../core/config.ts';
import { type Device, deviceOfInput } from '../../core/devices.ts';
import { limits } from '../../core/limits.ts';
import type { StreamRecord } from '../../core/ports.ts';
import { decodeLine, type LineHead } from '../../core/raw.ts';
import type { Answer, Loss, Tick } from '../../core/records.ts';
import { addSeconds, END_OF_TIME, slowCallNanos } from '../../core/time.ts';
import { withheldOf } from '../../core/withheld.ts';
import { Clusters } from './clusters.ts';
import { Coverage, type CoverageState } from './coverage.ts';
import { EmittedCalls, type EmittedState } from './emitted.ts';
import { parseEntry } from './entry.ts';
import { type Found, findCopy } from './find.ts';
import { type HeartbeatState, Heartbeats, requestIdOf } from './heartbeat.ts';
import { CallerKinds } from './kinds.ts';
import { type NormaliserSink, Outgoing, type OutgoingState } from './outgoing.ts';
import { answerTime, devicesOf, hasBoth, isComplete, type PendingCall } from './pairing.ts';
import { lossCounters, rejectOfLoss } from './rejects.ts';
import { type SpoolsState, SpoolTimes } from './spools.ts';
import { WaitingCalls, type WaitingState } from './waiting.ts';

export interface NormaliserOptions {
  /** Partition of raw. */
  partition: number;
  /** Cluster of devices that are not configured any more. */
  cluster: string;
  /** Configured devices in order of rank. */
  devices: readonly Device[];
  pairWaitSeconds: number;
  allowedLatenessSeconds: number;
  /** How long a call that went out is remembered, to know a late copy of it, in event time. */
  dedupeSeconds: number;
  /** What the operator says of callers. */
  callers?: Config['callers'];
  /** A record's bytes stay as they are; else they are the reader's own buffer, and a line that waits is copied. */
  keepsLines?: boolean;
  sink: NormaliserSink;
}

export interface NormaliserState {
  watermark: string;
  emitted: EmittedState;
  waiting: WaitingState;
  /** Devices that ticks have named. */
  live: string[];
  /** Counts that have not gone out yet. */
  coverage: CoverageState;
  outgoing: OutgoingState;
  heartbeats: HeartbeatState;
  /** Absent before there were several. */
  spools?: SpoolsState;
}

const EPOCH = '0000-00-00T00:00:00.000000000Z';

export class Normaliser {
  private readonly counted = { lines: 0, late: 0, duplicates: 0, evicted: 0 };
  private readonly options: NormaliserOptions;
  private readonly waiting: WaitingCalls;
  private readonly emitted: EmittedCalls;
  private readonly live: Set<string>;
  readonly coverage: Coverage;
  readonly heartbeats: Heartbeats;
  private readonly clusters: Clusters;
  private readonly spools: SpoolTimes;
  private readonly out: Outgoing;
  private watermark: string;
  private lateBefore: string;
  /** Later than this no line can rightly be. */
  private aheadBound: string;

  constructor(options: NormaliserOptions, state?: NormaliserState) {
    this.options = options;
    this.clusters = new Clusters(options.devices, options.cluster);
    this.waiting = new WaitingCalls(this.clusters.ranks, slowCallNanos(options), state?.waiting);
    this.emitted = new EmittedCalls(state?.emitted);
    this.live = new Set(state?.live);
    this.spools = new SpoolTimes(state?.spools);
    const originOf = (device: string) => this.clusters.originOf(device);
    this.coverage = new Coverage(options.partition, originOf, state?.coverage);
    this.heartbeats = new Heartbeats(options, this.coverage, state?.heartbeats);
    const kinds = new CallerKinds(options.callers);
    const parts = { clusters: this.clusters, coverage: this.coverage, heartbeats: this.heartbeats, kinds };
    this.out = new Outgoing(options.sink, parts, state?.outgoing);
    this.watermark = state?.watermark ?? EPOCH;
    this.lateBefore = this.lateBound();
    this.aheadBound = this.futureBound();
  }

  get counters() {
    return { ...this.counted, ...this.out.counters };
  }

  /** State for a snapshot, and the offset to read on from: the lines of waiting calls are read again, not kept. */
  snapshot(nextOffset: number): { state: NormaliserState; offset: number } {
    const { state: waiting, offset } = this.waiting.snapshot(nextOffset);
    const state: NormaliserState = {
      watermark: this.watermark,
      emitted: this.emitted.snapshot(),
      waiting,
      live: [...this.live],
      coverage: this.coverage.snapshot(),
      outgoing: this.out.snapshot(),
      heartbeats: this.heartbeats.snapshot(),
      spools: this.spools.state(),
    };
    return { state, offset };
  }

  /** A record before the snapshot's offset: only waiting calls are built up again, nothing goes out, nothing is counted. */
  restore(record: StreamRecord): void {
    if (record.kind !== 'line') return;
    const { head, at } = decodeLine(record.bytes);
    const found = this.find(record, head, at);
    if (found !== undefined) this.waiting.restore(found);
  }

  record(record: StreamRecord): void {
    this.coverage.offset = record.offset;
    if (record.kind === 'line') this.line(record);
    else if (record.kind === 'tick') this.tick(record.value as Tick, record.cause?.spool);
    else if (record.kind === 'answer') this.answer(record.value as Answer);
    else if (record.kind === 'loss') this.loss(record.value as Loss, record.offset);
  }

  /** Everything that waits goes out as it is: the end of a replay. */
  finish(): void {
    this.waiting.takeAll((call) => {
      if (!call.halfSent || hasBoth(call)) this.send(call);
    });
    this.drainCoverage();
  }

  private drainCoverage(): void {
    this.coverage.drain(this.hourNow, (row) => this.options.sink.coverage(row));
  }

  private find(record: StreamRecord, head: LineHead, at: number): Found | undefined {
    return findCopy(record.bytes.subarray(at), head, record.offset, this.options.keepsLines === true);
  }

  private line(record: StreamRecord): void {
    const { head, at } = decodeLine(record.bytes);
    const { device } = head;
    this.counted.lines++;
    const found = this.find(record, head, at);
    if (found === undefined) {
      this.rejectLine(record.bytes.subarray(at), head);
      return;
    }
    this.countLine(found);
    this.heartbeats.seen(found.id, device);
    if (this.emitted.has(found.id)) {
      this.countBoth('duplicate', found);
      return;
    }
    const call = this.callOf(found);
    if (!this.waiting.add(call, found.half, found.copy)) this.countBoth('duplicate', found);
    const cluster = this.clusters.of(device);
    // What one node has shown another may show as well: which comes first must not decide what goes out.
    if (!cluster.hasManyNodes && isComplete(call, cluster.devices)) this.settle(call);
    else this.evict();
  }

  private countLine(found: Found): void {
    const { device, node, scrub, time } = found.copy;
    this.coverage.count(device, time, 'received');
    if (node !== undefined) this.out.node(node, this.clusters.of(device).name, 'collected', time);
    this.countScrub(device, time, scrub);
    if (time >= this.lateBefore) return;
    found.copy.late = true;
    this.countBoth('late', found);
  }

  private countScrub(device: string, time: string | undefined, scrub: LineHead['scrub']): void {
    if (scrub === undefined) return;
    this.coverage.count(device, time, 'scrubbed');
    this.coverage.count(device, time, scrub);
  }

  private countBoth(counter: 'late' | 'duplicate', { copy: { device, time } }: Found): void {
    this.coverage.count(device, time, counter);
    if (counter === 'late') this.counted.late++;
    else this.counted.duplicates++;
  }

  private callOf({ id, requestId, copy: { offset, time } }: Found): PendingCall {
    return this.waiting.get(id) ?? this.waiting.begin(id, requestId, offset, this.emitted.mayHave(time));
  }

  private tick(tick: Tick, spool = ''): void {
    for (const input of Object.keys(tick.devices)) this.live.add(deviceOfInput(input));
    const lowest = this.spools.tick(spool, tick);
    if (lowest !== undefined && lowest > this.watermark) {
      this.watermark = lowest;
      this.lateBefore = this.lateBound();
      this.aheadBound = this.futureBound();
    }
    for (const [input, lines] of Object.entries(tick.future ?? {}))
      this.coverage.count(deviceOfInput(input), this.hourNow, 'future', lines);
    if (this.watermark === EPOCH) return;
    const due = addSeconds(this.watermark, -this.options.pairWaitSeconds);
    this.waiting.takeDue(due, (call) => this.takeDue(call, due));
    this.emitted.forget(addSeconds(this.watermark, -this.dedupeSeconds));
    this.heartbeats.judge(this.watermark);
    this.drainCoverage();
    this.options.sink.watermark(due);
  }

  private lateBound = (): string =>
    this.watermark === EPOCH ? EPOCH : addSeconds(this.watermark, -this.options.allowedLatenessSeconds);

  private futureBound = (): string =>
    this.watermark === EPOCH ? END_OF_TIME : addSeconds(this.watermark, limits.futureSeconds);

  /** What is not late must be known again, however short the memory is set. */
  private get dedupeSeconds(): number {
    return Math.max(this.options.dedupeSeconds, this.options.allowedLatenessSeconds);
  }

  /** Whether the call is gone. */
  private takeDue(call: PendingCall, due: string): boolean {
    if (!hasBoth(call)) {
      if (!call.halfSent) return this.settle(call);
      this.forget(call);
      return true;
    }
    if (!call.halfSent && this.waiting.isSlow(call)) {
      // A slow call's half is due like any other, though its answer may be here already.
      this.out.half(call);
      if (answerTime(call) > due) return false;
    }
    return this.settle(call);
  }

  /** Sends a call out. A whole or a lone half is done; another half waits on. Whether the call is gone. */
  private settle(call: PendingCall): boolean {
    this.send(call);
    if (!hasBoth(call) && !call.lone) {
      call.halfSent = true;
      return false;
    }
    this.forget(call);
    return true;
  }

  private send(call: PendingCall): void {
    if (hasBoth(call) && !call.halfSent && this.waiting.isSlow(call)) this.out.half(call);
    this.out.call(call, this.live);
  }

  private forget(call: PendingCall): void {
    this.waiting.remove(call);
    const time = answerTime(call);
    // A clock that is ahead, or somebody who pretends one, must not push out the calls of now.
    const bounded = time > this.aheadBound ? this.aheadBound : time;
    this.emitted.add(call.id, bounded > this.watermark ? bounded : this.watermark);
  }

  private evict(): void {
    for (let call = this.waiting.surplus; call !== undefined; call = this.waiting.surplus) {
      this.counted.evicted++;
      if (!call.halfSent || hasBoth(call)) this.send(call);
      this.forget(call);
    }
  }

  /** The quick scan found no entry: the full parse says why. */
  private rejectLine(line: Buffer, { device, scrub }: LineHead): void {
    this.coverage.count(device, this.hourNow, 'received');
    this.countScrub(device, this.hourNow, scrub);
    const withheld = withheldOf(line);
    if (withheld !== undefined) {
      this.out.reject(line, device, this.hourNow, withheld.reason, withheld.bytes);
      return;
    }
    const result = parseEntry(line, line.indexOf(123));
    this.out.reject(line, device, this.hourNow, result.ok ? 'bad_time' : result.reason);
  }

  /** What has no usable time of its own is counted in the hour that event time has come to. */
  private get hourNow(): string | undefined {
    return this.watermark === EPOCH ? undefined : this.watermark;
  }

  private answer(answer: Answer): void {
    this.options.sink.answer(answer);
    const id = requestIdOf(answer) ?? '';
    const call = this.waiting.get(id);
    this.heartbeats.answer(answer, call && devicesOf(call), this.emitted.has(id));
    // Before any device has shown a line no tick moves event time: then the answers themselves do.
    if (this.watermark === EPOCH) this.heartbeats.judge(answer.at);
    this.drainCoverage();
  }

  private loss(loss: Loss, offset: number): void {
    for (const counter of lossCounters[loss.reason])
      this.coverage.count(loss.device, this.hourNow, counter, loss.count);
    // Neither is a line that is gone: the one was kept after all, the other never read.
    if (loss.reason !== 'unconfirmed' && loss.reason !== 'refused')
      this.options.sink.reject(rejectOfLoss(loss, `${this.options.partition}/${offset}`, this.hourNow));
  }
}
