// A Kafka and an Elasticsearch that a test may stop, kill and start again: each with its own folder and ports.

import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePorts } from '../servers.ts';

const run = promisify(execFile);
const scripts = resolve('test/real/servers');
const serversDir = process.env['SERVERS_DIR'] ?? '/var/tmp/sealwatch-servers';

type Name = 'kafka' | 'elasticsearch';

export class OwnServer implements AsyncDisposable {
  readonly address: string;
  private readonly name: Name;
  private readonly folder: string;
  private readonly env: Record<string, string>;

  private constructor(name: Name, folder: string, port: number, env: Record<string, string>) {
    this.name = name;
    this.folder = folder;
    this.address = `127.0.0.1:${port}`;
    const [run, data] = [join(folder, 'run'), join(folder, 'data')];
    const places = { KAFKA_RUN: run, KAFKA_DATA: data, ES_RUN: run, ES_DATA: data };
    this.env = { ...env, ...places };
  }

  static async kafka(): Promise<OwnServer> {
    const port = await freePorts();
    return OwnServer.begin('kafka', port, { KAFKA_PORT: String(port), KAFKA_HEAP: '384m' });
  }

  /** @param extra lines for its settings file */
  static async elasticsearch(extra = ''): Promise<OwnServer> {
    const port = await freePorts();
    const env = {
      ES_PORT: String(port),
      ES_TRANSPORT_PORT: String(port + 1),
      ES_HEAP: '768m',
      ES_EXTRA: extra,
    };
    return OwnServer.begin('elasticsearch', port, env);
  }

  private static async begin(name: Name, port: number, env: Record<string, string>): Promise<OwnServer> {
    mkdirSync(serversDir, { recursive: true });
    const folder = mkdtempSync(join(serversDir, `chaos-${name}-`));
    // Elasticsearch runs as somebody who owns nothing else.
    chmodSync(folder, 0o755);
    const server = new OwnServer(name, folder, port, env);
    await server.start().catch(async (error) => {
      await server[Symbol.asyncDispose]();
      throw error;
    });
    return server;
  }

  async start(): Promise<void> {
    await run('bash', [join(scripts, this.name, 'start.sh')], { env: { ...process.env, ...this.env } });
  }

  /** As its administrator would. */
  async stop(): Promise<void> {
    await run('bash', [join(scripts, this.name, 'stop.sh')], { env: { ...process.env, ...this.env } });
  }

  /** Holds the id of its process. */
  get pidFile(): string {
    return join(this.folder, 'run', this.name === 'kafka' ? 'kafka.pid' : 'es.pid');
  }

  /** As a power cut would, but that the disk has all that was given to it. */
  async kill(): Promise<void> {
    const pid = Number(readFileSync(this.pidFile, 'utf8'));
    process.kill(pid, 'SIGKILL');
    while (isAlive(pid)) await sleep(50);
    rmSync(this.pidFile);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A killed process whose parent has not asked for it yet is no longer one.
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
}
