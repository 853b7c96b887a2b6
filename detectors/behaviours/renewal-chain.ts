// Renewal-chain age: a lease or token that lives on through renewals, long past what a credential should.

import type { Lease } from '../../core/lease.ts';
import { addSeconds } from '../../core/time.ts';
import type { Behaviour, Turn } from './behaviour.ts';
import { classOfLease, holderOf, isSilenced, noteKind, toldOfLease } from './lease-subject.ts';
import { asJson, described, findingOn, secondsBetween, spanOf, type Told } from './told.ts';

const DAY = 86_400;

const info = described({
  id: 'ee789e7c-38e0-4167-9953-62c975501112',
  name: 'renewal-chain',
  title: 'Credential kept alive by renewals',
  level: 'medium',
  techniques: ['T1550.001', 'T1098'],
  groupBy: ['lease'],
  settings: ['maxDays'],
  description:
    'A lease or token is older than `renewal-chain` `maxDays` (30 unless the lists set it) because it is renewed. Told once, and again each time its age has doubled.',
  falsePositives: [
    'A service with a periodic token by design: set `maxDays` for its class, or let it log in.',
  ],
  runbook:
    'See who holds it and from where it is renewed (GET /v1/events, lease-renew and token-renew). Have the holder log in anew; set token_max_ttl or max_ttl of the role, so that no renewal goes past it; then revoke it.',
});

/** A row that will reach its next age if nothing ends it. */
type Chain = {
  told: Told;
  name: string;
  kind: string;
  issued: string;
  renewals: number;
  days: number;
  ends?: string;
};

export const renewalChain: Behaviour = {
  info,
  lease(lease, _told, turn) {
    noteKind(lease, turn);
    if (lease.renewals === 0) return;
    const before = turn.memory.get('chain', lease.id) as unknown as Chain | undefined;
    if (lease.ended_at !== undefined || isSilenced(lease, info.id, turn)) {
      if (before !== undefined) turn.memory.delete('chain', lease.id);
      return;
    }
    // What a listing of classes says may change: it holds from the next age on.
    const days =
      before?.days ?? turn.lists.setting('renewal-chain', 'maxDays', classOfLease(lease, turn), 30);
    const chain = chainOf(lease, days, turn);
    // When it began: known by when it was seen first, it is that old at least.
    age(lease.id, chain, lease.last_renewed_at ?? lease.issued_at, turn);
  },
  woken(id, time, turn) {
    const chain = turn.memory.get('chain', id) as unknown as Chain | undefined;
    if (chain !== undefined) age(id, chain, time, turn);
  },
};

function chainOf(lease: Lease, days: number, turn: Turn): Chain {
  const { expires_at, issued_at, kind, renewals } = lease;
  return {
    told: toldOfLease(lease, issued_at, turn),
    name: holderOf(lease),
    kind,
    issued: issued_at,
    renewals,
    days,
    ...(expires_at !== undefined && { ends: expires_at }),
  };
}

/** Tells of the chain when it has come to `days` by `time`, and comes back when it will have come to the next. */
function age(id: string, chain: Chain, time: string, turn: Turn): void {
  const old = secondsBetween(chain.issued, time);
  if (old >= chain.days * DAY) {
    find(id, chain, { old, time }, turn);
    while (old >= chain.days * DAY) chain.days *= 2;
  }
  turn.memory.set('chain', id, { ...chain, told: asJson(chain.told) });
  const due = addSeconds(chain.issued, chain.days * DAY);
  if (chain.ends === undefined || chain.ends > due) turn.wake(id, due);
}

function find(id: string, chain: Chain, { old, time }: { old: number; time: string }, turn: Turn): void {
  const { days, kind, name, renewals, told } = chain;
  const times = `${renewals} renewal${renewals === 1 ? '' : 's'}`;
  const message = `A ${kind} of ${name} is ${spanOf(old)} old and alive through ${times}; ${days} days is where that is told.`;
  const numbers = { age_days: Math.floor(old / DAY), limit_days: days, renewals, lease: id };
  // One event proves every age: each is an alert of its own.
  turn.find(findingOn({ ...told, time }, JSON.stringify([id, days]), message, numbers));
}
