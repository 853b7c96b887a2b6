// Asks Vault what sealwatch asks, with sealwatch's own login, and keeps the answers in the form of `replay --vault-answers`.

import { words } from '../../../ingest/ledger/reading/words.ts';
import type { Vault } from '../vault-client.ts';
import type { Onlooker } from './cast.ts';
import { mounts } from './stage.ts';

export interface KeptAnswer {
  at: string;
  method: string;
  path: string;
  body?: object;
  status: number;
  response: unknown;
}

/** Lifetimes are asked of the first leases of each role and then of one in so many: what a budget leaves. */
const FIRST = 2;
const ONE_IN = 4;

export class Asker implements Onlooker {
  readonly answers: KeptAnswer[] = [];
  readonly #vault: Vault;
  readonly #token: string;
  /** Audit devices whose hashes are asked. */
  readonly #devices: readonly string[];
  readonly #leases: string[] = [];
  readonly #counts = new Map<string, number>();

  constructor(vault: Vault, token: string, devices: readonly string[]) {
    this.#vault = vault;
    this.#token = token;
    this.#devices = devices;
  }

  /** What is known before anything is given out. */
  async begin(): Promise<void> {
    await this.mounts();
    // Lifetimes as people write them, and mounts: what a hash in a request may stand for.
    for (const word of words) await this.#hash(word);
    for (const mount of mounts) {
      await this.#hash(mount);
      await this.#hash(`${mount}/`);
    }
    for (const name of ['mid', 'hour']) await this.role(`database/roles/${name}`);
    for (const name of ['orders', 'brief', 'nightly']) await this.#ask('GET', `auth/approle/role/${name}`);
    for (const name of ['deploy', 'capped']) await this.#ask('GET', `auth/token/roles/${name}`);
    for (const name of ['app', 'default']) await this.#ask('GET', `sys/policies/acl/${name}`);
  }

  async lease(lease_id: string): Promise<void> {
    this.#leases.push(lease_id);
    const n = this.#count(lease_id.slice(0, lease_id.lastIndexOf('/')));
    if (n < FIRST || n % ONE_IN === 0) await this.#ask('POST', 'sys/leases/lookup', { lease_id });
    await this.#hash(lease_id);
  }

  /** What is over by now is asked once more, as the ledger does to confirm it. */
  async ends(listed: ReadonlySet<string>): Promise<void> {
    const over = [...this.#leases].filter((id) => !listed.has(id));
    for (const lease_id of over) await this.#ask('POST', 'sys/leases/lookup', { lease_id });
  }

  async token(accessor: string): Promise<void> {
    const n = this.#count('tokens');
    if (n < FIRST || n % ONE_IN === 0) await this.#ask('POST', 'auth/token/lookup-accessor', { accessor });
    await this.#hash(accessor);
  }

  async entity(id: string): Promise<void> {
    if (this.#count(id) === 0) await this.#ask('GET', `identity/entity/id/${id}`);
  }

  async renewed(lease_id: string): Promise<void> {
    await this.#ask('POST', 'sys/leases/lookup', { lease_id });
  }

  async role(path: string): Promise<void> {
    this.#counts.delete(path.replace('/roles/', '/creds/'));
    await this.#ask('GET', path);
  }

  async mounts(): Promise<void> {
    this.#counts.clear();
    await this.#ask('GET', 'sys/mounts');
    await this.#ask('GET', 'sys/auth');
  }

  async #hash(input: string): Promise<void> {
    for (const device of this.#devices) await this.#ask('POST', `sys/audit-hash/${device}`, { input });
  }

  #count(key: string): number {
    const n = this.#counts.get(key) ?? 0;
    this.#counts.set(key, n + 1);
    return n;
  }

  async #ask(method: string, path: string, body?: object): Promise<void> {
    const options = { token: this.#token, userAgent: 'sealwatch', ...(body === undefined ? {} : { body }) };
    const { status, ...response } = await this.#vault.call(method, path, options);
    const at = new Date().toISOString();
    this.answers.push({ at, method, path, ...(body === undefined ? {} : { body }), status, response });
  }
}
