// Many more calls in an hour than an identity ever makes.

import type { Behaviour, Observation, Turn } from './behaviour.ts';
import { dateOf, daysText, hourOf } from './calendar.ts';
import { hasIdentity } from './caller.ts';
import { type Age, aged, isLearning, type Lesson } from './learning.ts';
import { expected, type Rate, shown, withPeriod } from './rate.ts';
import { described, findingOn, toldOf, whoIs } from './told.ts';

const info = described({
  id: '410c60e0-f4aa-4f1c-a624-3ed56d09794b',
  name: 'volume-drift',
  title: 'Far more calls than usual',
  level: 'low',
  techniques: ['T1499', 'T1119'],
  description:
    'An identity made several times as many calls within an hour as it has made in any hour of late (the peak fades), and more than its mean and deviation explain.',
  falsePositives: ['A rollout, a retry loop, a job that has more to do at the end of the quarter.'],
  runbook:
    'Look at which paths the calls are on. Few paths: a loop, or a client that does not cache; talk to the owner. Many paths: treat it as collection.',
  groupBy: ['user.id'],
  settings: ['calls', 'factor', 'learningDays', 'learningActiveDays'],
});

const lesson: Lesson = { behaviour: 'volume-drift', days: 3, activeDays: 3 };
/** Times the usual. */
const FACTOR = 3;
/** Fewer calls in an hour than this are nothing to speak of. */
const CALLS = 60;

/** A JSON value. `calls`: of `hour`, those that may teach apart. */
type Volume = { age: Age; hour: number; calls: number; taught: number; found: boolean; rate?: Rate };

export const volumeDrift: Behaviour = {
  info,
  lesson,
  call(call, turn) {
    if (!hasIdentity(call)) return;
    const now = hourOf(call.time);
    let volume = turn.memory.get('hours', call.user) as Volume | undefined;
    if (volume === undefined && !call.teaches) return;
    if (volume?.hour !== now) volume = next(call, volume, now, turn);
    volume.calls++;
    if (call.teaches) teach(call, volume, turn);
    judge(call, volume, turn);
    turn.memory.set('hours', call.user, volume);
  },
};

/** The hour before is over: it teaches, no more than what would not have been found. */
function next(call: Observation, before: Volume | undefined, hour: number, turn: Turn): Volume {
  const fresh = { hour, calls: 0, taught: 0, found: false };
  if (before === undefined) return { age: aged(undefined, Math.floor(hour / 24)), ...fresh };
  const most = before.found ? mostOf(call, before, turn) : Number.POSITIVE_INFINITY;
  const rate =
    before.taught === 0 ? before.rate : withPeriod(before.rate, Math.min(before.taught, most), 'hour');
  return { age: before.age, ...fresh, ...(rate !== undefined && { rate }) };
}

function teach(call: Observation, volume: Volume, turn: Turn): void {
  volume.taught++;
  const age = aged(volume.age, Math.floor(volume.hour / 24));
  if (age === volume.age) return;
  volume.age = age;
  if (volume.rate !== undefined) turn.tell(told(call, volume, volume.rate, turn));
}

function mostOf(call: Observation, { rate }: Volume, { lists }: Turn): number {
  const factor = lists.setting('volume-drift', 'factor', call.className, FACTOR);
  return Math.max(
    lists.setting('volume-drift', 'calls', call.className, CALLS),
    Math.ceil(factor * expected(rate)),
  );
}

function judge(call: Observation, volume: Volume, turn: Turn): void {
  const { age, rate, calls, hour, found } = volume;
  if (found || rate === undefined || calls < CALLS_LOOKED_AT) return;
  if (isLearning(age, Math.floor(hour / 24), lesson, call, turn) || calls <= mostOf(call, volume, turn))
    return;
  volume.found = true;
  const message = `${whoIs(call.facts)} made ${calls} calls within this hour; usual are ${shown(rate.mean)} an hour, at most about ${shown(expected(rate))} (${rate.periods} hours since ${dateOf(age.since)}).`;
  const numbers = { calls, expected_most: shown(expected(rate)), mean: shown(rate.mean) };
  turn.find(findingOn(toldOf(call), call.user, message, numbers));
  turn.tell(told(call, volume, rate, turn));
}

/** No list sets the least number of calls lower. */
const CALLS_LOOKED_AT = 20;

const told = (call: Observation, { age }: Volume, rate: Rate, turn: Turn) => ({
  subject: call.user,
  at: call.time,
  learning: isLearning(age, age.last, lesson, call, turn),
  text: `${shown(rate.mean)} calls in an hour in which it is active, at most about ${shown(expected(rate))} (${rate.periods} hours on ${daysText(age.days)} since ${dateOf(age.since)}).`,
  numbers: {
    active_days: age.days,
    hours: rate.periods,
    calls_per_hour: shown(rate.mean),
    most_per_hour: shown(expected(rate)),
  },
});
