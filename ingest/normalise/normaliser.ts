// The normaliser of one partition of raw: lines, losses and ticks in; events, leases, rejects, coverage and the watermark out.
// Pure: its only clock is the ticks in the partition.

import { type Device, deviceOfInput } from '../../core/devices.ts';
import type { AuditEvent } from '../../core/event.ts';
import { limits } from '../../core/limits.ts';
import type { StreamRecord } from '../../core/ports.ts';
import { decodeLine } from '../../core/raw.ts';
import type {
  CoverageRow,
  HashPair,
  Loss,
  NodeSeen,
  Reject,
  RejectReason,
  Tick,
} from '../../core/records.ts';
import { addSeconds, nanosBetween, slowCallNanos } from '../../core/time.ts';
import { type Cluster, clustersOf } from './clusters.ts';
import { countPairs, countUnpaired } from './counts.ts';
import { Coverage, type CoverageState } from './coverage.ts';
import { EmittedCalls } from './emitted.ts';
import { type Entry, needsRequest, parseEntry } from './entry.ts';
import { buildEvent } from './event.ts';
import { findCopy } from './find.ts';
import { flagsOf } from './flags.ts';
import { isLoneHalf } from './lone.ts';
import {
  addCopy,
  answerTime,
  type Copy,
  callTime,
  devicesOf,
  firstRanked,
  hasBoth,
  isComplete,
  namesOf,
  newCall,
  nodesOf,
  type PendingCall,
  type Unpaired,
} from './pairing.ts';
import { lossCounters, rejectOf, rejectOfLoss } from './rejects.ts';

/** Where the normaliser puts what it makes; the caller knows topics and partitions. */
export interface NormaliserSink {
  event(event: AuditEvent, text: string): void;
  reject(reject: Reject): void;
  coverage(row: CoverageRow): void;
  hashes(pair: HashPair): void;
  node(seen: NodeSeen): void;
  /** Nothing older than `time` will come that is not late. */
  watermark(time: string): void;
}

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
  /** A record's bytes stay as they are; else they are the reader's own buffer, and a line that waits is copied. */
  keepsLines?: boolean;
  sink: NormaliserSink;
}

export interface NormaliserState {
  watermark: string;
  emitted: [id: string, time: string][];
  /** Calls that went out as a half and wait for the other, and the devices counted as unpaired. */
  halves: [id: string, unpaired: Unpaired | null][];
  /** Ids of calls that wait, halves that went out among them. */
  pending: string[];
  /** Devices that ticks have named. */
  live: string[];
  /** Counts that have not gone out yet. */
  coverage: CoverageState;
}

const EPOCH = '0000-00-00T00:00:00.000000000Z';

export class Normaliser {
  readonly counters = { lines: 0, events: 0, rejects: 0, late: 0, duplicates: 0, evicted: 0 };
  private readonly options: NormaliserOptions;
  private readonly pending = new Map<string, PendingCall>();
  private readonly emitted: EmittedCalls;
  private readonly waitingHalves: Map<string, Unpaired | null>;
  private readonly waiting: Set<string>;
  private readonly live: Set<string>;
  private readonly coverage: Coverage;
  /** Names of all devices in order of rank, and of those of each cluster. */
  private readonly ranks: readonly string[];
  private readonly clusters: Map<string, Cluster>;
  private readonly slowNanos: number;
  private watermark: string;
  private lateBefore: string;

  constructor(options: NormaliserOptions, state?: NormaliserState) {
    this.options = options;
    this.slowNanos = slowCallNanos(options);
    this.emitted = new EmittedCalls(state?.emitted);
    this.waitingHalves = new Map(state?.halves);
    this.waiting = new Set(state?.pending);
    this.live = new Set(state?.live);
    const { devices } = options;
    this.ranks = devices.map(({ name }) => name);
    this.clusters = clustersOf(devices);
    const originOf = (name: string) => devices.find((device) => device.name === name)?.origin ?? 'recorded';
    this.coverage = new Coverage(options.partition, originOf, state?.coverage);
    this.watermark = state?.watermark ?? EPOCH;
    this.lateBefore = this.lateBound();
  }

  /** State for a snapshot, and the offset to read on from: the lines of waiting calls are read again, not kept. */
  snapshot(nextOffset: number): { state: NormaliserState; offset: number } {
    let offset = nextOffset;
    const halves: NormaliserState['halves'] = [];
    for (const call of this.pending.values()) {
      offset = Math.min(offset, call.offset);
      if (call.halfSent) halves.push([call.id, call.unpaired ?? null]);
    }
    const { watermark } = this;
    const pending = [...this.pending.keys()];
    const live = [...this.live];
    const coverage = this.coverage.snapshot();
    return {
      state: { watermark, emitted: this.emitted.snapshot(), halves, pending, live, coverage },
      offset,
    };
  }

