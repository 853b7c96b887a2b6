// AppRole: role id and secret id from files, and a wrapped secret id that is opened exactly once.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { VaultAnswer, VaultCall } from '../../../vault/client.ts';
import { appRoleLogin } from '../../../vault/login/approle.ts';
import { answered, away, ScriptedClient } from '../scripted.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealwatch-approle-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const loginOf = (files: object, client = new ScriptedClient(() => away)) =>
  appRoleLogin({ client, mount: 'approle', roleIdFile: file('role-id', 'r\n'), ...files });

it('reads its files anew for each login', async () => {
  const login = loginOf({ secretIdFile: file('secret-id', 'one') });
  expect(await login.body()).toEqual({ body: { role_id: 'r', secret_id: 'one' } });
  file('secret-id', 'two\n');
  expect(await login.body()).toEqual({ body: { role_id: 'r', secret_id: 'two' } });
  expect(login.path).toBe('auth/approle/login');
});

it('a role may bind no secret id', async () => {
  expect(await loginOf({}).body()).toEqual({ body: { role_id: 'r' } });
});

it.each([
  ['nowhere', undefined, 'secret_id_file_ENOENT'],
  ['empty', '\n', 'secret_id_file_empty'],
  ['odd', 'a b', 'secret_id_file_odd'],
])('a file that is %s', async (name, text, fault) => {
  const secretIdFile = text === undefined ? join(folder, name) : file(name, text);
  expect(await loginOf({ secretIdFile }).body()).toEqual({ fault });
});

describe('a wrapped secret id', () => {
  let wrappedSecretIdFile: string;
  beforeEach(() => {
    wrappedSecretIdFile = file('wrapped', 'w1');
  });
  const about = (creation_path: string) => answered(200, { data: { creation_path } });
  const good = about('auth/approle/role/sealwatch/secret-id');
  const client = (lookup: VaultAnswer, unwrap: (call: VaultCall) => VaultAnswer) =>
    new ScriptedClient((call) => (call.path === 'sys/wrapping/lookup' ? lookup : unwrap(call)));

  it('is opened once, and kept', async () => {
    const vault = client(good, ({ token }) => answered(200, { data: { secret_id: `of-${token}` } }));
    const login = loginOf({ wrappedSecretIdFile }, vault);
    for (let i = 0; i < 3; i++)
      expect(await login.body()).toEqual({ body: { role_id: 'r', secret_id: 'of-w1' } });
    expect(vault.asked).toHaveLength(2);
    // Whoever brought it takes the file away; then another is brought.
    rmSync(wrappedSecretIdFile);
    expect(await login.body()).toEqual({ body: { role_id: 'r', secret_id: 'of-w1' } });
    file('wrapped', 'w2');
    expect(await login.body()).toEqual({ body: { role_id: 'r', secret_id: 'of-w2' } });
  });

  it('that somebody else has opened is a fault, and not tried again', async () => {
    const vault = client(answered(400, {}), () => away);
    const login = loginOf({ wrappedSecretIdFile }, vault);
    for (let i = 0; i < 3; i++) expect(await login.body()).toEqual({ fault: 'secret_id_wrapping_used' });
    expect(vault.asked).toHaveLength(1);
  });

  it.each([
    'sys/wrapping/wrap',
    'auth/other/role/x/secret-id',
    'auth/approle/role/x/secret-id/lookup',
    'auth/approle/role/x',
    'kv/auth/approle/role/x/secret-id',
    'auth/approle/role//secret-id',
    '',
  ])('that was made at %j is not opened', async (path) => {
    const vault = client(about(path), () => answered(200, { data: { secret_id: 'x' } }));
    expect(await loginOf({ wrappedSecretIdFile }, vault).body()).toEqual({
      fault: 'secret_id_wrapping_foreign',
    });
    expect(vault.asked.map((call) => call.path)).toEqual(['sys/wrapping/lookup']);
  });

  it('is tried again when Vault was away before it was opened', async () => {
    let down = true;
    const vault = client(good, () => (down ? away : answered(200, { data: { secret_id: 's' } })));
    const login = loginOf({ wrappedSecretIdFile }, vault);
    expect(await login.body()).toEqual({ fault: 'ECONNREFUSED' });
    down = false;
    expect(await login.body()).toEqual({ body: { role_id: 'r', secret_id: 's' } });
  });
});
