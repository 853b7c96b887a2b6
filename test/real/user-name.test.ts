// Users that a real Vault makes in a real PostgreSQL: each name leads back to the lease that it was made for.

import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AuditEvent } from '../../core/event.ts';
import { Harness } from '../api/harness.ts';
import { aLease } from '../builders.ts';
import { batchOf } from '../contract/evidence-store.ts';
import { made } from '../ingest/normalise/lines.ts';
import { AuditFile } from './audit-file.ts';
import { addPerson, addService, furnish, password } from './furnish.ts';
import { type RunningVault, startVault } from './servers.ts';

interface Taken {
  name: string;
  lease: string;
}

let running: RunningVault;
let harness: Harness;
const taken: Taken[] = [];
const shown: Taken[] = [];

beforeAll(async () => {
  running = await startVault('user-name');
  const { vault, folder } = running;
  await furnish(vault);
  const path = join(folder, 'audit.log');
  await vault.root('PUT', 'sys/audit/file', { type: 'file', options: { file_path: path } });
  await vault.root('POST', 'database/config/orders', { allowed_roles: '*' });
  const role = { db_name: 'orders', creation_statements: `CREATE ROLE "{{name}}"`, default_ttl: '15m' };
  await vault.root('POST', 'database/roles/readonly-reports', role);
  await addPerson(vault, 'alexandra', 'billing');
  const approle = await addService(vault, 'billing');
  const tokens = {
    person: await vault.login('auth/userpass/login/alexandra', { password }),
    service: await vault.login('auth/approle/login', approle),
    root: vault.rootToken,
  };
  const take = async (token: string, of = 'app'): Promise<Taken> => {
    const { data, lease_id } = await vault.must('GET', `database/creds/${of}`, { token });
    return { name: String(data['username']), lease: lease_id ?? '' };
  };
  for (let round = 0; round < 3; round++) {
    taken.push(await take(tokens.person), await take(tokens.service));
    taken.push(await take(tokens.root), await take(tokens.root, 'readonly-reports'));
  }
  await vault.root('POST', 'sys/mounts/database/tune', { audit_non_hmac_response_keys: ['username'] });
  shown.push(await take(tokens.person), await take(tokens.root, 'readonly-reports'));
  const { events } = made(new AuditFile(path).take());
  const leases = events.flatMap((event) => leaseOf(event));
  harness = await Harness.open(
    batchOf({ events: events.map((event) => ({ event, text: JSON.stringify(event) })), leases }),
  );
});

afterAll(async () => {
  await harness?.[Symbol.asyncDispose]();
  await running?.[Symbol.asyncDispose]();
});

function leaseOf(event: AuditEvent) {
  const id = event.vault.lease?.id;
  if (id === undefined) return [];
  const path = id.slice(0, id.lastIndexOf('/'));
  const role = path.slice(path.lastIndexOf('/') + 1);
  const proof = { issued: event.event.id };
  return [{ revision: 1, body: aLease({ id, time: event['@timestamp'], with: { path, role, proof } }) }];
}

interface Item {
  credential: { id: string };
  match: { by: string; certainty: string };
}

const ask = async (name: string): Promise<Item[]> =>
  (await harness.get(`/v1/credentials?database_user=${encodeURIComponent(name)}`)).json().items;

test('hashed names: the right lease is among few candidates, and none is claimed', async () => {
  expect(taken).toHaveLength(12);
  for (const { name, lease } of taken) {
    const items = await ask(name);
    expect(
      items.map(({ credential }) => credential.id),
      name,
    ).toContain(lease);
    // Each caller and role took three.
    expect(items.length, name).toBeLessThanOrEqual(3);
    expect(new Set(items.map(({ match }) => match.by))).toEqual(new Set(['user_name_pattern']));
  }
});

test('names that the log shows: the one lease', async () => {
  for (const { name, lease } of shown)
    expect(await ask(name)).toMatchObject([{ credential: { id: lease }, match: { certainty: 'exact' } }]);
});

test('a name by the hash that Vault makes of it: the one lease', async () => {
  const [first] = taken as [Taken];
  const { data } = await running.vault.root('POST', 'sys/audit-hash/file', { input: first.name });
  expect(await ask(String(data['hash']))).toMatchObject([
    { credential: { id: first.lease }, match: { certainty: 'exact' } },
  ]);
});
