// sealwatch logs in to a real Vault in each way it knows: token, renewal, a new login when the token is gone, seal, the end.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { vaultSettings } from '../../core/config-vault.ts';
import type { Answer } from '../../core/records.ts';
import type { LoginKeeper } from '../../vault/login-keeper.ts';
import { type OpenVault, openVault } from '../../vault/open.ts';
import { type Certificate, issue, makeAuthority } from './auth-methods/certificates.ts';
import { account, fakeAws } from './auth-methods/fake-aws.ts';
import { fakeKubernetes } from './auth-methods/fake-kubernetes.ts';
import { makeKey, signJwt } from './auth-methods/jwt.ts';
import type { Fake } from './auth-methods/listen.ts';
import { freePort, type RunningVault, startVault } from './servers.ts';
import type { Vault } from './vault-client.ts';

let running: RunningVault;
let vault: Vault;
let authority: Certificate;
let client: Certificate;
let tlsAddress: string;
const fakes: Fake[] = [];

const token = { token_policies: 'sealwatch', token_ttl: '30m' };
const file = (name: string, text: string): string => {
  const path = join(running.folder, name);
  writeFileSync(path, text);
  return path;
};

beforeAll(async () => {
  const port = await freePort();
  running = await startVault('logins', 'inmem', async (folder) => {
    authority = makeAuthority(folder, 'authority');
    client = issue(folder, authority, 'client', 'sealwatch.example.com');
    const server = issue(folder, authority, 'server', 'vault.example.com');
    const config = `listener "tcp" {
  address = "127.0.0.1:${port}"
  tls_cert_file = "${server.certFile}"
  tls_key_file = "${server.keyFile}"
}`;
    return { config, env: {} };
  });
  vault = running.vault;
  tlsAddress = `https://127.0.0.1:${port}`;
  const policy = readFileSync('deploy/vault/sealwatch.hcl', 'utf8');
  await vault.root('PUT', 'sys/policies/acl/sealwatch', { policy });
});

afterAll(async () => {
  for (const fake of fakes) await fake[Symbol.asyncDispose]();
  await running?.[Symbol.asyncDispose]();
});

