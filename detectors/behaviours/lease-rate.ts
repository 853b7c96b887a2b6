// Lease rate: a holder that takes many more leases in an hour than it ever did, as a leak in a program or a thief does.

import { limits } from '../../core/limits.ts';
import type { Behaviour, Observation, Turn } from './behaviour.ts';
import { dayOf, hourOf } from './calendar.ts';
import { type Age, aged, isLearning, type Lesson } from './learning.ts';
import { expected, type Rate, shown, withPeriod } from './rate.ts';
import { described, findingOn, toldOf, whoIs } from './told.ts';

const info = described({
  id: 'b469dc77-cd20-4f7c-9f7c-77a5aca432a4',
  name: 'lease-rate',
  title: 'Many more leases than usual',
  level: 'medium',
  techniques: ['T1499', 'T1555.006'],
  groupBy: ['user.id', 'vault.secret.path'],
  settings: ['leasesMin', 'leasesManyTokensMin', 'factor', 'learningDays', 'learningActiveDays'],
  description:
    'One holder took many times more leases of one role in an hour than in its busiest hours of before. Half of them by one token: from 30 on; by many tokens, as when many pods start, from 150 on. Bounds: `lease-rate` `leasesMin`, `leasesManyTokensMin`, `factor`.',
  falsePositives: ['The first time that a service is scaled out widely.', 'A batch job that is new.'],
  runbook:
    'See what took them (address, token) and whether the leases are used. A program that leaks: have it keep its lease; put a lease count quota on the role. A thief: revoke by prefix what was taken (sys/leases/revoke-prefix) and the token.',
});

const lesson: Lesson = { behaviour: 'lease-rate', days: 2, activeDays: 2 };
/** Without a history nothing is usual, and so many in an hour are still no start of a service. */
const UNLEARNED = 10;
const ISSUES = new Set(['credential-issue', 'certificate-issue']);

/** A holder's leases of one role: those of this hour by token, and how many there usually are in an hour. */
type Known = {
  age: Age;
  hour: number;
  count: number;
  tokens: [token: string, count: number][];
  rate?: Rate;
  told: number;
};

export const leaseRate: Behaviour = {
  info,
  lesson,
  call(call, turn) {
    if (call.lease === undefined || !ISSUES.has(call.action) || !call.teaches) return;
    const key = JSON.stringify([call.user, call.secret?.path ?? call.path]);
    const hour = hourOf(call.time);
    const known = hourly(turn.memory.get('rate', key) as Known | undefined, call, hour);
    known.count++;
    countToken(known, call.accessor?.slice(-16) ?? '');
    judge(known, key, call, turn);
    turn.memory.set('rate', key, known);
  },
};

/** What was known, with the hour before closed when this is another. */
function hourly(known: Known | undefined, call: Observation, hour: number): Known {
  const fresh = { hour, count: 0, tokens: [], told: 0 };
  const age = aged(known?.age, dayOf(call.time));
  if (known === undefined) return { age, ...fresh };
  if (known.hour === hour) return { ...known, age };
  // An hour of theft must not make the next one usual.
  const most = known.told === 0 ? known.count : Math.min(known.count, known.told);
  return { age, ...fresh, rate: withPeriod(known.rate, most, 'hour') };
}

function countToken({ tokens }: Known, is: string): void {
  const one = tokens.find(([token]) => token === is);
  if (one !== undefined) one[1]++;
  else if (tokens.length < limits.behaviourTokensMax) tokens.push([is, 1]);
}

/** Tells at the bound, and each time that the count has doubled since. */
function judge(known: Known, key: string, call: Observation, turn: Turn): void {
  const setting = (name: string, fallback: number) =>
    turn.lists.setting('lease-rate', name, call.className, fallback);
  const byOne = Math.max(...known.tokens.map(([, count]) => count));
  const few = byOne * 2 >= known.count;
  const floor = few ? setting('leasesMin', 30) : setting('leasesManyTokensMin', 150);
  const learning = isLearning(known.age, dayOf(call.time), lesson, call, turn);
  const usual = expected(known.rate);
  const bound = learning ? floor * UNLEARNED : Math.max(floor, setting('factor', 4) * usual);
  if (known.count < bound || known.count < known.told * 2) return;
  known.told = known.count;
  const path = call.secret?.path ?? call.path ?? 'one role';
  const message =
    `${whoIs(call.facts)} took ${known.count} leases from ${path} within this hour, ${byOne} of them by one token; ` +
    (learning ? 'it is too new to know what is usual.' : `its busiest hours had ${shown(usual)}.`);
  const numbers = { leases: known.count, by_one_token: byOne, usual: shown(usual), bound: Math.ceil(bound) };
  turn.find(findingOn(toldOf(call), key, message, numbers));
}
