// One Kafka and one Elasticsearch for all files of a run: started by whoever comes first, ended by `run.ts`.

import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { freePorts } from './servers.ts';

const run = promisify(execFile);

interface Server {
  /** Its settings, and where they name its port. */
  settings: string;
  port: RegExp;
  /** It takes the next port as well. */
  env: (folder: string, port: number) => Record<string, string>;
}
const servers = {
  kafka: {
    settings: 'run/server.properties',
    port: /^listeners=PLAINTEXT:\/\/127\.0\.0\.1:(\d+)/m,
    env: (folder, port) => ({
      KAFKA_RUN: join(folder, 'run'),
      KAFKA_DATA: join(folder, 'data'),
      KAFKA_PORT: String(port),
      KAFKA_HEAP: '384m',
    }),
  },
  elasticsearch: {
    settings: 'run/conf/elasticsearch.yml',
    port: /^http\.port: (\d+)$/m,
    env: (folder, port) => ({
      ES_RUN: join(folder, 'run'),
      ES_DATA: join(folder, 'data'),
      ES_PORT: String(port),
      ES_TRANSPORT_PORT: String(port + 1),
      ES_HEAP: '512m',
    }),
  },
} satisfies Record<string, Server>;

/** Starts it unless it runs already. Returns its address, `HOST:PORT`. */
export async function sharedServer(name: keyof typeof servers): Promise<string> {
  const base = process.env['REAL_RUN_DIR'];
  if (base === undefined) throw new Error('no REAL_RUN_DIR: run with vitest');
  const folder = join(base, name);
  const { settings, port } = servers[name];
  const env = { ...process.env, ...servers[name].env(folder, await freePorts()) };
  // Files run in processes of their own: the first starts it, the others wait and find it running, at its port.
  await run('flock', ['--close', `${folder}.lock`, 'bash', script(name, 'start')], { env });
  return `127.0.0.1:${port.exec(readFileSync(join(folder, settings), 'utf8'))?.[1]}`;
}

/** Ends those that were started. */
export async function stopSharedServers(base: string): Promise<void> {
  for (const name of Object.keys(servers) as (keyof typeof servers)[]) {
    const folder = join(base, name);
    if (!existsSync(folder)) continue;
    const env = { ...process.env, ...servers[name].env(folder, 0) };
    await run('bash', [script(name, 'stop')], { env });
  }
}

const script = (name: string, verb: string) => resolve('test/real/servers', name, `${verb}.sh`);