/** Enables the method and makes a role; returns the settings that log in by it. */
const methods: Record<string, () => Promise<object>> = {
  async approle() {
    await vault.root('POST', 'sys/auth/approle', { type: 'approle' });
    await vault.root('POST', 'auth/approle/role/sealwatch', token);
    const { data } = await vault.root('GET', 'auth/approle/role/sealwatch/role-id');
    const secret = await vault.root('POST', 'auth/approle/role/sealwatch/secret-id', {});
    return {
      method: 'approle',
      roleIdFile: file('role-id', String(data['role_id'])),
      secretIdFile: file('secret-id', `${secret.data['secret_id']}\n`),
    };
  },
  async 'approle, wrapped secret id, own mount'() {
    await vault.root('POST', 'sys/auth/team/ci', { type: 'approle' });
    await vault.root('POST', 'auth/team/ci/role/sealwatch', token);
    const { data } = await vault.root('GET', 'auth/team/ci/role/sealwatch/role-id');
    const wrapped = await vault.must('POST', 'auth/team/ci/role/sealwatch/secret-id', {
      token: vault.rootToken,
      body: {},
      wrapTtl: '60s',
    });
    return {
      method: 'approle',
      mount: 'team/ci',
      roleIdFile: file('role-id-2', String(data['role_id'])),
      wrappedSecretIdFile: file('wrapped', wrapped.wrap_info?.token ?? ''),
    };
  },
  async kubernetes() {
    const fake = await fakeKubernetes();
    fakes.push(fake);
    await vault.root('POST', 'sys/auth/kubernetes', { type: 'kubernetes' });
    await vault.root('POST', 'auth/kubernetes/config', {
      kubernetes_host: fake.url,
      token_reviewer_jwt: signJwt(makeKey(), { sub: 'system:serviceaccount:vault:reviewer' }),
      disable_local_ca_jwt: true,
    });
    await vault.root('POST', 'auth/kubernetes/role/sealwatch', {
      bound_service_account_names: 'sealwatch',
      bound_service_account_namespaces: 'security',
      ...token,
    });
    const jwt = signJwt(makeKey(), {
      iss: 'https://kubernetes.default.svc.cluster.local',
      sub: 'system:serviceaccount:security:sealwatch',
      'kubernetes.io': {
        namespace: 'security',
        serviceaccount: { name: 'sealwatch', uid: 'uid-of-sealwatch' },
      },
    });
    return { method: 'kubernetes', role: 'sealwatch', jwtFile: file('service-account', jwt) };
  },
  async aws() {
    const fake = await fakeAws();
    fakes.push(fake);
    await vault.root('POST', 'sys/auth/aws', { type: 'aws' });
    await vault.root('POST', 'auth/aws/config/client', {
      access_key: 'AKIAEXAMPLEUSER',
      secret_key: 'example-secret-key',
      endpoint: fake.url,
      iam_endpoint: fake.url,
      sts_endpoint: fake.url,
      sts_region: 'eu-central-1',
      iam_server_id_header_value: 'vault.example.com',
    });
    await vault.root('POST', 'auth/aws/role/sealwatch', {
      auth_type: 'iam',
      bound_iam_principal_arn: `arn:aws:iam::${account}:role/etl-batch`,
      resolve_aws_unique_ids: false,
      ...token,
    });
    return { method: 'aws', role: 'sealwatch', region: 'eu-central-1', serverId: 'vault.example.com' };
  },
  async jwt() {
    const key = makeKey();
    await vault.root('POST', 'sys/auth/jwt', { type: 'jwt' });
    await vault.root('POST', 'auth/jwt/config', { jwt_validation_pubkeys: key.pem });
    await vault.root('POST', 'auth/jwt/role/sealwatch', {
      role_type: 'jwt',
      user_claim: 'sub',
      bound_audiences: 'vault',
      ...token,
    });
    const jwt = signJwt(key, { sub: 'sealwatch', aud: 'vault' });
    return { method: 'jwt', role: 'sealwatch', jwtFile: file('jwt', jwt) };
  },
  async cert() {
    await vault.root('POST', 'sys/auth/cert', { type: 'cert' });
    await vault.root('POST', 'auth/cert/certs/sealwatch', {
      certificate: authority.cert,
      allowed_common_names: 'sealwatch.example.com',
      ...token,
    });
    return { method: 'cert', role: 'sealwatch', certFile: client.certFile, keyFile: client.keyFile };
  },
};

const env = {
  AWS_ACCESS_KEY_ID: 'AKIAEXAMPLEROLE',
  AWS_SECRET_ACCESS_KEY: 'example',
  AWS_SESSION_TOKEN: 'session',
};

interface Opened extends OpenVault {
  keeper: LoginKeeper;
  logins: Answer[];
  log: string[];
  /** Lets time pass for sealwatch, not for Vault. */
  skip: (ms: number) => void;
}

function open(login: object): Opened {
  const logins: Answer[] = [];
  const log: string[] = [];
  let skipped = 0;
  const say = (fields: object, message: string) => void log.push(JSON.stringify([fields, message]));
  const isCert = 'certFile' in login;
  const settings = vaultSettings.parse({
    address: isCert ? tlsAddress : vault.address,
    ...(isCert && { caFile: authority.certFile }),
    login,
  });
  const opened = openVault(settings, {
    logger: { debug: say, info: say, warn: say, error: say },
    now: () => Date.now() + skipped,
    random: () => 0,
    env,
    onLogin: (answer) => logins.push(answer),
  }) as OpenVault & { keeper: LoginKeeper };
  return {
    ...opened,
    logins,
    log,
    skip: (ms) => {
      skipped += ms;
    },
  };
}

const MINUTE = 60_000;
const accessorOf = async ({ session }: OpenVault): Promise<string> => {
  const { body, fault } = await session.read('auth/token/lookup-self');
  expect(fault).toBeUndefined();
  return String((body?.['data'] as { accessor?: string } | undefined)?.accessor);
};

