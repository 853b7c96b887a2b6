// Secrets gathered slowly: each hour looks ordinary, the day does not.

import type { Behaviour, Observation, Turn } from './behaviour.ts';
import { dateOf, hourOf } from './calendar.ts';
import { hasIdentity, secretOf } from './caller.ts';
import { type Age, aged, isLearning, type Lesson } from './learning.ts';
import { expected, type Rate, shown, withPeriod } from './rate.ts';
import { described, findingOn, toldOf, whoIs } from './told.ts';

const info = described({
  id: '7edf7631-968f-4bc9-bb23-6480233969c8',
  name: 'slow-collection',
  title: 'Secrets collected slowly over a day',
  level: 'medium',
  techniques: ['T1119', 'T1029'],
  description:
    'Over 24 hours an identity successfully used several times as many different secrets as on any day of late, with never so many at once that it were a sweep.',
  falsePositives: ['Somebody who moves an application, or takes over from a colleague.'],
  runbook:
    'Ask the owner. If nobody explains it: revoke the tokens, list what was read in these 24 hours and rotate it. The events of the alert are the last of many: search by the identity.',
  groupBy: ['user.id'],
  settings: ['secrets', 'factor', 'learningDays', 'learningActiveDays'],
});

const lesson: Lesson = { behaviour: 'slow-collection', days: 3, activeDays: 3 };
/** Times the usual. */
const FACTOR = 2.5;
/** Fewer different secrets in 24 hours than this are no collection. */
const SECRETS = 8;
/** Past it, more are not told apart. */
const SECRETS_MAX = 500;
const HOURS = 24;
/** More than this share of them in one hour is a burst, which is not slow. */
const BURST_SHARE = 0.5;

/** A JSON value. `used`: secret to the hour of its last use, of the last 24 hours. `found`: hour. */
type Collection = { age: Age; hour: number; used: Record<string, number>; found: number; rate?: Rate };

export const slowCollection: Behaviour = {
  info,
  lesson,
  call(call, turn) {
    const secret = secretOf(call);
    if (secret === undefined || !call.teaches || !hasIdentity(call)) return;
    const now = hourOf(call.time);
    const before = turn.memory.get('days', call.user) as Collection | undefined;
    if (before?.used[secret] === now) return;
    const collection = before?.hour === now ? before : next(call, before, now, turn);
    const isNew = !Object.hasOwn(collection.used, secret);
    if (isNew && Object.keys(collection.used).length >= SECRETS_MAX) return;
    collection.used[secret] = now;
    if (isNew) judge(call, collection, turn);
    turn.memory.set('days', call.user, collection);
  },
};

function next(call: Observation, before: Collection | undefined, hour: number, turn: Turn): Collection {
  const day = Math.floor(hour / 24);
  if (before === undefined) return { age: aged(undefined, day), hour, used: {}, found: 0 };
  const collection = day > before.age.last ? nextDay(call, before, day, turn) : before;
  const { used } = collection;
  for (const secret in used) if ((used[secret] as number) <= hour - HOURS) delete used[secret];
  return { ...collection, hour };
}

/** The day before is over: it teaches, no more than what would not have been found. */
function nextDay(call: Observation, before: Collection, day: number, turn: Turn): Collection {
  const count = Object.values(before.used).filter((at) => at >= before.age.last * 24).length;
  const found = before.found >= before.age.last * 24;
  const rate = withPeriod(before.rate, found ? Math.min(count, mostOf(call, before, turn)) : count, 'day');
  const collection = { ...before, age: aged(before.age, day), rate };
  turn.tell(told(call, collection, rate, turn));
  return collection;
}

function mostOf({ className }: Observation, { rate }: Collection, { lists }: Turn): number {
  const factor = lists.setting('slow-collection', 'factor', className, FACTOR);
  return Math.max(
    lists.setting('slow-collection', 'secrets', className, SECRETS),
    Math.ceil(factor * expected(rate)),
  );
}

function judge(call: Observation, collection: Collection, turn: Turn): void {
  const { age, hour, rate, used, found } = collection;
  if (rate === undefined || hour - found < HOURS) return;
  const secrets = Object.keys(used).length;
  if (secrets <= mostOf(call, collection, turn) || isLearning(age, age.last, lesson, call, turn)) return;
  const perHour = new Map<number, number>();
  for (const at of Object.values(used)) perHour.set(at, (perHour.get(at) ?? 0) + 1);
  if (Math.max(...perHour.values()) > secrets * BURST_SHARE) return;
  collection.found = hour;
  const message = `${whoIs(call.facts)} used ${secrets} different secrets within ${HOURS} hours, spread over ${perHour.size} of them; usual are ${shown(rate.mean)} a day, at most about ${shown(expected(rate))} (${rate.periods} days since ${dateOf(age.since)}).`;
  const numbers = {
    expected_most: shown(expected(rate)),
    hours: perHour.size,
    mean: shown(rate.mean),
    secrets,
  };
  turn.find(findingOn(toldOf(call), call.user, message, numbers));
  turn.tell(told(call, collection, rate, turn));
}

const told = (call: Observation, { age }: Collection, rate: Rate, turn: Turn) => ({
  subject: call.user,
  at: call.time,
  learning: isLearning(age, age.last, lesson, call, turn),
  text: `${shown(rate.mean)} different secrets on a day on which it uses any, at most about ${shown(expected(rate))} (${rate.periods} days since ${dateOf(age.since)}).`,
  numbers: { active_days: age.days, secrets_per_day: shown(rate.mean), most_per_day: shown(expected(rate)) },
});
