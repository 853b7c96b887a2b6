// What Vault itself lists: every lease and token that lives, by a root token, when its queue of revocations has come to rest.

import { setTimeout as sleep } from 'node:timers/promises';
import type { CallOptions, Vault } from '../vault-client.ts';
import { eachOf } from './each.ts';

export interface Checkpoint {
  /** When the listing that counts began and ended. */
  at: string;
  until: string;
  leases: ListedLease[];
  tokens: ListedToken[];
  /** Lease ids and accessors that Vault lists though nobody can use what they stand for, as the play knows. */
  unusable?: string[];
}
export interface ListedLease {
  id: string;
  /** Absent when only names were listed. */
  expire_time?: string;
}
export interface ListedToken {
  accessor: string;
  /** Absent when only names were listed; null: it has no end. */
  expire_time?: string | null;
  display_name?: string;
  path?: string;
  type?: string;
}

/** The calls of the truth are told from others in the log by this, so that a log can be had without them. */
export const truthAgent = 'truth/1.0';

export class Truth {
  readonly #vault: Vault;

  constructor(vault: Vault) {
    this.#vault = vault;
  }

  /** `details`: each is looked up, for its end; else names alone, which hands nothing over to who reads the log. */
  async checkpoint(details: boolean): Promise<Checkpoint> {
    const deadline = Date.now() + 20_000;
    for (let before = ''; ; ) {
      const at = new Date().toISOString();
      const names = await this.#names();
      const seen = JSON.stringify(names);
      if (seen === before || Date.now() > deadline) return this.#listed(at, names, details);
      before = seen;
      await sleep(400);
    }
  }

  async #names(): Promise<{ leases: string[]; accessors: string[] }> {
    const leases = await this.#under('sys/leases/lookup/');
    const accessors = await this.#keys('auth/token/accessors');
    return { leases: leases.sort(), accessors: accessors.sort() };
  }

  async #listed(
    at: string,
    names: { leases: string[]; accessors: string[] },
    details: boolean,
  ): Promise<Checkpoint> {
    const leases: ListedLease[] = names.leases.map((id) => ({ id }));
    const tokens: ListedToken[] = names.accessors.map((accessor) => ({ accessor }));
    if (details) {
      await eachOf(leases, async (lease) => Object.assign(lease, await this.#lease(lease.id)));
      await eachOf(tokens, async (token) => Object.assign(token, await this.#token(token.accessor)));
    }
    return { at, until: new Date().toISOString(), leases, tokens };
  }

  async #lease(lease_id: string): Promise<Partial<ListedLease>> {
    const { status, data } = await this.#call('PUT', 'sys/leases/lookup', { lease_id });
    return status === 200 ? { expire_time: data['expire_time'] as string } : {};
  }

  async #token(accessor: string): Promise<Partial<ListedToken>> {
    const { status, data } = await this.#call('POST', 'auth/token/lookup-accessor', { accessor });
    if (status !== 200) return {};
    const { expire_time, display_name, path, type } = data as unknown as ListedToken;
    return { expire_time, display_name, path, type } as Partial<ListedToken>;
  }

  /** Ids of leases under a folder. Tokens are listed by accessor, so theirs are left out, wherever they lie. */
  async #under(folder: string): Promise<string[]> {
    const found: string[] = [];
    for (const key of await this.#keys(folder)) {
      if (key.endsWith('/')) found.push(...(await this.#under(folder + key)));
      else if (!isOfToken(key)) found.push(folder.slice('sys/leases/lookup/'.length) + key);
    }
    return found;
  }

  async #keys(path: string): Promise<string[]> {
    const { data } = await this.#call('LIST', path);
    return (data['keys'] as string[] | undefined) ?? [];
  }

  #call(method: string, path: string, body?: unknown): ReturnType<Vault['call']> {
    const options: CallOptions = { token: this.#vault.rootToken, userAgent: truthAgent };
    return this.#vault.call(method, path, body === undefined ? options : { ...options, body });
  }
}

/** A token is a lease to Vault, under the path of the call that gave it out; of a wrapping token that is the wrapped call's. */
const isOfToken = (key: string) => /^h[0-9a-f]{64}$/.test(key);