  /** A record before the snapshot's offset: only waiting calls are built up again, nothing goes out, nothing is counted. */
  restore(record: StreamRecord): void {
    if (record.kind !== 'line') return;
    const { head, at } = decodeLine(record.bytes);
    const line = record.bytes.subarray(at);
    const copy = findCopy(line, head, this.options.keepsLines === true);
    if (copy === undefined || !this.waiting.has(copy.id)) return;
    const call = this.callOf(copy.id, copy.requestId, record.offset);
    addCopy(call, copy.half, copy.copy);
    call.lone = call.lone || isLoneHalf(copy.copy, copy.half);
    call.halfSent = this.waitingHalves.has(copy.id);
    call.unpaired = this.waitingHalves.get(copy.id) ?? undefined;
  }

  record(record: StreamRecord): void {
    this.coverage.offset = record.offset;
    if (record.kind === 'line') this.line(record);
    else if (record.kind === 'tick') this.tick(record.value as Tick);
    else if (record.kind === 'loss') this.loss(record.value as Loss, record.offset);
  }

  /** Everything that waits goes out as it is: the end of a replay. */
  finish(): void {
    for (const call of this.pending.values()) if (!call.halfSent || hasBoth(call)) this.emit(call);
    this.pending.clear();
    this.drainCoverage();
  }

  private drainCoverage(): void {
    this.coverage.drain(this.hourNow, (row) => this.options.sink.coverage(row));
  }

  private line(record: StreamRecord): void {
    const { head, at } = decodeLine(record.bytes);
    const { device } = head;
    const line = record.bytes.subarray(at);
    this.counters.lines++;
    const found = findCopy(line, head, this.options.keepsLines === true);
    if (found === undefined) {
      this.rejectLine(line, device);
      return;
    }
    const { id, half, copy } = found;
    this.coverage.count(device, copy.time, 'received');
    if (head.scrub !== undefined) {
      this.coverage.count(device, copy.time, 'scrubbed');
      this.coverage.count(device, copy.time, head.scrub);
    }
    if (copy.time < this.lateBefore) {
      copy.late = true;
      this.countBoth('late', device, copy.time);
    }
    if (this.emitted.has(id)) {
      this.countBoth('duplicate', device, copy.time);
      return;
    }
    const call = this.callOf(id, found.requestId, record.offset);
    if (!addCopy(call, half, copy)) this.countBoth('duplicate', device, copy.time);
    call.lone = call.lone || isLoneHalf(copy, half);
    if (isComplete(call, this.clusterOf(device).devices)) this.settle(call);
    else if (this.pending.size > limits.pendingCallsMax) this.evict();
  }

  private countBoth(counter: 'late' | 'duplicate', device: string, time: string): void {
    this.coverage.count(device, time, counter);
    if (counter === 'late') this.counters.late++;
    else this.counters.duplicates++;
  }

  private callOf(id: string, requestId: string | undefined, offset: number): PendingCall {
    const found = this.pending.get(id);
    if (found !== undefined) return found;
    const call = newCall(id, requestId, offset);
    this.pending.set(id, call);
    return call;
  }

  private tick(tick: Tick): void {
    const times = Object.entries(tick.devices);
    if (times.length > 0) {
      for (const [input] of times) this.live.add(deviceOfInput(input));
      const lowest = times.reduce(
        (low, [, time]) => (time < low ? time : low),
        (times[0] as [string, string])[1],
      );
      if (lowest > this.watermark) {
        this.watermark = lowest;
        this.lateBefore = this.lateBound();
      }
    }
    if (this.watermark === EPOCH) return;
    this.settleDue();
    this.drainCoverage();
    this.options.sink.watermark(addSeconds(this.watermark, -this.options.pairWaitSeconds));
  }

  private lateBound = (): string =>
    this.watermark === EPOCH ? EPOCH : addSeconds(this.watermark, -this.options.allowedLatenessSeconds);

  private settleDue(): void {
    const halfDue = addSeconds(this.watermark, -this.options.pairWaitSeconds);
    const forget = addSeconds(this.watermark, -limits.halfMemorySeconds);
    for (const call of this.pending.values()) {
      const whole = hasBoth(call);
      // A slow call's half is due like any other, though its answer may be here already.
      if (whole && !call.halfSent && callTime(call) <= halfDue && this.isSlow(call)) this.sendHalf(call);
      if (whole ? this.isWholeDue(call, halfDue) : !call.halfSent && callTime(call) <= halfDue)
        this.settle(call);
      else if (call.halfSent && !whole && callTime(call) < forget) this.forget(call);
    }
    this.emitted.forget(addSeconds(this.watermark, -this.options.dedupeSeconds));
  }

  /** Every copy that is not late is here: of a slow call counted from its answer, else from the call (decision 0002). */
  private isWholeDue(call: PendingCall, due: string): boolean {
    return (this.isSlow(call) ? answerTime(call) : callTime(call)) <= due;
  }

  private isSlow(call: PendingCall): boolean {
    const request = firstRanked(call.request, this.ranks) as Copy;
    const response = firstRanked(call.response, this.ranks) as Copy;
    return nanosBetween(request.time, response.time) > this.slowNanos;
  }

  private sendHalf(call: PendingCall): void {
    this.build(call, firstRanked(call.request, this.ranks), undefined);
    call.halfSent = true;
  }

