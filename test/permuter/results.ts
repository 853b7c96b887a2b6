// Everything that came out at the end, as text to be compared byte for byte: from the stream and from the evidence store.

import type { Alert } from '../../core/alert.ts';
import { canonicalJson } from '../../core/canonical.ts';
import type { Fact } from '../../core/directory.ts';
import { incidentOf } from '../../core/incident.ts';
import { limits } from '../../core/limits.ts';
import { type CoverageRow, type Reject, type Topic, topics } from '../../core/records.ts';
import { openForReading } from '../../storage/evidence/embedded/schema.ts';
import { EmbeddedStream } from '../../storage/stream/embedded/stream.ts';

export interface Results {
  /** Last version by id, sorted by id. */
  events: Map<string, string>;
  leases: Map<string, string>;
  /** Each stands on the stream once. */
  facts: Map<string, string>;
  alerts: Map<string, string>;
  /** `device reason hash` of lines that are no entries, sorted. */
  rejects: string[];
  /** Counts of device and hour that hang on the lines alone. */
  coverage: Record<string, Record<string, number>>;
  late: number;
  duplicate: number;
  /** Versions of events that stand on the stream twice. */
  twice: string[];
  /** The same of rows of the ledger: one that was forgotten, and that a late line tells of again, begins anew. */
  toldTwice: string[];
}

/** What must be the same, however the lines came. */
export const compared = ['events', 'leases', 'facts', 'alerts'] as const;

interface Row {
  id: string;
  revision: number;
  text: string;
}

const counted = ['paired', 'no_response', 'no_request', 'by_design'] as const;

/** Reads what a world has left on its stream; throws when the evidence store at `evidence` differs from it. */
export async function resultsOf(streamDir: string, partitions: number, evidence?: string): Promise<Results> {
  await using stream = await EmbeddedStream.open({
    dir: streamDir,
    partitions,
    writes: Object.values(topics),
  });
  const rows: Record<(typeof compared)[number], Row[]> = { events: [], leases: [], facts: [], alerts: [] };
  const rejects = new Map<string, Reject>();
  const coverage = new Map<string, CoverageRow>();
  const read = async (topic: Topic, take: (kind: string, value: unknown, text: string) => void) => {
    for (let partition = 0; partition < partitions; partition++) {
      for (let at = 0; at < stream.end(topic, partition); ) {
        for (const { kind, value, text, offset } of await stream.read(
          topic,
          partition,
          at,
          limits.readBytesMax,
        )) {
          take(kind, value, text);
          at = offset + 1;
        }
      }
    }
  };
  await read(topics.events, (kind, value, text) => {
    if (kind !== 'event') return;
    const { event, vault } = value as { event: { id: string }; vault: { revision: number } };
    rows.events.push({ id: event.id, revision: vault.revision, text });
  });
  for (const name of ['leases', 'alerts'] as const)
    await read(topics[name], (kind, value) => {
      if (kind === 'fact')
        rows.facts.push({ id: (value as Fact).id, revision: 1, text: canonicalJson(value) });
      if (kind !== 'lease' && kind !== 'alert') return;
      const { revision, body } = value as { revision: number; body: { id: string; alert?: { id: string } } };
      rows[name].push({ id: body.alert?.id ?? body.id, revision, text: canonicalJson(body) });
    });
  await read(topics.coverage, (kind, value) => {
    if (kind === 'reject') rejects.set((value as Reject).id, value as Reject);
    if (kind === 'coverage') {
      const row = value as CoverageRow;
      if ((coverage.get(row.id)?.revision ?? -1) <= row.revision) coverage.set(row.id, row);
    }
  });
  const last = {
    events: lastOf(rows.events),
    leases: lastOf(rows.leases),
    facts: lastOf(rows.facts),
    alerts: lastOf(rows.alerts),
  };
  if (evidence !== undefined) checkStore(evidence, last);
  return {
    ...last,
    rejects: [...rejects.values()]
      .filter(({ hash }) => hash !== undefined)
      .map(({ device, reason, hash }) => `${device} ${reason} ${hash}`)
      .sort(),
    ...totals([...coverage.values()]),
    twice: twiceOf(rows.events),
    toldTwice: [...twiceOf(rows.leases), ...twiceOf(rows.facts)],
  };
}

