// Tokens without an end: root, periodic, and those that a token made and that are still there days later.

import type { Lease } from '../../core/lease.ts';
import { addSeconds } from '../../core/time.ts';
import type { Behaviour, Turn } from './behaviour.ts';
import { classOfLease, holderOf, isSilenced, toldOfLease } from './lease-subject.ts';
import { asJson, described, findingOn, secondsBetween, spanOf, type Told } from './told.ts';

const DAY = 86_400;

const info = described({
  id: '17823c83-b423-4d5b-9b71-d395c24f54e3',
  name: 'standing-token',
  title: 'Token without an end',
  level: 'low',
  techniques: ['T1550.001'],
  groupBy: ['token'],
  settings: ['staticDays'],
  description:
    'A token that no login renews: root, periodic, or made by a token and alive after `standing-token` `staticDays` (1 unless the lists set it). Told once for each token and reason.',
  falsePositives: ['A periodic token by design, such as that of a monitor: allow it until a date.'],
  runbook:
    'Find what uses it (GET /v1/identities/ID) and give that an auth method to log in with. Then revoke the token by its accessor. Root tokens: revoke them now; a new one can be generated when it is needed.',
});

type Standing = 'root' | 'periodic' | 'static';
type Waiting = { told: Told; name: string; issued: string };

export const standingToken: Behaviour = {
  info,
  lease(lease, _told, turn) {
    if (lease.kind !== 'token') return;
    if (lease.ended_at !== undefined || isSilenced(lease, info.id, turn)) {
      if (turn.memory.get('waiting', lease.id) !== undefined) turn.memory.delete('waiting', lease.id);
      return;
    }
    const standing = standingOf(lease);
    if (standing === undefined) return;
    const told = toldOfLease(lease, lease.last_renewed_at ?? lease.issued_at, turn);
    const waiting: Waiting = { told, name: holderOf(lease), issued: lease.issued_at };
    if (standing !== 'static') return tell(lease.id, standing, waiting, turn);
    const days = turn.lists.setting('standing-token', 'staticDays', classOfLease(lease, turn), 1);
    const due = addSeconds(lease.issued_at, days * DAY);
    if (lease.expires_at !== undefined && lease.expires_at <= due) return;
    turn.memory.set('waiting', lease.id, { ...waiting, told: asJson(told) });
    turn.wake(lease.id, due);
  },
  woken(id, time, turn) {
    const waiting = turn.memory.get('waiting', id) as unknown as Waiting | undefined;
    if (waiting === undefined) return;
    turn.memory.delete('waiting', id);
    tell(id, 'static', { ...waiting, told: { ...waiting.told, time } }, turn);
  },
};

function standingOf({ token }: Lease): Standing | undefined {
  if (token?.kind === 'root' || token?.policies?.includes('root') === true) return 'root';
  if (token?.periodic !== undefined) return 'periodic';
  return token?.auth_method === 'token' ? 'static' : undefined;
}

function tell(id: string, standing: Standing, { told, name, issued }: Waiting, turn: Turn): void {
  const before = (turn.memory.get('told', id) as Standing[] | undefined) ?? [];
  // That a token made it is no news of one that is known to have no end.
  if (before.includes(standing) || (standing === 'static' && before.length > 0)) return;
  turn.memory.set('told', id, [...before, standing]);
  const age = secondsBetween(issued, told.time);
  const whys: Record<Standing, string> = {
    root: 'is a root token: no policy limits it, and it never expires',
    periodic: 'is periodic: whoever holds it renews it for ever',
    static: `was made by a token and is ${spanOf(age)} old: no login stands behind it`,
  };
  turn.find(
    findingOn(told, JSON.stringify([id, standing]), `A token of ${name} ${whys[standing]}.`, {
      reason: standing,
      age_s: age,
      token: id,
    }),
  );
}
