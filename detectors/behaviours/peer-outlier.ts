// Peer outlier: what an identity reads that none of its peers does, and how much more. Peers share an auth mount and a role, or
// its policies where there is no role. Only what is new of each crosses to where its group is counted.

import { limits } from '../../core/limits.ts';
import type { Behaviour, Observation, Turn } from './behaviour.ts';
import { dayOf } from './calendar.ts';
import { hasIdentity, isUpkeep, secretOf } from './caller.ts';
import { isKnown, type Known, use } from './known.ts';
import { type Age, aged, isLearning, type Lesson } from './learning.ts';
import { peerGroupOf } from './peers.ts';
import { asJson, described, findingOn, type Told, toldOf, whoIs } from './told.ts';

const info = described({
  id: '78cdd0f1-03f0-41fe-ace0-d1c8b8845125',
  name: 'peer-outlier',
  title: 'Unlike its peers',
  level: 'medium',
  techniques: ['T1078', 'T1555.006'],
  groupBy: ['vault.caller.auth_mount', 'vault.caller.role', 'user.id'],
  settings: ['peersMin', 'secretsMin', 'factor', 'learningDays', 'learningActiveDays'],
  description:
    'An identity touched what none of at least three peers ever did, though they else touch the same, or read many times more distinct secrets in a day than any of them. Peers have the same auth mount and role, or the same policies. `peer-outlier` `peersMin`, `secretsMin`, `factor` set the bounds.',
  falsePositives: [
    'The one of a team who takes up a new task first.',
    'A member whose work is not that of its role.',
  ],
  runbook:
    'Compare what it did with its task; ask the team whether this is new work. If not, contain the identity and see where its credential was used.',
});

/** Only news crosses: on how many days a group was there does not show. */
const lesson: Lesson = { behaviour: 'peer-outlier', days: 7, activeDays: 1 };
/** Areas of one identity that are remembered, in days; told to its group again after `AGAIN_DAYS`. */
const TOUCHED = { itemsMax: limits.behaviourAreasMax, days: 60 };
const AGAIN_DAYS = 20;
/** A busy day of a peer counts for so long. */
const PEAK_DAYS = 30;
const AREA_PEERS_MAX = 8;
/** Share of what peers touch that more than one of them touches: below it each has work of its own. */
const ALIKE = 0.5;

type Day = { day: number; secrets: string[]; told: number };
/** A member of a group: last seen; most distinct secrets in a day, and when. */
type Member = { last: number; secrets: number; at: number };
/** Areas that its members touch, and how many of these more than one does. */
type Group = { age?: Age; members: Record<string, Member>; areas: number; shared: number };

type Step = { who: string; className: string; area?: string; secrets?: number; group: string };

export const peerOutlier: Behaviour = {
  info,
  lesson,
  call(call, turn) {
    if (!call.teaches || !hasIdentity(call) || isUpkeep(call)) return;
    const group = peerGroupOf(call);
    const area = areaOf(call);
    if (group === undefined || area === undefined) return;
    const key = JSON.stringify([group, call.user]);
    const who = { who: call.user, className: call.className, group: nameOf(call) };
    const cross = (step: Partial<Step>) => turn.cross(group, { ...who, ...step, told: asJson(toldOf(call)) });
    if (isNews(key, area, call.time, turn)) cross({ area });
    const secrets = secretsToday(key, call, turn);
    if (secrets !== undefined) cross({ secrets });
  },
  crossed({ group: key, event }, turn) {
    const { told, ...step } = event as unknown as Step & { told: Told };
    const group = (turn.memory.get('group', key) as Group | undefined) ?? {
      members: {},
      areas: 0,
      shared: 0,
    };
    const day = dayOf(told.time);
    if (step.area !== undefined) touch(key, group, step.area, step, told, turn);
    if (step.secrets !== undefined) judgeVolume(group, step.secrets, step, told, turn);
    group.age = aged(group.age, day);
    note(group, step, day);
    turn.tell(baselineOf(group, step, told, turn));
    turn.memory.set('group', key, group);
  },
};

const nameOf = ({ role, policies = [] }: Observation): string =>
  role !== undefined
    ? `the role ${role}`
    : `the policies ${policies.filter((one) => one !== 'default').join(', ')}`;

/** Mount and first folder of a secret, of other calls the first two parts of the path. */
function areaOf(call: Observation): string | undefined {
  const secret = secretOf(call);
  if (secret === undefined) return call.path?.split('/').slice(0, 2).join('/');
  const parts = secret.split('/');
  return parts.slice(0, Math.max(1, Math.min(3, parts.length - 1))).join('/');
}

/** The area is new to this identity, or its group has not heard of it for long. */
function isNews(key: string, area: string, time: string, { memory }: Turn): boolean {
  const day = dayOf(time);
  const touched = (memory.get('touched', key) as Known | undefined) ?? {};
  if (isKnown(touched, area) && day - (touched[area] ?? 0) < AGAIN_DAYS) return false;
  use(touched, area, day, TOUCHED);
  memory.set('touched', key, touched);
  return true;
}

