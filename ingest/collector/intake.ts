// One line's way into the spool: key, scrub, append. Everything that listens or reads hands its lines to this.

import { deviceOfInput, type Input, inputId } from '../../core/devices.ts';
import { limits } from '../../core/limits.ts';
import { partitionOfAnswer, partitionOfBytes } from '../../core/partition.ts';
import type { Stream } from '../../core/ports.ts';
import { encodeHead, encodeSource, type FilePosition, type Scrub, type Spans } from '../../core/raw.ts';
import { type Answer, type Loss, type LossReason, type Tick, topics } from '../../core/records.ts';
import { timeOfMs } from '../../core/time.ts';
import { DeviceClock, tickDevices } from './clock.ts';
import type { Redactor } from './redact.ts';
import { LineScanner } from './scan.ts';
import { Suspicion } from './suspect.ts';

export interface IntakeCounters {
  lines: number;
  bytes: number;
  scrubbed: number;
  dropped: number;
  /** Lines from further in the future than `limits.futureSeconds`. */
  future: number;
}

/** One input of the configuration as the intake knows it. */
export interface Feed {
  readonly id: string;
  readonly device: string;
  /** Bytes put on the spool since the input's first start. */
  spooled: number;
  /** How much of `spooled` is durable. */
  settled: number;
  /** How much of `spooled` retention has deleted. */
  freed: number;
  /** Most bytes that may lie on the spool. */
  quota: number;
  /** Lines taken since the start of the process, and when the last one came; 0 before it. */
  lines: number;
  lastLineMs: number;
}

/** Where lines come from: an input, and the node that wrote them, when that is known. */
export interface Source {
  readonly feed: Feed;
  /** A node has its own: one that is ahead must not make the lines of the others late. */
  readonly clock: DeviceClock;
  /** Device and node, as they stand in the head of each record. */
  readonly encoded: Buffer;
}

/** Where listeners put what they read. */
export type LineSink = Pick<Intake, 'line' | 'lost' | 'source'>;

const TICK_MS = 1000;

export class Intake {
  readonly counters: IntakeCounters = { lines: 0, bytes: 0, scrubbed: 0, dropped: 0, future: 0 };
  /** Bytes appended but not yet durable. */
  queued = 0;
  private readonly stream: Pick<Stream, 'append' | 'partitions'>;
  private readonly redactor: Redactor;
  private readonly feeds = new Map<string, Feed>();
  /** By `inputId`, of inputs and of nodes that an input can tell apart. */
  private readonly clocks = new Map<string, DeviceClock>();
  /** The wall clock, but never back. */
  private steadyMs = 0;
  private readonly losses = new Map<string, Loss>();
  readonly lostSinceStart = new Map<string, Loss>();
  private readonly scanner = new LineScanner();
  private readonly suspicion = new Suspicion();

  constructor(stream: Pick<Stream, 'append' | 'partitions'>, redactor: Redactor) {
    this.stream = stream;
    this.redactor = redactor;
  }

  /** The source of lines of `input` that `node` wrote; one input may have many. */
  source(input: Pick<Input, 'device' | 'node' | 'quotaMiB'>, node = input.node): Source {
    const feed = this.feedOf(inputId(input));
    feed.quota = (input.quotaMiB ?? Number.POSITIVE_INFINITY) * MiB;
    const clock = this.clockOf(inputId({ device: input.device, node }), feed.id);
    return { feed, clock, encoded: encodeSource(input.device, node) };
  }

  isOverQuota({ spooled, freed, quota }: Feed): boolean {
    return spooled - freed >= quota;
  }

  /** Whether a line that comes on `feed` now would be dropped; a file keeps it and waits. */
  mustWait(feed: Feed): boolean {
    return this.refusal(feed) !== undefined;
  }

  /** One input that floods must leave room for the others, so it may fill a part of the queue only. */
  private refusal(feed: Feed): 'dropped' | 'quota' | undefined {
    if (this.isOverQuota(feed)) return 'quota';
    const isFull =
      this.queued > limits.spoolQueueBytesMax ||
      feed.spooled - feed.settled > limits.spoolQueuePerInputBytesMax;
    return isFull ? 'dropped' : undefined;
  }

