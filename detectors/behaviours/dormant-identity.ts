// An identity wakes that was silent for longer than it ever was.

import type { Behaviour, Observation, Turn } from './behaviour.ts';
import { dateOf, dayOf, daysText } from './calendar.ts';
import { hasIdentity } from './caller.ts';
import { type Age, aged } from './learning.ts';
import { described, findingOn, toldOf, whoIs } from './told.ts';

const info = described({
  id: '61eb122b-e457-4840-8698-b12d7aa67b87',
  name: 'dormant-identity',
  title: 'Dormant identity wakes',
  level: 'medium',
  techniques: ['T1078'],
  description:
    'An identity that nobody had used for 30 days or more, and longer than it was ever silent before, made a successful call.',
  falsePositives: [
    'A job that runs once in a quarter, at its second run.',
    'Somebody back from a long leave.',
  ],
  runbook:
    'Ask its owner whether the use was meant. If nobody owns it any more, revoke its tokens, disable the entity or role, and look at what it read since it woke.',
  groupBy: ['user.id'],
  settings: ['silentDays'],
});

const SILENT_DAYS = 30;
/** A silence is longer than ever before by this much. */
const LONGER = 1.5;

/** A JSON value. `gap`: longest silence so far, days. */
type Rhythm = { age: Age; gap: number };

export const dormantIdentity: Behaviour = {
  info,
  call(call, turn) {
    if (!call.teaches || !hasIdentity(call)) return;
    const day = dayOf(call.time);
    const rhythm = turn.memory.get('rhythm', call.user) as Rhythm | undefined;
    if (rhythm?.age.last === day) return;
    const silent = rhythm === undefined ? 0 : day - rhythm.age.last;
    if (rhythm !== undefined) wake(call, rhythm, silent, turn);
    const next = { age: aged(rhythm?.age, day), gap: Math.max(silent, rhythm?.gap ?? 0) };
    turn.memory.set('rhythm', call.user, next);
    turn.tell(told(call, next));
  },
};

function wake(call: Observation, { age, gap }: Rhythm, silent: number, turn: Turn): void {
  const least = turn.lists.setting('dormant-identity', 'silentDays', call.className, SILENT_DAYS);
  // Who was there on one day only has no habit that it could have left.
  if (silent < least || silent < gap * LONGER || age.days < 2) return;
  const message = `${whoIs(call.facts)} made a call after ${daysText(silent)} of silence (last seen ${dateOf(age.last)}); before that it was never silent for more than ${daysText(gap)}.`;
  turn.find(findingOn(toldOf(call), call.user, message, { longest_silence_days: gap, silent_days: silent }));
}

const told = (call: Observation, { age, gap }: Rhythm) => ({
  subject: call.user,
  at: call.time,
  learning: age.days < 2,
  text: `Active on ${daysText(age.days)} since ${dateOf(age.since)}; never silent for more than ${daysText(gap)}.`,
  numbers: { active_days: age.days, longest_silence_days: gap },
});
