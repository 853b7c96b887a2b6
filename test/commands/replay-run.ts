// Runs replay() over logs that a test makes, and reads what it wrote.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { replay } from '../../commands/replay.ts';
import { loadRules } from '../../commands/rules.ts';
import { loadConfig } from '../../core/config.ts';

export const outputs = [
  'events.jsonl',
  'leases.jsonl',
  'alerts.jsonl',
  'rejects.jsonl',
  'summary.json',
] as const;
export type Result = Record<(typeof outputs)[number], string>;

export interface SummaryJson {
  events: number;
  leases: number;
  alerts: number;
  rejects: number;
  first_event: string;
  last_event: string;
  devices: Record<string, Record<string, number>>;
}

export interface Log {
  name: string;
  bytes: Buffer | string;
}

export class ReplayFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'sealwatch-replay-'));
  #runs = 0;

  /** Replays the logs, each a device, in this order; `partitions` and whatever else as settings; `answers` as of Vault. */
  async run(logs: Log[], settings: Record<string, string> = {}, answers?: Log): Promise<Result> {
    const folder = join(this.path, String(this.#runs++));
    mkdirSync(folder);
    const files = logs.map(({ name, bytes }) => {
      writeFileSync(join(folder, name), bytes);
      return join(folder, name);
    });
    if (answers !== undefined) writeFileSync(join(folder, answers.name), answers.bytes);
    const given = answers === undefined ? {} : { answers: join(folder, answers.name) };
    const out = join(folder, 'out');
    const config = loadConfig({ SEALWATCH_DATA_DIR: join(this.path, 'data'), ...settings });
    await replay({ files, ...given, out, config, rules: loadRules(undefined), progress: false });
    if (readdirSync(out).length !== outputs.length) throw new Error(`wrote ${readdirSync(out).join()}`);
    return Object.fromEntries(outputs.map((name) => [name, readFileSync(join(out, name), 'utf8')])) as Result;
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true });
  }
}

export const rowsOf = <T>(text: string): T[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as T);
export const summaryOf = (result: Result): SummaryJson => JSON.parse(result['summary.json']) as SummaryJson;
export const logOf = (name: string, lines: string[]): Log => ({
  name,
  bytes: lines.map((line) => `${line}\n`).join(''),
});

/** The same lines as a second device of the same Vault writes them: another salt. */
export const resalted = (lines: string[]): string[] =>
  lines.map((line) =>
    line.replace(
      /hmac-sha256:([0-9a-f]{64})/g,
      (_, hex: string) => `hmac-sha256:${[...hex].reverse().join('')}`,
    ),
  );

/** A small generator of numbers from 0 to 1, the same for the same seed. */
export function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** The lines out of order, none further than `seconds` from where its time puts it. */
export function shuffled(lines: string[], seconds: number, seed: number): string[] {
  const next = numbers(seed);
  return lines
    .map((line) => ({
      line,
      at: Date.parse((JSON.parse(line) as { time: string }).time) + next() * seconds * 1000,
    }))
    .sort((a, b) => a.at - b.at)
    .map(({ line }) => line);
}
