// Writes rows in (time, id) order, the last version of each, without holding them all: what lies behind the watermark goes
// to disk; the few that come later or anew are merged in at the end.

import { closeSync, createReadStream, openSync, renameSync, writeSync } from 'node:fs';
import { Framer } from '../ingest/collector/framer.ts';

interface Row {
  time: string;
  id: string;
  revision: number;
  text: string;
}

/** Later than every time. */
const END = '\u{ffff}';
const FLUSH_ROWS_MIN = 1_000;
const FLUSH_CHARS = 256 * 1024;
const byTimeAndId = (a: Row, b: Row): number =>
  a.time < b.time ? -1 : a.time > b.time ? 1 : a.id < b.id ? -1 : a.id > b.id ? 1 : 0;

export class SortedFile {
  rows = 0;
  private readonly path: string;
  private readonly file: number;
  private waiting = new Map<string, Row>();
  private readonly stragglers = new Map<string, Row>();
  private written = '';
  private chunk = '';
  private kept = 0;

  constructor(path: string) {
    this.path = path;
    this.file = openSync(path, 'w', 0o600);
  }

  /** `text` is one line of canonical JSON without a newline. A higher revision replaces a lower one. */
  add(row: Row): void {
    const before = this.waiting.get(row.id) ?? this.stragglers.get(row.id);
    if (before !== undefined && before.revision > row.revision) return;
    // Behind the watermark, or the new version of a row that is written already.
    if (row.time <= this.written || this.stragglers.has(row.id)) {
      this.waiting.delete(row.id);
      this.stragglers.set(row.id, row);
    } else this.waiting.set(row.id, row);
  }

  /** Nothing at or before `time` will come any more that is not late. */
  flush(time: string): void {
    // Looking through the rows that stay costs as much as writing those that go: wait until there are as many of both.
    if (this.waiting.size < 2 * this.kept + FLUSH_ROWS_MIN && time !== END) return;
    const due: Row[] = [];
    for (const row of this.waiting.values()) if (row.time <= time) due.push(row);
    this.kept = this.waiting.size - due.length;
    if (due.length === 0) return;
    for (const row of due.sort(byTimeAndId)) {
      this.waiting.delete(row.id);
      this.chunk += `${row.text}\n`;
      this.rows++;
    }
    if (time > this.written) this.written = time;
    if (this.chunk.length > FLUSH_CHARS) this.write();
  }

  private write(): void {
    writeSync(this.file, this.chunk);
    this.chunk = '';
  }

  /** Everything on disk, in order. `read` gives time, id and revision of a written line. */
  async finish(read: (text: string) => Omit<Row, 'text'>): Promise<void> {
    this.flush(END);
    this.write();
    closeSync(this.file);
    if (this.stragglers.size > 0) await this.merge(read);
  }

  private async merge(read: (text: string) => Omit<Row, 'text'>): Promise<void> {
    await this.eachWritten((text) => {
      const { id, revision } = read(text);
      if ((this.stragglers.get(id)?.revision ?? revision) < revision) this.stragglers.delete(id);
    });
    const late = [...this.stragglers.values()].sort(byTimeAndId);
    const merged = `${this.path}.merged`;
    const out = openSync(merged, 'w', 0o600);
    let next = 0;
    let rows = 0;
    const put = (text: string) => {
      writeSync(out, `${text}\n`);
      rows++;
    };
    await this.eachWritten((text) => {
      const written = { ...read(text), text };
      if (this.stragglers.has(written.id)) return;
      for (let row = late[next]; row !== undefined && byTimeAndId(row, written) < 0; row = late[++next])
        put(row.text);
      put(text);
    });
    for (const row of late.slice(next)) put(row.text);
    closeSync(out);
    renameSync(merged, this.path);
    this.rows = rows;
  }

  /** The lines as they stand on disk, in order: after `finish` all of them. */
  async eachWritten(take: (text: string) => void): Promise<void> {
    // Not readline: it takes U+2028, which stands in JSON as it is, for the end of a line.
    const lines = new Framer({
      line: (bytes, from, to) => take(bytes.toString('utf8', from, to)),
      lost: () => {},
    });
    for await (const chunk of createReadStream(this.path)) lines.push(chunk as Buffer);
  }
}
