// The Vault that the auth-method scenes are played on: a policy, a secret, a TLS listener, and an authority for clients.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, type RunningVault, startVault } from '../servers.ts';
import { type Tls, Vault } from '../vault-client.ts';
import { type Certificate, issue, makeAuthority } from './certificates.ts';

export interface Scene {
  /** Name of the fixture file. */
  name: string;
  /** Mounts, roles and users; no fixture holds its lines. */
  prepare(): Promise<void>;
  play(): Promise<void>;
}

export interface Stage extends AsyncDisposable {
  vault: Vault;
  folder: string;
  authority: Certificate;
  unsealKey: string;
  /** Closed when the stage is. */
  keep<T extends AsyncDisposable>(fake: T): T;
  /** A client of the TLS listener. */
  over(tls: Tls): Vault;
}

export const password = 'example-password';
export const policies = 'team';

const policy = `
path "secret/data/team/*" { capabilities = ["create", "read", "update"] }
path "auth/token/create" { capabilities = ["update"] }
path "auth/token/create/nightly" { capabilities = ["update"] }`;

export async function openStage(name: string): Promise<Stage> {
  const port = await freePort();
  let authority: Certificate | undefined;
  const running = await startVault(name, 'inmem', (folder) => {
    authority = makeAuthority(folder, 'example-authority');
    const server = issue(folder, authority, 'server', 'vault.example.com');
    return `listener "tcp" {
  address = "127.0.0.1:${port}"
  tls_cert_file = "${server.certFile}"
  tls_key_file = "${server.keyFile}"
  tls_disable_client_certs = false
}`;
  });
  if (authority === undefined) throw new Error('no authority was made');
  await furnish(running.vault);
  return stageOf(running, authority, port);
}

async function furnish(vault: Vault): Promise<void> {
  await vault.root('POST', 'sys/mounts/secret', { type: 'kv', options: { version: '2' } });
  await vault.root('PUT', `sys/policies/acl/${policies}`, { policy });
  await vault.root('POST', 'secret/data/team/app', { data: { password } });
}

function stageOf({ vault, folder, ...running }: RunningVault, authority: Certificate, port: number): Stage {
  const fakes: AsyncDisposable[] = [];
  return {
    vault,
    folder,
    authority,
    unsealKey: readFileSync(join(folder, 'unseal-key'), 'utf8'),
    keep(fake) {
      fakes.push(fake);
      return fake;
    },
    over: (tls) => new Vault(`https://127.0.0.1:${port}`, vault.rootToken, { ca: authority.cert, ...tls }),
    async [Symbol.asyncDispose]() {
      for (const fake of fakes) await fake[Symbol.asyncDispose]();
      await running[Symbol.asyncDispose]();
    },
  };
}

/** Enables an auth method at `auth/<path>/` with its configuration. */
export async function enable(vault: Vault, type: string, path: string, config?: object): Promise<void> {
  await vault.root('POST', `sys/auth/${path}`, { type });
  if (config !== undefined) await vault.root('POST', `auth/${path}/config`, config);
}

/** What each token of the scenes does: read, renew itself, revoke itself. */
export async function live(vault: Vault, token: string, from: string): Promise<void> {
  await vault.must('GET', 'secret/data/team/app', { token, from });
  await vault.must('POST', 'auth/token/renew-self', { token, from, body: {} });
  await vault.must('POST', 'auth/token/revoke-self', { token, from });
}
