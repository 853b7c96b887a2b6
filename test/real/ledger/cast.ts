// Who plays: takes leases and tokens from a real Vault, and tells an onlooker of each as soon as Vault gave it out.

import type { Answer, CallOptions, Vault } from '../vault-client.ts';
import { password, type Stage } from './stage.ts';

/** A token and the loopback address that uses it. */
export interface Token {
  token: string;
  /** Batch tokens have none. */
  accessor?: string;
  from: string;
}

/** Looks on while the play goes on; what it does is done before the play goes on. */
export interface Onlooker {
  lease(id: string): Promise<void>;
  token(accessor: string): Promise<void>;
  /** A lease was renewed, for as long as the caller asked. */
  renewed(id: string): Promise<void>;
  entity(id: string): Promise<void>;
  /** A role was made or changed: what it gives out has other lifetimes from now on. */
  role(path: string): Promise<void>;
  /** A mount was tuned, moved or disabled; likewise. */
  mounts(): Promise<void>;
}

/** A story goes on to its next `yield` in each round. `n` counts its copies. */
export type Story = (cast: Cast, n: number) => AsyncGenerator<void, void, void>;

export class Cast {
  readonly vault: Vault;
  readonly stage: Stage;
  /** The tokens that most leases hang on: an AppRole login, a userpass login, a periodic orphan. */
  parents: Token[] = [];
  readonly onlooker: Onlooker | undefined;
  /** Lease ids and accessors that Vault lists though nobody can use what they stand for. */
  readonly unusable: string[] = [];
  #addresses = 0;

  constructor(vault: Vault, stage: Stage, onlooker?: Onlooker) {
    this.vault = vault;
    this.stage = stage;
    this.onlooker = onlooker;
  }

  /** Logs the parents in; the play begins with it. */
  async begin(): Promise<void> {
    const periodic = { policies: ['app'], period: '1h', display_name: 'ci' };
    this.parents = [
      await this.login('auth/approle/login', this.stage.orders),
      await this.login('auth/userpass/login/alice', { password }),
      await this.create(this.root, periodic, 'auth/token/create-orphan'),
    ];
  }

  get root(): Token {
    return { token: this.vault.rootToken, from: '127.0.0.1' };
  }

  parent(n: number): Token {
    return this.parents[n % this.parents.length] as Token;
  }

  /** An address that nobody else has. */
  address(): string {
    this.#addresses += 1;
    return `127.0.${2 + Math.floor(this.#addresses / 200)}.${1 + (this.#addresses % 200)}`;
  }

  async login(path: string, body: unknown): Promise<Token> {
    const from = this.address();
    return this.tokenOf(await this.vault.must('POST', path, { from, body }), from);
  }

  /** A token made by another; `path` for orphans and token roles. */
  async create(by: Token, body: object, path = 'auth/token/create'): Promise<Token> {
    return this.tokenOf(await this.vault.must('POST', path, { ...as(by), body }), this.address());
  }

  /** A lease of a role of `database/`, or of a path. */
  async take(by: Token, roleOrPath: string): Promise<string> {
    const path = roleOrPath.includes('/') ? roleOrPath : `database/creds/${roleOrPath}`;
    return this.leaseOf(await this.vault.must('GET', path, as(by)));
  }

  /** The lease of an answer, which the onlooker is told. */
  async leaseOf(answer: Answer): Promise<string> {
    if (!answer.lease_id) throw new Error('Vault gave no lease');
    await this.onlooker?.lease(answer.lease_id);
    return answer.lease_id;
  }

  async tokenOf(answer: Answer, from: string): Promise<Token> {
    if (answer.auth === undefined) throw new Error('Vault gave no token');
    const { client_token: token, accessor, entity_id } = answer.auth;
    if (entity_id) await this.onlooker?.entity(entity_id);
    if (!accessor) return { token, from };
    await this.onlooker?.token(accessor);
    return { token, accessor, from };
  }

  /** Renews a lease; an `increment` is a number of seconds or a duration. It may have ended. */
  async renew(by: Token, id: string, body: { increment?: number | string } = {}, url = false): Promise<void> {
    const path = url ? `sys/leases/renew/${id}` : 'sys/leases/renew';
    const { status } = await this.attempt(by, 'PUT', path, url ? body : { lease_id: id, ...body });
    if (status < 300 && body.increment !== undefined) await this.onlooker?.renewed(id);
  }

  /** A call that has to succeed. */
  must(by: Token, method: string, path: string, body?: unknown): Promise<Answer> {
    return this.vault.must(method, path, { ...as(by), ...(body === undefined ? {} : { body }) });
  }

  /** A call that may fail: what it is about may have ended, sooner or later on a slow machine. */
  attempt(by: Token, method: string, path: string, body?: unknown): Promise<Answer> {
    return this.vault.call(method, path, { ...as(by), ...(body === undefined ? {} : { body }) });
  }

  /** The wrapping token of a call. */
  async wrapped(by: Token, method: string, path: string, body?: unknown): Promise<Token> {
    const options: CallOptions = { ...as(by), wrapTtl: '10m', ...(body === undefined ? {} : { body }) };
    const { wrap_info } = await this.vault.must(method, path, options);
    if (wrap_info === undefined) throw new Error(`${path} was not wrapped`);
    if (wrap_info.wrapped_accessor) await this.onlooker?.token(wrap_info.wrapped_accessor);
    return { token: wrap_info.token, accessor: wrap_info.accessor, from: this.address() };
  }
}

const as = ({ token, from }: Token): { token: string; from: string } => ({ token, from });
