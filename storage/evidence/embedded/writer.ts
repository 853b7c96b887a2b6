// The one writer of the embedded evidence store: rows and the offsets they came from in one transaction.

import { setImmediate } from 'node:timers/promises';
import type { EvidenceBatch, EvidenceWriter, IndexOffset } from '../../../core/ports.ts';
import type { QueryKind, Rows } from '../../../core/query.ts';
import type { CoverageRow, HashPair, NodeSeen, Reject } from '../../../core/records.ts';
import { msOf } from '../../../core/time.ts';
import type { Database, Statement } from '../../sqlite.ts';
import { lowestWatermark } from '../../watermark.ts';
import { IncidentRows } from './incidents.ts';
import { readOffsets } from './offsets.ts';
import { putRow, upsertStatement } from './rows.ts';
import { openForWriting } from './schema.ts';

/** Rows deleted in one transaction, so that `retain` never holds up a write for long. */
const RETAIN_ROWS = 500;

/** Opens or makes the store at `path` (a file). Throws SealwatchError DATA_DIR_UNUSABLE or DATA_DIR_OTHER_LAYOUT. */
export const openEvidenceWriter = (path: string): EvidenceWriter => new EmbeddedWriter(openForWriting(path));

class EmbeddedWriter implements EvidenceWriter {
  private readonly database: Database;
  private readonly statements: Record<
    Exclude<QueryKind, 'incidents'> | 'reject' | 'coverage' | 'hashes' | 'node' | 'offset',
    Statement
  >;
  private readonly incidents: IncidentRows;

  constructor(database: Database) {
    this.database = database;
    this.statements = {
      events: upsertStatement(database, 'events'),
      alerts: upsertStatement(database, 'alerts'),
      leases: upsertStatement(database, 'leases'),
      facts: upsertStatement(database, 'facts'),
      triage: upsertStatement(database, 'triage'),
      changes: upsertStatement(database, 'changes'),
      baselines: upsertStatement(database, 'baselines'),
      reject: database.prepare('insert into rejects values (?, ?, ?, ?, ?, ?) on conflict do nothing'),
      coverage: database.prepare(putCoverage),
      hashes: database.prepare('insert into hashes values (?, ?), (?, ?) on conflict do nothing'),
      node: database.prepare('insert into nodes values (?, ?, ?, ?, ?) on conflict do nothing'),
      offset: database.prepare(
        'insert into offsets values (?, ?, ?, ?) on conflict do update set next = excluded.next, sources = excluded.sources',
      ),
    };
    this.incidents = new IncidentRows(database);
  }

  async offsets(): Promise<IndexOffset[]> {
    return readOffsets(this.database);
  }

  async write(batch: EvidenceBatch): Promise<void> {
    this.database.exec('begin immediate');
    try {
      this.writeRows(batch);
      this.database.exec('commit');
    } catch (error) {
      this.rollback();
      throw error;
    }
  }

  private rollback(): void {
    try {
      this.database.exec('rollback');
    } catch {
      // On a full disk or an I/O error SQLite has rolled back by itself; the first error is the one to tell.
    }
  }

  private writeRows(batch: EvidenceBatch): void {
    for (const { event, text } of batch.events)
      this.put('events', event, event.event.id, event.vault.revision, text);
    this.putAlerts(batch.alerts);
    for (const { body, revision } of batch.leases)
      this.put('leases', body, body.id, revision, JSON.stringify(body));
    for (const fact of batch.facts) this.put('facts', fact, fact.id, 1, JSON.stringify(fact));
    for (const record of batch.triage) this.put('triage', record, record.id, 1, JSON.stringify(record));
    for (const change of batch.changes) this.put('changes', change, change.id, 1, JSON.stringify(change));
    // The one whose last call is the latest holds.
    for (const baseline of batch.baselines)
      this.put('baselines', baseline, baseline.id, msOf(baseline.at), JSON.stringify(baseline));
    for (const row of batch.coverage) this.putCoverage(row);
    for (const pair of batch.hashes) this.putHashes(pair);
    for (const seen of batch.nodes) this.putNode(seen);
    for (const { topic, partition, next, sources } of batch.offsets)
      this.statements.offset.run(
        topic,
        partition,
        next,
        sources === undefined ? null : JSON.stringify(sources),
      );
    if (batch.rejects.length === 0) return;
    const watermark = lowestWatermark(readOffsets(this.database)) ?? '';
    for (const reject of batch.rejects) this.putReject(reject, watermark);
  }

  private put<K extends Exclude<QueryKind, 'incidents'>>(
    kind: K,
    row: Rows[K],
    id: string,
    revision: number,
    text: string,
  ): void {
    putRow(this.statements[kind], kind, row, { id, revision, text });
  }

  /** And the incidents that they are in, or were in until now. */
  private putAlerts(alerts: EvidenceBatch['alerts']): void {
    const touched = new Set<string>();
    for (const { body, revision } of alerts) {
      const before = this.incidents.of(body.alert.id);
      if (before !== undefined) touched.add(before);
      touched.add(body.incident.id);
      this.put('alerts', body, body.alert.id, revision, JSON.stringify(body));
    }
    for (const id of touched) this.incidents.refresh(id);
  }

  /** A reject without a time of its own stands where event time was when it came, so that it ages like the others. */
  private putReject(reject: Reject, watermark: string): void {
    const { id, device, reason, bytes, hash } = reject;
    this.statements.reject.run(id, reject['@timestamp'] ?? watermark, device, reason, bytes, hash ?? null);
  }

  private putCoverage({ id, device, hour, partition, origin, revision, counts }: CoverageRow): void {
    this.statements.coverage.run(id, device, hour ?? '', partition, origin, revision, JSON.stringify(counts));
  }

  /** Both ways, so that either hash leads to the other. */
  private putHashes({ ranked, other }: HashPair): void {
    this.statements.hashes.run(ranked.hash, other.hash, other.hash, ranked.hash);
  }

  private putNode({ id, node, cluster, how, hour }: NodeSeen): void {
    this.statements.node.run(id, node, cluster, how, hour);
  }

  async retain(beforeTime: string): Promise<number> {
    // Whole days, as a store of daily indices has it.
    const before = `${beforeTime.slice(0, 10)}T00:00:00.000000000Z`;
    const events = await this.deleteOlder(
      'delete from events where seq in (select seq from events where ts < ? order by ts limit ?)',
      before,
    );
    await this.deleteOlder(
      'delete from rejects where id in (select id from rejects where ts < ? order by ts limit ?)',
      before,
    );
    // An hour goes only when all of it is older. Lines without a usable time (hour '') are counted for ever.
    for (const table of ['coverage', 'nodes'])
      this.database.prepare(`delete from ${table} where hour <> '' and hour < ?`).run(before.slice(0, 13));
    return events;
  }

  private async deleteOlder(sql: string, before: string): Promise<number> {
    const statement = this.database.prepare(sql);
    let deleted = 0;
    for (;;) {
      const changes = Number(statement.run(before, RETAIN_ROWS).changes);
      deleted += changes;
      if (changes < RETAIN_ROWS) return deleted;
      await setImmediate();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.database.close();
  }
}

const putCoverage = `insert into coverage values (?, ?, ?, ?, ?, ?, ?)
  on conflict do update set counts = excluded.counts, revision = excluded.revision
  where excluded.revision >= coverage.revision`;
