// Who a behaviour may learn: callers whose credential Vault took for good.

import type { Observation } from './behaviour.ts';

/** The call names an identity. Whoever only tried a login, or holds nothing but a wrapping token, is none. */
export function hasIdentity(call: Observation): boolean {
  const { kind } = call.facts.vault.caller;
  if (kind === 'anonymous' || call.user.startsWith('address:') || call.user.startsWith('user:')) return false;
  return !(kind === 'unknown' && call.action === 'response-unwrap');
}

/** Vault took its credential: it is there, even where the call teaches nothing (a login is one that sealwatch makes, too). */
export const isThere = (call: Observation): boolean => call.outcome === 'success' && hasIdentity(call);

/** A person, whatever class the lists put them in. */
export const isPerson = (call: Observation): boolean => call.facts.vault.caller.kind === 'human';

/** The secret that a call is about; a list names none. */
export const secretOf = (call: Observation): string | undefined =>
  call.action === 'secret-list' ? undefined : call.secret?.path;

/** A policy said no. */
export const isDenied = (call: Observation): boolean =>
  call.reason === 'policy_denied' || call.reason === 'permission_denied';

/** Call that serves the token or session itself: everybody makes it, and it says nothing of what one is after. */
export const isUpkeep = ({ action, path }: Observation): boolean =>
  UPKEEP.has(action) || path?.endsWith('-self') === true;
const UPKEEP = new Set([
  'user-login',
  'login-url-read',
  'token-renew',
  'lease-renew',
  'lease-revoke',
  'response-unwrap',
  'ui-read',
  'capabilities-read',
  'help-read',
]);
