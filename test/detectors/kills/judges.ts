// Rules of every kind and a behaviour that does everything a behaviour can do.

import type { AuditEvent } from '../../../core/event.ts';
import type { Lease } from '../../../core/lease.ts';
import { addSeconds } from '../../../core/time.ts';
import type { Behaviour, Observation } from '../../../detectors/behaviours/behaviour.ts';
import { asJson, described, findingOn, type Told, toldOf } from '../../../detectors/behaviours/told.ts';
import { factsOf } from '../../../detectors/engine/match.ts';
import { aLease, anEvent, at } from '../../builders.ts';
import { correlationText, rulesFrom, ruleText } from '../rule-text.ts';
import type { Judges } from './play.ts';

let ids = 0;
const nextId = () => `22222222-2222-4333-8444-${String(ids++).padStart(12, '0')}`;

/** A correlation of `of`; its bounds and fields in `more`. */
const counted = (type: string, by: string, more: string, of = 'base') =>
  correlationText({
    id: nextId(),
    title: `title: ${type} by ${by}`.slice(7),
    correlation: `{type: ${type}, rules: [${of}], group-by: [${by}], timespan: 5m${more}}`,
    generate: 'true',
  });

const many = nextId();
const rules = rulesFrom(
  ruleText(),
  ruleText({
    id: nextId(),
    name: 'good',
    detection: '{selection: {event.action: good}, condition: selection}',
  }),
  ruleText({ id: nextId(), name: 'by-address', 'group-by': '[source.ip]' }),
  counted('event_count', 'user.id', ', condition: {gte: 3}'),
  counted('event_count', 'source.ip', ', condition: {gte: 4}'),
  counted('event_count', 'vault.request.path', ', condition: {gt: 5}'),
  counted('value_count', 'source.ip', ', condition: {field: user.id, gte: 3}'),
  counted('value_count', 'user.id', ', condition: {field: source.ip, gte: 2}'),
  counted('value_sum', 'source.ip', ', condition: {field: event.duration, gte: 40}'),
  counted('value_avg', 'source.ip', ', condition: {field: event.duration, gt: 5}'),
  counted('value_percentile', 'source.ip', ', condition: {field: event.duration, percentile: 90, gte: 8}'),
  counted('temporal', 'source.ip', '', 'base, good'),
  counted('temporal_ordered', 'user.id', '', 'base, good'),
  // Many by a user, at the same address: a correlation of a correlation, counted at the address.
  correlationText({
    id: many,
    name: 'many',
    correlation: '{type: event_count, rules: [base], group-by: [user.id], timespan: 5m, condition: {gte: 2}}',
    generate: 'true',
  }),
  counted('value_count', 'source.ip', ', condition: {field: user.id, gte: 2}', 'many'),
);

/** Before the name of whoever has held a lease for a while. */
const HELD = 'held ';

/** Tells of each third call of a user, sends each call to its address, and speaks when somebody was quiet for a minute or held a lease. */
const toy: Behaviour = {
  info: described({
    id: nextId(),
    name: 'toy',
    title: 'Toy',
    level: 'low',
    techniques: [],
    description: 'For tests.',
    falsePositives: [],
    runbook: '',
    groupBy: ['user.id'],
  }),
  call(call: Observation, turn) {
    const calls = ((turn.memory.get('calls', call.user) as number | undefined) ?? 0) + 1;
    turn.memory.set('calls', call.user, calls);
    turn.memory.set('last', call.user, asJson(toldOf(call)));
    turn.cross(call.ip ?? '', asJson(toldOf(call)));
    turn.wake(call.user, addSeconds(call.time, 60));
    if (calls % 3 === 0)
      turn.find(findingOn(toldOf(call), call.user, `${call.user} call ${calls}`, { calls }));
    turn.tell({
      subject: call.user,
      at: call.time,
      learning: false,
      text: `${calls} calls`,
      numbers: { calls },
    });
  },
  crossed({ group, event }, turn) {
    const told = event as unknown as Told;
    const users = (turn.memory.get('users', group) as string[] | undefined) ?? [];
    users.push(told.facts.user.id);
    if (users.length < 7) turn.memory.set('users', group, users);
    else {
      turn.memory.delete('users', group);
      turn.find(findingOn(told, 'address', `${group}: ${users.join()}`, { users: users.join() }));
    }
  },
  lease({ id, holder_id = '', issued_at }, { revision, time }, turn) {
    const leases = ((turn.memory.get('leases', holder_id) as number | undefined) ?? 0) + 1;
    turn.memory.set('leases', holder_id, leases);
    const facts = factsOf(anEvent({ id, time, user: holder_id }), '');
    const told = { id, time, revision: 2 as const, facts };
    turn.memory.set('last', `${HELD}${holder_id}`, asJson(told));
    turn.wake(`${HELD}${holder_id}`, addSeconds(issued_at, 90));
    if (leases % 3 === 0)
      turn.find(findingOn(told, holder_id, `${leases} leases of ${holder_id}`, { leases, revision }));
  },
  woken(user, time, turn) {
    if (user.startsWith(HELD)) {
      const told = turn.memory.get('last', user) as unknown as Told;
      turn.find(findingOn(told, user, `${user} for a while at ${time}`, {}));
      return;
    }
    const told = turn.memory.get('last', user) as unknown as Told;
    const quiet = ((turn.memory.get('quiet', user) as number | undefined) ?? 0) + 1;
    turn.memory.set('quiet', user, quiet);
    turn.find(findingOn(told, `quiet ${user}`, `${user} quiet at ${time} for the time ${quiet}`, { quiet }));
    turn.cross('quiet', asJson(told));
  },
};

export const judges: Judges = { rules, behaviours: [toy] };

/** `count` calls in about that many times four seconds: one in three is bad, some are slow and come as half and whole. */
export function someCalls(count: number, random: () => number): AuditEvent[] {
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T;
  return Array.from({ length: count }, (_, i) =>
    anEvent({
      id: `call-${i}`,
      time: at(i * 4 + Math.floor(random() * 3) * 2),
      user: pick(['a', 'b', 'c', 'd', 'e', 'f', 'g']),
      ip: pick(['10.0.0.1', '10.0.0.2', '10.0.0.3']),
      path: pick(['secret/data/a', 'secret/data/b']),
      action: pick(['bad', 'good', 'good']),
      duration: 1 + Math.floor(random() * 9),
    }),
  );
}

/** `count` leases, told in order of time, of a few holders. */
export const someLeases = (count: number, random: () => number): Lease[] =>
  Array.from({ length: count }, (_, i) =>
    aLease({ id: `lease-${i}`, time: at(i * 10), holder: `holder-${Math.floor(random() * 4)}` }),
  );
