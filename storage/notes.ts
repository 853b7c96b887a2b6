// Small values by space and key, on disk: what stages remember beside their rows.

import type { Json } from '../core/event.ts';
import { limits } from '../core/limits.ts';
import { cleanText, RECENT_CHARS_MAX, Recent, type Writes } from './recent.ts';
import type { Database, Statement } from './sqlite.ts';

/** The values of one space that are in memory. */
interface Space {
  /** JSON of what is not on disk yet; undefined: it goes away. */
  waiting: Map<string, string | undefined>;
  /** As read, frozen: many ask for the same. `ABSENT`: there is none. */
  recent: Recent<Json | typeof ABSENT>;
}

const ABSENT = Symbol('absent');

export class Notes {
  private readonly writes: Writes;
  private readonly spaces = new Map<string, Space>();
  private waiting = 0;
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

  /** What it gives is everybody's: it is frozen. */
  get(name: string, key: string): Json | undefined {
    const space = this.space(name);
    const known = space.recent.get(key);
    if (known !== undefined) return known === ABSENT ? undefined : known;
    const text = space.waiting.has(key) ? space.waiting.get(key) : this.read(name, key);
    const value = text === undefined ? undefined : frozen(JSON.parse(text) as Json);
    if ((text?.length ?? 0) <= RECENT_CHARS_MAX) space.recent.set(key, value === undefined ? ABSENT : value);
    return value;
  }

  private read(name: string, key: string): string | undefined {
    return (this.statements.get.get(name, cleanText(key)) as { value: string } | undefined)?.value;
  }

  set(space: string, key: string, value: Json): void {
    this.put(space, key, JSON.stringify(value));
  }

  delete(space: string, key: string): void {
    this.put(space, key, undefined);
  }

  private put(name: string, key: string, text: string | undefined): void {
    const space = this.space(name);
    space.recent.delete(key);
    if (!space.waiting.has(key)) this.waiting++;
    space.waiting.set(key, text);
    if (this.waiting >= this.writes.waitingMax) this.write();
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
    if (this.waiting === 0) return;
    this.writes.begin();
    for (const [name, { waiting }] of this.spaces) {
      for (const [key, text] of waiting) {
        if (text === undefined) this.statements.delete.run(name, cleanText(key));
        else this.statements.put.run(name, cleanText(key), text);
      }
      waiting.clear();
    }
    this.waiting = 0;
  }

  /** There are as many as the code has names for. */
  private space(name: string): Space {
    let space = this.spaces.get(name);
    if (space === undefined) {
      space = { waiting: new Map(), recent: new Recent(limits.ledgerRecentMax) };
      this.spaces.set(name, space);
    }
    return space;
  }
}

function frozen(value: Json): Json {
  if (typeof value !== 'object' || value === null) return value;
  for (const member of Object.values(value)) frozen(member);
  Object.freeze(value);
  return value;
}
