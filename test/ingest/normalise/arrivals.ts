// Calls of a real Vault at made-up times, on two devices, arriving in any order within the allowed lateness; and
// normalisers that take them.

import fc from 'fast-check';
import { recordedDevice } from '../../../core/devices.ts';
import type { AuditEvent } from '../../../core/event.ts';
import type { StreamRecord } from '../../../core/ports.ts';
import type { CoverageCounter, CoverageRow, Reject } from '../../../core/records.ts';
import { addSeconds, timeOfMs } from '../../../core/time.ts';
import { Intake } from '../../../ingest/collector/intake.ts';
import { Redactor } from '../../../ingest/collector/redact.ts';
import { Normaliser, type NormaliserState } from '../../../ingest/normalise/normaliser.ts';
import { callOf, type EntryLine, totalsOf } from './lines.ts';

export const devices = ['file', 'tcp'];
export const pairWaitSeconds = 6;
export const allowedLatenessSeconds = 3;
const start = Date.parse('2026-09-14T10:00:00Z');
const lateMs = allowedLatenessSeconds * 1000;

type Shown = 'both' | 'request' | 'response' | 'none';

/** One call: which, when, how long it took, who showed it, and how late each line came. */
export interface PlannedCall {
  template: number;
  atMs: number;
  tookMs: number;
  shown: Record<string, Shown>;
  delaysMs: number[];
  repeats: boolean[];
}

export interface PlannedTick {
  atMs: number;
  /** How far the tick's time is behind. */
  behindMs: number;
}

export interface Arrival {
  atMs: number;
  device?: string;
  line?: string;
  tick?: string;
}

const templates = [
  callOf('kv-v2', 2),
  callOf('login-userpass'),
  callOf('database-lease', 0),
  callOf('denied', 0),
  callOf('login-failed', 0),
  callOf('token-invalid', 2),
  callOf('token-life', 0),
  callOf('wrapping', 0),
];

const shown = fc.constantFrom<Shown>('both', 'both', 'both', 'both', 'none', 'request');

export const plannedCall = fc
  .record({
    template: fc.nat(templates.length - 1),
    atMs: fc.nat(40_000),
    tookMs: fc.oneof(fc.nat(2_990), fc.nat(2_990), fc.integer({ min: 3_010, max: 30_000 })),
    shown: fc.record({ file: shown, tcp: shown }),
    delaysMs: fc.array(fc.nat(lateMs), { minLength: 4, maxLength: 4 }),
    repeats: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
  })
  .filter((call) => call.shown.file !== 'none' || call.shown.tcp !== 'none');

export const plannedTicks = fc.array(fc.record({ atMs: fc.nat(80_000), behindMs: fc.nat(4_000) }), {
  maxLength: 25,
});

/** Another device has another salt. */
const resalted = (line: string) =>
  line.replace(
    /hmac-sha256:([0-9a-f]{64})/g,
    (_, hex: string) => `hmac-sha256:${[...hex].reverse().join('')}`,
  );

/** Nanoseconds that no tick has, so that nothing hangs on which of two equal times counts. */
const timeAt = (ms: number, nanos: string) => `${timeOfMs(start + ms).slice(0, 23)}${nanos}Z`;

function linesOf(call: PlannedCall, id: number): { device: string; line: string; ms: number }[] {
  const [request, response] = templates[call.template] as [EntryLine, EntryLine];
  const halves = [
    { half: 'request', entry: request, ms: call.atMs, nanos: '000007' },
    { half: 'response', entry: response, ms: call.atMs + call.tookMs, nanos: '000009' },
  ];
  return devices.flatMap((device) =>
    halves
      .filter(({ half }) => call.shown[device] === 'both' || call.shown[device] === half)
      .map(({ entry, ms, nanos }) => {
        const line = JSON.stringify({
          ...entry,
          request: { ...entry.request, id: `call-${id}` },
          time: timeAt(ms, nanos),
        });
        return { device, ms, line: device === devices[0] ? line : resalted(line) };
      }),
  );
}

/** The lines in the order of their event time, before any tick. */
export function inOrder(calls: PlannedCall[]): Arrival[] {
  const lines = calls.flatMap((call, id) => linesOf(call, id));
  return lines.map(({ device, line, ms }) => ({ atMs: ms, device, line })).sort((a, b) => a.atMs - b.atMs);
}

