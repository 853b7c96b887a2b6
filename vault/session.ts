// Calls of Vault with a token that somebody keeps: the one way in which sealwatch asks Vault anything once it is logged in.

import type { JsonObject } from '../core/event.ts';
import { limits } from '../core/limits.ts';
import { isFinal } from './answers.ts';
import { noAnswer, type VaultAnswer, type VaultCall, type VaultClient } from './client.ts';
import { Loop } from './loop.ts';

/** Has the token and keeps it alive. */
export interface TokenKeeper {
  /** The token to call with now; undefined when there is none. */
  token(): Promise<string | undefined>;
  /** Vault does not know the token any more. */
  lost(token: string): void;
  /** Does what is due for the token; returns how many milliseconds there is nothing to do. Never throws. */
  step(): Promise<number>;
  /** The last step of an orderly stop. */
  end(): Promise<void>;
}

export interface SessionOptions {
  client: Pick<VaultClient, 'call'>;
  keeper: TokenKeeper;
  /** Namespace of the token; its own paths are asked there. */
  namespace?: string | undefined;
}

export type SessionCall = Omit<VaultCall, 'token'>;

export class VaultSession {
  private readonly client: Pick<VaultClient, 'call'>;
  private readonly keeper: TokenKeeper;
  private readonly namespace: string | undefined;
  private readonly loop: Loop;

  constructor({ client, keeper, namespace }: SessionOptions) {
    this.client = client;
    this.keeper = keeper;
    this.namespace = namespace;
    this.loop = new Loop(() => keeper.step());
  }

  start(): void {
    this.loop.wake();
  }

  /** Resolves when the token is given back; a Vault that does not answer holds it up for `limits.vaultRevokeMs` at most. */
  async stop(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, limits.vaultRevokeMs);
    });
    await Promise.race([this.loop.stop().then(() => this.keeper.end()), late]);
    clearTimeout(timer);
  }

  /** Asks in the token's own namespace. Never throws. */
  read(path: string): Promise<VaultAnswer> {
    return this.call({ method: 'GET', path, namespace: this.namespace });
  }

  /** As `read`, with a body. */
  post(path: string, body: JsonObject): Promise<VaultAnswer> {
    return this.call({ method: 'POST', path, body, namespace: this.namespace });
  }

  /** Asks with the token of now, in any namespace. Never throws; `no_token` and `token_refused` are faults of ours. */
  async call(call: SessionCall): Promise<VaultAnswer> {
    const token = await this.keeper.token();
    if (token === undefined) return noAnswer('no_token');
    const answer = await this.client.call({ ...call, token });
    if (answer.status !== 403) return answer;
    // A refusal may mean the path or the token (vault-audit.md 7.2); every token may look itself up.
    const path = 'auth/token/lookup-self';
    const self = await this.client.call({ method: 'GET', path, namespace: this.namespace, token });
    if (self.fault === undefined) return answer;
    // Too many calls, sealed by now, away: whether the path is denied is not known.
    if (self.status !== 403 || !isFinal(self)) return { ...self, status: 0, body: undefined };
    this.keeper.lost(token);
    this.loop.wake();
    return noAnswer('token_refused');
  }
}
