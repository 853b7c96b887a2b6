// One line's way into the spool: key, scrub, append. Everything that listens or reads hands its lines to this.

import { limits } from '../../core/limits.ts';
import type { Stream } from '../../core/ports.ts';
import type { FilePosition } from '../../core/raw.ts';
import { encodeLine } from '../../core/raw.ts';
import { type Loss, topics } from '../../core/records.ts';
import { newScan, scanLine } from '../../core/scan.ts';
import { DeviceClock, tickDevices } from './clock.ts';
import type { Redactor } from './redact.ts';
import { isSuspect } from './suspect.ts';

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
  private readonly losses = new Map<string, Loss>();
  private readonly scan = newScan();

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
    let line = bytes.subarray(from, to);
    let scrubbed = false;
    if (isSuspect(bytes, from, to)) {
      const result = this.redactor.redact(line);
      line = result.line;
      scrubbed = result.changed;
      if (scrubbed) this.counters.scrubbed++;
    }
    const partition = this.place(line, device, nowMs);
    const payload = encodeLine(this.nameOf(device), line, scrubbed, file);
    this.stream.append(topics.raw, partition, [{ kind: 'line', bytes: payload }]);
    this.queued += payload.length;
  }

  /** Partition of a line: by request id, so that both halves and all copies meet; else by the line itself. */
  private place(line: Buffer, device: string, nowMs: number): number {
    const { scan } = this;
    const found = scanLine(line, 0, line.length, scan);
    if (found && scan.timeEnd > 0) this.clockOf(device).see(line, scan.timeStart, scan.timeEnd, nowMs);
    const byId = found && scan.idEnd > 0;
    const key = byId ? hashOf(line, scan.idStart, scan.idEnd) : hashOf(line, 0, line.length);
    return key % this.stream.partitions;
  }

  lost(device: string, reason: Loss['reason'], bytes: number): void {
    this.counters.dropped++;
    const key = `${reason}/${device}`;
    const loss = this.losses.get(key) ?? { bytes: 0, count: 0, device, reason };
    loss.bytes += bytes;
    loss.count++;
    this.losses.set(key, loss);
  }

  /** The tick of this second, on every partition, and what was lost since the last one. */
  tick(nowMs: number, files: Record<string, { inode: number; generation: number; durable: number }>): void {
    if (this.losses.size > 0) {
      this.stream.append(
        topics.raw,
        0,
        [...this.losses.values()].map((value) => ({ kind: 'loss' as const, value })),
      );
      this.losses.clear();
    }
    const devices = tickDevices(this.clocks, nowMs);
    if (Object.keys(devices).length === 0 && Object.keys(files).length === 0) return;
    const value = { devices, files };
    for (let partition = 0; partition < this.stream.partitions; partition++) {
      this.stream.append(topics.raw, partition, [{ kind: 'tick', value }]);
    }
  }

  /** The event time of each device that has shown a line. */
  devices(nowMs: number): Record<string, string> {
    return Object.fromEntries([...this.clocks].map(([name, clock]) => [name, clock.time(nowMs) ?? '']));
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

/** FNV-1a, 32 bits: cheap, and the same on every machine. */
function hashOf(bytes: Buffer, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
  return hash >>> 0;
}
