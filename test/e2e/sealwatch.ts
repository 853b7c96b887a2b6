// The built product, or one of its stages, as a process of its own: start it, kill it, start it again, ask its API.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Alert } from '../../core/alert.ts';
import type { StageName } from '../../core/records.ts';

export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Polls until `look` finds something; nobody knows how long the way through the stages takes. */
export async function until<T>(what: string, look: () => Promise<T | undefined>, seconds = 180): Promise<T> {
  const deadline = Date.now() + seconds * 1000;
  let last: unknown;
  for (;;) {
    const found = await look().catch((error: unknown) => {
      last = error;
      return undefined;
    });
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`not within ${seconds} s: ${what} (${String(last)})`);
    await sleep(150);
  }
}

export class Sealwatch implements AsyncDisposable {
  readonly #settings: Record<string, string>;
  readonly #args: string[];
  readonly #dataDir: string;
  /** Where keys lie: another folder for `run --replay`. */
  keyDir: string;
  output = '';
  #child: ChildProcess | undefined;
  readonly #command: string;

  constructor(
    dataDir: string,
    settings: Record<string, string>,
    args: string[] = [],
    command: 'run' | StageName = 'run',
  ) {
    this.#command = command;
    this.#dataDir = this.keyDir = dataDir;
    this.#settings = settings;
    this.#args = args;
  }

  /** Starts it; `ready` waits until it answers. */
  start(): void {
    const env = { ...process.env, ...this.#settings, SEALWATCH_DATA_DIR: this.#dataDir };
    const child = spawn(process.execPath, ['dist/main.js', this.#command, ...this.#args], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        this.output += chunk.toString();
      });
  }

  async ready(): Promise<void> {
    await until('ready', async () =>
      this.ended !== undefined || (await this.fetch('/readyz')).ok ? true : undefined,
    );
    if (this.ended !== undefined)
      throw new Error(`it ended with ${this.ended} before it was ready: ${this.output}`);
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Exit code or signal; undefined while it runs. */
  get ended(): number | string | undefined {
    return this.#child?.exitCode ?? this.#child?.signalCode ?? undefined;
  }

  /** As a power cut would. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name);
  }

  /** Ends it with SIGTERM, or waits for it to end by itself; its exit code. */
  async end(signal?: NodeJS.Signals): Promise<number | null> {
    const child = this.#child as ChildProcess;
    const gone = child.exitCode === null ? once(child, 'exit') : Promise.resolve();
    if (signal !== undefined) child.kill(signal);
    await Promise.race([gone, sleep(30_000)]);
    return child.exitCode;
  }

  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const file = join(this.keyDir, 'admin-key');
    const key = existsSync(file) ? { authorization: `Bearer ${readFileSync(file, 'utf8').trim()}` } : {};
    const headers = { ...key, ...init.headers };
    const port = this.#settings['SEALWATCH_STAGE_PORT'] ?? this.#settings['SEALWATCH_API_PORT'];
    return fetch(`http://127.0.0.1:${port}${path}`, { ...init, headers });
  }

  post(path: string, body: unknown): Promise<Response> {
    const headers = { 'content-type': 'application/json' };
    return this.fetch(path, { method: 'POST', headers, body: JSON.stringify(body) });
  }

  async get<T>(path: string): Promise<T> {
    const response = await this.fetch(path);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  /** All rows of a list, along its cursor. */
  async all<T>(path: string, limit = 400): Promise<T[]> {
    const rows: T[] = [];
    for (let cursor = ''; ; ) {
      const page: { items: T[]; next_cursor: string | null } = await this.get(
        `${path}?limit=${limit}${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
      );
      rows.push(...page.items);
      if (page.next_cursor === null) return rows;
      cursor = page.next_cursor;
    }
  }

  /** All alerts as the detectors wrote them: without what people have said of them since. */
  async alerts(): Promise<Alert[]> {
    const shown = await this.all<Alert & { triage: unknown }>('/v1/alerts');
    return shown.map(({ triage: _, ...alert }) => alert);
  }

  /** Resolves when event time has passed `time`. */
  async passed(time: string, seconds = 180): Promise<void> {
    await until(
      `the watermark behind ${time}`,
      async () => {
        const { extent } = await this.get<{ extent: { watermark?: string } }>('/v1/coverage');
        return (extent.watermark ?? '') > time ? true : undefined;
      },
      seconds,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
