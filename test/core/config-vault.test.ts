// The settings of the Vault that is asked: one way to a token, never a token, and each method with what it needs.

import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../core/config.ts';
import { vaultSettings } from '../../core/config-vault.ts';
import { isOddRef, secretRef } from '../../core/secret-ref.ts';

const address = 'https://vault.example:8200';
const faultsOf = (login: object, more: object = {}) =>
  (vaultSettings.safeParse({ address, login, ...more }).error?.issues ?? []).map(({ message }) => message);

describe('a login', () => {
  it.each([
    [{ method: 'approle', roleIdFile: 'r' }],
    [{ method: 'approle', roleIdFile: 'r', secretIdFile: 's', mount: 'team/ci' }],
    [{ method: 'approle', roleIdFile: 'r', wrappedSecretIdFile: 'w' }],
    [{ method: 'kubernetes', role: 'sealwatch' }],
    [{ method: 'aws', region: 'eu-central-1', serverId: 'vault.example' }],
    [{ method: 'jwt', role: 'sealwatch', jwtFile: 'j' }],
    [{ method: 'cert', certFile: 'c', keyFile: 'k' }],
  ])('%j', (login) => expect(faultsOf(login)).toEqual([]));

  it.each([
    [{ method: 'approle' }, ['approle needs roleIdFile']],
    [
      { method: 'approle', roleIdFile: 'r', secretIdFile: 's', wrappedSecretIdFile: 'w' },
      ['secretIdFile and wrappedSecretIdFile exclude each other'],
    ],
    [{ method: 'kubernetes' }, ['kubernetes needs role']],
    [{ method: 'kubernetes', role: 'r', secretIdFile: 's' }, ['kubernetes has no secretIdFile']],
    [{ method: 'jwt', role: 'r' }, ['jwt needs jwtFile']],
    [{ method: 'cert', certFile: 'c' }, ['cert needs keyFile']],
    [{ role: 'r' }, ['role needs a method', 'address and one of tokenFile and login.method belong together']],
    [{ method: 'approle', roleIdFile: 'r', mount: 'a/b/c' }, [expect.stringContaining('Invalid string')]],
  ])('but not %j', (login, faults) => expect(faultsOf(login)).toEqual(faults));

  it.each(['..', 'team/..', '.'])('no mount is called %s', (mount) =>
    expect(faultsOf({ method: 'approle', roleIdFile: 'r', mount })).toHaveLength(1),
  );

  it('an address holds no password, and a certificate is shown by TLS alone', () => {
    const login = { method: 'cert', certFile: 'c', keyFile: 'k' };
    expect(faultsOf(login, { address: 'http://127.0.0.1:8200' })[0]).toContain('https');
    expect(faultsOf(login, { address: 'https://me:secret@vault.example' })).toEqual([
      'no user and no password in the address',
    ]);
  });

  it('there is one way to a token, and a Vault to use it on', () => {
    const together = ['address and one of tokenFile and login.method belong together'];
    expect(faultsOf({}, { tokenFile: 't' })).toEqual([]);
    expect(faultsOf({})).toEqual(together);
    expect(faultsOf({ method: 'aws' }, { tokenFile: 't' })).toEqual(together);
    expect(faultsOf({ method: 'aws' }, { address: undefined })).toEqual(together);
    expect(vaultSettings.safeParse({}).success).toBe(true);
  });

  it.each(['token', 'secretId', 'secret_id', 'password'])('there is no key for a %s', (key) => {
    expect(faultsOf({ method: 'aws', [key]: 'x' })[0]).toContain('Unrecognized key');
    expect(faultsOf({ method: 'aws' }, { [key]: 'x' })[0]).toContain('Unrecognized key');
  });

  it('can be set by variables alone', () => {
    const { vault } = loadConfig({
      SEALWATCH_VAULT_ADDRESS: address,
      SEALWATCH_VAULT_NAMESPACE: 'team/',
      SEALWATCH_VAULT_LOGIN_METHOD: 'approle',
      SEALWATCH_VAULT_LOGIN_ROLE_ID_FILE: '/etc/sealwatch/role-id',
      SEALWATCH_VAULT_LOGIN_SECRET_ID_FILE: '/etc/sealwatch/secret-id',
      SEALWATCH_VAULT_BUDGET_PERCENT: '0.5',
    });
    expect(vault).toMatchObject({
      namespace: 'team/',
      login: { method: 'approle', roleIdFile: '/etc/sealwatch/role-id' },
      budgetPercent: 0.5,
      budgetCalls: 100,
    });
  });
});

describe('a secret', () => {
  it('in Vault is a path and a field', () => {
    expect(secretRef('vault:secret/data/sealwatch/webhook#key')).toEqual({
      path: 'secret/data/sealwatch/webhook',
      field: 'key',
    });
    expect(secretRef('vault:team/kv/data/x#a-b.c')?.path).toBe('team/kv/data/x');
    expect(secretRef('/etc/sealwatch/key')).toBeUndefined();
  });

  it.each([
    'vault:secret/sealwatch#key',
    'vault:secret/data/x',
    'vault:secret/data/x#',
    'vault:secret/data/../x#key',
    'vault:secret/data/x y#key',
    'vault:',
  ])('%s is no reference, and no file either', (text) => {
    expect(isOddRef(text)).toBe(true);
    const env = {
      SEALWATCH_OUTPUTS_WEBHOOK_URL: 'https://hook.example',
      SEALWATCH_OUTPUTS_WEBHOOK_SECRET_FILE: text,
    };
    expect(() => loadConfig(env)).toThrow(/looks like vault:<mount>\/data\/<path>#<field>/);
  });

  it('in Vault needs a Vault', () => {
    const env = {
      SEALWATCH_OUTPUTS_WEBHOOK_URL: 'https://hook.example',
      SEALWATCH_OUTPUTS_WEBHOOK_SECRET_FILE: 'vault:secret/data/x#key',
    };
    expect(() => loadConfig(env)).toThrow(/a secret in Vault needs vault.address/);
  });
});
