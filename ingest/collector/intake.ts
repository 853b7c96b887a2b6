// One line's way into the spool: key, scrub, append. Everything that listens or reads hands its lines to this.

import { limits } from '../../core/limits.ts';
import { partitionOfBytes } from '../../core/partition.ts';
import type { Stream } from '../../core/ports.ts';
import type { FilePosition } from '../../core/raw.ts';
import { encodeHead, type Spans } from '../../core/raw.ts';
import { type Loss, type Tick, topics } from '../../core/records.ts';
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

export class Intake {
  readonly counters: IntakeCounters = { lines: 0, bytes: 0, scrubbed: 0, dropped: 0 };
  /** Bytes appended but not yet durable. */
  queued = 0;
  private readonly stream: Pick<Stream, 'append' | 'partitions'>;
  private readonly redactor: Redactor;
  private readonly clocks = new Map<string, DeviceClock>();
  private readonly names = new Map<string, Buffer>();
  private lastTickMs = 0;
  private readonly losses = new Map<string, Loss>();
  private readonly scanner = new LineScanner();
  private readonly suspicion = new Suspicion();

  constructor(stream: Pick<Stream, 'append' | 'partitions'>, redactor: Redactor) {
    this.stream = stream;
    this.redactor = redactor;
  }

  get isFull(): boolean {
    return this.queued > limits.spoolQueueBytesMax;
  }

  /** Takes the line in `bytes[from, to)`; a full spool drops a socket's line and counts it, a file waits instead. */
  line(device: string, bytes: Buffer, from: number, to: number, nowMs: number, file?: FilePosition): void {
    if (this.isFull && file === undefined) {
      this.lost(device, 'dropped', to - from);
      return;
    }
    this.counters.lines++;
    this.counters.bytes += to - from;
    if (this.suspicion.of(bytes, from, to)) {
      const { line, changed } = this.redactor.redact(bytes.subarray(from, to));
      if (changed) this.counters.scrubbed++;
      this.put(device, line, 0, line.length, changed, nowMs, file);
    } else this.put(device, bytes, from, to, false, nowMs, file);
  }

  /** Partition of a line: by request id, so that both halves and all copies meet; else by the line itself. */
  private put(
    device: string,
    bytes: Buffer,
    from: number,
    to: number,
    scrubbed: boolean,
    nowMs: number,
    file?: FilePosition,
  ): void {
    const spans = this.scanner.found;
    const found = this.scanner.scan(bytes, from, to);
    if (found && spans.timeEnd > 0 && !this.clockOf(device).see(bytes, spans.timeStart, spans.timeEnd, nowMs))
      spans.timeEnd = 0;
    const hasId = found && spans.idEnd > 0;
    const { partitions } = this.stream;
    const partition = hasId
      ? partitionOfBytes(bytes, spans.idStart, spans.idEnd, partitions)
      : partitionOfBytes(bytes, from, to, partitions);
    const head = encodeHead({ device: this.nameOf(device), spans: relative(spans, from), scrubbed, file });
    this.stream.append(topics.raw, partition, [{ kind: 'line', head, bytes: bytes.subarray(from, to) }]);
    this.queued += head.length + to - from;
  }

  lost(device: string, reason: Loss['reason'], bytes: number): void {
    this.counters.dropped++;
    const key = `${reason}/${device}`;
    const loss = this.losses.get(key) ?? { bytes: 0, count: 0, device, reason };
    loss.bytes += bytes;
    loss.count++;
    this.losses.set(key, loss);
  }

  /** The tick of this second, on every partition, and what was lost since the last one. `behind`: see `tickDevices`. */
  tick(nowMs: number, files: Tick['files'] = {}, behind: ReadonlySet<string> = new Set()): void {
    const pause = nowMs - this.lastTickMs - limits.tickMsMax;
    if (this.lastTickMs > 0 && pause > 0) for (const clock of this.clocks.values()) clock.skip(pause);
    this.lastTickMs = nowMs;
    if (this.losses.size > 0) {
      this.stream.append(
        topics.raw,
        0,
        [...this.losses.values()].map((value) => ({ kind: 'loss' as const, value })),
      );
      this.losses.clear();
    }
    const devices = tickDevices(this.clocks, nowMs, behind);
    if (Object.keys(devices).length === 0 && Object.keys(files).length === 0) return;
    const value: Tick = { devices, files };
    for (let partition = 0; partition < this.stream.partitions; partition++) {
      this.stream.append(topics.raw, partition, [{ kind: 'tick', value }]);
    }
  }

  /** The device had come to `time` before a restart; without this, one that stays silent would hold time still for ever. */
  resume(device: string, time: string, nowMs: number): void {
    const bytes = Buffer.from(time, 'latin1');
    this.clockOf(device).see(bytes, 0, bytes.length, nowMs);
  }

  /** The event time of each device that has shown a line. */
  devices(nowMs: number): Record<string, string> {
    const times = [...this.clocks].map(([name, clock]) => [name, clock.timeMs(nowMs)] as const);
    return Object.fromEntries(times.filter(([, ms]) => ms > 0).map(([name, ms]) => [name, timeOfMs(ms)]));
  }

  private clockOf(device: string): DeviceClock {
    const clock = this.clocks.get(device) ?? new DeviceClock();
    this.clocks.set(device, clock);
    return clock;
  }

  private nameOf(device: string): Buffer {
    const name = this.names.get(device) ?? Buffer.from(device, 'utf8');
    this.names.set(device, name);
    return name;
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