  /** What each input has handed over; once the stream has flushed, it goes to `settle`. */
  mark(): ReadonlyMap<Feed, number> {
    return new Map([...this.feeds.values()].map((feed) => [feed, feed.spooled]));
  }

  /** Everything up to `mark` is durable. */
  settle(mark: ReadonlyMap<Feed, number>): void {
    for (const [feed, spooled] of mark) {
      this.queued -= spooled - feed.settled;
      feed.settled = spooled;
    }
  }

  /** Nothing waits for a disk. */
  settleAll(): void {
    for (const feed of this.feeds.values()) feed.settled = feed.spooled;
    this.queued = 0;
  }

  /** Bytes on the spool that still need their room. */
  get undrained(): number {
    return this.inputs().reduce((sum, { spooled, freed }) => sum + spooled - freed, 0);
  }

  /** Retention has left only what came after each input had put `totals` bytes on the spool. */
  free(totals: Readonly<Record<string, number>>): void {
    for (const feed of this.feeds.values()) feed.freed = Math.max(feed.freed, totals[feed.id] ?? 0);
  }

  /**
   * Takes the line in `bytes[from, to)` and says whether it did; past a bound a socket's line is dropped and counted, a
   * file waits instead.
   */
  line(source: Source, bytes: Buffer, from: number, to: number, nowMs: number, file?: FilePosition): boolean {
    const refusal = file === undefined ? this.refusal(source.feed) : undefined;
    if (refusal !== undefined) {
      this.lost(source.feed, refusal, to - from);
      return false;
    }
    source.feed.lines++;
    source.feed.lastLineMs = nowMs;
    this.counters.lines++;
    this.counters.bytes += to - from;
    if (this.suspicion.of(bytes, from, to)) {
      const { line, scrub } = this.redactor.redact(bytes.subarray(from, to));
      if (scrub !== undefined) this.counters.scrubbed++;
      this.put(source, line, 0, line.length, scrub, nowMs, file);
    } else this.put(source, bytes, from, to, undefined, nowMs, file);
    return true;
  }

  /** Partition of a line: by request id, so that both halves and all copies meet; else by the line itself. */
  private put(
    { feed, clock, encoded }: Source,
    bytes: Buffer,
    from: number,
    to: number,
    scrub: Scrub | undefined,
    nowMs: number,
    file?: FilePosition,
  ): void {
    const spans = this.scanner.found;
    const found = this.scanner.scan(bytes, from, to);
    if (found && spans.timeEnd > 0 && !clock.see(bytes, spans.timeStart, spans.timeEnd, nowMs))
      spans.timeEnd = 0;
    const hasId = found && spans.idEnd > 0;
    const { partitions } = this.stream;
    const partition = hasId
      ? partitionOfBytes(bytes, spans.idStart, spans.idEnd, partitions)
      : partitionOfBytes(bytes, from, to, partitions);
    const head = encodeHead({ source: encoded, spans: relative(spans, from), scrub, file });
    this.stream.append(topics.raw, partition, [{ kind: 'line', head, bytes: bytes.subarray(from, to) }]);
    this.queued += head.length + to - from;
    feed.spooled += head.length + to - from;
  }

  lost({ device }: Pick<Feed, 'device'>, reason: LossReason, bytes: number): void {
    if (reason !== 'refused' && reason !== 'unconfirmed') this.counters.dropped++;
    // Once for the next tick, once for the metrics.
    for (const losses of [this.losses, this.lostSinceStart]) {
      const key = `${reason}/${device}`;
      const loss = losses.get(key) ?? { bytes: 0, count: 0, device, reason };
      loss.bytes += bytes;
      loss.count++;
      losses.set(key, loss);
    }
  }

