// The ledger's small values by space and key, on disk.

import type { Json } from '../../core/event.ts';
import { limits } from '../../core/limits.ts';
import type { Database, Statement } from '../sqlite.ts';
import { cleanText, Recent, type Writes } from './recent.ts';

interface Waiting {
  space: string;
  key: string;
  /** JSON; undefined: it goes away. */
  text: string | undefined;
}

export class Notes {
  private readonly writes: Writes;
  private readonly waiting = new Map<string, Waiting>();
  private readonly recent = new Recent(limits.ledgerRecentMax);
  private readonly statements: Record<'put' | 'get' | 'delete' | 'list', Statement>;

  constructor(database: Database, writes: Writes) {
    this.writes = writes;
    this.statements = {
      put: database.prepare(
        'insert into notes values (?, ?, ?) on conflict do update set value = excluded.value',
      ),
      get: database.prepare('select value from notes where space = ? and key = ?'),
      delete: database.prepare('delete from notes where space = ? and key = ?'),
      list: database.prepare(
        'select key, value from notes where space = ? and key >= ? order by key limit ?',
      ),
    };
  }

  get(space: string, name: string): Json | undefined {
    const key = cleanText(name);
    const both = bothOf(space, key);
    const waiting = this.waiting.get(both);
    const known = waiting === undefined ? this.recent.get(both) : (waiting.text ?? ABSENT);
    if (known !== undefined) return known === ABSENT ? undefined : (JSON.parse(known) as Json);
    const row = this.statements.get.get(space, key) as { value: string } | undefined;
    this.recent.set(both, row?.value ?? ABSENT);
    return row === undefined ? undefined : (JSON.parse(row.value) as Json);
  }

  set(space: string, name: string, value: Json): void {
    this.put(space, cleanText(name), JSON.stringify(value));
  }

  delete(space: string, name: string): void {
    this.put(space, cleanText(name), undefined);
  }

  private put(space: string, key: string, text: string | undefined): void {
    this.waiting.set(bothOf(space, key), { space, key, text });
    if (this.waiting.size >= this.writes.waitingMax) this.write();
  }

  list(space: string, prefix: string, limit: number): { key: string; value: Json }[] {
    this.write();
    const from = cleanText(prefix);
    const rows = this.statements.list.all(space, from, limit) as { key: string; value: string }[];
    // Those with the prefix stand together, the first of them first.
    return rows
      .filter(({ key }) => key.startsWith(from))
      .map(({ key, value }) => ({ key, value: JSON.parse(value) as Json }));
  }

  write(): void {
    if (this.waiting.size === 0) return;
    this.writes.begin();
    for (const [both, { space, key, text }] of this.waiting) {
      if (text === undefined) this.statements.delete.run(space, key);
      else this.statements.put.run(space, key, text);
      this.recent.set(both, text ?? ABSENT);
    }
    this.waiting.clear();
  }
}

/** No space holds a NUL. */
const bothOf = (space: string, key: string) => `${space}\0${key}`;
/** No JSON. */
const ABSENT = '';