describe.each(Object.keys(methods))('%s', (name) => {
  let opened: Opened;
  beforeAll(async () => {
    opened = open((await methods[name]?.()) as object);
  });

  it('logs in, and is back after two thirds of the token', async () => {
    expect(Math.abs((await opened.keeper.step()) - 20 * MINUTE)).toBeLessThan(MINUTE);
    expect(opened.logins).toHaveLength(1);
    expect(opened.logins[0]).toMatchObject({ purpose: 'login', status: 200 });
    expect(Object.keys(opened.logins[0]?.response ?? {})).toEqual(['request_id']);
    await accessorOf(opened);
  });

  it('renews the token that it has', async () => {
    const before = await accessorOf(opened);
    opened.skip(21 * MINUTE);
    await opened.keeper.step();
    expect(opened.keeper.counters).toEqual({ logins: 1, renewals: 1, refused: 0 });
    expect(await accessorOf(opened)).toBe(before);
  });

  it('logs in again when the token was revoked', async () => {
    const before = await accessorOf(opened);
    await vault.root('POST', 'auth/token/revoke-accessor', { accessor: before });
    // The session sees to a new one by itself.
    expect((await opened.session.read('auth/token/lookup-self')).fault).toBe('token_refused');
    while ((await opened.keeper.token()) === undefined) await sleep(10);
    expect(await accessorOf(opened)).not.toBe(before);
    expect(opened.logins).toHaveLength(2);
  });

  it('gives the token back at the end, and no log line holds it', async () => {
    const value = (await opened.keeper.token()) ?? '';
    const accessor = await accessorOf(opened);
    await opened.session.stop();
    const gone = await vault.call('POST', 'auth/token/lookup-accessor', {
      token: vault.rootToken,
      body: { accessor },
    });
    expect(gone).toMatchObject({ status: 400, errors: [expect.stringContaining('invalid accessor')] });
    expect(value.length).toBeGreaterThan(20);
    expect(opened.log.join()).not.toContain(value);
    expect(opened.log.length).toBeLessThanOrEqual(1);
  });
});

it('a rate limit is obeyed, for as long as Vault says when it is told to say so', async () => {
  await vault.root('POST', 'sys/quotas/rate-limit/logins', {
    ...{ path: 'auth/approle', rate: 1, interval: '30s' },
  });
  const [first, second] = [0, 1].map(() =>
    open({
      method: 'approle',
      roleIdFile: join(running.folder, 'role-id'),
      secretIdFile: join(running.folder, 'secret-id'),
    }),
  ) as [Opened, Opened];
  expect(await first.keeper.step()).toBeGreaterThan(MINUTE);
  // By default Vault sends no `Retry-After`.
  expect(await second.keeper.step()).toBe(500);
  expect(second.log[0]).toContain('status_429');
  await vault.root('POST', 'sys/quotas/config', { enable_rate_limit_response_headers: true });
  const wait = await second.keeper.step();
  expect(wait).toBeGreaterThan(10_000);
  expect(wait).toBeLessThan(32_000);
  await vault.root('DELETE', 'sys/quotas/rate-limit/logins');
  await second.keeper.step();
  expect(second.keeper.counters.logins).toBe(1);
});

it('a sealed Vault is waited for, and the token is good after it', async () => {
  const opened = open({
    method: 'approle',
    roleIdFile: join(running.folder, 'role-id'),
    secretIdFile: join(running.folder, 'secret-id'),
  });
  await opened.keeper.step();
  const before = await accessorOf(opened);
  await vault.root('PUT', 'sys/seal');
  expect((await opened.session.read('auth/token/lookup-self')).fault).toBe('status_503');
  opened.skip(21 * MINUTE);
  expect(await opened.keeper.step()).toBe(500);
  expect(await opened.keeper.step()).toBe(1000);
  const key = readFileSync(join(running.folder, 'unseal-key'), 'utf8');
  await vault.must('PUT', 'sys/unseal', { body: { key } });
  for (let i = 0; i < 100 && opened.keeper.counters.renewals === 0; i++) {
    await opened.keeper.step();
    await sleep(100);
  }
  expect(opened.keeper.counters).toEqual({ logins: 1, renewals: 1, refused: 0 });
  expect(await accessorOf(opened)).toBe(before);
  expect(opened.log.filter((line) => line.includes('status_503'))).toHaveLength(1);
});
