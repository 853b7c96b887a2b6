// Rotation overdue: a secret that is read and was not written for longer than it may. Found when the time comes, not when it is read.

import { addSeconds } from '../../core/time.ts';
import type { Behaviour, Observation, Turn } from './behaviour.ts';
import { dayOf } from './calendar.ts';
import { hasIdentity } from './caller.ts';
import { asJson, described, findingOn, secondsBetween, spanOf, type Told, toldOf, whoIs } from './told.ts';

const DAY = 86_400;

const info = described({
  id: 'eefa4f0a-6bd0-423f-9cea-3db432e42f53',
  name: 'rotation-overdue',
  title: 'Secret overdue for rotation',
  level: 'low',
  techniques: ['T1552'],
  groupBy: ['vault.secret.path'],
  settings: ['days'],
  description:
    'A secret that is in use has not been written for `rotation-overdue` `days` (90 unless the lists set it, by the class of who reads it). Of a secret that nobody was seen to write, since it was seen first. Told once, again after the next write.',
  falsePositives: ['A value that is no credential: allow its path.'],
  runbook:
    'Find the owner (who wrote it last: GET /v1/secrets) and rotate it. Secrets that an engine rotates itself, and static roles, are not judged here.',
});

/** Reads that matter: a secret that nobody has read for so many days harms nobody by its age. */
const READ_DAYS = 30;
const WRITES = new Set(['secret-write', 'secret-patch', 'secret-create']);
const GONE = new Set(['secret-delete', 'secret-destroy', 'secret-metadata-delete']);

type What = 'read' | 'write' | 'gone';
/** When it was written last, or seen first; its last read; the class of reader that allows least; whether it was told of. */
type Secret = {
  since: string;
  written: boolean;
  className?: string;
  overdue?: boolean;
  read?: Told;
  told?: boolean;
};

export const rotationOverdue: Behaviour = {
  info,
  call(call, turn) {
    const what = whatOf(call);
    if (what === undefined || call.secret === undefined) return;
    // What is allowed for this reader must not come up later, when time passes without a call.
    if (what === 'read' && call.silenced?.includes(info.id) === true) return;
    if (what === 'read' && !isFirstToday(call.user, call.secret.path, call.time, turn)) return;
    turn.cross(call.secret.path, { what, className: call.className, told: asJson(toldOf(call)) });
  },
  crossed({ group: path, time, event }, turn) {
    const { what, className, told } = event as unknown as { what: What; className: string; told: Told };
    if (what === 'gone') return turn.memory.delete('secret', path);
    const before = turn.memory.get('secret', path) as unknown as Secret | undefined;
    if (what === 'write') {
      const { className: strictest, read } = before ?? {};
      const known = {
        ...(strictest !== undefined && { className: strictest }),
        ...(read !== undefined && { read }),
      };
      return watch(path, { since: time, written: true, ...known }, turn);
    }
    const known: Secret = before ?? { since: time, written: false };
    const isStrictest =
      known.className === undefined || daysFor(className, turn) < daysFor(known.className, turn);
    const secret: Secret = { ...known, ...(isStrictest && { className }), read: told };
    if (secret.overdue === true) tell(path, secret, time, turn);
    else if (isStrictest) watch(path, secret, turn);
    else keep(path, secret, turn);
  },
  woken(path, time, turn) {
    const before = turn.memory.get('secret', path) as unknown as Secret | undefined;
    if (before === undefined) return;
    const secret = { ...before, overdue: true };
    const { read } = secret;
    if (read === undefined || secondsBetween(read.time, time) > READ_DAYS * DAY) keep(path, secret, turn);
    else tell(path, secret, time, turn);
  },
};

/** Keeps it, and comes back when it will be overdue. */
function watch(path: string, secret: Secret, turn: Turn): void {
  keep(path, secret, turn);
  turn.wake(path, addSeconds(secret.since, daysFor(secret.className, turn) * DAY));
}

function whatOf(call: Observation): What | undefined {
  if (!call.teaches || !hasIdentity(call) || call.secret?.engine.startsWith('kv') !== true) return undefined;
  if (call.action === 'secret-read') return 'read';
  if (WRITES.has(call.action)) return 'write';
  return GONE.has(call.action) ? 'gone' : undefined;
}

/** Reads are many: of one reader and secret, the first of a day crosses. */
function isFirstToday(user: string, path: string, time: string, { memory }: Turn): boolean {
  const key = JSON.stringify([user, path]);
  const day = dayOf(time);
  if (memory.get('read', key) === day) return false;
  memory.set('read', key, day);
  return true;
}

const daysFor = (className = 'unknown', { lists }: Turn): number =>
  lists.setting('rotation-overdue', 'days', className, 90);

function keep(path: string, secret: Secret, { memory }: Turn): void {
  const { read, ...rest } = secret;
  memory.set('secret', path, { ...rest, ...(read !== undefined && { read: asJson(read) }) });
}

function tell(path: string, secret: Secret, time: string, turn: Turn): void {
  const { className, read, since, written } = secret;
  const days = daysFor(className, turn);
  keep(path, { ...secret, told: true }, turn);
  if (secret.told === true || read === undefined) return;
  const age = secondsBetween(since, time);
  const known = written
    ? `was last written ${spanOf(age)} ago`
    : `has not been written for at least ${spanOf(age)}`;
  const message = `${path} ${known} and may go ${days} days without; ${whoIs(read.facts)} reads it.`;
  const numbers = { age_days: Math.floor(age / DAY), limit_days: days, written_seen: written };
  turn.find(findingOn({ ...read, time }, since, message, numbers));
}