function lastOf(rows: Row[]): Map<string, string> {
  const last = new Map<string, Row>();
  for (const row of rows) if ((last.get(row.id)?.revision ?? 0) <= row.revision) last.set(row.id, row);
  return new Map([...last].sort(([a], [b]) => (a < b ? -1 : 1)).map(([id, { text }]) => [id, text]));
}

/** A version that stands on the stream twice was made twice. */
function twiceOf(rows: Row[]): string[] {
  const seen = new Set<string>();
  const twice: string[] = [];
  for (const { id, revision } of rows) {
    const key = `${id} ${revision}`;
    if (seen.has(key)) twice.push(key);
    seen.add(key);
  }
  return twice;
}

function totals(rows: CoverageRow[]): Pick<Results, 'coverage' | 'late' | 'duplicate'> {
  const coverage: Results['coverage'] = {};
  const sum = { late: 0, duplicate: 0 };
  for (const { device, hour, counts } of rows) {
    sum.late += counts.late ?? 0;
    sum.duplicate += counts.duplicate ?? 0;
    if (hour === undefined) continue;
    const key = `${device} ${hour.slice(0, 13)}`;
    coverage[key] ??= {};
    const total = coverage[key];
    for (const name of counted) total[name] = (total[name] ?? 0) + (counts[name] ?? 0);
    // A line that came twice counts as received and as a duplicate.
    total['lines'] =
      (total['lines'] ?? 0) + (counts.received ?? 0) - (counts.duplicate ?? 0) - (counts.rejected ?? 0);
  }
  const kept = Object.entries(coverage).filter(([, counts]) => Object.values(counts).some((n) => n !== 0));
  return { coverage: Object.fromEntries(kept.sort(([a], [b]) => (a < b ? -1 : 1))), ...sum };
}

/** Incidents are what the last state of the alerts makes them. */
function incidentsOf(alerts: ReadonlyMap<string, string>): Map<string, string> {
  const gathered = new Map<string, Alert[]>();
  for (const text of alerts.values()) {
    const alert = JSON.parse(text) as Alert;
    gathered.set(alert.incident.id, [...(gathered.get(alert.incident.id) ?? []), alert]);
  }
  return new Map([...gathered].map(([id, members]) => [id, JSON.stringify(incidentOf(members))]));
}

/** What the store answers is what the stream says. */
function checkStore(path: string, expected: Record<(typeof compared)[number], Map<string, string>>): void {
  const database = openForReading(path);
  const incidents = incidentsOf(expected.alerts);
  try {
    for (const [kind, last] of Object.entries({ ...expected, incidents })) {
      const rows = database.prepare(`select id, body from ${kind} order by id`).all() as {
        id: string;
        body: string;
      }[];
      const stored = new Map(rows.map(({ id, body }) => [id, canonicalJson(JSON.parse(body))]));
      const streamed = new Map([...last].map(([id, text]) => [id, canonicalJson(JSON.parse(text))]));
      const difference = firstDifference(stored, streamed);
      if (difference !== undefined) throw new Error(`store and stream differ in ${kind}: ${difference}`);
    }
  } finally {
    database.close();
  }
}

/** The first id whose text differs, with both texts; undefined when all are equal. */
export function firstDifference(a: Map<string, string>, b: Map<string, string>): string | undefined {
  for (const id of new Set([...a.keys(), ...b.keys()]))
    if (a.get(id) !== b.get(id)) return `${id}\n  ${a.get(id)}\n  ${b.get(id)}`;
  return undefined;
}
