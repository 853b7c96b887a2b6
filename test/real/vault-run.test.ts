// `sealwatch run` against a real Vault: it logs in by AppRole with the policies of deploy/vault/, reads its own secrets and follows
// their rotation, sees its look-up on every device, and gives its token back.

import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { isOwnCall } from '../../core/own-calls.ts';
import { type Asked, type Fake, listen } from './auth-methods/listen.ts';
import { Product } from './product.ts';
import { type RunningVault, startVault } from './servers.ts';

let running: RunningVault;
let product: Product;
let receiver: Fake;
let auditFile: string;
let config: string;
const received: Asked[] = [];
const keys = { first: 'a'.repeat(40), second: 'b'.repeat(40) };
const SECRET = 'secret/data/sealwatch/webhook';

beforeAll(async () => {
  running = await startVault('vault-run');
  const { vault, folder } = running;
  await furnish();
  receiver = await listen((asked) => {
    received.push(asked);
    return { body: {} };
  });
  const dataDir = join(folder, 'data');
  mkdirSync(dataDir);
  auditFile = join(folder, 'audit.log');
  config = join(folder, 'sealwatch.yaml');
  writeFileSync(
    config,
    `tcp: { enabled: false }
file: { path: ${auditFile} }
time: { pairWaitSeconds: 2, allowedLatenessSeconds: 1 }
vault:
  address: ${vault.address}
  login: { method: approle, roleIdFile: ${folder}/role-id, secretIdFile: ${folder}/secret-id }
  heartbeatSeconds: 1
  secretPollSeconds: 1
outputs:
  webhook: { url: "${receiver.url}", secretFile: "vault:${SECRET}#signing" }
keys:
  - { name: team, role: analyst, file: "vault:${SECRET}#api" }
`,
  );
  product = await Product.start(dataDir, { SEALWATCH_CONFIG: config });
  await vault.root('PUT', 'sys/audit/file', {
    type: 'file',
    options: { file_path: auditFile, hmac_accessor: 'false' },
  });
});

afterAll(async () => {
  await product?.stop();
  await receiver?.[Symbol.asyncDispose]();
  await running?.[Symbol.asyncDispose]();
});

/** The policies as they are shipped, one role, and the secrets in their first version. */
async function furnish(): Promise<void> {
  const { vault, folder } = running;
  for (const name of ['sealwatch', 'sealwatch-secrets']) {
    const policy = readFileSync(`deploy/vault/${name}.hcl`, 'utf8');
    await vault.root('PUT', `sys/policies/acl/${name}`, { policy });
  }
  await vault.root('POST', 'sys/mounts/secret', { type: 'kv', options: { version: '2' } });
  await vault.root('POST', SECRET, { data: { signing: 'webhook-key-1', api: keys.first } });
  await vault.root('POST', 'sys/auth/approle', { type: 'approle' });
  const token_policies = 'sealwatch,sealwatch-secrets';
  await vault.root('POST', 'auth/approle/role/sealwatch', {
    token_policies,
    token_no_default_policy: true,
    token_ttl: '6s',
    token_max_ttl: '20s',
  });
  const { data } = await vault.root('GET', 'auth/approle/role/sealwatch/role-id');
  const secret = await vault.root('POST', 'auth/approle/role/sealwatch/secret-id', {});
  writeFileSync(join(folder, 'role-id'), String(data['role_id']), { mode: 0o600 });
  writeFileSync(join(folder, 'secret-id'), String(secret.data['secret_id']), { mode: 0o600 });
}

const metric = async (name: string): Promise<number> =>
  Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(await product.text('/metrics'))?.[1]);

/** Status of a call of the API with `key`. */
const statusWith = async (key: string): Promise<number> =>
  (await fetch(product.url('/v1/alerts'), { headers: { authorization: `Bearer ${key}` } })).status;

