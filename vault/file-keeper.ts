// A token that Vault Agent keeps alive in a file: sealwatch only looks which one it is, and gives nothing back.

import { readFileSync } from 'node:fs';
import { limits } from '../core/limits.ts';
import type { Answer } from '../core/records.ts';
import type { Logger } from '../core/telemetry.ts';
import { timeOfMs } from '../core/time.ts';
import { isToken, requestIdOf } from './answers.ts';
import { Backoff } from './backoff.ts';
import { faultOf, type VaultClient } from './client.ts';
import { Said } from './said.ts';
import type { TokenKeeper } from './session.ts';

const LOOKUP = 'auth/token/lookup-self';

export interface FileKeeperOptions {
  client: Pick<VaultClient, 'call'>;
  tokenFile: string;
  namespace?: string | undefined;
  logger: Logger;
  now: () => number;
  random: () => number;
  /** Gets the id of a look-up with each new token: the token that made this call is ours. */
  onLogin: (answer: Answer) => void;
}

export class FileKeeper implements TokenKeeper {
  private readonly options: FileKeeperOptions;
  private readonly backoff: Backoff;
  private readonly said: Said;
  /** The token that the stream has been told of. */
  private told: string | undefined;
  /** Vault does not know it: it is of no use until the file has another. */
  private dead: string | undefined;
  private introducing: Promise<void> | undefined;
  /** Why the last look-up with a new token failed, and how long Vault wants to be left alone. */
  private fault = 'no_token';
  private retryMs: number | undefined;

  constructor(options: FileKeeperOptions) {
    this.options = options;
    this.backoff = new Backoff(options.random);
    this.said = new Said(options.logger, {
      bad: 'the token file of Vault is of no use',
      good: 'the token file holds a token that Vault knows',
    });
  }

  /** A token that is new in the file is told to the stream before it does anything else. */
  async token(): Promise<string | undefined> {
    const read = this.read();
    if ('fault' in read || read.token === this.dead) return undefined;
    if (read.token === this.told) return read.token;
    this.introducing ??= this.introduce(read.token);
    await this.introducing;
    return this.told === read.token ? read.token : undefined;
  }

  lost(token: string): void {
    this.dead = token;
  }

  async step(): Promise<number> {
    const { vaultTokenFileMs } = limits;
    const read = this.read();
    if ('fault' in read) return this.failed(read.fault);
    if (read.token === this.dead) this.dead = this.told = undefined;
    if ((await this.token()) === undefined) return this.failed(this.fault);
    this.said.say(undefined);
    this.backoff.succeeded();
    return vaultTokenFileMs;
  }

  /** It is not ours to revoke. */
  async end(): Promise<void> {}

  private read(): { token: string } | { fault: string } {
    try {
      const token = readFileSync(this.options.tokenFile, 'utf8').trim();
      return isToken(token) ? { token } : { fault: 'token_file_empty_or_odd' };
    } catch (error) {
      return { fault: faultOf(error) };
    }
  }

  private failed(fault: string): number {
    this.said.say(fault);
    return Math.max(this.backoff.failed(this.retryMs), limits.vaultTokenFileMs);
  }

  private async introduce(token: string): Promise<void> {
    const { client, namespace, now, onLogin } = this.options;
    const askedMs = now();
    const answer = await client.call({ method: 'GET', path: LOOKUP, namespace, token });
    this.introducing = undefined;
    this.retryMs = answer.retryMs;
    this.fault = answer.fault ?? 'no_request_id';
    if (answer.status === 403) this.dead = token;
    const id = requestIdOf(answer);
    if (answer.status !== 200 || id === undefined) return;
    this.told = token;
    onLogin({
      at: timeOfMs(askedMs),
      method: 'GET',
      path: LOOKUP,
      purpose: 'login',
      status: 200,
      response: { request_id: id },
    });
  }
}
