// Reads the embedded evidence store by a connection of its own; under WAL no reader holds up the writer.

import type { EvidenceReader } from '../../../core/ports.ts';
import type { Clause, Page, Query, QueryKind, Rows } from '../../../core/query.ts';
import { type CoverageCounter, coverageCounters } from '../../../core/records.ts';
import { addSeconds } from '../../../core/time.ts';
import { groupEvents } from './group.ts';
import { openForReading } from './schema.ts';
import type { Database } from './sqlite.ts';
import { whereOf } from './where.ts';

/** Opens the store that a writer has made at `path`. Throws SealwatchError DATA_DIR_UNUSABLE or DATA_DIR_OTHER_LAYOUT. */
export const openEvidenceReader = (path: string): EvidenceReader => new EmbeddedReader(openForReading(path));

class EmbeddedReader implements EvidenceReader {
  private readonly database: Database;

  constructor(database: Database) {
    this.database = database;
  }

  async find<K extends QueryKind>(query: Query<K>): Promise<Page<K>> {
    const { kind, order, limit } = query;
    const after = query.after && { ...query.after, order };
    const { sql, values } = whereOf(kind, { ...query, where: query.where as Clause[], after });
    // One row more than asked for says whether there is a next page.
    const rows = this.database
      .prepare(`select ts, id, body from ${kind}${sql} order by ts ${order}, id ${order} limit ?`)
      .all(...values, limit + 1) as Row[];
    const items = rows.slice(0, limit).map((row) => JSON.parse(row.body) as Rows[K]);
    const last = rows[limit - 1];
    return rows.length <= limit || last === undefined
      ? { items }
      : { items, next: { time: last.ts, id: last.id } };
  }

  async get<K extends QueryKind>(kind: K, id: string): Promise<Rows[K] | undefined> {
    const row = this.database.prepare(`select body from ${kind} where id = ?`).get(id) as Row | undefined;
    return row && (JSON.parse(row.body) as Rows[K]);
  }

  async group(options: Parameters<EvidenceReader['group']>[0]): ReturnType<EvidenceReader['group']> {
    return groupEvents(this.database, options);
  }

  async count(kind: QueryKind, options: { from?: string; to?: string; where: Clause[] }): Promise<number> {
    const { sql, values } = whereOf(kind, options);
    return (this.database.prepare(`select count(*) as n from ${kind}${sql}`).get(...values) as { n: number })
      .n;
  }

  async coverage(from: string, to: string): ReturnType<EvidenceReader['coverage']> {
    const rows = this.database
      .prepare("select * from coverage where hour = '' or (hour >= ? and hour < ?) order by device, hour")
      .all(from.slice(0, 13), afterLastHour(to)) as (Record<CoverageCounter, number> & HourRow)[];
    return rows.map((row) => ({
      device: row.device,
      hour: row.hour === '' ? undefined : row.hour,
      counts: Object.fromEntries(coverageCounters.map((counter) => [counter, row[counter]])) as Record<
        CoverageCounter,
        number
      >,
    }));
  }

  async extent(): ReturnType<EvidenceReader['extent']> {
    const row = this.database
      .prepare(
        `select (select min(ts) from events) as first, (select max(ts) from events) as last,
          (select value from meta where name = 'watermark') as watermark`,
      )
      .get() as Record<'first' | 'last' | 'watermark', string | null>;
    return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.database.close();
  }
}

interface Row {
  ts: string;
  id: string;
  body: string;
}

interface HourRow {
  device: string;
  hour: string;
}

/** A text above every hour that begins before `to` and below the next: hours are compared as text, `2026-11-23T01...`. */
function afterLastHour(to: string): string {
  const wholeHour = to.slice(13) === ':00:00.000000000Z';
  return `${(wholeHour ? addSeconds(to, -1) : to).slice(0, 13)}~`;
}