/** Distinct secrets of this day, at 10, 20, 40, ...; undefined between. */
function secretsToday(key: string, call: Observation, { memory }: Turn): number | undefined {
  const secret = secretOf(call);
  if (secret === undefined) return undefined;
  const day = dayOf(call.time);
  const before = memory.get('day', key) as Day | undefined;
  const today = before?.day === day ? before : { day, secrets: [], told: 5 };
  if (today.secrets.includes(secret) || today.secrets.length >= limits.behaviourDaySecretsMax)
    return undefined;
  today.secrets.push(secret);
  const isMark = today.secrets.length >= today.told * 2;
  if (isMark) today.told = today.secrets.length;
  memory.set('day', key, today);
  return isMark ? today.told : undefined;
}

/** Who of the group touches the area: those who did first, by the day of their last touch. */
function touch(key: string, group: Group, area: string, step: Step, told: Told, turn: Turn): void {
  const place = JSON.stringify([key, area]);
  const day = dayOf(told.time);
  const touched = (turn.memory.get('area', place) as Known | undefined) ?? {};
  const others = Object.keys(touched).filter((who) => who !== step.who);
  const isFirst = !isKnown(touched, step.who);
  if (isFirst && others.length === 0) judgeArea(group, area, step, told, turn);
  if (isFirst && others.length === 0) group.areas++;
  if (isFirst && others.length === 1) group.shared++;
  use(touched, step.who, day, { itemsMax: AREA_PEERS_MAX, days: TOUCHED.days });
  turn.memory.set('area', place, touched);
}

function judgeArea(group: Group, area: string, step: Step, told: Told, turn: Turn): void {
  const { peers, quiet } = peersOf(group, step, told, turn);
  if (quiet || group.shared < group.areas * ALIKE) return;
  const message =
    `${whoIs(told.facts)} touched ${area}, which none of its ${peers.length} peers with ${step.group} ever did; ` +
    `${group.shared} of the ${group.areas} areas that they touch are shared.`;
  const numbers = { area, peers: peers.length, areas: group.areas, shared_areas: group.shared };
  turn.find(findingOn(told, step.who, message, numbers));
}

function judgeVolume(group: Group, secrets: number, step: Step, told: Told, turn: Turn): void {
  const { peers, quiet } = peersOf(group, step, told, turn);
  const setting = (name: string, fallback: number) =>
    turn.lists.setting('peer-outlier', name, step.className, fallback);
  // What peers had is told at 10, 20, 40: the true number may be nearly twice as much.
  const most = Math.max(10, ...peers.map((peer) => peer.secrets * 2));
  if (quiet || secrets < setting('secretsMin', 20) || secrets < setting('factor', 2) * most) return;
  const message =
    `${whoIs(told.facts)} used ${secrets} distinct secrets today; none of its ${peers.length} peers with ${step.group} ` +
    `came to ${most} in a day.`;
  const numbers = { secrets, peers: peers.length, peers_below: most };
  turn.find(findingOn(told, step.who, message, numbers));
}

/** What is known of its group, for people. */
function baselineOf(group: Group, step: Step, told: Told, turn: Turn): Parameters<Turn['tell']>[0] {
  const { peers, quiet } = peersOf(group, step, told, turn);
  const { areas, shared } = group;
  return {
    subject: step.who,
    at: told.time,
    learning: quiet,
    text: `It has ${peers.length} peers with ${step.group}; they touch ${areas} areas, ${shared} of them more than one does.`,
    numbers: { peers: peers.length, areas, shared_areas: shared },
  };
}

/** Its peers of late; too few of them, or a group that is still new, tell nothing. */
function peersOf({ age, members }: Group, { who, className }: Step, told: Told, turn: Turn) {
  const day = dayOf(told.time);
  const peers = Object.entries(members)
    .filter(([id, { last }]) => id !== who && day - last <= TOUCHED.days)
    .map(([, member]) => member);
  const enough = turn.lists.setting('peer-outlier', 'peersMin', className, 3);
  return { peers, quiet: peers.length < enough || isLearning(age, day, lesson, { className }, turn) };
}

function note(group: Group, { who, secrets = 0 }: Step, day: number): void {
  const before = group.members[who];
  const isMore = before === undefined || secrets >= before.secrets || day - before.at > PEAK_DAYS;
  group.members[who] = isMore ? { last: day, secrets, at: day } : { ...before, last: day };
  const ids = Object.keys(group.members);
  if (ids.length <= limits.behaviourPeersMax) return;
  const [oldest] = ids.sort((a, b) => lastOf(group, a) - lastOf(group, b) || (a < b ? -1 : 1));
  delete group.members[oldest as string];
}

const lastOf = ({ members }: Group, who: string): number => members[who]?.last ?? 0;
