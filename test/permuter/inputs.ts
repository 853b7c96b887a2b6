// What the permuter plays: recorded logs of a real Vault as they are, and calls of it at times that recordings lack.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { timeOfMs, utcTime } from '../../core/time.ts';
import { callOf, type EntryLine, fixtureLines, sampleLines } from '../ingest/normalise/lines.ts';
import type { Sender } from './world.ts';

/** A line of a log: who writes it, and when, in ms of event time rounded down. */
export interface Written {
  sender: Sender;
  line: string;
  ms: number;
}

/** Lines as one device without node writes them; a line without a time is written with the one before. */
export function writtenBy(sender: Sender, lines: readonly string[]): Written[] {
  let ms = 0;
  return lines.map((line) => {
    const time = utcTime(/"time":"([^"]*)"/.exec(line)?.[1] ?? '');
    if (time !== undefined) ms = Date.parse(`${time.slice(0, 23)}Z`);
    return { sender, line, ms };
  });
}

/** Another device has another salt. */
export const resalted = (line: string): string =>
  line.replace(
    /hmac-sha256:([0-9a-f]{64})/g,
    (_, hex: string) => `hmac-sha256:${[...hex].reverse().join('')}`,
  );

const scenes = readdirSync('test/fixtures/vault-1.21.1/default')
  .map((name) => name.replace('.jsonl', ''))
  .sort();

/** All recordings that lie in the repository, each a log in order of time. */
export function recordedLogs(): Record<string, string[]> {
  const byTime = (lines: string[]) =>
    lines.sort((a, b) => (timeIn(a) < timeIn(b) ? -1 : timeIn(a) > timeIn(b) ? 1 : 0));
  return {
    sample: byTime(sampleLines()),
    default: byTime(scenes.flatMap((scene) => fixtureLines(scene, 'default'))),
    'plain-accessor': byTime(scenes.flatMap((scene) => fixtureLines(scene, 'plain-accessor'))),
    raw: byTime(scenes.flatMap((scene) => fixtureLines(scene, 'raw'))),
  };
}

const timeIn = (line: string) => utcTime(/"time":"([^"]*)"/.exec(line)?.[1] ?? '') ?? '';

/** The lines of a log at `path`, plain or .gz; of a folder, those of its `audit.jsonl.gz`. */
export function logAt(path: string): string[] {
  const file = existsSync(`${path}/audit.jsonl.gz`) ? `${path}/audit.jsonl.gz` : path;
  const bytes = readFileSync(file);
  return (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8').trim().split('\n');
}

const start = Date.parse('2026-09-14T10:00:00Z');
const templates = [
  callOf('kv-v2', 2),
  callOf('login-userpass'),
  callOf('login-approle'),
  callOf('database-lease', 0),
  callOf('token-invalid', 2),
  callOf('token-life', 0),
  callOf('wrapping', 0),
  callOf('policy', 0),
];
/** Calls that a rule counts, and how: as many within that time are an alert. */
const counted = [
  { call: callOf('denied', 0), threshold: 10, seconds: 300 },
  { call: callOf('login-failed', 0), threshold: 5, seconds: 600 },
];
const help = fixtureLines('path-help')[0] ?? '';
const seal = fixtureLines('seal')[0] ?? '';

/** Nanoseconds from the request to the answer: fast, about the bound of D = P - L = 3 s, and slow. */
const durations = [1e6, 7e8, 2_999_999_999, 3e9, 3_000_000_001, 6e9, 6_000_000_001, 20e9, 95e9];

class Generator {
  private readonly written: Written[] = [];
  private readonly random: () => number;
  private calls = 0;

  constructor(random: () => number) {
    this.random = random;
  }

  private below = (n: number) => Math.floor(this.random() * n);
  private one = <T>(list: readonly T[]): T => list[this.below(list.length)] as T;

  /** Event time in ns since `start`: often a whole second, so that it meets ticks and others exactly. */
  private when(seconds: number): number {
    if (this.random() < 0.4) return this.below(seconds) * 1e9;
    return this.below(seconds * 1000) * 1e6 + this.one([0, 1, 999_999, this.below(1e6)]);
  }

  private write(sender: Sender, entry: object, ns: number): void {
    const line = JSON.stringify({ ...entry, time: timeAt(ns) });
    this.put(sender, line, ns);
  }

  private put(sender: Sender, line: string, ns: number): void {
    const text = sender.device === 'file' ? line : resalted(line);
    this.written.push({ sender, line: text, ms: start + Math.floor(ns / 1e6) });
  }

  private call([request, response]: [EntryLine, EntryLine], at: number, took: number): void {
    const id = `call-${this.calls++}`;
    const node = this.one(['n1', 'n1', 'n1', 'n2']);
    const all = ['file', 'tcp'] as const;
    const shown = this.one([all, all, all, ['file'] as const, ['tcp'] as const]);
    const halves = this.one(['both', 'both', 'both', 'both', 'both', 'both', 'request', 'response']);
    for (const device of shown) {
      // Now and then a device lacks one half.
      const here = halves === 'both' && this.random() < 0.1 ? this.one(['request', 'response']) : halves;
      const entry = (half: EntryLine) => oneOf(half, id);
      if (here !== 'response') this.write({ device, node }, entry(request), at);
      if (here !== 'request') this.write({ device, node }, entry(response), at + took);
    }
  }

  private burst(): void {
    const { call, threshold, seconds } = this.one(counted);
    const last = this.one([seconds * 1e9, seconds * 1e9 + 1, seconds * 1e9 - 1, 60e9]);
    const first = this.when(600);
    const many = threshold - this.below(2);
    for (let i = 0; i < many; i++)
      this.call(call, first + Math.floor((last * i) / (many - 1)), this.one([1e6, 1e6, 4e9]));
  }

  private odd(): void {
    const sender = { device: this.one(['file', 'tcp']), node: 'n1' };
    const at = this.when(600);
    const [request, response] = this.one(templates);
    const without = { ...request, time: undefined };
    const text = this.one([
      JSON.stringify(without),
      '{"type":"request","time":"never","request":{}}',
      'no json at all',
      '<json:object>',
      '[1,2]',
    ]);
    this.one([
      () => this.put(sender, text, at),
      () => this.write(sender, JSON.parse(help) as object, at),
      () => this.write(sender, oneOf(JSON.parse(seal) as EntryLine, `odd-${this.calls++}`), at),
      () => this.write(sender, oneOf(response, `odd-${this.calls++}`), at),
    ])();
  }

  make(calls: number): Written[] {
    for (let i = 0; i < calls; i++)
      this.call(this.one(templates), this.when(600), this.one(this.random() < 0.5 ? [1e6] : durations));
    this.burst();
    this.burst();
    for (let i = 0; i < 4; i++) this.odd();
    return this.written.sort((a, b) => a.ms - b.ms);
  }
}

/** The entry as one of call `id`: Vault never gives out a lease twice. */
function oneOf(half: EntryLine, id: string): object {
  const text = JSON.stringify({ ...half, request: { ...half.request, id } });
  return JSON.parse(text.replace(/("lease_id":"[^"]*\/)[^"/]+"/, `$1${id}"`)) as object;
}

const timeAt = (ns: number): string => {
  const ms = Math.floor(ns / 1e6);
  return `${timeOfMs(start + ms).slice(0, 23)}${String(Math.round(ns - ms * 1e6)).padStart(6, '0')}Z`;
};

/** Calls of two devices and two nodes with the cases that recordings lack, in order of time. */
export const generated = (random: () => number, calls: number): Written[] =>
  new Generator(random).make(calls);
