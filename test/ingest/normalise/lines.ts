// Audit lines for tests: those of a real Vault, edited, and what the chain makes of them.

import { readFileSync } from 'node:fs';
import { Chain } from '../../../commands/chain.ts';
import type { Config } from '../../../core/config.ts';
import { recordedDevice } from '../../../core/devices.ts';
import type { AuditEvent, JsonObject } from '../../../core/event.ts';
import {
  type CoverageCounter,
  type CoverageRow,
  coverageCounters,
  type Reject,
} from '../../../core/records.ts';
import { noRules } from '../../../detectors/engine/rule-set.ts';
import { Redactor } from '../../../ingest/collector/redact.ts';

export interface EntryLine {
  time: string;
  type: string;
  auth?: JsonObject;
  error?: string;
  request: JsonObject;
  response?: JsonObject;
  [key: string]: unknown;
}

const linesOf = (path: string) => readFileSync(path, 'utf8').trim().split('\n');

export const fixtureLines = (scene: string, device = 'default'): string[] =>
  linesOf(`test/fixtures/vault-1.21.1/${device}/${scene}.jsonl`);

export const sampleLines = (): string[] => linesOf('deploy/sample/audit.jsonl');

/** The entries of call `n` of a scene (request, response), to be edited. */
export function callOf(scene: string, n = 0, device = 'default'): [EntryLine, EntryLine] {
  const entries = fixtureLines(scene, device).map((line) => JSON.parse(line) as EntryLine);
  const ids = [...new Set(entries.map((entry) => entry.request['id']))];
  const [request, response] = entries.filter((entry) => entry.request['id'] === ids[n]);
  if (request === undefined || response === undefined) throw new Error(`${scene} has no call ${n}`);
  return [request, response];
}

/** Both entries with other members in `request`. */
export const withRequest = (call: EntryLine[], members: Record<string, unknown>): EntryLine[] =>
  call.map((entry) => ({ ...entry, request: { ...entry.request, ...members } as JsonObject }));

/** Both entries with other members at the top. */
export const withTop = (call: EntryLine[], members: Record<string, unknown>): EntryLine[] =>
  call.map((entry) => ({ ...entry, ...members }) as EntryLine);

/** `members` of an object are gone, everything else stays. */
export const without = (from: JsonObject | undefined, ...members: string[]): JsonObject =>
  Object.fromEntries(Object.entries(from ?? {}).filter(([key]) => !members.includes(key)));

export interface Made {
  /** Each version as it came. */
  versions: AuditEvent[];
  /** The last version of each event, in order of (time, id). */
  events: AuditEvent[];
  texts: string[];
  rejects: Reject[];
  counts: Record<string, Record<CoverageCounter, number>>;
}

export type Line = string | Buffer | EntryLine;

const bytesOf = (line: Line): Buffer =>
  Buffer.isBuffer(line) ? line : Buffer.from(typeof line === 'string' ? line : JSON.stringify(line));

/** What the real scrub, scan and normaliser make of `lines` of one device; `callers` is the config key. */
export function made(lines: Line[], callers: Config['callers'] = []): Made {
  const result: Made = { versions: [], events: [], texts: [], rejects: [], counts: {} };
  const rows = new Map<string, CoverageRow>();
  const chain = new Chain({
    cluster: 'test',
    devices: [recordedDevice('file', 'test')],
    partitions: 1,
    time: { pairWaitSeconds: 6, allowedLatenessSeconds: 3, dedupeSeconds: 600 },
    callers,
    rules: noRules,
    redactor: new Redactor(Buffer.alloc(32)),
    sink: {
      event: (event, text) => {
        result.versions.push(event);
        result.texts.push(text);
      },
      lease: () => {},
      fact: () => {},
      reject: (reject) => result.rejects.push(reject),
      coverage: (row) => rows.set(row.id, row),
      hashes: () => {},
      node: () => {},
      alerts: () => {},
      watermark: () => {},
    },
  });
  for (const line of lines) chain.push('file', Buffer.concat([bytesOf(line), Buffer.from('\n')]));
  chain.finishDevice('file');
  chain.finish();
  result.counts = totalsOf(rows.values());
  const last = new Map(result.versions.map((event) => [event.event.id, event]));
  const key = (event: AuditEvent) => event['@timestamp'] + event.event.id;
  result.events = [...last.values()].sort((a, b) => (key(a) < key(b) ? -1 : 1));
  return result;
}

/** Totals of each device over the last state of each row. */
export function totalsOf(rows: Iterable<CoverageRow>): Record<string, Record<CoverageCounter, number>> {
  const totals: Record<string, Record<CoverageCounter, number>> = {};
  const zero = () =>
    Object.fromEntries(coverageCounters.map((name) => [name, 0])) as Record<CoverageCounter, number>;
  for (const { device, counts } of rows) {
    totals[device] ??= zero();
    const total = totals[device];
    for (const name of coverageCounters) total[name] += counts[name] ?? 0;
  }
  return totals;
}

/** The one event of `lines`; throws when there are more, or none. */
export function theEvent(lines: Line[]): AuditEvent {
  const { events, rejects } = made(lines);
  const [event] = events;
  if (event === undefined || events.length > 1)
    throw new Error(`${events.length} events, rejects: ${rejects.map(({ reason }) => reason).join()}`);
  return event;
}
