// An identity's credential is used from a network that it never came from. Pods that move inside their range stay quiet.

import type { Behaviour, Observation, Turn } from './behaviour.ts';
import { dateOf, dayOf, daysText } from './calendar.ts';
import { hasIdentity, isPerson } from './caller.ts';
import { isDeclared } from './declared.ts';
import { forget, isKnown, type Known, use } from './known.ts';
import { type Age, aged, isLearning, type Lesson } from './learning.ts';
import { isNear, networkOf } from './network.ts';
import { expected, newOnes, type Rate, shown, withPeriod } from './rate.ts';
import { type Described, described, findingOn, toldOf, whoIs } from './told.ts';

const words: Omit<Described, 'id' | 'name' | 'title' | 'level'> = {
  techniques: ['T1078', 'T1550.001'],
  description:
    'A call came from a network (/24, of IPv6 /64) that the identity was never seen in, and that is not on the list `networks`. A workload that is at home in several networks of one /16 (IPv6 /48) is at home in all of it; who often comes from new networks is expected to.',
  falsePositives: ['A new node pool, region or office; a person who travels.'],
  runbook:
    'Find out what stands at the address. If nobody knows: revoke the tokens of the identity, renew its secret-id or login, and look at what was read from there.',
  groupBy: ['user.id'],
  settings: ['learningDays', 'learningActiveDays'],
};
const described_ = (parts: Pick<Described, 'id' | 'name' | 'title' | 'level'>) => ({
  ...described({ ...words, ...parts }),
  file: 'detectors/behaviours/new-network.ts',
});

const bound = { itemsMax: 100, days: 90 };
/** So many known networks of one range make the range known. */
const NEAR_NETWORKS = 3;

/** A JSON value. `fresh`: new networks on a day; `today`: those of this day; `refused`: one that was told and may not be learned. */
type Home = { age: Age; networks: Known; dropped: number; today: number; fresh?: Rate; refused?: string };

const workloadLesson: Lesson = { behaviour: 'new-network', days: 3, activeDays: 3 };
const personLesson: Lesson = { behaviour: 'new-network-person', days: 3, activeDays: 3 };

/** Workloads have places of their own; a few days show them. */
export const newNetwork: Behaviour = {
  info: described_({
    id: 'a87ca932-7293-4e8a-831f-a27a92f128be',
    name: 'new-network',
    title: 'Workload calls from a new network',
    level: 'medium',
  }),
  lesson: workloadLesson,
  call(call, turn) {
    if (!isPerson(call)) look(call, turn, workloadLesson);
  },
};

export const newNetworkOfPerson: Behaviour = {
  info: described_({
    id: '72343fc8-53e9-49b3-af98-1bf67d7efd28',
    name: 'new-network-person',
    title: 'Person calls from a new network',
    level: 'low',
  }),
  lesson: personLesson,
  call(call, turn) {
    if (isPerson(call)) look(call, turn, personLesson);
  },
};

function look(call: Observation, turn: Turn, lesson: Lesson): void {
  if (call.ip === undefined || !hasIdentity(call)) return;
  const day = dayOf(call.time);
  const network = networkOf(call.ip);
  const home = turn.memory.get('homes', call.user) as Home | undefined;
  if (home?.networks[network] === day || (home === undefined && !call.teaches)) return;
  const now = home ?? { age: aged(undefined, day), networks: {}, dropped: 0, today: 0 };
  if (call.teaches && day > now.age.last) nextDay(call, now, day, { turn, lesson });
  const isNew = !isKnown(now.networks, network) && !isInRange(call, now.networks, network);
  if (isNew) judge(call, now, network, { turn, lesson });
  if (call.teaches) now.dropped += use(now.networks, network, day, bound)?.dropped ?? 0;
  turn.memory.set('homes', call.user, now);
}

function nextDay(
  call: Observation,
  home: Home,
  day: number,
  { turn, lesson }: { turn: Turn; lesson: Lesson },
): void {
  // What the first day shows is not new but all there is.
  if (home.age.days > 1) home.fresh = withPeriod(home.fresh, home.today, 'day');
  home.today = 0;
  home.age = aged(home.age, day);
  forget(home.networks, day, bound);
  delete home.refused;
  turn.tell(told(call, home, { turn, lesson }));
}

function isInRange(call: Observation, networks: Known, network: string): boolean {
  if (isPerson(call)) return false;
  return Object.keys(networks).filter((other) => isNear(other, network)).length >= NEAR_NETWORKS;
}

function judge(
  call: Observation,
  home: Home,
  network: string,
  { turn, lesson }: { turn: Turn; lesson: Lesson },
): void {
  if (call.teaches) home.today++;
  else if (home.refused === network) return;
  else home.refused = network;
  if (isDeclared(call.ip ?? '', turn.lists.texts('networks'))) return;
  const { age, fresh, networks } = home;
  const count = Object.keys(networks).length;
  const today = call.teaches ? home.today : home.today + 1;
  if (isLearning(age, dayOf(call.time), lesson, call, turn) || today <= expected(fresh)) return;
  const known = Object.keys(networks).sort(
    (a, b) => (networks[b] as number) - (networks[a] as number) || (a < b ? -1 : 1),
  );
  const refused = call.outcome === 'success' ? '' : ' and was refused';
  const message = `${whoIs(call.facts)} called from ${call.ip}${refused}: never before from ${network}. On ${daysText(age.days)} since ${dateOf(age.since)} it came from ${count} ${count === 1 ? 'network' : 'networks'} (${known.slice(0, 3).join(', ')}).`;
  const numbers = {
    active_days: age.days,
    known_networks: count,
    network,
    new_per_day: shown(fresh?.mean ?? 0),
  };
  turn.find(findingOn(toldOf(call), call.user, message, numbers));
  turn.tell(told(call, home, { turn, lesson }));
}

function told(
  call: Observation,
  { age, networks, fresh, dropped }: Home,
  { turn, lesson }: { turn: Turn; lesson: Lesson },
) {
  const names = Object.keys(networks).sort();
  return {
    subject: call.user,
    at: call.time,
    learning: isLearning(age, age.last, lesson, call, turn),
    text: `Calls from ${names.length} networks on ${daysText(age.days)} since ${dateOf(age.since)}: ${names.slice(0, 3).join(', ')}${names.length > 3 ? ' and others' : ''}; ${newOnes(fresh)}.`,
    numbers: { active_days: age.days, dropped, networks: names.length, new_per_day: shown(fresh?.mean ?? 0) },
  };
}
