// The Vault that the auth-method scenes are played on: a policy, a secret, a TLS listener, and an authority for clients.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, type RunningVault, startVault } from '../servers.ts';
import { type Tls, Vault } from '../vault-client.ts';
import { type Certificate, issue, makeAuthority } from './certificates.ts';
import { cloudHosts, type FakeClouds, fakeClouds } from './fake-clouds.ts';
import { credentialsFile, fakeGoogle } from './fake-google.ts';
import type { Fake } from './listen.ts';

export interface Scene {
  /** Name of the fixture file. */
  name: string;
  /** Mounts, roles and users; no fixture holds its lines. */
  prepare(): Promise<void>;
  play(): Promise<void>;
}

interface Props {
  authority: Certificate;
  /** Signs the identity tokens of Google's accounts and instances. */
  googleSigner: Certificate;
  google: Fake;
  clouds: FakeClouds;
}

export interface Stage extends AsyncDisposable, Props {
  vault: Vault;
  folder: string;
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
  let props: Props | undefined;
  const running = await startVault(name, 'inmem', async (folder) => {
    const made = await makeProps(folder);
    props = made;
    const credentials = join(folder, 'google.json');
    writeFileSync(credentials, credentialsFile(made.google.url, made.googleSigner.key));
    const server = issue(folder, made.authority, 'server', 'vault.example.com');
    const config = `listener "tcp" {
  address = "127.0.0.1:${port}"
  tls_cert_file = "${server.certFile}"
  tls_key_file = "${server.keyFile}"
}`;
    const env = {
      GOOGLE_APPLICATION_CREDENTIALS: credentials,
      HTTPS_PROXY: made.clouds.proxy,
      SSL_CERT_FILE: made.authority.certFile,
    };
    return { config, env };
  });
  if (props === undefined) throw new Error('nothing was made before the start');
  await furnish(running.vault);
  return stageOf(running, props, port);
}

/** What has to be there before Vault starts. */
async function makeProps(folder: string): Promise<Props> {
  const googleSigner = makeAuthority(folder, 'google');
  const google = await fakeGoogle(googleSigner.cert);
  const authority = makeAuthority(folder, 'example-authority');
  const server = issue(folder, authority, 'clouds', 'clouds.example.com', cloudHosts);
  const clouds = await fakeClouds(server, password);
  return { authority, googleSigner, google, clouds };
}

async function furnish(vault: Vault): Promise<void> {
  await vault.root('POST', 'sys/mounts/secret', { type: 'kv', options: { version: '2' } });
  await vault.root('PUT', `sys/policies/acl/${policies}`, { policy });
  await vault.root('POST', 'secret/data/team/app', { data: { password } });
}

function stageOf({ vault, folder, ...running }: RunningVault, props: Props, port: number): Stage {
  const fakes: AsyncDisposable[] = [props.google, props.clouds];
  return {
    vault,
    folder,
    ...props,
    unsealKey: readFileSync(join(folder, 'unseal-key'), 'utf8'),
    keep(fake) {
      fakes.push(fake);
      return fake;
    },
    over: (tls) =>
      new Vault(`https://127.0.0.1:${port}`, vault.rootToken, { ca: props.authority.cert, ...tls }),
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
