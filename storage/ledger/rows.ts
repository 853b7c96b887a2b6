// Leases and tokens on disk. What is put waits in memory until it is asked for in an order, or there is much of it: a row that
// changes five times in a second is written once.

import type { Lease } from '../../core/lease.ts';
import { limits } from '../../core/limits.ts';
import type { Held } from '../../core/ports.ts';
import { cleanText, RECENT_CHARS_MAX, Recent, type Writes } from '../recent.ts';
import type { Table } from '../replica/tables.ts';
import type { Database, Statement } from '../sqlite.ts';
import { prepareRows, type RowStatements, rowSql } from './statements.ts';

interface Waiting {
  columns: (string | number | null)[];
  text: string;
}

interface Row {
  id: string;
  body: string;
}

const END = '\u{ffff}';

export class Rows {
  private readonly writes: Writes;
  private readonly waiting = new Map<string, Waiting>();
  /** JSON, not objects: whoever gets a row may change it before it is put. */
  private readonly recent = new Recent<string>(limits.ledgerRecentMax);
  private readonly statements: RowStatements;
  /** Nothing that is open expires, and nothing has ended, before these. */
  private nextExpiry = '';
  private nextEnded = '';

  constructor(database: Database, writes: Writes) {
    this.writes = writes;
    this.statements = prepareRows(database);
  }

  get(key: string): Held | undefined {
    const id = cleanText(key);
    const known = this.waiting.get(id)?.text ?? this.recent.get(id);
    if (known !== undefined) return JSON.parse(known) as Held;
    const row = this.statements.get.get(id) as Row | undefined;
    if (row === undefined) return undefined;
    this.remember(id, row.body);
    return JSON.parse(row.body) as Held;
  }

  put(held: Held): void {
    const { expires_at, ended_at } = held.lease;
    const text = JSON.stringify(held);
    const columns = columnsOf(held.lease, text);
    this.waiting.set(columns[0] as string, { columns, text });
    if (ended_at !== undefined) {
      if (ended_at < this.nextEnded) this.nextEnded = ended_at;
    } else if (expires_at !== undefined && expires_at < this.nextExpiry) this.nextExpiry = expires_at;
    if (this.waiting.size >= this.writes.waitingMax) this.write();
  }

  forget(key: string): void {
    const id = cleanText(key);
    this.waiting.delete(id);
    this.recent.delete(id);
    this.writes.begin();
    this.statements.forget.run(id);
  }

  write(): void {
    if (this.waiting.size === 0) return;
    this.writes.begin();
    for (const [id, { columns, text }] of this.waiting) {
      this.statements.put.run(...columns);
      this.remember(id, text);
    }
    this.waiting.clear();
  }

  private remember(id: string, text: string): void {
    if (text.length > RECENT_CHARS_MAX) this.recent.delete(id);
    else this.recent.set(id, text);
  }

  aliveOf(token: string, at: string, after: string, limit: number): Held[] {
    const key = cleanText(token);
    const { openOf, endedOf } = this.statements;
    const open = this.all(openOf, key, cleanText(after), limit);
    return firstById(open, this.all(endedOf, key, cleanText(after), limit, at), limit);
  }

  aliveUnder(namespace: string, prefix: string, at: string, after: string, limit: number): Held[] {
    const values = [cleanText(namespace), cleanText(prefix), cleanText(after), limit] as const;
    const { leasesUnder, tokensUnder, hasTokensUnder, endedUnder } = this.statements;
    const leases = this.all(leasesUnder, ...values);
    const ended = this.all(endedUnder, ...values, at);
    const found = firstById(leases, ended, limit);
    // Most prefixes are of leases, and looking through all tokens costs.
    if (hasTokensUnder.get(values[0], values[1]) === undefined) return found;
    return firstById(found, this.all(tokensUnder, ...values), limit);
  }

  expired(time: string, limit: number): Held[] {
    // Asked for at every call, and nearly always there is none.
    if (time < this.nextExpiry) return [];
    const found = this.all(this.statements.expired, time, limit);
    this.nextExpiry = found[0]?.lease.expires_at ?? nextOf(this.statements.nextExpiry);
    return found;
  }

  ended(time: string, limit: number): Held[] {
    if (time < this.nextEnded) return [];
    const found = this.all(this.statements.ended, time, limit);
    this.nextEnded = found[0]?.lease.ended_at ?? nextOf(this.statements.nextEnded);
    return found;
  }

  newestOpen(holderId: string | undefined, limit: number): Held[] {
    return holderId === undefined
      ? this.all(this.statements.newest, limit)
      : this.all(this.statements.newestOf, cleanText(holderId), limit);
  }

  /** As they were written last. */
  countOpen(): number {
    const { leases, tokens } = this.statements.countOpen.get() as { leases: number; tokens: number };
    return leases + tokens;
  }

  private all(statement: Statement, ...values: (string | number)[]): Held[] {
    this.write();
    return (statement.all(...values) as Row[]).map(({ body }) => JSON.parse(body) as Held);
  }
}

/** As a log of changes sees them: all columns come from the body. */
export const rowsTable: Table = {
  name: 'rows',
  key: ['id'],
  value: 'body',
  writer(database) {
    const put = database.prepare(rowSql.put);
    return (_, text) => put.run(...columnsOf((JSON.parse(text) as Held).lease, text));
  },
};

function columnsOf(lease: Lease, text: string): (string | number | null)[] {
  const { id, kind, path, namespace, holder_token, holder_id, issued_at, expires_at, ended_at } = lease;
  const orNull = (value: string | undefined) => (value === undefined ? null : cleanText(value));
  return [
    cleanText(id),
    ended_at === undefined ? 1 : 0,
    kind === 'lease' ? 1 : 0,
    cleanText(namespace ?? ''),
    cleanText(kind === 'lease' ? id : `${path}/`),
    orNull(holder_token),
    orNull(holder_id),
    issued_at,
    expires_at ?? null,
    ended_at ?? null,
    text,
  ];
}

const nextOf = (statement: Statement): string =>
  (statement.get() as { next: string } | undefined)?.next ?? END;

function firstById(some: Held[], others: Held[], limit: number): Held[] {
  if (others.length === 0) return some;
  const all = [...some, ...others];
  return all.sort((a, b) => (a.lease.id < b.lease.id ? -1 : 1)).slice(0, limit);
}
