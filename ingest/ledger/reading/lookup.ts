// Look-ups, of anybody in the log and of sealwatch by Vault's answer: the one place where Vault says when a credential ends.

import type { JsonObject } from '../../../core/event.ts';
import type { Lease, TokenDetails } from '../../../core/lease.ts';
import { nanosBetween, utcTime } from '../../../core/time.ts';
import type { Change, LifetimeTold } from '../change.ts';
import { type Call, isHash, known, leaseNamed, numberOf, textOf, tokenNamed } from './call.ts';
import type { Joins } from './joins.ts';

type Base = Call['base'];

/** What the log shows of a look-up: the target is hashed, unless the caller looked itself up. */
export function lookups(call: Call, joins: Joins): Change[] {
  const { event, isDone } = call;
  const { action, reason } = event.event;
  if (action === 'lease-lookup') return isDone ? leaseLookup(call, joins) : refusedLease(call, joins);
  if (action === 'token-lookup' && isDone) return tokenLookup(call, joins);
  if (action === 'token-lookup' && event.vault.authorization?.allowed === true)
    return refusedToken(call, joins);
  // Whatever the call was, its token is good for nothing any more.
  return reason === 'invalid_token' ? invalidCaller(call, joins) : [];
}

const leaseIn = (call: Call): string | undefined => leaseNamed(call, /^leases\/lookup\/(.+)$/);

function leaseLookup(call: Call, joins: Joins): Change[] {
  const { answer, base } = call;
  const shown = leaseIn(call);
  const told = lifetimeIn(answer, base, '', 'audit_lookup');
  const irrevocable: Change[] =
    answer['revoke_error'] === undefined
      ? []
      : joins.onLease(call, shown, { change: 'irrevocable', ...base, id: '' });
  return [...(told === undefined ? [] : joins.onLease(call, shown, told)), ...irrevocable];
}

/** `invalid lease`, the answer says, hashed; the error beside it is plain. It needs a policy that allows the look-up. */
function refusedLease(call: Call, joins: Joins): Change[] {
  const { base } = call;
  if (!isRefused(call, /invalid request|invalid lease/)) return [];
  return joins.onLease(call, leaseIn(call), { change: 'gone', ...base, id: '' });
}

function tokenLookup(call: Call, joins: Joins): Change[] {
  const { answer, base, token, event } = call;
  const shown = textOf(answer, 'accessor');
  const named = tokenNamed(call);
  const told = tokenIn(answer, base, '', 'audit_lookup');
  if (named.accessor === undefined && named.token === undefined) {
    const plain = event.vault.caller.accessor;
    const explained =
      shown === undefined || plain === undefined || shown === plain
        ? []
        : joins.explain(shown, plain, 'shown', base.at);
    return [...explained, ...(token === undefined || told === undefined ? [] : [{ ...told, id: token }])];
  }
  const found = shown === undefined ? undefined : joins.names.tokenByAccessor(shown);
  const byToken = found && joins.explainToken(named.token, found.id, base.at);
  return [
    ...(byToken ?? []),
    ...(told === undefined ? [] : joins.onAccessor(call, named.accessor ?? shown, told)),
  ];
}

/** `bad token` comes as `permission denied`, `invalid accessor` as that: the policy allowed it, and nothing was there. */
function refusedToken(call: Call, joins: Joins): Change[] {
  if (!isRefused(call, /permission denied|bad token|invalid accessor/)) return [];
  const gone: Change = { change: 'gone', ...call.base, id: '' };
  const { accessor, token } = tokenNamed(call);
  return accessor === undefined ? joins.onToken(token, gone) : joins.onAccessor(call, accessor, gone);
}

/** The policy allowed the call, and Vault refused it with such an error; one of its own (`internal error`) says nothing. */
const isRefused = ({ event }: Call, said: RegExp): boolean =>
  event.event.outcome === 'failure' &&
  event.vault.authorization?.allowed === true &&
  said.test(event.error?.message ?? '');

function invalidCaller({ base, handles, event }: Call, joins: Joins): Change[] {
  if (!/invalid token|bad token/.test(event.error?.message ?? '') || handles.inner === undefined) return [];
  const id = joins.names.tokenByHash(handles.inner);
  return id === undefined ? [] : [{ change: 'gone', ...base, id }];
}

/** What an answer to a look-up of this lease says; undefined when it has no times in it. */
export function lifetimeIn(
  data: JsonObject,
  base: Base,
  id: string,
  source: 'audit_lookup' | 'own_lookup',
): LifetimeTold | undefined {
  const from = timeIn(data, 'last_renewal') ?? timeIn(data, 'issue_time');
  const to = timeIn(data, 'expire_time');
  if (from === undefined || to === undefined || to < from) return undefined;
  const ttl_s = Math.round(nanosBetween(from, to) / 1e9);
  return { change: 'lifetime', ...base, id, life: { ttl_s, source, expires_at: to, proof: base.proof } };
}

/** As `lifetimeIn`, of a token, with what a look-up tells beside its lifetime. */
export function tokenIn(
  data: JsonObject,
  base: Base,
  id: string,
  source: 'audit_lookup' | 'own_lookup',
): LifetimeTold | undefined {
  const told = lifetimeIn(data, base, id, source);
  if (told === undefined) return undefined;
  const max = numberOf(data, 'explicit_max_ttl');
  const period = numberOf(data, 'period');
  const uses = numberOf(data, 'num_uses');
  const orphan = data['orphan'];
  const type = textOf(data, 'type');
  const token: TokenDetails = known({
    orphan: typeof orphan === 'boolean' ? orphan : undefined,
    ...(period ? { period_s: period, periodic: 'told' as const } : {}),
    // Of a token of any number of uses it is 0, of one that was used up below.
    uses_left: uses !== undefined && uses > 0 ? uses : undefined,
    type: type === undefined || isHash(type) ? undefined : type,
  });
  return { ...told, token, ...(max ? { life: { ...told.life, max_ttl_s: max } } : {}) };
}

function timeIn(data: JsonObject, key: string): Lease['issued_at'] | undefined {
  const text = textOf(data, key);
  return text === undefined ? undefined : utcTime(text);
}
