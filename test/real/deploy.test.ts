// What deploy/ holds is given to what reads it: the compose file to the loader of docker compose, Vault's setup to a real Vault.

import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from './servers.ts';

const run = promisify(execFile);
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealwatch-deploy-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("deploy/compose.yaml, by compose's own loader", () => {
  const load = (file: string) =>
    run('go', ['run', '.', resolve(file)], { cwd: 'test/real/deploy/compose', maxBuffer: 1e7 });

  it('is a compose file, with all that services depend on', async () => {
    const { services } = JSON.parse((await load('deploy/compose.yaml')).stdout) as {
      services: Record<string, { environment?: Record<string, string>; depends_on?: object }>;
    };
    expect(Object.keys(services).length).toBe(15);
    expect(services['ledger']?.environment?.['SEALWATCH_VAULT_ADDRESS']).toBe('http://vault:8200');
    expect(services['serve']?.environment?.['SEALWATCH_ELASTICSEARCH_USERNAME']).toBe('sealwatch-reader');
    expect(Object.keys(services['index']?.depends_on ?? {})).toEqual(['prepare']);
  });

  it('is refused when it is not one: the loader looks', async () => {
    const text = readFileSync('deploy/compose.yaml', 'utf8');
    const broken = join(folder, 'compose.yaml');
    writeFileSync(broken, text.replace('read_only: true', 'readonly: true'));
    await expect(load(broken)).rejects.toThrow(/readonly/);
  });
});

describe('deploy/vault/setup.sh, on a Vault that nobody has used', () => {
  it('initialises, makes devices, policies and login; a second run changes nothing', async () => {
    const port = await freePort();
    const vault = resolve(process.env['SERVERS_DIR'] ?? '/var/tmp/sealwatch-servers', 'bin/vault');
    const config = readFileSync('deploy/vault/server.hcl', 'utf8')
      .replace('/vault/file', join(folder, 'storage'))
      .replace('0.0.0.0:8200', `127.0.0.1:${port}`)
      .replace('http://vault:8200', `http://127.0.0.1:${port}`);
    writeFileSync(join(folder, 'server.hcl'), config);
    const env = {
      ...process.env,
      PATH: `${dirname(vault)}:${process.env['PATH']}`,
      VAULT_ADDR: `http://127.0.0.1:${port}`,
      HOME: folder,
      KEYS: join(folder, 'keys'),
      LOGIN: join(folder, 'login'),
      SOCKET: join(folder, 'audit.sock'),
      AUDIT_FILE: join(folder, 'audit.log'),
    };
    mkdirSync(env.KEYS);
    mkdirSync(env.LOGIN);
    const server = spawn(vault, ['server', `-config=${folder}/server.hcl`], { stdio: 'ignore' });
    const listener = spawn(process.execPath, ['-e', LISTENER, env.SOCKET], { stdio: 'ignore' });
    try {
      await run('sh', ['deploy/vault/setup.sh'], { env });
      const login = ['role-id', 'secret-id'].map((name) => readFileSync(join(env.LOGIN, name), 'utf8'));
      expect(statSync(join(env.LOGIN, 'secret-id')).mode & 0o777).toBe(0o640);
      expect(statSync(join(env.KEYS, 'init')).mode & 0o777).toBe(0o600);
      expect(statSync(env.AUDIT_FILE).mode & 0o777).toBe(0o640);
      const again = await run('sh', ['deploy/vault/setup.sh'], { env });
      expect(again.stdout).toMatch(/file\/ +file[\s\S]*sealwatch\/ +socket/);
      expect(['role-id', 'secret-id'].map((name) => readFileSync(join(env.LOGIN, name), 'utf8'))).toEqual(
        login,
      );
      const args = [
        'write',
        '-format=json',
        'auth/approle/login',
        `role_id=${login[0]}`,
        `secret_id=${login[1]}`,
      ];
      const { auth } = JSON.parse((await run(vault, args, { env })).stdout) as {
        auth: { policies: string[] };
      };
      expect(auth.policies).toEqual(['sealwatch', 'sealwatch-directory']);
      expect(existsSync(env.AUDIT_FILE)).toBe(true);
    } finally {
      server.kill();
      listener.kill();
    }
  });
});

/** Stands where sealwatch would listen. */
const LISTENER = "require('net').createServer((s) => s.resume()).listen(process.argv[1])";
