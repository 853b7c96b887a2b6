// Reads the embedded evidence store by a connection of its own; under WAL no reader holds up the writer.

import { limits } from '../../../core/limits.ts';
import type { CoverageHour, EvidenceReader } from '../../../core/ports.ts';
import type { Clause, Page, Query, QueryKind, Rows } from '../../../core/query.ts';
import type { NodeSeen } from '../../../core/records.ts';
import type { Database } from '../../sqlite.ts';
import { lowestWatermark } from '../../watermark.ts';
import { plainText } from '../columns.ts';
import { addToHours, afterLastHour, firstHour, type HourRow } from '../hours.ts';
import { placeOf } from '../pages.ts';
import { mendableReader } from './failing.ts';
import { groupRows } from './group.ts';
import { readOffsets } from './offsets.ts';
import { openForReading } from './schema.ts';
import { whereOf } from './where.ts';

/** Opens the store that a writer has made at `path`. Throws SealwatchError DATA_DIR_UNUSABLE or DATA_DIR_OTHER_LAYOUT; so do its questions. */
export const openEvidenceReader = (path: string): EvidenceReader =>
  mendableReader(path, new EmbeddedReader(openForReading(path)));

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
      .prepare(`select body from ${kind}${sql} order by ts ${order}, id ${order} limit ?`)
      .all(...values, limit + 1) as Row[];
    const items = rows.slice(0, limit).map((row) => JSON.parse(row.body) as Rows[K]);
    return rows.length > limit ? { items, next: placeOf(kind, items) } : { items };
  }

  async get<K extends QueryKind>(kind: K, id: string): Promise<Rows[K] | undefined> {
    return (await this.getAll(kind, [id])).get(id);
  }

  async getAll<K extends QueryKind>(kind: K, ids: readonly string[]): Promise<Map<string, Rows[K]>> {
    const statement = this.database.prepare(`select body from ${kind} where id = ?`);
    const found = new Map<string, Rows[K]>();
    for (const id of ids) {
      const row = statement.get(plainText(id)) as Row | undefined;
      if (row !== undefined) found.set(id, JSON.parse(row.body) as Rows[K]);
    }
    return found;
  }

  async group<K extends QueryKind>(options: Parameters<EvidenceReader['group']>[0] & { kind?: K }) {
    return groupRows(this.database, options);
  }

  async count(kind: QueryKind, options: { from?: string; to?: string; where: Clause[] }): Promise<number> {
    const { sql, values } = whereOf(kind, options);
    return (this.database.prepare(`select count(*) as n from ${kind}${sql}`).get(...values) as { n: number })
      .n;
  }

  async coverage(from: string, to: string): Promise<CoverageHour[]> {
    const rows = this.database
      .prepare(
        `select device, hour, part, origin, counts from coverage
          where hour = '' or (hour >= ? and hour < ?) order by device, hour, part`,
      )
      .all(firstHour(from), afterLastHour(to)) as (Omit<HourRow, 'counts'> & { counts: string })[];
    const hours: CoverageHour[] = [];
    for (const row of rows)
      addToHours(hours, { ...row, counts: JSON.parse(row.counts) as HourRow['counts'] });
    return hours;
  }

  async nodes(from: string, to: string): Promise<NodeSeen[]> {
    return this.database
      .prepare('select * from nodes where hour >= ? and hour < ? order by node, how, hour')
      .all(firstHour(from), afterLastHour(to)) as NodeSeen[];
  }

  async sameHashes(hash: string): Promise<string[]> {
    const rows = this.database
      .prepare(
        `with recursive same (hash) as (
          values (?) union select hashes.other from hashes join same on hashes.hash = same.hash limit ?)
          select hash from same order by hash`,
      )
      .all(hash, limits.sameHashesMax) as { hash: string }[];
    return rows.map((row) => row.hash);
  }

  async extent(): ReturnType<EvidenceReader['extent']> {
    const row = this.database
      .prepare('select (select min(ts) from events) as first, (select max(ts) from events) as last')
      .get() as Record<'first' | 'last', string | null>;
    const watermark = lowestWatermark(readOffsets(this.database)) ?? null;
    return Object.fromEntries(Object.entries({ ...row, watermark }).filter(([, value]) => value !== null));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.database.close();
  }
}

interface Row {
  body: string;
}
