// Starts the built product as a user would, and asks its API.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './servers.ts';

interface Answer<T> {
  items: T[];
  next_cursor?: string | null;
}

export class Product implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #dataDir: string;
  readonly #port: number;
  readonly #env: NodeJS.ProcessEnv;
  #output = '';

  private constructor(child: ChildProcess, dataDir: string, port: number, env: NodeJS.ProcessEnv) {
    this.#child = child;
    this.#dataDir = dataDir;
    this.#port = port;
    this.#env = env;
    child.stdout?.on('data', (chunk: Buffer) => this.#keep(chunk));
    child.stderr?.on('data', (chunk: Buffer) => this.#keep(chunk));
  }

  /** Resolves when it is ready to take lines. `launcher` is a command that starts the one behind it. */
  static async start(
    dataDir: string,
    settings: Record<string, string>,
    launcher: readonly string[] = [],
  ): Promise<Product> {
    const port = await freePort();
    const env = {
      ...process.env,
      ...settings,
      SEALWATCH_DATA_DIR: dataDir,
      SEALWATCH_API_PORT: String(port),
    };
    const command = [...launcher, process.execPath, '--enable-source-maps', 'dist/main.js', 'run'];
    const child = spawn(command[0] as string, command.slice(1), {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const product = new Product(child, dataDir, port, env);
    await product.until('ready', async () => ((await product.#fetch('/readyz')).ok ? true : undefined));
    return product;
  }

  /** Polls until `look` finds something: the way from the line to the API takes a moment, and nobody knows how long. */
  async until<T>(what: string, look: () => Promise<T | undefined>, ms = 120_000): Promise<T> {
    const deadline = Date.now() + ms;
    for (;;) {
      const found = await look().catch((error: unknown) => {
        if (Date.now() > deadline) throw error;
        return undefined;
      });
      if (found !== undefined) return found;
      if (this.#child.exitCode !== null) throw new Error(`sealwatch ended before: ${what}\n${this.#output}`);
      if (Date.now() > deadline) throw new Error(`not within ${ms / 1000} s: ${what}\n${this.#output}`);
      await sleep(300);
    }
  }

  /** All rows of a list, page by page along the cursor. */
  async all<T>(path: string, limit = 50): Promise<T[]> {
    const rows: T[] = [];
    let cursor: string | null | undefined;
    do {
      const query = new URLSearchParams({ limit: String(limit), ...(cursor ? { cursor } : {}) });
      const response = await this.#fetch(`${path}${path.includes('?') ? '&' : '?'}${query}`);
      if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
      const page = (await response.json()) as Answer<T>;
      rows.push(...page.items);
      cursor = page.next_cursor;
    } while (cursor);
    return rows;
  }

  /** Address of a path of its API. */
  url = (path: string): string => `http://127.0.0.1:${this.#port}${path}`;

  /** The body of an answer. */
  async text(path: string): Promise<string> {
    const response = await this.#fetch(path);
    const body = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${body}`);
    return body;
  }

  /** `sealwatch doctor` with the settings that it runs with; exit code and report. */
  doctor(): Promise<{ code: number; report: string }> {
    return new Promise((resolve) => {
      execFile(process.execPath, ['dist/main.js', 'doctor'], { env: this.#env }, (error, stdout) =>
        resolve({ code: error === null ? 0 : (error.code as number), report: stdout }),
      );
    });
  }

  /** Ends it as a service manager would; returns its exit code. */
  async stop(): Promise<number | null> {
    if (this.#child.exitCode === null) {
      const ended = new Promise((done) => this.#child.once('exit', done));
      this.#child.kill('SIGTERM');
      await Promise.race([ended, sleep(30_000).then(() => this.#child.kill('SIGKILL'))]);
    }
    return this.#child.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #fetch(path: string): Promise<Response> {
    const key = join(this.#dataDir, 'admin-key');
    const headers = existsSync(key) ? { authorization: `Bearer ${readFileSync(key, 'utf8').trim()}` } : {};
    return fetch(this.url(path), { headers });
  }

  #keep(chunk: Buffer): void {
    this.#output = (this.#output + chunk.toString()).slice(-8192);
  }
}
