// Records calls of a real Vault that put tokens where it does not hash.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AuditFile, hideFolder, tokenReplacer } from './audit-file.ts';
import { startVault } from './servers.ts';
import type { Vault } from './vault-client.ts';

const devices = { default: {}, raw: { log_raw: 'true' } };

/** Each puts the token somewhere. Some are refused: they are audited all the same. */
async function leak(vault: Vault, token: string): Promise<void> {
  await vault.call('PUT', `auth/token/lookup/${token}`, { token: vault.rootToken });
  await vault.call('GET', 'secret/data/app', { token: vault.rootToken, query: `note=${token}` });
  await vault.call('GET', `secret/data/app/${token}`, { token });
  await vault.root('PUT', `sys/policies/acl/for-${token.slice(0, 28)}`, { policy: 'path "x" {}' });
  await vault.root('POST', 'auth/token/create', {
    meta: { made_by: token, [token]: 'key' },
    display_name: token,
  });
  await vault.root('POST', 'secret/data/app', { data: { [token]: 'as-a-key', note: token, pin: 4711 } });
  await vault.call('PUT', 'sys/leases/revoke', { token: vault.rootToken, body: { lease_id: token } });
  await vault.root('PUT', 'sys/config/auditing/request-headers/x-leak', { hmac: false });
  await vault.call('GET', 'auth/token/lookup-self', { token, userAgent: `agent ${token}` });
}

/** Writes `DEVICE.jsonl` to `target`; returns how many lines. */
export async function captureLeaks(target: string): Promise<number> {
  await using running = await startVault('vault-leaks');
  const { vault, folder } = running;
  await vault.root('POST', 'sys/mounts/secret', { type: 'kv', options: { version: '2' } });
  const files = new Map<string, AuditFile>();
  for (const [name, options] of Object.entries(devices)) {
    const path = join(folder, `${name}.log`);
    await vault.root('PUT', `sys/audit/${name}`, { type: 'file', options: { file_path: path, ...options } });
    const file = new AuditFile(path);
    file.take();
    files.set(name, file);
  }
  for (const type of ['service', 'batch']) {
    const made = await vault.root('POST', 'auth/token/create', { type, policies: ['default'], ttl: '10m' });
    await leak(vault, made.auth?.client_token ?? '');
  }
  const replaceTokens = tokenReplacer();
  mkdirSync(target, { recursive: true });
  let count = 0;
  for (const [name, file] of files) {
    const lines = file.take().map((line) => hideFolder(replaceTokens(line), folder));
    writeFileSync(join(target, `${name}.jsonl`), lines.map((line) => `${line}\n`).join(''));
    count += lines.length;
  }
  return count;
}
