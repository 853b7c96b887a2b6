// An identity uses a secret, or a part of Vault, that it never used. What most of its role use, surprises nobody.

import type { JsonObject } from '../../core/event.ts';
import type { Behaviour, Observation, Turn } from './behaviour.ts';
import { dateOf, dayOf, daysText } from './calendar.ts';
import { hasIdentity, isUpkeep, secretOf } from './caller.ts';
import { forget, isKnown, type Known, use } from './known.ts';
import { type Age, aged, isLearning, type Lesson } from './learning.ts';
import { isUsualAmong, peerGroupOf, stretchOf, usedBy } from './peers.ts';
import { expected, newOnes, type Rate, shown, withPeriod } from './rate.ts';
import { asJson, described, findingOn, type Told, toldOf, whoIs } from './told.ts';

const info = described({
  id: '81c36e86-76d1-4bb5-85b3-93dcfc8a7d8b',
  name: 'first-access',
  title: 'First access to a secret or part of Vault',
  level: 'low',
  techniques: ['T1555.006', 'T1083'],
  description:
    'An identity used a secret, or a part of a mount, for the first time, though it is known for days and seldom takes up anything new, and most identities of its role do not use it either.',
  falsePositives: ['A new version of an application that needs another secret; a person with a new task.'],
  runbook:
    'Compare with what was rolled out. If nothing was: look at where the call came from and what else the identity did in that hour.',
  groupBy: ['user.id'],
  settings: ['learningDays', 'learningActiveDays'],
});

const lesson: Lesson = { behaviour: 'first-access', days: 3, activeDays: 3 };
const bound = { itemsMax: 200, days: 90 };

/** A JSON value. `fresh`: new ones on a day; `today`: those of this day. */
type Habit = { age: Age; secrets: Known; prefixes: Known; dropped: number; today: number; fresh?: Rate };

export const firstAccess: Behaviour = {
  info,
  lesson,
  call(call, turn) {
    if (!call.teaches || isUpkeep(call) || !hasIdentity(call)) return;
    const day = dayOf(call.time);
    const secret = secretOf(call);
    const before = turn.memory.get('habits', call.user) as Habit | undefined;
    if (secret !== undefined && before?.secrets[secret] === day) return;
    const prefix = prefixOf(call);
    if (prefix === undefined || (secret === undefined && before?.prefixes[prefix] === day)) return;
    const habit = before ?? { age: aged(undefined, day), secrets: {}, prefixes: {}, dropped: 0, today: 0 };
    if (day > habit.age.last) nextDay(call, habit, day, turn);
    // A secret in a part that is new as a whole is no second surprise.
    const isPart = note(call, habit, { what: 'prefixes', item: prefix, day, isPart: false }, turn);
    if (secret !== undefined) note(call, habit, { what: 'secrets', item: secret, day, isPart }, turn);
    turn.memory.set('habits', call.user, habit);
  },
  crossed({ group, time, event }, turn) {
    const { user, item, finding } = event as { user: string; item: string; finding?: JsonObject };
    const use = { user, item, stretch: stretchOf(dayOf(time)) };
    if (finding !== undefined && !isUsualAmong(turn.memory, group, use)) {
      const { told, message, facts } = finding as unknown as PeerFinding;
      turn.find(findingOn(told, user, message, facts));
    }
    usedBy(turn.memory, group, use);
  },
};

interface PeerFinding {
  told: Told;
  message: string;
  facts: Record<string, string | number>;
}

interface Noted {
  what: 'secrets' | 'prefixes';
  item: string;
  day: number;
  /** Of something that is new itself. */
  isPart: boolean;
}

/** Learns that the item was used; a new one is judged, and once a month the role is told that it still is. Whether it is new. */
function note(call: Observation, habit: Habit, noted: Noted, turn: Turn): boolean {
  const { what, item, day, isPart } = noted;
  const known = habit[what];
  const last = isKnown(known, item) ? (known[item] as number) : undefined;
  if (last === undefined && !isPart) judge(call, habit, item, turn);
  else if (last === undefined || stretchOf(last) < stretchOf(day))
    tellPeers(call, { user: call.user, item }, turn);
  habit.dropped += use(known, item, day, bound)?.dropped ?? 0;
  return last === undefined;
}

function tellPeers(call: Observation, event: JsonObject, turn: Turn): void {
  const group = peerGroupOf(call);
  if (group !== undefined) turn.cross(group, event);
}

/** Mount and first segment below it: `secret/payments/`, `sys/policies/`. */
function prefixOf({ mount, path }: Observation): string | undefined {
  if (mount === undefined || path === undefined) return undefined;
  const rest = path.startsWith(mount) ? path.slice(mount.length) : path;
  const [first = '', second] = rest
    .replace(/^(data|metadata|delete|undelete|destroy|subkeys)\//, '')
    .split('/');
  return second === undefined ? mount : `${mount}${first}/`;
}

function nextDay(call: Observation, habit: Habit, day: number, turn: Turn): void {
  // What the first day shows is not new but all there is.
  if (habit.age.days > 1) habit.fresh = withPeriod(habit.fresh, habit.today, 'day');
  habit.today = 0;
  habit.age = aged(habit.age, day);
  forget(habit.secrets, day, bound);
  forget(habit.prefixes, day, bound);
  turn.tell(told(call, habit, turn));
}

/** Everything new goes to the role, so that it knows what its identities use; what is unusual is judged there. */
function judge(call: Observation, habit: Habit, item: string, turn: Turn): void {
  habit.today++;
  const { age, fresh } = habit;
  const quiet = isLearning(age, dayOf(call.time), lesson, call, turn) || habit.today <= expected(fresh);
  if (!quiet) turn.tell(told(call, habit, turn));
  const group = peerGroupOf(call);
  const message = sentence(call, habit, item);
  const facts = {
    active_days: age.days,
    item,
    known_secrets: Object.keys(habit.secrets).length,
    new_per_day: shown(fresh?.mean ?? 0),
  };
  const finding = { told: asJson(toldOf(call)), message, facts };
  if (group !== undefined) turn.cross(group, { user: call.user, item, ...(!quiet && { finding }) });
  else if (!quiet) turn.find(findingOn(toldOf(call), call.user, message, facts));
}

function sentence(call: Observation, { age, secrets, fresh }: Habit, item: string): string {
  const count = Object.keys(secrets).length;
  const rare = fresh === undefined ? '' : `, and takes up ${newOnes(fresh)}`;
  return `${whoIs(call.facts)} used ${item} for the first time (${call.action}): on ${daysText(age.days)} since ${dateOf(age.since)} it used ${count} ${count === 1 ? 'secret' : 'secrets'}${rare}.`;
}

function told(call: Observation, habit: Habit, turn: Turn) {
  const { age, secrets, prefixes, fresh, dropped } = habit;
  const numbers = {
    active_days: age.days,
    dropped,
    prefixes: Object.keys(prefixes).length,
    secrets: Object.keys(secrets).length,
  };
  return {
    subject: call.user,
    at: call.time,
    learning: isLearning(age, age.last, lesson, call, turn),
    text: `Uses ${numbers.secrets} secrets and ${numbers.prefixes} parts of Vault, on ${daysText(age.days)} since ${dateOf(age.since)}; ${newOnes(fresh)}.`,
    numbers: { ...numbers, new_per_day: shown(fresh?.mean ?? 0) },
  };
}
