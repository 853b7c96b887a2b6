// A normaliser of several devices and nodes, fed line by line through the real intake, that can be ended and begun again.

import { type Device, recordedDevice } from '../../../core/devices.ts';
import type { AuditEvent } from '../../../core/event.ts';
import type { StreamRecord } from '../../../core/ports.ts';
import type { CoverageRow, HashPair, NodeSeen, Reject } from '../../../core/records.ts';
import { Intake } from '../../../ingest/collector/intake.ts';
import { Redactor } from '../../../ingest/collector/redact.ts';
import { Normaliser, type NormaliserState } from '../../../ingest/normalise/normaliser.ts';
import { type EntryLine, type Line, totalsOf } from './lines.ts';

export const device = (name: string, more: Partial<Device> = {}): Device => ({
  ...recordedDevice(name, 'test'),
  ...more,
});

/** The same line as a device with another salt writes it: each hash is another one, the same for the same value. */
export const resalted = (line: EntryLine, salt: number): EntryLine =>
  JSON.parse(
    JSON.stringify(line).replace(
      /hmac-sha256:([0-9a-f]{64})/g,
      (_, hex: string) =>
        `hmac-sha256:${[...hex].map((c) => ((Number.parseInt(c, 16) + salt) % 16).toString(16)).join('')}`,
    ),
  ) as EntryLine;

const bytesOf = (line: Line): Buffer =>
  Buffer.isBuffer(line) ? line : Buffer.from(typeof line === 'string' ? line : JSON.stringify(line));

export interface SeveralOptions {
  devices: Device[];
  dedupeSeconds?: number;
}

export class Several {
  readonly versions: AuditEvent[] = [];
  readonly texts: string[] = [];
  readonly hashes: HashPair[] = [];
  readonly nodes: NodeSeen[] = [];
  readonly rejects: Reject[] = [];
  private readonly rows = new Map<string, CoverageRow>();
  private readonly records: StreamRecord[] = [];
  private readonly options: SeveralOptions;
  private readonly intake: Intake;
  private normaliser: Normaliser;

  constructor(options: SeveralOptions) {
    this.options = options;
    this.normaliser = this.begin();
    this.intake = new Intake(
      {
        partitions: 1,
        append: (_topic, _partition, records) => {
          for (const { head, bytes } of records)
            this.record('line', Buffer.concat([head ?? Buffer.alloc(0), bytes ?? Buffer.alloc(0)]));
        },
      },
      new Redactor(Buffer.alloc(32)),
    );
  }

  private begin(state?: NormaliserState): Normaliser {
    const { devices, dedupeSeconds = 600 } = this.options;
    const sink = {
      event: (event: AuditEvent, text: string) => {
        this.versions.push(event);
        this.texts.push(text);
      },
      reject: (reject: Reject) => void this.rejects.push(reject),
      coverage: (row: CoverageRow) => void this.rows.set(row.id, row),
      credential: () => {},
      answer: () => {},
      hashes: (pair: HashPair) => void this.hashes.push(pair),
      node: (seen: NodeSeen) => void this.nodes.push(seen),
      watermark: () => {},
    };
    const time = { pairWaitSeconds: 6, allowedLatenessSeconds: 3, dedupeSeconds };
    return new Normaliser({ partition: 0, cluster: 'test', devices, ...time, sink }, state);
  }

  private record(kind: 'line' | 'tick', bytes: Buffer, value?: unknown): void {
    const record = { kind, bytes, value, offset: this.records.length, cause: undefined, text: '' };
    this.records.push(record);
    this.normaliser.record(record);
  }

  line(name: string, line: Line, node?: string): void {
    const bytes = bytesOf(line);
    this.intake.line(
      this.intake.source({ device: name }, node),
      bytes,
      0,
      bytes.length,
      Number.MAX_SAFE_INTEGER,
    );
  }

  /** Event time of all devices has come to `time`. */
  tick(time: string): void {
    const devices = Object.fromEntries(this.options.devices.map(({ name }) => [name, time]));
    this.record('tick', Buffer.alloc(0), { devices });
  }

  /** Ends the normaliser and goes on from its snapshot. */
  restart(): void {
    const { state, offset } = this.normaliser.snapshot(this.records.length);
    this.normaliser = this.begin(JSON.parse(JSON.stringify(state)) as NormaliserState);
    for (const record of this.records.slice(offset)) this.normaliser.restore(record);
  }

  finish(): void {
    this.normaliser.finish();
  }

  get counts() {
    return totalsOf(this.rows.values());
  }
}
