// Starts and stops the real servers that the capture and the real-server test need.

import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { Vault } from './vault-client.ts';

const run = promisify(execFile);
/** From the root of the project, where all of npm's scripts run. */
const scripts = resolve('test/real/servers');
const serversDir = process.env['SERVERS_DIR'] ?? '/var/tmp/sealwatch-servers';

/** Configuration beside that of start.sh (HCL) and variables for Vault, made in the instance's folder before it starts. */
export type Extra = (folder: string) => Promise<{ config: string; env: Record<string, string> }>;

export interface RunningVault extends AsyncDisposable {
  vault: Vault;
  /** Empty folder that Vault and the test can both write to; removed at the end. */
  folder: string;
}

/** A Vault of its own for each caller, so that two test runs on one machine do not meet. */
export async function startVault(
  name: string,
  storage: 'inmem' | 'inmem_ha' = 'inmem',
  extra?: Extra,
): Promise<RunningVault> {
  const port = await freePorts();
  const instance = `${name}-${process.pid}`;
  const folder = join(serversDir, instance);
  const env = { ...process.env, VAULT_NAME: instance, VAULT_PORT: String(port), VAULT_STORAGE: storage };
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  if (extra !== undefined) {
    const { config, env: variables } = await extra(folder);
    writeFileSync(join(folder, 'extra.hcl'), config);
    Object.assign(env, variables);
  }
  await run('bash', [join(scripts, 'vault/start.sh')], { env });
  const rootToken = readFileSync(join(folder, 'root-token'), 'utf8');
  return {
    vault: new Vault(`http://127.0.0.1:${port}`, rootToken),
    folder,
    async [Symbol.asyncDispose]() {
      await run('bash', [join(scripts, 'vault/stop.sh')], { env });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Starts PostgreSQL if it is not running; returns the connection for Vault's database engine. */
export async function startPostgres(): Promise<{ url: string; username: string; password: string }> {
  const { stdout } = await run('bash', [join(scripts, 'postgres.sh')]);
  const port = stdout.trim().split('\n').at(-1);
  return {
    url: `postgresql://{{username}}:{{password}}@127.0.0.1:${port}/sealwatch_test?sslmode=disable`,
    username: 'sealwatch_test',
    password: 'example-password',
  };
}

/** A port that is free together with the next one, which Vault takes for its cluster listener and Kafka for its controller. */
export async function freePorts(): Promise<number> {
  for (;;) {
    const port = await freePort();
    if (port < 65_535 && (await freePort(port + 1).catch(() => undefined))) return port;
  }
}

export function freePort(port = 0): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer();
    server.on('error', fail);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => done(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
