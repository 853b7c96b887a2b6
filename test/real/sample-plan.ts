// What happens in the sample, second by second: services and people at work, and the things that the rules flag.

import { join } from 'node:path';
import { password } from './furnish.ts';
import { stepDownAndWait } from './scenes.ts';
import type { CallOptions, Vault } from './vault-client.ts';

export interface Step {
  /** Seconds since the start. */
  at: number;
  call(): Promise<unknown>;
}

type Logins = Record<string, { role_id: unknown; secret_id: unknown }>;

const minute = 60;

export function plan(vault: Vault, logins: Logins, folder: string): Step[] {
  const steps = [
    ...serviceLife(vault, 'billing', logins, 20, '127.0.0.21'),
    ...serviceLife(vault, 'shop', logins, 95, '127.0.0.22'),
    ...serviceLife(vault, 'reports', logins, 150, '127.0.0.23'),
    ...teamLife(vault, 'alice', 2 * minute, '127.0.0.11'),
    ...teamLife(vault, 'bob', 9 * minute, '127.0.0.12'),
    ...snooping(vault, 17 * minute),
    ...guessing(vault, 22 * minute),
    ...rootAtWork(vault, folder, 27 * minute),
  ];
  return steps.sort((a, b) => a.at - b.at);
}

/** Every thirteen minutes: log in, read two secrets, take a database lease, renew it, give it back. */
function serviceLife(vault: Vault, name: string, logins: Logins, offset: number, from: string): Step[] {
  const steps: Step[] = [];
  for (let at = offset; at < 40 * minute; at += 13 * minute) {
    let token = '';
    let lease_id: string | undefined;
    const as = (body?: unknown): CallOptions => ({ token, from, userAgent: 'Go-http-client/1.1', body });
    const call = (after: number, run: () => Promise<unknown>) => steps.push({ at: at + after, call: run });
    call(0, async () => {
      token = await vault.login('auth/approle/login', logins[name], from);
    });
    call(3, () => vault.must('GET', `secret/data/${name}/database`, as()));
    call(5, () => vault.must('GET', `secret/data/${name}/api-key`, as()));
    call(9, async () => {
      lease_id = (await vault.must('GET', 'database/creds/app', as())).lease_id;
    });
    for (const after of [125, 248, 371, 494])
      call(after, () => vault.must('GET', `secret/data/${name}/api-key`, as()));
    call(300, () => vault.must('PUT', 'sys/leases/renew', as({ lease_id, increment: 900 })));
    call(600, () => vault.must('POST', 'auth/token/renew-self', as()));
    call(700, () => vault.must('PUT', 'sys/leases/revoke', as({ lease_id })));
  }
  return steps;
}

/** A person logs in, looks around, changes a secret, and once mistakes the path. */
function teamLife(vault: Vault, name: string, at: number, from: string): Step[] {
  let token = '';
  const as = (extra: CallOptions = {}): CallOptions => ({ token, from, userAgent: 'Vault/1.21.1', ...extra });
  const body = { data: { note: `example of ${name}` } };
  const steps: Step[] = [
    {
      at,
      async call() {
        token = await vault.login(`auth/userpass/login/${name}`, { password }, from);
      },
    },
    { at: at + 4, call: () => vault.must('POST', `secret/data/team/${name}`, as({ body })) },
    { at: at + 30, call: () => vault.must('GET', 'secret/metadata/team', as({ query: 'list=true' })) },
    { at: at + 47, call: () => vault.must('GET', `secret/data/team/${name}`, as()) },
    { at: at + 70, call: () => vault.refused('GET', 'secret/data/prod/payments', as()) },
  ];
  for (let round = 1; round <= 4; round++)
    steps.push({
      at: at + round * 5 * minute,
      call: () => vault.must('GET', `secret/data/team/${name}`, as()),
    });
  return steps;
}

/** Mara walks through secrets that her policy does not give her: fourteen denials in a little over a minute. */
function snooping(vault: Vault, at: number): Step[] {
  const from = '127.0.0.13';
  let token = '';
  const paths = ['billing', 'shop', 'reports', 'prod', 'payments', 'payroll', 'root-ca'];
  const targets = paths.flatMap((path) => [`secret/metadata/${path}`, `secret/data/${path}/database`]);
  return [
    {
      at,
      async call() {
        token = await vault.login('auth/userpass/login/mara', { password }, from);
      },
    },
    ...targets.map((path, i) => ({
      at: at + 10 + i * 5,
      call: () => vault.refused('GET', path, { token, from, userAgent: 'python-requests/2.32.3' }),
    })),
  ];
}

/** Twelve wrong passwords for one account from one address. */
function guessing(vault: Vault, at: number): Step[] {
  return Array.from({ length: 12 }, (_, i) => ({
    at: at + i * 7,
    call: () =>
      vault.refused('POST', 'auth/userpass/login/alice', {
        from: '127.0.0.66',
        body: { password: `guess-${i}` },
      }),
  }));
}

/** The root token is taken out of the drawer: a wide policy, destroyed secrets, a removed device, a step-down. */
function rootAtWork(vault: Vault, folder: string, at: number): Step[] {
  const policy = 'path "secret/*" { capabilities = ["read", "list"] }';
  const file_path = join(folder, 'spare.log');
  return [
    { at, call: () => vault.root('PUT', 'sys/policies/acl/wide', { policy }) },
    { at: at + 25, call: () => vault.root('PUT', 'secret/destroy/team/alice', { versions: [1] }) },
    {
      at: at + 2 * minute,
      call: () => vault.root('PUT', 'sys/audit/spare', { type: 'file', options: { file_path } }),
    },
    { at: at + 3 * minute, call: () => vault.root('DELETE', 'sys/audit/spare') },
    { at: at + 4 * minute, call: () => vault.root('DELETE', 'secret/metadata/team/bob') },
    { at: at + 5 * minute, call: () => vault.must('PUT', 'sys/generate-root/attempt', { body: {} }) },
    { at: at + 5 * minute + 20, call: () => vault.must('DELETE', 'sys/generate-root/attempt') },
    { at: at + 8 * minute, call: () => stepDownAndWait(vault) },
  ];
}
