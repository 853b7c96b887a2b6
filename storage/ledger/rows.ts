// Leases and tokens on disk. What is put waits in memory until it is asked for in an order, or there is much of it: a row that
// changes five times in a second is written once.

import { limits } from '../../core/limits.ts';
import type { Held } from '../../core/ports.ts';
import type { Database, Statement } from '../sqlite.ts';
import { cleanText, Recent, type Writes } from './recent.ts';

interface Waiting {
  columns: (string | number | null)[];
  text: string;
}

const columns = [
  'id',
  'is_open',
  'is_lease',
  'namespace',
  'holder_token',
  'holder_id',
  'issued_at',
  'expires_at',
  'ended_at',
  'body',
];

const upsert = `insert into rows (${columns.join(', ')}) values (${columns.map(() => '?').join(', ')})
  on conflict (id) do update set ${columns
    .slice(1)
    .map((column) => `${column} = excluded.${column}`)
    .join(', ')}`;

const END = '\u{ffff}';

export class Rows {
  private readonly writes: Writes;
  private readonly waiting = new Map<string, Waiting>();
  /** JSON, not objects: whoever gets a row may change it before it is put. */
  private readonly recent = new Recent(limits.ledgerRecentMax);
  private readonly statements: Record<
    'put' | 'get' | 'ofToken' | 'under' | 'expired' | 'next' | 'newestOf' | 'newest',
    Statement
  >;
  /** Nothing that is open expires before this. */
  private nextExpiry = '';

  constructor(database: Database, writes: Writes) {
    this.writes = writes;
    const open = 'select id, body from rows where is_open';
    const lease = `${open} and is_lease`;
    this.statements = {
      put: database.prepare(upsert),
      get: database.prepare('select body from rows where id = ?'),
      ofToken: database.prepare(`${open} and holder_token = ? order by id`),
      under: database.prepare(`${lease} and namespace = ? and id >= ? order by id`),
      expired: database.prepare(`${open} and expires_at <= ? order by expires_at, id limit ?`),
      next: database.prepare(
        'select min(expires_at) as next from rows where is_open and expires_at is not null',
      ),
      newestOf: database.prepare(`${lease} and holder_id = ? order by issued_at desc, id desc limit ?`),
      newest: database.prepare(`${lease} order by issued_at desc, id desc limit ?`),
    };
  }

  get(key: string): Held | undefined {
    const id = cleanText(key);
    const known = this.waiting.get(id)?.text ?? this.recent.get(id);
    if (known !== undefined) return JSON.parse(known) as Held;
    const row = this.statements.get.get(id) as { body: string } | undefined;
    if (row === undefined) return undefined;
    this.recent.set(id, row.body);
    return JSON.parse(row.body) as Held;
  }

  put(held: Held): void {
    const { lease } = held;
    const { id, ended_at, expires_at } = lease;
    const key = cleanText(id);
    const text = JSON.stringify(held);
    const text0 = (value: string | undefined) => (value === undefined ? null : cleanText(value));
    this.waiting.set(key, {
      columns: [
        key,
        ended_at === undefined ? 1 : 0,
        lease.kind === 'lease' ? 1 : 0,
        cleanText(lease.namespace ?? ''),
        text0(lease.holder_token),
        text0(lease.holder_id),
        lease.issued_at,
        expires_at ?? null,
        ended_at ?? null,
        text,
      ],
      text,
    });
    if (ended_at === undefined && expires_at !== undefined && expires_at < this.nextExpiry)
      this.nextExpiry = expires_at;
    if (this.waiting.size >= this.writes.waitingMax) this.write();
  }

  write(): void {
    if (this.waiting.size === 0) return;
    this.writes.begin();
    for (const [id, { columns, text }] of this.waiting) {
      this.statements.put.run(...columns);
      this.recent.set(id, text);
    }
    this.waiting.clear();
  }

  openOf(token: string): Held[] {
    return this.all(this.statements.ofToken, cleanText(token));
  }

  openUnder(namespace: string, prefix: string): Held[] {
    this.write();
    const found: Held[] = [];
    const from = cleanText(prefix);
    for (const row of this.statements.under.iterate(cleanText(namespace), from)) {
      const { id, body } = row as { id: string; body: string };
      if (!id.startsWith(from)) break;
      found.push(JSON.parse(body) as Held);
    }
    return found;
  }

  expired(time: string, limit: number): Held[] {
    // Asked for at every call, and nearly always there is none.
    if (time < this.nextExpiry) return [];
    const found = this.all(this.statements.expired, time, limit);
    this.nextExpiry =
      found[0]?.lease.expires_at ?? (this.statements.next.get() as { next: string | null }).next ?? END;
    return found;
  }

  newestOpen(holderId: string | undefined, limit: number): Held[] {
    return holderId === undefined
      ? this.all(this.statements.newest, limit)
      : this.all(this.statements.newestOf, cleanText(holderId), limit);
  }

  private all(statement: Statement, ...values: (string | number)[]): Held[] {
    this.write();
    return statement.all(...values).map((row) => JSON.parse((row as { body: string }).body) as Held);
  }
}
