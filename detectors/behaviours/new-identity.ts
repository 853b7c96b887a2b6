// An identity that nobody has seen before reads a secret at once.

import type { Json } from '../../core/event.ts';
import type { Behaviour, Turn } from './behaviour.ts';
import { dateOf, dayOf, minuteOf } from './calendar.ts';
import { isThere, secretOf } from './caller.ts';
import { type Age, aged } from './learning.ts';
import { expected, type Rate, shown, withPeriod } from './rate.ts';
import { asJson, described, findingOn, type Told, toldOf, whoIs } from './told.ts';

const info = described({
  id: 'f780bc2e-e0dd-4399-9916-5b772d45e48b',
  name: 'new-identity',
  title: 'New identity reads a secret at once',
  level: 'low',
  techniques: ['T1136', 'T1078'],
  description:
    'An identity made its first call ever and used a secret within ten minutes, on an auth mount where new identities are rare.',
  falsePositives: ['A new service or colleague.'],
  runbook:
    'Look at who created the role, user or alias and when, and whether somebody ordered it. If nobody did: disable it and rotate what it read.',
  groupBy: ['user.id'],
  settings: ['learningDays'],
});

const MINUTES = 10;
const LEARNING_DAYS = 3;
/** All identities are counted together: whoever sees a part of them does not know since when the log is read. */
const EVERYBODY = 'everybody';

/** What is not set for long is forgotten: who is still there is noted again. */
const NOTED_DAYS = 30;

/** A JSON value: first minute and mount; whether it is decided that a secret was used within the first minutes; day it was noted. */
type First = { minute: number; mount: string; done: boolean; day: number };
/** A JSON value: new identities of a mount on a day. */
type Arrivals = { age: Age; today: number; rate?: Rate };

export const newIdentity: Behaviour = {
  info,
  call(call, turn) {
    if (!isThere(call)) return;
    const minute = minuteOf(call.time);
    const first = turn.memory.get('first', call.user) as First | undefined;
    const day = dayOf(call.time);
    if (first?.done === true && day - first.day < NOTED_DAYS) return;
    // Those of one entity may come by several mounts: it counts where it came first.
    const mount = first?.mount ?? call.auth_mount ?? '';
    if (first === undefined) turn.cross(EVERYBODY, { mount });
    const isOld = first !== undefined && (first.done || minute - first.minute > MINUTES);
    const done = isOld || (call.teaches && secretOf(call) !== undefined);
    if (done && !isOld)
      turn.cross(EVERYBODY, {
        mount,
        told: asJson(toldOf(call)),
        minutes: minute - (first?.minute ?? minute),
      });
    turn.memory.set('first', call.user, { minute: first?.minute ?? minute, mount, done, day });
  },
  crossed({ time, event }, turn) {
    const { mount, told, minutes } = event as { mount: string; told?: Json; minutes?: number };
    const day = dayOf(time);
    const start = (turn.memory.get('start', '') as number | undefined) ?? day;
    if (start === day) turn.memory.set('start', '', start);
    if (told === undefined) arrive(turn, mount, day);
    else if (day - start >= turn.lists.setting('new-identity', 'learningDays', '', LEARNING_DAYS))
      judge(told as unknown as Told, { mount, minutes: minutes ?? 0, start }, turn);
  },
};

function arrive(turn: Turn, mount: string, day: number): void {
  const before = turn.memory.get('arrivals', mount) as Arrivals | undefined;
  const arrivals = before ?? { age: aged(undefined, day), today: 0 };
  if (day > arrivals.age.last) {
    // The first day meets everybody who was there before.
    if (arrivals.age.days > 1) arrivals.rate = withPeriod(arrivals.rate, arrivals.today, 'day');
    // Days without a new one count as well, to a bound: older ones have faded anyway.
    for (let idle = arrivals.age.last + 1; idle < Math.min(day, arrivals.age.last + 30); idle++)
      arrivals.rate = withPeriod(arrivals.rate, 0, 'day');
    arrivals.age = aged(arrivals.age, day);
    arrivals.today = 0;
  }
  arrivals.today++;
  turn.memory.set('arrivals', mount, arrivals);
}

function judge(
  told: Told,
  { mount, minutes, start }: { mount: string; minutes: number; start: number },
  turn: Turn,
): void {
  const arrivals = turn.memory.get('arrivals', mount) as Arrivals | undefined;
  // Forgotten for want of room: how many are usual is not known.
  if (arrivals === undefined || arrivals.today <= expected(arrivals.rate)) return;
  const { rate, today } = arrivals;
  const { path = '', user } = { path: told.facts.vault.secret?.path, user: told.facts.user.id };
  const message = `${whoIs(told.facts)} was never seen since ${dateOf(start)} and used ${path} ${minutes} min after its first call; ${mount === '' ? 'here' : `on ${mount}`} ${shown(rate?.mean ?? 0)} new identities a day are usual.`;
  turn.find(
    findingOn(told, user, message, { minutes, new_per_day: shown(rate?.mean ?? 0), new_today: today }),
  );
}