  /** The tick of this second, on every partition, and what was lost since the last one. `behind`: see `tickDevices`. */
  tick(nowMs: number, files: Tick['files'] = {}, behind: ReadonlySet<string> = new Set()): void {
    for (const [id, clock] of this.clocks) clock.pass(nowMs, behind.has(id));
    if (this.losses.size > 0) {
      this.stream.append(
        topics.raw,
        0,
        [...this.losses.values()].map((value) => ({ kind: 'loss' as const, value })),
      );
      this.losses.clear();
    }
    // A wall clock that is set back must not hold time up: each tick is a second at least.
    this.steadyMs = Math.max(nowMs, this.steadyMs === 0 ? 0 : this.steadyMs + TICK_MS);
    const devices = tickDevices(this.clocks, { nowMs, steadyMs: this.steadyMs }, behind);
    if (Object.keys(devices).length === 0 && Object.keys(files).length === 0) return;
    const spooled = Object.fromEntries([...this.feeds.values()].map((feed) => [feed.id, feed.spooled]));
    const value: Tick = { devices, files, spooled, at: nowMs, ...(behind.size > 0 && { behind: true }) };
    const future = this.takeFuture();
    for (let partition = 0; partition < this.stream.partitions; partition++) {
      const isCounted = partition === 0 && Object.keys(future).length > 0;
      this.stream.append(topics.raw, partition, [
        { kind: 'tick', value: isCounted ? { ...value, future } : value },
      ]);
    }
  }

  /** Lines from the future since the last tick, per input. */
  private takeFuture(): Record<string, number> {
    const future: Record<string, number> = {};
    for (const [id, clock] of this.clocks) {
      if (clock.future === 0) continue;
      future[id] = clock.future;
      this.counters.future += clock.future;
      clock.future = 0;
    }
    return future;
  }

  /** The input had come to `time` before a restart; without this, one that stays silent would hold time still for ever. */
  resume(id: string, time: string, nowMs: number): void {
    const bytes = Buffer.from(time, 'latin1');
    this.clockOf(id, id).see(bytes, 0, bytes.length, nowMs);
  }

  /** The input had put `spooled` bytes on the spool before a restart. */
  resumeSpooled(id: string, spooled: number): void {
    const feed = this.feedOf(id);
    feed.spooled = feed.settled = spooled;
  }

  /** What Vault answered to sealwatch, on the partition of the lines that the call left, if it names the call. */
  answer(value: Answer): void {
    const partition = partitionOfAnswer(value, this.stream.partitions);
    this.stream.append(topics.raw, partition, [{ kind: 'answer', value }]);
  }

  /** The event time of each input that has shown a line. */
  devices(nowMs: number): Record<string, string> {
    const times = [...this.clocks].map(([id, clock]) => [id, clock.timeMs(nowMs)] as const);
    return Object.fromEntries(times.filter(([, ms]) => ms > 0).map(([id, ms]) => [id, timeOfMs(ms)]));
  }

  /** Every input that is configured or has shown a line. */
  inputs(): readonly Feed[] {
    return [...this.feeds.values()];
  }

  /** Past `limits.clocksMax` the clock of the node's input serves. */
  private clockOf(id: string, inputOfIt: string): DeviceClock {
    const known = this.clocks.get(id);
    if (known !== undefined) return known;
    if (this.clocks.size >= limits.clocksMax && id !== inputOfIt) return this.clockOf(inputOfIt, inputOfIt);
    const clock = new DeviceClock();
    this.clocks.set(id, clock);
    return clock;
  }

  private feedOf(id: string): Feed {
    let feed = this.feeds.get(id);
    if (feed === undefined) {
      feed = { id, device: deviceOfInput(id), ...emptySpool, lines: 0, lastLineMs: 0 };
      this.feeds.set(id, feed);
    }
    return feed;
  }
}

const MiB = 1024 * 1024;
const emptySpool = { spooled: 0, settled: 0, freed: 0, quota: Number.POSITIVE_INFINITY };

/** Positions in the chunk to positions in the line; what is absent is 0. */
function relative(spans: Spans, from: number): Spans {
  const { start, idStart, idEnd, timeStart, timeEnd, typeStart, typeEnd } = spans;
  return {
    start: Math.max(start - from, 0),
    idStart: idEnd === 0 ? 0 : idStart - from,
    idEnd: idEnd === 0 ? 0 : idEnd - from,
    timeStart: timeEnd === 0 ? 0 : timeStart - from,
    timeEnd: timeEnd === 0 ? 0 : timeEnd - from,
    typeStart: typeEnd === 0 ? 0 : typeStart - from,
    typeEnd: typeEnd === 0 ? 0 : typeEnd - from,
  };
}