const isSignedWith = (secret: string): boolean =>
  received.some(({ headers, body }) => {
    const text = `${headers['x-sealwatch-timestamp']}.${body}`;
    return (
      headers['x-sealwatch-signature'] === `sha256=${createHmac('sha256', secret).update(text).digest('hex')}`
    );
  });

it('logs in, and its look-up comes back on the device', async () => {
  await product.until('look-ups seen', async () =>
    (await metric('sealwatch_device_heartbeat_seen{device="file"}')) === 1 ? true : undefined,
  );
  expect(await metric('sealwatch_vault_token_is_root')).toBe(0);
  const { code, report } = await product.doctor();
  expect(report).toMatch(/^ok +sealwatch is logged in to Vault, for \d+ s more$/m);
  expect(report).toMatch(/^ok +the token may ask all that sealwatch asks$/m);
  expect({ code, report }).toMatchObject({ code: 0 });
});

it('reads its own secrets, and follows their rotation without a restart', async () => {
  expect(await statusWith(keys.first)).toBe(200);
  // The root token was used: worth an alert.
  await product.until(
    'an alert signed with the first key',
    async () => isSignedWith('webhook-key-1') || undefined,
  );
  await running.vault.root('POST', SECRET, { data: { signing: 'webhook-key-2', api: keys.second } });
  await product.until('the second key', async () => (await statusWith(keys.second)) === 200 || undefined);
  expect(await statusWith(keys.first)).toBe(401);
  await running.vault.root('PUT', 'sys/policies/acl/x', { policy: 'path "x" {}' });
  await product.until(
    'an alert signed with the second key',
    async () => isSignedWith('webhook-key-2') || undefined,
  );
});

it('keeps a secret that is no longer there', async () => {
  await running.vault.root('DELETE', SECRET);
  const before = await metric('sealwatch_vault_calls_total');
  await product.until('a few looks', async () =>
    (await metric('sealwatch_vault_calls_total')) > before + 10 ? true : undefined,
  );
  expect(await statusWith(keys.second)).toBe(200);
});

it('renews, and logs in again when renewals end', async () => {
  await product.until('two logins', async () =>
    (await metric('sealwatch_vault_logins_total')) >= 2 ? true : undefined,
  );
  expect(await metric('sealwatch_vault_token_renewals_total')).toBeGreaterThan(1);
});

it('made only declared calls, and leaves no token and no secret behind', async () => {
  expect(await product.stop()).toBe(0);
  // Tokens of logins before the last live on to their end, some seconds.
  const { vault } = running;
  const ends = async () =>
    (await vault.call('LIST', 'sys/leases/lookup/auth/approle/login', { token: vault.rootToken })).status;
  while ((await ends()) !== 404) await sleep(200);
  const lines = readFileSync(auditFile, 'utf8').trim().split('\n');
  const own = lines
    .map((line) => JSON.parse(line) as Entry)
    .filter(({ type, auth }) => type === 'request' && auth?.metadata?.role_name === 'sealwatch')
    .map(({ request }) => `${request.operation} ${request.path}`);
  const odd = [...new Set(own)].filter((call) => {
    const [operation = '', path = ''] = call.split(' ');
    return !isOwnCall(operation, path, [SECRET]);
  });
  expect(own.length).toBeGreaterThan(20);
  expect(own.at(-1)).toBe('update auth/token/revoke-self');
  expect(odd).toEqual([]);
  const dataDir = join(running.folder, 'data');
  for (const secret of ['webhook-key-', keys.first, keys.second]) expect(foundIn(dataDir, secret)).toBe('');
});

/** Files of `folder` that hold `text`. */
function foundIn(folder: string, text: string): string {
  try {
    return execFileSync('grep', ['-rlaF', text, folder], { encoding: 'utf8' });
  } catch {
    // grep ends with 1 when it finds nothing.
    return '';
  }
}

interface Entry {
  type: string;
  auth?: { metadata?: { role_name?: string } };
  request: { operation: string; path: string };
}
