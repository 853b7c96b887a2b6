// Success, failure or unknown, and why: what an entry says is not what it seems (vault-audit.md 7.1 to 7.4).

import type { JsonObject, Outcome } from '../../core/event.ts';
import { isKv, isKv2 } from './action.ts';
import { integerOf, objectOf, stringOf } from './entry.ts';
import type { Place } from './place.ts';

export interface Verdict {
  outcome: Outcome;
  /** `policy_denied invalid_token permission_denied login_failed login_pending mfa_required wrapping_token_invalid quota_exceeded error_response no_data`. */
  reason?: string;
  denied: boolean;
}

export interface OutcomeInput {
  /** Undefined while only the request is known. */
  response: JsonObject | undefined;
  hasResponseEntry: boolean;
  error: string | undefined;
  allowed: boolean | undefined;
  /** The entry names the caller: a bad or expired token leaves `auth` empty. */
  callerKnown: boolean;
  isLogin: boolean;
  place: Place;
}

const failure = (reason: string, denied = false): Verdict => ({ outcome: 'failure', reason, denied });
const success: Verdict = { outcome: 'success', denied: false };
const unknown: Verdict = { outcome: 'unknown', denied: false };
/** An OIDC login that goes on elsewhere: OpenBao's `oidc/poll` before the person is back, a callback that answers a page. */
const pending: Verdict = { ...unknown, reason: 'login_pending' };

export function verdictOf(input: OutcomeInput): Verdict {
  if (input.error !== undefined) return ofError(input, input.error);
  if (!input.hasResponseEntry) return unknown;
  const { response, isLogin, place } = input;
  // The version is deleted or was never there: Vault answered what was asked, and gave nothing out.
  const status = isSecretBody(place) ? 0 : (integerOf(objectOf(response, 'data'), 'http_status_code') ?? 0);
  if (status === 404) return { ...success, reason: 'no_data' };
  if (status >= 400 || hasErrorBody(response, place)) {
    if (place.rest === 'oidc/poll') return pending;
    return failure(isLogin ? 'login_failed' : 'error_response');
  }
  if (isLogin) return status >= 200 ? pending : ofLogin(response);
  const returns = place.operation === 'read' || place.operation === 'list' || place.operation === 'scan';
  return returns && isEmpty(response) ? { ...success, reason: 'no_data' } : success;
}

function ofError({ allowed, isLogin, callerKnown }: OutcomeInput, error: string): Verdict {
  if (allowed === false) return failure('policy_denied', true);
  if (error.includes('quota exceeded')) return failure('quota_exceeded');
  if (isLogin) return failure('login_failed');
  if (error.includes('wrapping token')) return failure('wrapping_token_invalid');
  if (/permission denied|invalid token|bad token/.test(error)) {
    return callerKnown ? failure('permission_denied', true) : failure('invalid_token', true);
  }
  return failure('error_response');
}

/** A login succeeds when it gives out a token, plain or wrapped; a body with `auth` but no token asks for a second factor. */
function ofLogin(response: JsonObject | undefined): Verdict {
  const auth = objectOf(response, 'auth');
  if (stringOf(auth, 'accessor') !== undefined || stringOf(auth, 'client_token') !== undefined)
    return success;
  if (objectOf(response, 'wrap_info') !== undefined) return success;
  return auth !== undefined ? { ...unknown, reason: 'mfa_required' } : failure('login_failed');
}

/** The data of a KV v1 read is the secret itself, with fields of any name. */
const isSecretBody = ({ mountType, rest, operation }: Place): boolean =>
  isKv(mountType) && !isKv2(rest) && operation === 'read';

/** An error body without a Go error. A KV v1 secret may have a field `error` of its own, which is none. */
function hasErrorBody(response: JsonObject | undefined, place: Place): boolean {
  const data = objectOf(response, 'data');
  if (data === undefined) return false;
  return (
    !isSecretBody(place) &&
    (typeof data['error'] === 'string' || Array.isArray(data['errors'])) &&
    Object.keys(data).length === 1
  );
}

function isEmpty(response: JsonObject | undefined): boolean {
  if (response === undefined) return true;
  return ['data', 'secret', 'auth', 'wrap_info', 'redirect', 'headers'].every(
    (part) => response[part] === undefined,
  );
}