  /** Sends a call out. A whole or a lone half is done; another half waits on. */
  private settle(call: PendingCall): void {
    const whole = hasBoth(call);
    this.emit(call);
    if (whole || call.lone) this.forget(call);
    else call.halfSent = true;
  }

  private forget(call: PendingCall): void {
    this.pending.delete(call.id);
    this.waitingHalves.delete(call.id);
    this.emitted.add(call.id, answerTime(call));
  }

  private evict(): void {
    const oldest = this.pending.values().next().value as PendingCall;
    this.counters.evicted++;
    if (!oldest.halfSent) this.emit(oldest);
    this.forget(oldest);
  }

  private emit(call: PendingCall): void {
    const request = firstRanked(call.request, this.ranks);
    const response = firstRanked(call.response, this.ranks);
    if (request !== undefined && response !== undefined) {
      if (!call.halfSent && this.isSlow(call)) this.sendHalf(call);
      const shown = devicesOf(call);
      countUnpaired(this.coverage, call.unpaired, -1);
      const expected = this.clusterOf(shown[0] as string).devices.filter((device) => this.live.has(device));
      countPairs(this.coverage, call, request.time, shown, expected);
      this.build(call, request, response, shown);
      return;
    }
    const half = (request ?? response) as Copy;
    if (call.lone) this.coverage.countAll(devicesOf(call), half.time, 'by_design', 1);
    else {
      const lacks = request === undefined ? 'no_request' : 'no_response';
      call.unpaired = { devices: devicesOf(call), time: half.time, lacks };
      countUnpaired(this.coverage, call.unpaired, 1);
    }
    this.build(call, request, response);
  }

  /** A line that our own code stumbles over must not stop those behind it, now and after every restart. */
  private build(
    call: PendingCall,
    request: Copy | undefined,
    answer: Copy | undefined,
    devices = devicesOf(call),
  ): void {
    try {
      this.buildOrThrow(call, request, answer, devices);
    } catch {
      const { line, device } = (answer ?? request) as Copy;
      this.reject(line, device, 'internal');
    }
  }

  private buildOrThrow(
    call: PendingCall,
    request: Copy | undefined,
    answer: Copy | undefined,
    devices: string[],
  ): void {
    const response = answer === undefined ? undefined : this.parse(answer);
    // The response's entry repeats the request's, but for a login's verdict and an error of the request alone.
    const needed = request !== undefined && (response === undefined || needsRequest(response, request.line));
    const asked = needed ? this.parse(request) : undefined;
    if (response === undefined && asked === undefined) return;
    const lines = [request?.line, response === undefined ? undefined : answer?.line].filter(
      (line) => line !== undefined,
    );
    const shown = answer === undefined ? namesOf(call.request) : devices;
    const built = buildEvent({
      id: call.id,
      requestId: call.requestId,
      cluster: this.clusterOf(shown[0] as string).name,
      devices: shown,
      nodes: answer === undefined ? nodesOf(call.request) : nodesOf(call.request, call.response),
      flags: flagsOf(call, shown, answer !== undefined, this.clusterOf(shown[0] as string).files),
      requestTime: request?.time,
      request: asked,
      response,
      lines,
    });
    if (built === undefined) {
      const { line, device } = (answer ?? request) as Copy;
      this.reject(line, device, 'too_deep');
      return;
    }
    this.counters.events++;
    this.options.sink.event(built.event, built.text);
  }

  /** The cluster that a device belongs to, with the names of its devices in order of rank. */
  private clusterOf(device: string): Cluster {
    return this.clusters.get(device) ?? { name: this.options.cluster, devices: this.ranks, files: [] };
  }

  private parse(copy: Copy): Entry | undefined {
    const result = parseEntry(copy.line, copy.start);
    if (result.ok) return result.entry;
    this.reject(copy.line, copy.device, result.reason);
    return undefined;
  }

  /** The quick scan found no entry: the full parse says why. */
  private rejectLine(line: Buffer, device: string): void {
    const result = parseEntry(line, line.indexOf(123));
    this.coverage.count(device, this.hourNow, 'received');
    this.reject(line, device, result.ok ? 'bad_time' : result.reason);
  }

  private reject(line: Buffer, device: string, reason: RejectReason): void {
    this.counters.rejects++;
    this.coverage.count(device, this.hourNow, 'rejected');
    this.coverage.count(device, this.hourNow, `rejected_${reason}`);
    this.options.sink.reject(rejectOf(line, device, reason));
  }

  /** What has no usable time of its own is counted in the hour that event time has come to. */
  private get hourNow(): string | undefined {
    return this.watermark === EPOCH ? undefined : this.watermark;
  }

  private loss(loss: Loss, offset: number): void {
    for (const counter of lossCounters[loss.reason])
      this.coverage.count(loss.device, this.hourNow, counter, loss.count);
    // Neither is a line that is gone: the one was kept after all, the other never read.
    if (loss.reason !== 'unconfirmed' && loss.reason !== 'refused')
      this.options.sink.reject(rejectOfLoss(loss, offset, this.hourNow));
  }
}
