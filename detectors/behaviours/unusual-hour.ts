// A person works at an hour at which this person does not. Hours are UTC: where people are, nobody tells.

import type { Behaviour, Observation, Turn } from './behaviour.ts';
import { dateOf, daysText, hourOf, isWeekend } from './calendar.ts';
import { hasIdentity, isPerson } from './caller.ts';
import { type Age, aged, isLearning, type Lesson } from './learning.ts';
import { described, findingOn, toldOf, whoIs } from './told.ts';

const info = described({
  id: 'd1422ab6-9b95-4ec8-876d-9d693b21690b',
  name: 'unusual-hour',
  title: 'Person active at an unusual hour',
  level: 'low',
  techniques: ['T1078'],
  description:
    'A person made a call at an hour (UTC) within two hours of which this person is hardly ever active, on working days or on weekends. The first call of such a day counts.',
  falsePositives: ['On-call work, travel, a change between summer and winter time.'],
  runbook:
    'Ask the person. If it was not them: revoke their tokens, reset their login, and look at what was read in that hour.',
  groupBy: ['user.id'],
  settings: ['learningDays', 'learningActiveDays'],
});

const lesson: Lesson = { behaviour: 'unusual-hour', days: 4, activeDays: 3 };
/** Weekends are judged once so many of their days have passed since the person was first seen. */
const WEEKEND_LEARNING_DAYS = 21;
/** An hour is usual when this share of what the person does lies within `NEAR` hours of it. */
const USUAL_SHARE = 0.02;
const NEAR = 2;
/** What is left of an hour's weight an active day later. */
const FADING = 0.98;
/** One alert is enough for a night. */
const QUIET_HOURS = 12;

/** Weights of 24 hours, of working days and of weekends. A JSON value. */
type Hours = { age: Age; weights: number[][]; last: number; found: number };

export const unusualHour: Behaviour = {
  info,
  lesson,
  call(call, turn) {
    if (!call.teaches || !isPerson(call) || !hasIdentity(call)) return;
    const now = hourOf(call.time);
    const hours = turn.memory.get('hours', call.user) as Hours | undefined;
    if (hours?.last === now) return;
    const next = hours ?? { age: aged(undefined, dayNumber(now)), weights: empty(), last: 0, found: 0 };
    judge(call, next, now, turn);
    learn(next, now);
    turn.memory.set('hours', call.user, next);
    turn.tell(told(call, next, turn));
  },
};

const dayNumber = (hour: number): number => Math.floor(hour / 24);
const empty = (): number[][] => [new Array<number>(24).fill(0), new Array<number>(24).fill(0)];

function judge(call: Observation, hours: Hours, now: number, turn: Turn): void {
  const day = dayNumber(now);
  if (isLearning(hours.age, day, lesson, call, turn) || now - hours.found < QUIET_HOURS) return;
  const weekend = isWeekend(day);
  if (weekend && day - hours.age.since < WEEKEND_LEARNING_DAYS) return;
  const share = shareNear(hours, now % 24, weekend);
  if (share >= USUAL_SHARE) return;
  hours.found = now;
  const when = `${String(now % 24).padStart(2, '0')}:00 UTC${weekend ? ' on a weekend' : ''}`;
  const message = `${whoIs(call.facts)} was active at ${when}: ${percent(share)} of what it did on ${daysText(hours.age.days)} since ${dateOf(hours.age.since)} lies within ${NEAR} hours of that.`;
  const numbers = { active_days: hours.age.days, hour_utc: now % 24, share: Math.round(share * 1000) / 1000 };
  turn.find(findingOn(toldOf(call), call.user, message, numbers));
}

/** Share of all hours' weight that lies near `hour`; on working days weekends count as well, not the other way round. */
function shareNear({ weights }: Hours, hour: number, weekend: boolean): number {
  const all = sum(weights.flat());
  const kinds = weekend ? weights.slice(1) : weights;
  let near = 0;
  for (let at = hour - NEAR; at <= hour + NEAR; at++)
    for (const kind of kinds) near += kind[(at + 24) % 24] as number;
  return all === 0 ? 0 : near / all;
}

function learn(hours: Hours, now: number): void {
  const day = dayNumber(now);
  if (day > hours.age.last)
    hours.weights = hours.weights.map((kind) => kind.map((weight) => rounded(weight * FADING)));
  hours.age = aged(hours.age, day);
  const kind = hours.weights[isWeekend(day) ? 1 : 0] as number[];
  kind[now % 24] = rounded((kind[now % 24] as number) + 1);
  hours.last = now;
}

const rounded = (value: number): number => Math.round(value * 100) / 100;
const sum = (values: number[]): number => values.reduce((a, b) => a + b, 0);
const percent = (share: number): string => (share === 0 ? 'nothing' : `${Math.round(share * 1000) / 10} %`);

function told(call: Observation, hours: Hours, turn: Turn) {
  const [work, weekend] = hours.weights as [number[], number[]];
  const total = sum(work) + sum(weekend);
  const usual = [...Array(24).keys()].filter(
    (hour) => ((work[hour] as number) + (weekend[hour] as number)) / total >= USUAL_SHARE,
  );
  return {
    subject: call.user,
    at: call.time,
    learning: isLearning(hours.age, hours.age.last, lesson, call, turn),
    text: `Active on ${daysText(hours.age.days)} since ${dateOf(hours.age.since)}, mostly at these hours (UTC): ${usual.join(', ')}.`,
    numbers: {
      active_days: hours.age.days,
      usual_hours: usual.length,
      weekend_percent: Math.round((sum(weekend) / total) * 100),
    },
  };
}
