// Lifetimes against policy, by class of holder: a lease or token that lives longer than it may. What nobody tells is not judged.

import type { Lease } from '../../core/lease.ts';
import type { Behaviour, Turn } from './behaviour.ts';
import { classOfLease, holderOf, isSilenced, noteKind, toldOfLease } from './lease-subject.ts';
import { described, findingOn, spanOf } from './told.ts';

/** Told again only when it is so much longer than the longest told of the subject: what is left of a maximum differs by seconds. */
const LONGER = 1.1;

interface Policy {
  kind: Lease['kind'];
  /** Seconds, unless the lists set `maxSeconds`: `posture.leaseMinutes` and `posture.tokenMinutes` of the configuration. */
  maxSeconds: number;
  info: Behaviour['info'];
}

const common = {
  techniques: ['T1550.001'],
  groupBy: ['path', 'role', 'user.id'],
  settings: ['maxSeconds'],
  runbook:
    'Look at the role or mount that gave it out (its TTLs) and at who changed it last: GET /v1/events with its path. Set the lifetime back, then revoke what was given out meanwhile.',
};

export const leaseLifetime = lifetimeBehaviour({
  kind: 'lease',
  maxSeconds: 3600,
  info: described({
    ...common,
    id: '1ffdd113-b981-41f4-94b4-c628fd81d0e2',
    name: 'lease-lifetime',
    title: 'Lease lives longer than policy allows',
    level: 'medium',
    description:
      'A lease was given a lifetime over the bound for its class of holder (`lease-lifetime` `maxSeconds` of the lists, else posture.leaseMinutes). The alert says where the lifetime is known from; unknown ones are not judged. Once for each path and holder, again when it becomes longer.',
    falsePositives: ['A service that needs long leases: give its class a bound of its own.'],
  }),
});

export const tokenLifetime = lifetimeBehaviour({
  kind: 'token',
  maxSeconds: 43_200,
  info: described({
    ...common,
    id: '8bcc93d9-8fc9-4b90-b4b3-a08e4184bcc8',
    name: 'token-lifetime',
    title: 'Token lives longer than policy allows',
    level: 'medium',
    description:
      'A token was given a lifetime over the bound for its class of holder (`token-lifetime` `maxSeconds` of the lists, else posture.tokenMinutes). Once for each path, role and holder, again when it becomes longer. Periodic and root tokens are told as tokens without an end.',
    falsePositives: [
      'A service that cannot log in and was given a long token: plan its login, or allow it until a date.',
    ],
  }),
});

function lifetimeBehaviour({ kind, maxSeconds, info }: Policy): Behaviour {
  return {
    info: { ...info, file: 'detectors/behaviours/lifetime.ts' },
    lease(lease, _told, turn) {
      noteKind(lease, turn);
      const { ttl_s, ttl_source, token } = lease;
      if (lease.kind !== kind || ttl_s === undefined || ttl_source === 'unknown') return;
      if (token?.periodic !== undefined) return;
      const limit = turn.lists.setting(info.name ?? '', 'maxSeconds', classOfLease(lease, turn), maxSeconds);
      if (ttl_s <= limit) return;
      const subject = subjectOf(lease);
      const told = (turn.memory.get('told', subject) as number | undefined) ?? 0;
      if (ttl_s <= told * LONGER || isSilenced(lease, info.id, turn)) return;
      turn.memory.set('told', subject, ttl_s);
      find(lease, { ttl_s, limit, subject }, turn);
    },
  };
}

/** Who got it by which way: tokens that a token made are the maker's. */
function subjectOf({
  namespace = '',
  path = '',
  role = '',
  holder_id,
  requested_by,
  id,
  token,
}: Lease): string {
  const who = token?.auth_method === 'token' ? (requested_by ?? id) : (holder_id ?? requested_by ?? id);
  return JSON.stringify([namespace, path, role, who]);
}

function find(
  lease: Lease,
  { ttl_s, limit, subject }: { ttl_s: number; limit: number; subject: string },
  turn: Turn,
): void {
  const { kind, path, role, terms, ttl_source } = lease;
  const from = path === undefined ? '' : ` from ${path}`;
  const message =
    `A ${kind} of ${holderOf(lease)}${from} lives ${spanOf(ttl_s)}, over the ${spanOf(limit)} that policy allows its class ` +
    `(known by ${ttl_source}).`;
  const time = terms.at(-1)?.at ?? lease.issued_at;
  turn.find(
    findingOn(toldOfLease(lease, time, turn), JSON.stringify([subject, ttl_s]), message, {
      ttl_s,
      limit_s: limit,
      ttl_source,
      lease: lease.id,
      ...(role !== undefined && { role }),
      ...(lease.proof.ttl !== undefined && { ttl_proof: lease.proof.ttl }),
    }),
  );
}
