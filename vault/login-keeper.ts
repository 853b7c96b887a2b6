// A token of sealwatch's own: logs in for it, renews it after two thirds of its life, logs in again when that ends.

import type { JsonObject } from '../core/event.ts';
import { limits } from '../core/limits.ts';
import type { Answer } from '../core/records.ts';
import type { Logger } from '../core/telemetry.ts';
import { timeOfMs } from '../core/time.ts';
import { type GivenToken, givenToken, isFinal, requestIdOf } from './answers.ts';
import { Backoff } from './backoff.ts';
import type { VaultAnswer, VaultClient } from './client.ts';
import { Said } from './said.ts';
import type { TokenKeeper } from './session.ts';

/** What a method shows to Vault. */
export interface Login {
  /** `auth/approle/login`. */
  readonly path: string;
  /** The body of a login now; or a reason code why there is none. Never throws. */
  body(): Promise<{ body: JsonObject } | { fault: string }>;
}

export interface LoginKeeperOptions {
  client: Pick<VaultClient, 'call'>;
  login: Login;
  namespace?: string | undefined;
  logger: Logger;
  now: () => number;
  /** From 0 up to 1, for the waits. */
  random: () => number;
  /** Gets the id of each login, and nothing else of its answer: by it the ledger knows which token is ours. */
  onLogin: (answer: Answer) => void;
}

interface Held {
  token: string;
  /** Life that the login gave it. */
  firstSeconds: number;
  /** When it was given out or renewed. */
  sinceMs: number;
  endsMs: number;
  /** When something has to be done for it. */
  dueMs: number;
  /** Renewals have come to their end: only a login helps. */
  isLast: boolean;
}

const RENEW_AT = 2 / 3;

export class LoginKeeper implements TokenKeeper {
  readonly counters = { logins: 0, renewals: 0, refused: 0 };
  private readonly options: LoginKeeperOptions;
  private readonly backoff: Backoff;
  private readonly said: Said;
  private held: Held | undefined;
  /** Vault may give tokens and refuse each: of a role without the policy. Another login at once would go on without end. */
  private readonly refused: Backoff;
  private restsUntilMs = 0;

  constructor(options: LoginKeeperOptions) {
    this.options = options;
    this.backoff = new Backoff(options.random);
    this.refused = new Backoff(options.random);
    this.said = new Said(options.logger, {
      bad: 'sealwatch cannot log in to Vault or renew its token; trying again',
      good: 'sealwatch has a token of Vault',
    });
  }

  /** When the token ends; undefined while there is none, Infinity when it does not. */
  get endsMs(): number | undefined {
    return this.held?.endsMs;
  }

  async token(): Promise<string | undefined> {
    return this.held !== undefined && this.options.now() < this.held.endsMs ? this.held.token : undefined;
  }

  lost(token: string): void {
    const { held } = this;
    if (held?.token !== token) return;
    this.held = undefined;
    const nowMs = this.options.now();
    if (nowMs - held.sinceMs > limits.vaultBackoffMsMax) this.refused.succeeded();
    else this.restsUntilMs = nowMs + this.refused.failed();
  }

  async step(): Promise<number> {
    const { held } = this;
    const nowMs = this.options.now();
    const restMs = this.restsUntilMs - nowMs;
    // A clock that was set back must not make it long.
    if (held === undefined && restMs > 0 && restMs <= limits.vaultBackoffMsMax) return restMs;
    if (held === undefined || nowMs >= held.endsMs) return this.logIn();
    if (nowMs < held.dueMs) return this.untilDue(held);
    return held.isLast ? this.logIn() : this.renew(held);
  }

  /** A token that lives on would be one more for a thief to find. */
  async end(): Promise<void> {
    const { held } = this;
    if (held === undefined) return;
    this.held = undefined;
    await this.post('auth/token/revoke-self', {}, held.token);
  }

  private async logIn(): Promise<number> {
    const { login, onLogin, now } = this.options;
    const made = await login.body();
    if ('fault' in made) return this.failed(made.fault);
    const askedMs = now();
    const answer = await this.post(login.path, made.body);
    const given = givenToken(answer);
    if (given === undefined) {
      if (isFinal(answer)) this.counters.refused++;
      return this.failed(answer.fault ?? 'no_token_in_answer', answer.retryMs);
    }
    this.counters.logins++;
    const wait = this.take(given, askedMs, given.ttlSeconds);
    const id = requestIdOf(answer);
    onLogin({
      at: timeOfMs(askedMs),
      method: 'POST',
      path: login.path,
      purpose: 'login',
      status: answer.status,
      ...(id !== undefined && { response: { request_id: id } }),
    });
    return wait;
  }

  private async renew(held: Held): Promise<number> {
    const askedMs = this.options.now();
    const answer = await this.post('auth/token/renew-self', {}, held.token);
    // Lost while it was renewed.
    if (this.held !== held) return 0;
    const given = givenToken(answer);
    if (given !== undefined) {
      this.counters.renewals++;
      return this.take({ ...given, token: held.token }, askedMs, held.firstSeconds);
    }
    // It can be used to its end, but not longer.
    if (isFinal(answer)) held.isLast = true;
    else return this.failed(answer.fault ?? 'no_token_in_answer', answer.retryMs);
    return this.logIn();
  }

  private take(
    { token, ttlSeconds, isRenewable }: GivenToken,
    sinceMs: number,
    firstSeconds: number,
  ): number {
    const lifeMs = ttlSeconds === 0 ? Number.POSITIVE_INFINITY : ttlSeconds * 1000;
    this.held = {
      token,
      firstSeconds,
      sinceMs,
      endsMs: sinceMs + lifeMs,
      dueMs: sinceMs + lifeMs * RENEW_AT,
      // Its greatest lifetime is near: each renewal would be shorter than the one before, without end.
      isLast: !isRenewable || ttlSeconds < firstSeconds / 2,
    };
    this.backoff.succeeded();
    this.said.say(undefined);
    return this.untilDue(this.held);
  }

  private untilDue({ dueMs }: Held): number {
    const { vaultTokenStepMsMin, vaultTokenStepMsMax } = limits;
    return Math.min(Math.max(dueMs - this.options.now(), vaultTokenStepMsMin), vaultTokenStepMsMax);
  }

  private failed(fault: string, retryMs?: number): number {
    this.said.say(fault, { path: this.options.login.path });
    return this.backoff.failed(retryMs);
  }

  private post(path: string, body: JsonObject, token?: string): Promise<VaultAnswer> {
    const { client, namespace } = this.options;
    return client.call({ method: 'POST', path, body, namespace, token });
  }
}
