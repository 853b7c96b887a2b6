// One token in two places: a token that is used from two networks at a time was copied, unless this identity's tokens always are.

import { limits } from '../../core/limits.ts';
import type { Behaviour, Observation, Turn } from './behaviour.ts';
import { dayOf } from './calendar.ts';
import { type Age, aged, isLearning, type Lesson } from './learning.ts';
import { isNear, networkOf } from './network.ts';
import { described, findingOn, listed, secondsBetween, spanOf, toldOf, whoIs } from './told.ts';

const info = described({
  id: 'a03b15c2-8107-4ed1-a27f-93010fd16250',
  name: 'two-places',
  title: 'One token in two places',
  level: 'high',
  techniques: ['T1550.001'],
  groupBy: ['user.id', 'vault.caller.accessor'],
  settings: ['switchSeconds', 'backSeconds', 'learningDays', 'learningActiveDays'],
  description:
    'A token was used from two networks within minutes, or went back and forth between them within an hour, and one of the two is not a usual place of this identity. Batch tokens have no accessor and are not seen.',
  falsePositives: [
    'Somebody who switches a VPN on or off while at work, the first days that it happens.',
    'A new job that hands its token to hosts in another network: it is quiet once several of its tokens have done so.',
  ],
  runbook:
    'Ask the owner whether both addresses are theirs. If not, revoke the token by its accessor (auth/token/revoke-accessor), then see in GET /v1/events what it did from the second address, and how it got away: logs, tickets, a shared home folder.',
});

/** A new workload that spreads over a near range in its first days is setting up, not stolen. */
const lesson: Lesson = { behaviour: 'two-places', days: 1, activeDays: 1 };
/** Days on which a network was used before it is a usual place. */
const USUAL_DAYS = 3;
/** Tokens in two near or usual places after which that is how this identity works. */
const HABIT_TOKENS = 3;

/** Where a token was used: network, address, and when last. */
type Place = { net: string; ip: string; last: string };
/** A token by the end of its accessor; `told`: when it was first found in two places. */
type Token = { is: string; places: Place[]; told?: string };
/** What is known of one identity: its tokens, last used last; its networks by their days; how many tokens moved about nearby. */
type Known = {
  age?: Age;
  nets: { net: string; days: number; day: number }[];
  tokens: Token[];
  shared: number;
};

export const twoPlaces: Behaviour = {
  info,
  lesson,
  call(call, turn) {
    const is = tokenOf(call);
    if (is === undefined || call.ip === undefined) return;
    const none: Known = { nets: [], tokens: [], shared: 0 };
    const known = (turn.memory.get('identity', call.user) as Known | undefined) ?? none;
    const net = networkOf(call.ip);
    // Nearly every call: the token that was used last, where it always is.
    const newest = known.tokens.at(-1);
    const [place] = newest?.places ?? [];
    if (newest?.is === is && newest.places.length === 1 && place?.net === net) {
      Object.assign(place, { ip: call.ip, last: call.time });
      return keep(known, net, call, turn);
    }
    const token = known.tokens.find((one) => one.is === is) ?? { is, places: [] };
    const other = elsewhere(token.places, net, call, turn);
    if (other !== undefined) judge(known, token, { net, other }, call, turn);
    const places = token.places.filter((place) => place.net !== net);
    token.places = [...places, { net, ip: call.ip, last: call.time }].slice(-4);
    known.tokens = [...known.tokens.filter((one) => one !== token), token].slice(-limits.behaviourTokensMax);
    keep(known, net, call, turn);
  },
};

function keep(known: Known, net: string, call: Observation, turn: Turn): void {
  if (call.teaches) learn(known, net, call, turn);
  turn.memory.set('identity', call.user, known);
}

/** A login is the first use of its token, at the place that it is given out to. Accessors are long: their end names them as well. */
function tokenOf({ accessor, action, issued }: Observation): string | undefined {
  return (accessor ?? (action === 'user-login' ? issued?.accessor : undefined))?.slice(-16);
}

/** Where else the token is at this time: left a few minutes ago, or come back from within the hour. */
function elsewhere(places: Place[], net: string, call: Observation, { lists }: Turn): Place | undefined {
  const others = places.filter((place) => place.net !== net);
  const other = others.at(-1);
  if (other === undefined) return undefined;
  const seconds = (name: string, fallback: number) =>
    lists.setting('two-places', name, call.className, fallback);
  const here = places.find((place) => place.net === net);
  const gone = secondsBetween(other.last, call.time);
  if (gone <= seconds('switchSeconds', 600)) return other;
  const isBack = here !== undefined && here.last < other.last;
  return isBack && secondsBetween(here.last, call.time) <= seconds('backSeconds', 3600) ? other : undefined;
}

function judge(
  known: Known,
  token: Token,
  { net, other }: { net: string; other: Place },
  call: Observation,
  turn: Turn,
): void {
  const usual = usualOf(known.nets);
  const near = isNear(net, other.net);
  const isHabit = near && known.shared >= HABIT_TOKENS;
  const isNew = call.className !== 'human' && near;
  const isSettingUp = isNew && isLearning(known.age, dayOf(call.time), lesson, call, turn);
  const isTold = token.told !== undefined && secondsBetween(token.told, call.time) > limits.alertGroupSeconds;
  const quiet = isHabit || isSettingUp || isTold || (usual.includes(net) && usual.includes(other.net));
  if (token.told === undefined && near && call.teaches && known.shared < HABIT_TOKENS) known.shared++;
  token.told ??= call.time;
  if (quiet) return;
  const apart = secondsBetween(other.last, call.time);
  const message =
    `A token of ${whoIs(call.facts)} was used from ${call.ip}, ${spanOf(apart)} after it was used from ${other.ip}, ` +
    `which is another network${usual.length === 0 ? '' : ` (usual: ${listed(usual)})`}.`;
  const numbers = { address: call.ip ?? '', other_address: other.ip, seconds_apart: apart };
  turn.find(findingOn(toldOf(call), JSON.stringify([call.user, token.is]), message, numbers));
  turn.tell(baselineOf(known, call));
}

function learn(known: Known, net: string, call: Observation, turn: Turn): void {
  const day = dayOf(call.time);
  known.age = aged(known.age, day);
  const one = known.nets.find((place) => place.net === net);
  if (one?.day === day) return;
  if (one === undefined) known.nets.push({ net, days: 1, day });
  else Object.assign(one, { days: one.days + 1, day });
  known.nets.sort((a, b) => b.day - a.day || b.days - a.days || (a.net < b.net ? -1 : 1));
  known.nets.splice(limits.behaviourNetworksMax);
  turn.tell(baselineOf(known, call));
}

/** What is usual, for people. */
function baselineOf({ nets, shared }: Known, { time, user }: Observation): Parameters<Turn['tell']>[0] {
  const usual = usualOf(nets);
  const where = usual.length === 0 ? 'no network for three days yet' : listed(usual);
  const moved =
    shared === 0
      ? 'none of its tokens'
      : `${shared === HABIT_TOKENS ? 'at least ' : ''}${shared} of its tokens`;
  return {
    subject: user,
    at: time,
    learning: usual.length === 0,
    text: `Its tokens are used from ${where}; ${moved} moved between near networks while in use.`,
    numbers: { usual_networks: usual.length, moving_tokens: shared },
  };
}

const usualOf = (nets: Known['nets']): string[] =>
  nets.filter(({ days }) => days >= USUAL_DAYS).map(({ net }) => net);
