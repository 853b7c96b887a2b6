// A secret-id that one made and another used: where an AppRole's secret-id is opened or logs in for the first time is held
// against where the role is at home and who makes its secret-ids.

import { limits } from '../../core/limits.ts';
import type { Behaviour, Observation, Turn } from './behaviour.ts';
import { dayOf } from './calendar.ts';
import { type Age, aged, isLearning, type Lesson } from './learning.ts';
import { networkOf } from './network.ts';
import { asJson, described, findingOn, listed, type Told, toldOf } from './told.ts';

const info = described({
  id: '85f04349-ac5c-432b-8197-b63019e44e33',
  name: 'secret-id',
  title: 'Secret-id made by one and used by another',
  level: 'medium',
  techniques: ['T1078', 'T1550.001'],
  groupBy: ['secret-id'],
  settings: ['learningDays', 'learningActiveDays'],
  description:
    'The secret-id of an AppRole was opened or used to log in where the role is not at home, or at the place of the one who made it, or was made by somebody who makes none. Calls are joined by the hash of the secret-id and by the wrapping accessor.',
  falsePositives: [
    'A service that moves to other hosts and gets a new secret-id there.',
    'The first secret-ids that a new pipeline or operator makes.',
  ],
  runbook:
    'Ask who made the secret-id whether the place of use was meant to have it. If not, destroy it (auth/approle/role/ROLE/secret-id-accessor/destroy), revoke the tokens that the role took since, and look at what the maker did before.',
});

/** Where a role is at home is soon known; who makes secret-ids may take weeks to show. */
const homeLesson: Lesson = { behaviour: 'secret-id', days: 3, activeDays: 2 };
const makersLesson: Lesson = { behaviour: 'secret-id', days: 14, activeDays: 5 };
/** All of them are few, and the hash of an opened one is joined to the accessor of its wrapping: one group holds them. */
const GROUP = 'secret-ids';
const MINT = /^(?:.*\/)?(auth\/.+\/role\/[^/]+)\/(?:custom-)?secret-id$/;

/** What crosses: a secret-id made, a wrapped one opened, and of a role's logins the first of a secret-id, and of a network each day. */
type Step = {
  what: 'made' | 'opened' | 'login';
  role?: string;
  hash?: string;
  wrap?: string;
  ip: string;
  peers: string;
};
/** A secret-id: who made it where, for which role, and whether that one makes secret-ids. */
type Made = { by: string; name: string; ip: string; role: string; usual: boolean };
/** A role: networks that it logs in from, and makers at whose place its secret-ids are used. */
type Role = { age?: Age; nets: string[]; own: string[] };
type Makers = { age?: Age; ids: string[] };

export const secretId: Behaviour = {
  info,
  lesson: homeLesson,
  call(call, turn) {
    const step = stepOf(call);
    if (step === undefined || (step.what === 'login' && !isNews(call, step, turn))) return;
    turn.cross(GROUP, { ...step, told: asJson(toldOf(call)) });
  },
  crossed({ event }, turn) {
    const { told, ...step } = event as unknown as Step & { told: Told };
    if (step.what === 'made') make(step, told, turn);
    else use(step, told, turn);
  },
};

function stepOf(call: Observation): Step | undefined {
  const { action, path = '', secret_id: hash, ip = '', auth_mount, role, wrap } = call;
  // Logins are everybody's, sealwatch's too: they teach where a role is at home, whoever's it is.
  if (call.outcome !== 'success') return undefined;
  const base: Omit<Step, 'what'> = {
    ip,
    peers: (call.policies ?? []).join(' '),
    ...(hash !== undefined && { hash }),
  };
  if (action === 'secret-id-create') {
    const made = MINT.exec(path)?.[1];
    if (made === undefined) return undefined;
    return { ...base, what: 'made', role: made, ...(wrap !== undefined && { wrap }) };
  }
  if (hash === undefined) return undefined;
  if (action === 'response-unwrap')
    return { ...base, what: 'opened', ...(call.accessor !== undefined && { wrap: call.accessor }) };
  if (action !== 'user-login' || auth_mount === undefined || role === undefined) return undefined;
  return { ...base, what: 'login', role: `${auth_mount}role/${role}` };
}

