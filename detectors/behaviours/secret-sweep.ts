// Many more different secrets in an hour than an identity ever touches: a sweep.

import type { Behaviour, Observation, Turn } from './behaviour.ts';
import { dateOf, daysText, hourOf } from './calendar.ts';
import { hasIdentity, secretOf } from './caller.ts';
import { type Age, aged, isLearning, type Lesson } from './learning.ts';
import { expected, type Rate, shown, withPeriod } from './rate.ts';
import { described, findingOn, toldOf, whoIs } from './told.ts';

const info = described({
  id: '8c394c3c-ca43-4c07-88ea-f0d6a36ad759',
  name: 'secret-sweep',
  title: 'Far more different secrets than usual within an hour',
  level: 'medium',
  techniques: ['T1555.006', 'T1119'],
  description:
    'An identity touched several times as many different secrets within an hour as it does in any hour of late. Refused calls count as touched, but never teach what is usual.',
  falsePositives: ['An inventory, a migration, a rotation that runs for the first time.'],
  runbook:
    'Revoke the token unless its owner explains it. List which of the secrets were read and not refused, and rotate those.',
  groupBy: ['user.id'],
  settings: ['secrets', 'factor', 'learningDays', 'learningActiveDays'],
});

const lesson: Lesson = { behaviour: 'secret-sweep', days: 3, activeDays: 3 };
/** Times the usual. */
const FACTOR = 2;
/** Fewer different secrets in an hour than this are no sweep. */
const SECRETS = 8;
/** Past it, more are not told apart. */
const SECRETS_MAX = 500;

/** A JSON value. `seen`: what was touched in `hour`, whether the call may teach. */
type Sweep = { age: Age; hour: number; seen: Record<string, boolean>; found: boolean; rate?: Rate };

export const secretSweep: Behaviour = {
  info,
  lesson,
  call(call, turn) {
    const secret = secretOf(call);
    if (secret === undefined || !hasIdentity(call)) return;
    const now = hourOf(call.time);
    const before = turn.memory.get('hours', call.user) as Sweep | undefined;
    if (before === undefined && !call.teaches) return;
    const sweep = before?.hour === now ? before : next(call, before, now, turn);
    const known = sweep.seen[secret];
    if (known === true || (known === false && !call.teaches)) return;
    if (known === undefined && Object.keys(sweep.seen).length >= SECRETS_MAX) return;
    sweep.seen[secret] = call.teaches;
    if (call.teaches) teach(call, sweep, turn);
    judge(call, sweep, turn);
    turn.memory.set('hours', call.user, sweep);
  },
};

/** The hour before is over: it teaches, no more than what would not have been found. */
function next(call: Observation, before: Sweep | undefined, hour: number, turn: Turn): Sweep {
  if (before === undefined)
    return { age: aged(undefined, Math.floor(hour / 24)), hour, seen: {}, found: false };
  const taught = Object.values(before.seen).filter(Boolean).length;
  const most = before.found ? mostOf(call, before, turn) : taught;
  const rate = taught === 0 ? before.rate : withPeriod(before.rate, Math.min(taught, most), 'hour');
  return { age: before.age, hour, seen: {}, found: false, ...(rate !== undefined && { rate }) };
}

function teach(call: Observation, sweep: Sweep, turn: Turn): void {
  const age = aged(sweep.age, Math.floor(sweep.hour / 24));
  if (age === sweep.age) return;
  sweep.age = age;
  if (sweep.rate !== undefined) turn.tell(told(call, sweep, sweep.rate, turn));
}

function mostOf({ className }: Observation, { rate }: Sweep, { lists }: Turn): number {
  const factor = lists.setting('secret-sweep', 'factor', className, FACTOR);
  return Math.max(
    lists.setting('secret-sweep', 'secrets', className, SECRETS),
    Math.ceil(factor * expected(rate)),
  );
}

function judge(call: Observation, sweep: Sweep, turn: Turn): void {
  const { age, hour, rate, seen, found } = sweep;
  if (found || rate === undefined || isLearning(age, Math.floor(hour / 24), lesson, call, turn)) return;
  const secrets = Object.keys(seen).length;
  if (secrets <= mostOf(call, sweep, turn)) return;
  sweep.found = true;
  const refused = Object.values(seen).filter((taught) => !taught).length;
  const message = `${whoIs(call.facts)} touched ${secrets} different secrets within this hour (${refused} refused); usual are ${shown(rate.mean)} an hour, at most about ${shown(expected(rate))} (${rate.periods} hours since ${dateOf(age.since)}).`;
  const numbers = { expected_most: shown(expected(rate)), mean: shown(rate.mean), refused, secrets };
  turn.find(findingOn(toldOf(call), call.user, message, numbers));
  turn.tell(told(call, sweep, rate, turn));
}

const told = (call: Observation, { age }: Sweep, rate: Rate, turn: Turn) => ({
  subject: call.user,
  at: call.time,
  learning: isLearning(age, age.last, lesson, call, turn),
  text: `${shown(rate.mean)} different secrets in an hour in which it uses any, at most about ${shown(expected(rate))} (${rate.periods} hours on ${daysText(age.days)} since ${dateOf(age.since)}).`,
  numbers: {
    active_days: age.days,
    hours: rate.periods,
    secrets_per_hour: shown(rate.mean),
    most_per_hour: shown(expected(rate)),
  },
});
