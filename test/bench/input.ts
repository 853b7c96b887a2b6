// The bench's input: lines of a real Vault, again and again, each round with request ids and times of its own.

import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { utcTime } from '../../core/time.ts';

/** Mean line length that the aims speak of. */
const LINE_BYTES = 1_500;
const FLUSH_CHARS = 1024 * 1024;

interface Template {
  text: string;
  id: string;
  time: string;
  ms: number;
  /** The last six digits of the time, under a millisecond. */
  micros: string;
}

/** Writes `lines` lines to `path`, made from the audit log `from` (plain or .gz); returns their bytes. */
export function makeInput(path: string, from: string, lines: number): number {
  const templates = readTemplates(from);
  const first = (templates[0] as Template).ms;
  const roundMs = ((templates.at(-1) as Template).ms - first) / 1000 + 1;
  const file = openSync(path, 'w');
  let bytes = 0;
  let chunk = '';
  for (let n = 0; n < lines; n++) {
    const template = templates[n % templates.length] as Template;
    const round = Math.floor(n / templates.length);
    // A thousand times faster than it happened: a busy Vault. Both halves of a call keep one id.
    chunk += `${lineOf(template, round, first + roundMs * round + (template.ms - first) / 1000)}\n`;
    if (chunk.length < FLUSH_CHARS) continue;
    bytes += writeSync(file, chunk);
    chunk = '';
  }
  bytes += writeSync(file, chunk);
  closeSync(file);
  return bytes;
}

/** Makes line `n` of a Vault that writes without end, as if it were written at `ms`. */
export function lineMaker(from: string): (n: number, ms: number) => string {
  const templates = readTemplates(from);
  return (n, ms) => lineOf(templates[n % templates.length] as Template, Math.floor(n / templates.length), ms);
}

/** Calls of which the first `lines` lines of `lineMaker` tell. */
export function callsIn(from: string, lines: number): number {
  const ids = readTemplates(from).map(({ id }) => id);
  const calls = (some: string[]) => new Set(some).size;
  return Math.floor(lines / ids.length) * calls(ids) + calls(ids.slice(0, lines % ids.length));
}

function lineOf({ text, id, time, micros }: Template, round: number, ms: number): string {
  const at = `${new Date(ms).toISOString().slice(0, 23)}${micros}Z`;
  return pad(text.replace(id, id.slice(0, -8) + round.toString(16).padStart(8, '0')).replace(time, at));
}

function readTemplates(from: string): Template[] {
  const bytes = readFileSync(from);
  const text = (from.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  const templates: Template[] = [];
  for (const line of text.split('\n')) {
    // Ordinary life: the sample's attacks, a thousand times faster, would be nothing but alarms.
    const odd = line.includes('"policies":["root"]') || line.includes('"error":');
    if (line === '' || odd || line.length > 4 * LINE_BYTES) continue;
    const entry = JSON.parse(line) as { time: string; request: { id?: string } };
    const canonical = utcTime(entry.time);
    if (entry.request.id === undefined || canonical === undefined) continue;
    templates.push({
      text: line,
      id: entry.request.id,
      time: entry.time,
      ms: Date.parse(`${canonical.slice(0, 23)}Z`),
      micros: canonical.slice(23, 29),
    });
  }
  return templates;
}

/** The aims are for lines of 1.5 KB; shorter ones get longer hashed data, as a larger secret has. */
function pad(line: string): string {
  const missing = LINE_BYTES - line.length;
  if (missing < 90 || !line.includes('"data":{"')) return line;
  const fields = Array.from(
    { length: Math.floor(missing / 90) },
    (_, i) => `"f${i}":"hmac-sha256:${'0123456789abcdef'.repeat(4)}"`,
  );
  return line.replace('"data":{"', `"data":{${fields.join(',')},"`);
}