/** Logins are many: those cross that use a secret-id for the first time, or a network for the first time this day. */
function isNews({ user, time }: Observation, { hash = '', ip }: Step, { memory }: Turn): boolean {
  type Seen = { day: number; nets: string[]; hashes: string[] };
  const day = dayOf(time);
  const seen = (memory.get('logins', user) as Seen | undefined) ?? { day, nets: [], hashes: [] };
  if (seen.day !== day) Object.assign(seen, { day, nets: [] });
  const net = networkOf(ip);
  if (seen.nets.includes(net) && seen.hashes.includes(hash)) return false;
  seen.nets = [...seen.nets.filter((one) => one !== net), net].slice(-limits.behaviourNetworksMax);
  seen.hashes = [...seen.hashes.filter((one) => one !== hash), hash].slice(-limits.behaviourSecretIdsMax);
  memory.set('logins', user, seen);
  return true;
}

function make({ role = '', hash, wrap, ip, peers }: Step, told: Told, turn: Turn): void {
  const day = dayOf(told.time);
  const makers = (turn.memory.get('makers', '') as Makers | undefined) ?? { ids: [] };
  const { id: by, name = by } = told.facts.user;
  const ids = [by, `peers ${peers}`];
  const learning = isLearning(
    makers.age,
    day,
    makersLesson,
    { className: told.facts.vault.caller.kind },
    turn,
  );
  const made: Made = { by, name, ip, role, usual: learning || ids.some((id) => makers.ids.includes(id)) };
  makers.age = aged(makers.age, day);
  makers.ids = [...makers.ids.filter((id) => !ids.includes(id)), ...ids].slice(-limits.behaviourSecretIdsMax);
  turn.memory.set('makers', '', makers);
  if (hash !== undefined) turn.memory.set('made', hash, made);
  if (wrap !== undefined) turn.memory.set('wrapped', wrap, made);
}

function use(step: Step, told: Told, turn: Turn): void {
  const { hash = '', wrap = '' } = step;
  const made = (turn.memory.get('made', hash) ?? turn.memory.get('wrapped', wrap)) as Made | undefined;
  if (step.what === 'opened' && made !== undefined && hash !== '') turn.memory.set('made', hash, made);
  const path = made?.role ?? step.role;
  if (path === undefined) return;
  const role = (turn.memory.get('role', path) as Role | undefined) ?? { nets: [], own: [] };
  if (made !== undefined) judge(step, made, role, told, turn);
  if (step.what === 'login') {
    const net = networkOf(step.ip);
    role.age = aged(role.age, dayOf(told.time));
    role.nets = [...role.nets.filter((one) => one !== net), net].slice(-limits.behaviourNetworksMax);
  }
  turn.memory.set('role', path, role);
}

function judge(step: Step, made: Made, role: Role, told: Told, turn: Turn): void {
  const day = dayOf(told.time);
  const isYoung = isLearning(role.age, day, homeLesson, { className: told.facts.vault.caller.kind }, turn);
  const net = networkOf(step.ip);
  const isSelf = step.what === 'login' && step.ip === made.ip && told.facts.user.id !== made.by;
  const whys: string[] = [];
  if (!isYoung && !role.nets.includes(net))
    whys.push(`the role logs in from ${listed(role.nets.toReversed())} only`);
  if (isSelf && !role.own.includes(made.by) && !isYoung) whys.push('that is where it was made');
  if (!made.usual) whys.push(`${made.name} had never made one`);
  if (isSelf)
    role.own = [...role.own.filter((one) => one !== made.by), made.by].slice(-limits.behaviourSecretIdsMax);
  if (whys.length === 0) return;
  const name = made.role.split('/').at(-1) ?? made.role;
  const done = step.what === 'opened' ? 'was opened' : 'logged in';
  const message = `A secret-id of ${name} that ${made.name} made at ${made.ip} ${done} at ${step.ip}: ${whys.join('; ')}.`;
  const numbers = {
    role: name,
    made_by: made.name,
    made_at: made.ip,
    used_at: step.ip,
    networks: role.nets.length,
  };
  turn.find(findingOn(told, JSON.stringify([made.role, made.by]), message, numbers));
}
