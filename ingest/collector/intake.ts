// One line's way into the spool: key, scrub, append. Everything that listens or reads hands its lines to this.

import { deviceOfInput, type Input, inputId } from '../../core/devices.ts';
import { limits } from '../../core/limits.ts';
import { partitionOf, partitionOfBytes } from '../../core/partition.ts';
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
}

/** One input of the configuration as the intake knows it. */
export interface Feed {
  readonly id: string;
  readonly device: string;
  readonly clock: DeviceClock;
  /** Bytes put on the spool since the input's first start. */
  spooled: number;
  /** Lines taken since the start of the process, and when the last one came; 0 before it. */
  lines: number;
  lastLineMs: number;
}

/** Where lines come from: an input, and the node that wrote them, when that is known. */
export interface Source {
  readonly feed: Feed;
  /** Device and node, as they stand in the head of each record. */
  readonly encoded: Buffer;
}

export class Intake {
  readonly counters: IntakeCounters = { lines: 0, bytes: 0, scrubbed: 0, dropped: 0 };
  /** Bytes appended but not yet durable. */
  queued = 0;
  private readonly stream: Pick<Stream, 'append' | 'partitions'>;
  private readonly redactor: Redactor;
  private readonly feeds = new Map<string, Feed>();
  private lastTickMs = 0;
  private readonly losses = new Map<string, Loss>();
  readonly lostSinceStart = new Map<string, Loss>();
  private readonly scanner = new LineScanner();
  private readonly suspicion = new Suspicion();

  constructor(stream: Pick<Stream, 'append' | 'partitions'>, redactor: Redactor) {
    this.stream = stream;
    this.redactor = redactor;
  }

  get isFull(): boolean {
    return this.queued > limits.spoolQueueBytesMax;
  }

  /** The source of lines of `input` that `node` wrote; one input may have many. */
  source(input: Pick<Input, 'device' | 'node'>, node = input.node): Source {
    return { feed: this.feedOf(inputId(input)), encoded: encodeSource(input.device, node) };
  }

  /** Takes the line in `bytes[from, to)`; a full spool drops a socket's line and counts it, a file waits instead. */
  line(source: Source, bytes: Buffer, from: number, to: number, nowMs: number, file?: FilePosition): void {
    if (this.isFull && file === undefined) {
      this.lost(source.feed, 'dropped', to - from);
      return;
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
  }

  /** Partition of a line: by request id, so that both halves and all copies meet; else by the line itself. */
  private put(
    { feed, encoded }: Source,
    bytes: Buffer,
    from: number,
    to: number,
    scrub: Scrub | undefined,
    nowMs: number,
    file?: FilePosition,
  ): void {
    const spans = this.scanner.found;
    const found = this.scanner.scan(bytes, from, to);
    if (found && spans.timeEnd > 0 && !feed.clock.see(bytes, spans.timeStart, spans.timeEnd, nowMs))
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
    this.counters.dropped++;
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
    const pause = nowMs - this.lastTickMs - limits.tickMsMax;
    if (this.lastTickMs > 0 && pause > 0) for (const { clock } of this.feeds.values()) clock.skip(pause);
    this.lastTickMs = nowMs;
    if (this.losses.size > 0) {
      this.stream.append(
        topics.raw,
        0,
        [...this.losses.values()].map((value) => ({ kind: 'loss' as const, value })),
      );
      this.losses.clear();
    }
    const devices = tickDevices(this.clocks(), nowMs, behind);
    if (Object.keys(devices).length === 0 && Object.keys(files).length === 0) return;
    const spooled = Object.fromEntries([...this.feeds.values()].map((feed) => [feed.id, feed.spooled]));
    const value: Tick = { devices, files, spooled };
    for (let partition = 0; partition < this.stream.partitions; partition++) {
      this.stream.append(topics.raw, partition, [{ kind: 'tick', value }]);
    }
  }

  /** The input had come to `time` before a restart; without this, one that stays silent would hold time still for ever. */
  resume(id: string, time: string, nowMs: number): void {
    const bytes = Buffer.from(time, 'latin1');
    this.feedOf(id).clock.see(bytes, 0, bytes.length, nowMs);
  }

  /** What Vault answered to sealwatch, on the partition of the lines that the call left, if it names the call. */
  answer(value: Answer): void {
    const id = value.response?.['request_id'];
    const partition = typeof id === 'string' ? partitionOf(id, this.stream.partitions) : 0;
    this.stream.append(topics.raw, partition, [{ kind: 'answer', value }]);
  }

  /** The event time of each input that has shown a line. */
  devices(nowMs: number): Record<string, string> {
    const times = [...this.feeds].map(([id, { clock }]) => [id, clock.timeMs(nowMs)] as const);
    return Object.fromEntries(times.filter(([, ms]) => ms > 0).map(([id, ms]) => [id, timeOfMs(ms)]));
  }

  /** Every input that is configured or has shown a line. */
  inputs(): readonly Feed[] {
    return [...this.feeds.values()];
  }

  private clocks(): Map<string, DeviceClock> {
    return new Map([...this.feeds].map(([id, { clock }]) => [id, clock]));
  }

  private feedOf(id: string): Feed {
    let feed = this.feeds.get(id);
    if (feed === undefined) {
      feed = { id, device: deviceOfInput(id), clock: new DeviceClock(), spooled: 0, lines: 0, lastLineMs: 0 };
      this.feeds.set(id, feed);
    }
    return feed;
  }
}

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
