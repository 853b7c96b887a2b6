// Rows that change until the end, in (time, id) order, the last version of each: kept on disk, since none is final before the
// end and there may be millions.

import { closeSync, openSync, writeSync } from 'node:fs';
import { limits } from '../core/limits.ts';
import { type Database, openTemporary, type Statement } from '../storage/sqlite.ts';

const FLUSH_CHARS = 256 * 1024;

export class SortedRows {
  private readonly database: Database;
  private readonly put: Statement;

  /** `path`: where they lie until the process ends. */
  constructor(path: string) {
    this.database = openTemporary(path, limits.answersPageCacheBytes);
    this.database.exec(
      `create table found (id text not null unique, time text not null, revision integer not null, text text not null);
      create index found_time on found (time, id); begin`,
    );
    this.put = this.database.prepare(
      `insert into found values (?, ?, ?, ?) on conflict (id) do update
        set time = excluded.time, revision = excluded.revision, text = excluded.text
        where excluded.revision >= found.revision`,
    );
  }

  /** `text` is one line of canonical JSON without a newline. A higher revision replaces a lower one. */
  add({ id, time, revision, text }: { id: string; time: string; revision: number; text: string }): void {
    this.put.run(id, time, revision, text);
  }

  /** Writes all of them to the file `path` and forgets them; returns how many there were. */
  finish(path: string): number {
    const file = openSync(path, 'w', 0o600);
    let rows = 0;
    let chunk = '';
    for (const row of this.database.prepare('select text from found order by time, id').iterate()) {
      chunk += `${(row as { text: string }).text}\n`;
      rows++;
      if (chunk.length < FLUSH_CHARS) continue;
      writeSync(file, chunk);
      chunk = '';
    }
    writeSync(file, chunk);
    closeSync(file);
    this.database.close();
    return rows;
  }
}
