// A row of the ledger as an alert and the lists need it: facts, class and subject of a lease or token.

import type { AuditEvent, CallerKind } from '../../core/event.ts';
import { ECS_VERSION, EVENT_SCHEMA } from '../../core/event.ts';
import type { Lease } from '../../core/lease.ts';
import type { MatchFacts } from '../engine/match.ts';
import type { Turn } from './behaviour.ts';
import type { Told } from './told.ts';

/** Whose it is, in words: the holder's name, else what a token is called, else its maker; hashes are cut. */
export function holderOf({ holder, holder_id, id, requested_by, token }: Lease): string {
  const name = holder ?? token?.display_name;
  if (name !== undefined) return name;
  const who = holder_id ?? id;
  const made =
    requested_by === undefined || requested_by === who ? '' : ` (asked for by ${cut(requested_by)})`;
  return `${cut(who)}${made}`;
}

/** `token:hmac-sha256:1039d272...`: enough to find it by. */
const cut = (id: string): string => (id.length > 40 ? `${id.slice(0, 30)}...` : id);

/** What an alert says of the row; its event is the one that gave it out. */
export function toldOfLease(lease: Lease, time: string, turn: Turn): Told {
  return { id: lease.proof.issued, time, revision: 2, facts: factsOf(lease, kindOf(lease, turn)) };
}

function factsOf(lease: Lease, kind: CallerKind): MatchFacts {
  const { holder, id, kind: what, namespace, path, token } = lease;
  const method = token?.auth_method;
  return {
    event: {
      action: what === 'lease' ? 'credential-issue' : 'token-create',
      category: ['session'],
      outcome: 'success',
      type: ['creation'],
    },
    message: '',
    user: { id: lease.holder_id ?? id, ...(holder !== undefined && { name: holder }) },
    vault: {
      caller: { kind, ...(method !== undefined && { auth_method: method }) },
      request: {
        ...(namespace !== undefined && { namespace }),
        ...(path !== undefined && { path }),
      },
    },
  };
}

/**
 * The kind of caller that holds it. Rows of leases do not say it, so that of each holder's tokens is kept; those are told first, since a
 * lease needs a token.
 */
function kindOf({ holder_id, kind, token }: Lease, { memory }: Turn): CallerKind {
  const key = holder_id ?? '';
  if (kind === 'lease') return (memory.get('kind', key) as CallerKind | undefined) ?? 'unknown';
  return token?.kind ?? 'unknown';
}

/** Keeps the kind of a token's holder for its leases. */
export function noteKind({ holder_id, token }: Lease, { memory }: Turn): void {
  if (holder_id === undefined || token?.kind === undefined) return;
  memory.set('kind', holder_id, token.kind);
}

/** The class that the lists put its holder in, by what the row tells of the call that gave it out. */
export function classOfLease(lease: Lease, turn: Turn): string {
  return turn.lists.classOf(callOf(lease, kindOf(lease, turn)));
}

/** Whether an entry of the lists silences `behaviour` (id) on the row. */
export const isSilenced = (lease: Lease, behaviour: string, turn: Turn): boolean =>
  turn.lists.silencedBy(behaviour, callOf(lease, kindOf(lease, turn))) !== undefined;

/** The call that gave it out, as far as the row shows it. */
function callOf(lease: Lease, kind: CallerKind): AuditEvent {
  const facts = factsOf(lease, kind);
  const { token, role } = lease;
  return {
    '@timestamp': lease.issued_at,
    ecs: { version: ECS_VERSION },
    event: {
      ...facts.event,
      outcome: 'success',
      dataset: 'vault.audit',
      hash: '',
      id: lease.proof.issued,
      kind: 'event',
    },
    related: {},
    user: { ...facts.user, ...(token?.policies !== undefined && { roles: token.policies }) },
    vault: {
      caller: {
        credential: 'unknown',
        kind,
        auth_method: token?.auth_method,
        auth_mount: token?.auth_mount,
        display_name: token?.display_name,
        entity_id: token?.entity_id,
        policies: token?.policies,
        role: lease.kind === 'token' ? role : undefined,
      },
      cluster: lease.cluster,
      devices: [],
      pair: 'both',
      request: facts.vault.request,
      revision: 2,
      schema: EVENT_SCHEMA,
    },
  };
}
