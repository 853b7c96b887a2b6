// Afterwards: does the API of what was troubled say what is true, and what that of an undisturbed run says?

import { readFileSync } from 'node:fs';
import type { Alert } from '../../../core/alert.ts';
import { canonicalJson } from '../../../core/canonical.ts';
import type { AuditEvent } from '../../../core/event.ts';
import type { Incident } from '../../../core/incident.ts';
import type { Lease } from '../../../core/lease.ts';
import type { Sealwatch } from '../../e2e/sealwatch.ts';
import type { Sent } from './sender.ts';

type Counts = { device: string } & Record<string, number>;

/** By id, in canonical JSON. */
type Rows = Map<string, string>;

export interface Said {
  /** Request ids, as often as they are listed. */
  calls: string[];
  /** Whole calls that the socket never showed: each of them is a gap. */
  unseen: number;
  events: Rows;
  leases: Rows;
  alerts: Rows;
  incidents: Rows;
  devices: Counts[];
}

/** Which devices have shown a call is all that may differ: nobody listened for a while. */
const withoutDevices = (event: AuditEvent) => ({ ...event, vault: { ...event.vault, devices: [] } });

export async function saidBy(product: Sealwatch): Promise<Said> {
  const all = await product.all<AuditEvent>('/v1/events', 1000);
  const events = all.filter(({ vault }) => vault.request.path !== DEVICE_TEST);
  const { devices } = await product.get<{ devices: Counts[] }>('/v1/coverage');
  const leases = await product.all<Lease>('/v1/leases', 1000);
  const incidents = await product.all<Incident & { triage?: unknown }>('/v1/incidents', 1000);
  return {
    calls: events.map(({ vault }) => vault.request.id ?? ''),
    unseen: events.filter(({ vault }) => vault.pair === 'both' && !vault.devices.includes('unix')).length,
    events: rowsOf(events.map(withoutDevices), ({ event }) => event.id),
    leases: rowsOf(leases, ({ id }) => id),
    alerts: rowsOf(await product.alerts(), ({ alert }: Alert) => alert.id),
    incidents: rowsOf(incidents, ({ id }) => id),
    devices,
  };
}

const rowsOf = <T>(rows: readonly T[], id: (row: T) => string): Rows =>
  new Map(rows.map((row) => [id(row), canonicalJson(row)]));

/** Vault tests a device that is enabled by a line to that device alone: no call of anybody. */
const DEVICE_TEST = 'sys/audit/test';

/** Ids of the calls that the file device tells of. */
export const callsIn = (file: string): string[] => [
  ...new Set(
    readFileSync(file, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => (JSON.parse(line) as { request: { id: string; path: string } }).request)
      .filter(({ path }) => path !== DEVICE_TEST)
      .map(({ id }) => id),
  ),
];

/** What is wrong with `said`; empty when each call is there once and nothing else is. */
export function missing(name: string, said: Said, truth: readonly string[]): string[] {
  const wanted = new Set(truth);
  const seen = new Set(said.calls);
  const lost = truth.filter((id) => !seen.has(id));
  const foreign = said.calls.filter((id) => !wanted.has(id));
  const twice = said.calls.length - seen.size;
  const faults: string[] = [];
  if (lost.length > 0)
    faults.push(`${name}: ${lost.length} of ${truth.length} calls are missing: ${lost[0]}`);
  if (foreign.length > 0) faults.push(`${name}: ${foreign.length} calls that nobody made: ${foreign[0]}`);
  if (twice > 0) faults.push(`${name}: ${twice} calls are listed twice`);
  return faults;
}

/** Where the two say something else of the same. */
export function differences(troubled: Said, calm: Said): string[] {
  return (['events', 'leases', 'alerts', 'incidents'] as const).flatMap((kind) => {
    const [one, other] = [troubled[kind], calm[kind]];
    const ids = [...new Set([...one.keys(), ...other.keys()])].filter((id) => one.get(id) !== other.get(id));
    if (ids.length === 0) return [];
    const [first = ''] = ids;
    return [
      `${ids.length} of ${other.size} ${kind} differ: ${first}\n  ${one.get(first)}\n  ${other.get(first)}`,
    ];
  });
}

/** Alerts that the API knows and no alerts file has. */
export function undelivered({ alerts }: Said, files: readonly string[]): string[] {
  const sent = new Set(
    files.flatMap((file) =>
      readFileSync(file, 'utf8')
        .split('\n')
        .slice(0, -1)
        .map((line) => (JSON.parse(line) as Alert).alert.id),
    ),
  );
  const left = [...alerts.keys()].filter((id) => !sent.has(id));
  return left.length === 0 ? [] : [`${left.length} of ${alerts.size} alerts were not delivered: ${left[0]}`];
}

/** What the file device brought, held against what was written, and against what an undisturbed run has counted. */
export function fileFaults(said: Said, calm: Said, lines: number): string[] {
  const [file, calmFile] = [of(said, 'file'), of(calm, 'file')];
  return [
    ...unequal('received on the file device', file['received'], lines),
    ...fileCounters.flatMap((counter) => unequal(`${counter} of the file`, file[counter], calmFile[counter])),
  ];
}

/** What the socket brought, whose reader was away now and then. */
export function socketFaults(said: Said): string[] {
  const [file, unix] = [of(said, 'file'), of(said, 'unix')];
  const lost = ['dropped', 'rejected', 'late'].flatMap((counter) =>
    unequal(`${counter} on the socket`, unix[counter], 0),
  );
  // A gap is a call that the socket did not show, or of which it showed one half.
  const whole = sum(file, 'paired', 'gaps');
  const faults = [
    ...lost,
    ...unequal('what the socket showed, and gaps', sum(unix, 'paired', 'gaps'), whole),
  ];
  if ((unix['gaps'] ?? 0) < said.unseen)
    faults.push(
      `coverage: ${unix['gaps']} gaps of the socket, but ${said.unseen} calls that it never showed`,
    );
  return faults;
}

const unequal = (what: string, is: number | undefined, shall: number | undefined): string[] =>
  is === shall ? [] : [`coverage: ${what} is ${is}, not ${shall}`];

const fileCounters = ['paired', 'unpaired', 'by_design', 'duplicate', 'gaps', 'dropped', 'rejected', 'late'];
const of = (said: Said, device: string): Counts =>
  said.devices.find((row) => row.device === device) ?? ({} as Counts);
const sum = (counts: Counts, ...names: string[]): number =>
  names.reduce((total, name) => total + (counts[name] ?? 0), 0);

/** A bare reader waits as long now and then, on a machine with other work: that is not sealwatch's doing. */
export function writeFaults({ sockets }: Sent): string[] {
  const [ours, bare] = [sockets['stages']?.longestMs ?? 0, sockets['bare']?.longestMs ?? 0];
  return ours < Math.max(WRITE_MS, bare) ? [] : [`a write waited ${ours} ms, to a bare reader ${bare} ms`];
}

/** Guarantee 1. */
const WRITE_MS = 50;