/** The lines as they come, some again, with ticks between; a line comes at most as late as is allowed. */
export function arrivalsOf(calls: PlannedCall[], ticks: PlannedTick[], withRepeats: boolean): Arrival[] {
  const lines = calls.flatMap((call, id) =>
    linesOf(call, id).flatMap(({ device, line, ms }, i) => {
      const arrival = { atMs: ms + (call.delaysMs[i] ?? 0), device, line };
      return withRepeats && call.repeats[i] ? [arrival, { ...arrival, atMs: ms + lateMs }] : [arrival];
    }),
  );
  const marks = ticks.map(({ atMs, behindMs }) => ({ atMs, tick: timeOfMs(start + atMs - behindMs) }));
  return [...lines, ...marks].sort((a, b) => a.atMs - b.atMs);
}

export interface Outputs {
  /** Text of each version, in the order it came. */
  texts: string[];
  rejects: Reject[];
  /** Rows of coverage by id, and the totals of each device over them. */
  rows: Map<string, CoverageRow>;
  readonly counts: Record<string, Record<CoverageCounter, number>>;
  watermarks: string[];
}

export const noOutputs = (): Outputs => ({
  texts: [],
  rejects: [],
  rows: new Map(),
  watermarks: [],
  get counts() {
    return totalsOf(this.rows.values());
  },
});

export function normaliserInto(out: Outputs, state?: NormaliserState, partition = 0): Normaliser {
  return new Normaliser(
    {
      partition,
      cluster: 'test',
      devices: devices.map((device) => recordedDevice(device, 'test')),
      pairWaitSeconds,
      allowedLatenessSeconds,
      dedupeSeconds: 600,
      sink: {
        event: (_, text) => out.texts.push(text),
        reject: (reject) => out.rejects.push(reject),
        coverage: (row) => out.rows.set(row.id, row),
        credential: () => {},
        answer: () => {},
        hashes: () => {},
        node: () => {},
        watermark: (time) => out.watermarks.push(time),
      },
    },
    state,
  );
}

/** The raw records of each partition, as the collector writes them, with a last tick that lets everything out. */
export function recordsOf(arrivals: Arrival[], partitions: number): StreamRecord[][] {
  const raw: StreamRecord[][] = Array.from({ length: partitions }, () => []);
  const put = (partition: number, kind: 'line' | 'tick', bytes: Buffer, value: unknown) => {
    const records = raw[partition] as StreamRecord[];
    records.push({ kind, bytes, value, offset: records.length, cause: undefined, text: '' });
  };
  const intake = new Intake(
    {
      partitions,
      append: (_, partition, records) => {
        for (const { head, bytes } of records)
          put(
            partition,
            'line',
            Buffer.concat([head ?? Buffer.alloc(0), bytes ?? Buffer.alloc(0)]),
            undefined,
          );
      },
    },
    new Redactor(Buffer.alloc(32)),
  );
  const tick = (time: string) => {
    const value = { devices: Object.fromEntries(devices.map((device) => [device, time])) };
    for (let partition = 0; partition < partitions; partition++)
      put(partition, 'tick', Buffer.alloc(0), value);
  };
  for (const arrival of arrivals) {
    if (arrival.tick !== undefined) tick(arrival.tick);
    else {
      const bytes = Buffer.from(arrival.line ?? '');
      intake.line(
        intake.source({ device: arrival.device ?? '' }),
        bytes,
        0,
        bytes.length,
        Number.MAX_SAFE_INTEGER,
      );
    }
  }
  const last = timeOfMs(start + Math.max(0, ...arrivals.map(({ atMs }) => atMs)));
  tick(addSeconds(last, pairWaitSeconds + allowedLatenessSeconds + 1));
  return raw;
}

/** What the normalisers of all partitions make of the arrivals. */
export function normalise(arrivals: Arrival[], partitions = 1): Outputs {
  const out = noOutputs();
  for (const [partition, records] of recordsOf(arrivals, partitions).entries()) {
    const normaliser = normaliserInto(out, undefined, partition);
    for (const record of records) normaliser.record(record);
  }
  return out;
}

/** Versions of each event by id, in the order they came. */
export function versionsOf({ texts }: Outputs): Record<string, string[]> {
  const versions: Record<string, string[]> = {};
  for (const text of texts) {
    const { event } = JSON.parse(text) as AuditEvent;
    versions[event.id] = [...(versions[event.id] ?? []), text];
  }
  return versions;
}
