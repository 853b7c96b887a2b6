// Which calls the ledger works on, and the hashes of their lines that no event holds. One place decides: `isCredentialCall`.

import type { AuditEvent } from '../../core/event.ts';
import { limits } from '../../core/limits.ts';
import { type CredentialCall, doneAt, type Handles, tokenShown } from '../../core/records.ts';
import { type Entry, integerOf, objectOf, stringOf } from './entry.ts';

/** Actions that say something of a lease, a token, or what the directory knows; `ui-read` is looked at more closely. */
const ACTION =
  /^(user-|token-|lease-|response-|role-|mount-|auth-(?!config-)|policy-|entity-|group-|audit-(device-|hash$)|namespace-)/;

/** Whether the ledger works on the call whatever the token that makes it. */
export function isCredentialCall(event: AuditEvent, { auth }: Entry): boolean {
  const { issued, lease, wrap, request } = event.vault;
  if (issued !== undefined || lease !== undefined || wrap !== undefined) return true;
  if (auth['remaining_uses'] !== undefined) return true;
  const { action } = event.event;
  if (action === 'ui-read') return request.path?.startsWith(UI_MOUNTS) === true;
  return isCredentialAction(action);
}

const UI_MOUNTS = 'sys/internal/ui/mounts';

/** Few actions come again and again, and looking one up costs less than the expression. */
const known = new Map<string, boolean>();
const KNOWN_MAX = 1_000;

function isCredentialAction(action: string): boolean {
  let is = known.get(action);
  if (is === undefined) {
    is = ACTION.test(action);
    if (known.size >= KNOWN_MAX) known.clear();
    known.set(action, is);
  }
  return is;
}

const HASHED = /^(?:hmac-sha256|sealwatch-hmac):[0-9a-f]{64}$/;
/** A token in plain has no business here, however it came through (guarantee 4). */
const hashed = (value: string | undefined): string | undefined =>
  value !== undefined && HASHED.test(value) ? value : undefined;

/** `main` is the answer's entry where there is one. Undefined when the lines show none. */
export function handlesOf(main: Entry, isLogin: boolean): Handles | undefined {
  const { auth, request, response } = main;
  const wrap = objectOf(response, 'wrap_info');
  const shown = hashed(stringOf(auth, 'client_token'));
  const given = hashed(stringOf(objectOf(response, 'auth'), 'client_token'));
  // The `auth` of a login's answer is the token that was given out (vault-audit.md 1), also when it is wrapped (7.12).
  const handles: Handles = {
    ...some('sent', isLogin ? undefined : shown),
    ...some('inner', hashed(stringOf(request, 'client_token'))),
    ...some('issued', given ?? (isLogin ? shown : undefined)),
    ...some('wrap', hashed(stringOf(wrap, 'token'))),
    ...some('wrapped_accessor', stringOf(wrap, 'wrapped_accessor')),
    ...some('uses_left', isLogin ? undefined : integerOf(auth, 'remaining_uses')),
  };
  for (const _ in handles) return handles;
  return undefined;
}

const some = <K extends keyof Handles>(key: K, value: Handles[K]): Partial<Handles> =>
  value === undefined ? {} : { [key]: value };

/** Tokens by a part of their hash that no two share, and when the call was done that told of it. */
export type TokensState = [token: string, done: string][];

/**
 * The calls that go to the ledger. Beside those of `isCredentialCall` it is the first call of each token that the partition
 * shows: the token may be older than the log. First by the order in which the ledger works, whatever comes first here.
 */
export class CredentialCalls {
  private readonly tokens: Map<string, string>;

  constructor(state?: TokensState) {
    this.tokens = new Map(state);
  }

  /** It is state: what goes out, and so the causes that a restart finds, hang on it. */
  snapshot(): TokensState {
    return [...this.tokens];
  }

  /** What the ledger is told of the call, if anything. */
  of(event: AuditEvent, main: Entry): CredentialCall | undefined {
    const isWanted = isCredentialCall(event, main);
    const { accessor } = event.vault.caller;
    // Nearly every call that is not wanted shows its accessor, by which its token is known: nothing more is looked at.
    const early = isWanted || accessor === undefined ? undefined : this.isFirst(event, tokenShown({ event }));
    if (early === false) return undefined;
    const handles = handlesOf(main, event.event.action === 'user-login');
    const call: CredentialCall = handles === undefined ? { event } : { event, handles };
    const isFirst = early ?? this.isFirst(event, tokenShown(call));
    if (isWanted) return call;
    return isFirst ? { ...call, onlyFirst: true } : undefined;
  }

  private isFirst(event: AuditEvent, token: string | undefined): boolean {
    if (token === undefined) return false;
    const key = token.slice(-KEY_CHARS);
    const before = this.tokens.get(key);
    // Cheaper than reckoning when it was done, and true of nearly every call.
    if (before !== undefined && before <= event['@timestamp']) return false;
    const done = doneAt(event);
    if (before !== undefined && before <= done) return false;
    this.tokens.set(key, done);
    if (this.tokens.size > limits.credentialTokensMax)
      this.tokens.delete(this.tokens.keys().next().value as string);
    return true;
  }
}

const KEY_CHARS = 32;
