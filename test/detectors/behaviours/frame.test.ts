// The frame: what it promises every behaviour, on a few of its own and on all of them over virtual weeks.

import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../../core/canonical.ts';
import { limits } from '../../../core/limits.ts';
import { type Lists, noLists } from '../../../core/lists.ts';
import { allBehaviours } from '../../../detectors/behaviours/all.ts';
import type { Behaviour, Observation } from '../../../detectors/behaviours/behaviour.ts';
import { Behaviours } from '../../../detectors/behaviours/frame.ts';
import { observationOf } from '../../../detectors/behaviours/observe.ts';
import { described, findingOn, toldOf } from '../../../detectors/behaviours/told.ts';
import { temporaryLedgerMemory } from '../../../storage/ledger/memory.ts';
import { anEvent, at } from '../../builders.ts';
import { MapMemory, run, runCalls } from './run.ts';
import { ann, DAY, entityOf, eventful, HOUR, LATER, MONDAY, ordinary, shop, Weeks } from './weeks.ts';

/** A behaviour that does what a test wants. */
const doing = (name: string, parts: Omit<Behaviour, 'info'>): Behaviour => ({
  ...parts,
  info: described({
    id: `id-of-${name}`,
    name,
    title: name,
    level: 'low',
    techniques: [],
    description: 'A test.',
    falsePositives: [],
    runbook: 'None.',
    groupBy: ['user.id'],
  }),
});
const call = (second: number, user = 'entity-1'): Observation =>
  observationOf(anEvent({ id: `e${second}`, time: at(second), user }), {
    lists: noLists,
    behaviours: [],
  }) as Observation;
const finds = doing('finds', {
  call: (seen, turn) => turn.find(findingOn(toldOf(seen), seen.user, `${seen.user} called.`, { number: 1 })),
});

describe('findings', () => {
  it('of one group within a quarter of an hour are one alert', () => {
    const seconds = [0, 899, 900, 901, 1802];
    const { alerts } = runCalls(
      seconds.map((second) => call(second)),
      { behaviours: [finds] },
    );
    expect(alerts.map(({ alert, message }) => [alert.first_seen, alert.count, message])).toEqual([
      [at(0), 3, 'entity-1 called. (3 times)'],
      [at(901), 1, 'entity-1 called.'],
      [at(1802), 1, 'entity-1 called.'],
    ]);
    expect(alerts[0]?.evidence).toEqual({
      event_ids: ['e0', 'e899', 'e900'],
      facts: { count: 3, distinct_addresses: 1, distinct_users: 1, number: 1 },
    });
    expect(JSON.stringify(alerts[0])).toBe(canonicalJson(alerts[0]));
  });

  it('on a call that an allow-list names become no alert, and are counted; it is learned all the same', () => {
    const seen: string[] = [];
    const learns = doing('learns', {
      call: ({ id }, turn) => {
        seen.push(id);
        turn.cross('all', {});
      },
      crossed: ({ id }, turn) =>
        turn.find(findingOn(toldOf(call(Number(id.slice(1)))), 'all', 'Crossed.', {})),
    });
    const lists: Lists = {
      ...noLists,
      version: '1',
      silencedBy: (_rule, event) => (event.event.id === 'e1' ? { kind: 'allow', name: 'a' } : undefined),
    };
    const events = [1, 2].map((second) => anEvent({ id: `e${second}`, time: at(second) }));
    const { alerts } = run(events, { behaviours: [finds, learns], lists });
    expect(alerts.map(({ evidence }) => evidence.event_ids)).toEqual([['e2'], ['e2']]);
    expect(seen).toEqual(['e1', 'e2']);
  });
});

describe('a behaviour that throws', () => {
  it('is switched off and told, the others go on, and a restart does not wake it', () => {
    const calls: string[] = [];
    const throws = doing('throws', {
      call: ({ id }) => {
        calls.push(id);
        if (id === 'e1') throw new TypeError('no such thing');
      },
    });
    const { alerts, failures } = runCalls([call(0), call(1), call(2)], {
      behaviours: [throws, finds],
      restartEvery: 2,
    });
    expect(calls).toEqual(['e0', 'e1']);
    expect(failures).toEqual([{ behaviour: 'throws', error: 'TypeError: no such thing', time: at(1) }]);
    expect(alerts[0]?.alert.count).toBe(3);
  });
});

describe('waking', () => {
  it('comes between calls when its time has passed, first things first, the last time set', () => {
    const said: string[] = [];
    const sleeps = doing('sleeps', {
      call: ({ id }, turn) => {
        said.push(id);
        if (id !== 'e0') return;
        turn.wake('early', at(9));
        turn.wake('late', at(5));
        turn.wake('late', at(20));
        turn.wake('early', at(10));
      },
      woken: (key, time, turn) => {
        said.push(`${key} ${time}`);
        if (key === 'early') turn.wake('again', at(15));
      },
    });
    const memory = new MapMemory();
    const options = { behaviours: [sleeps], cluster: 'test', memory, lists: noLists };
    const before = new Behaviours(options);
    before.call(call(0));
    before.call(call(10));
    const frame = new Behaviours(options, JSON.parse(JSON.stringify(before.snapshot())));
    frame.call(call(30));
    frame.advance('9999-12-31T23:59:59.999999999Z');
    expect(said).toEqual(['e0', 'e10', `early ${at(10)}`, `again ${at(15)}`, `late ${at(20)}`, 'e30']);
  });

  it('at the watermark itself, which all calls of that time have come before', () => {
    const said: string[] = [];
    const sleeps = doing('sleeps', {
      call: (_seen, turn) => turn.wake('key', at(10)),
      woken: (key) => void said.push(key),
    });
    const frame = new Behaviours({
      behaviours: [sleeps],
      cluster: 'test',
      memory: new MapMemory(),
      lists: noLists,
    });
    frame.call(call(0));
    frame.advance(at(9));
    expect(said).toEqual([]);
    frame.advance(at(10));
    expect(said).toEqual(['key']);
  });
});

const lists: Lists = { ...noLists, texts: (name) => (name === 'canaries' ? ['secret/data/probe/0'] : []) };

describe('same input, same result', () => {
  const { events } = eventful(7);
  const whole = run(events, { lists });
  const result = ({ alerts, baselines }: typeof whole) => [alerts, [...baselines].sort()];

  it('says something of every kind', () => {
    const own = [
      'canary',
      'dormant',
      'first-access',
      'new-',
      'probe',
      'secret-sweep',
      'slow',
      'unusual',
      'volume',
    ];
    const said = new Set(whole.alerts.map(({ rule }) => rule.id));
    const silent = allBehaviours.filter(
      ({ info }) => own.some((name) => info.name?.startsWith(name)) && !said.has(info.id),
    );
    expect(silent.map(({ info }) => info.name)).toEqual([]);
  });

  it.each([3, 8])('on %i partitions', (partitions) => {
    expect(result(run(events, { lists, partitions }))).toEqual(result(whole));
  });

  it('in whatever order they come, and with a restart after every few calls', () => {
    const shuffled = [...events].reverse();
    expect(result(run(shuffled, { lists, restartEvery: 37, partitions: 3 }))).toEqual(result(whole));
  });

  it('on the memory of SQLite', () => {
    const path = join(tmpdir(), `behaviours-${process.pid}`);
    using memory = temporaryLedgerMemory(path);
    const calls = events.flatMap((event) => observationOf(event, { lists, behaviours: [] }) ?? []);
    calls.sort((a, b) => (a.time + a.id < b.time + b.id ? -1 : 1));
    const begin = (state?: ReturnType<Behaviours['snapshot']>) =>
      new Behaviours({ behaviours: allBehaviours, cluster: 'test', memory, lists }, state);
    let frame = begin();
    const alerts = new Map<string, unknown>();
    for (const [i, seen] of calls.entries()) {
      frame.call(seen);
      if (i % 500 !== 499) continue;
      for (const { body } of frame.take().alerts) alerts.set(body.alert.id, body);
      const state = frame.snapshot();
      memory.keep(null);
      frame = begin(state);
    }
    for (const { body } of frame.take().alerts) alerts.set(body.alert.id, body);
    // Those that are found across identities are not found here.
    const local = whole.alerts.filter(({ alert }) => alerts.has(alert.id));
    expect([...alerts.values()]).toHaveLength(local.length);
    for (const alert of local) expect(alerts.get(alert.alert.id)).toEqual(alert);
    rmSync(path, { force: true });
  });
});

describe('what does not teach', () => {
  /** Weeks of one service, with an attacker's calls strewn in that Vault refuses. */
  const taught = (attack: (world: Weeks, at: number) => void) => {
    const world = ordinary(11);
    for (let day = 0; day < 16; day++)
      for (let hour = 0; hour < 24; hour += 2) attack(world, MONDAY + day * DAY + hour * HOUR);
    const { baselines } = run(world.events);
    return [...baselines]
      .filter(([key]) => key.endsWith(entityOf(shop)))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, { text, numbers }]) => [text, numbers]);
  };
  const untouched = taught(() => {});

  it('calls that a policy refuses: neither secrets, addresses, hours nor numbers', () => {
    const denied = taught((world, time) => {
      for (let i = 0; i < 3; i++)
        world.call(shop, time + i, { ip: '10.99.9.9', secret: `trained/${i}`, denied: true });
    });
    expect(denied).toEqual(untouched);
    expect(untouched.length).toBeGreaterThan(4);
  });

  it('failed logins: they leave nothing in any memory', () => {
    const world = new Weeks(1);
    for (let i = 0; i < 500; i++)
      world.call({ name: `guess-${i}`, kind: 'person' }, MONDAY + i * HOUR, {
        ip: `198.51.100.${i % 250}`,
        denied: true,
      });
    const { memories, baselines } = run(world.events);
    expect(memories.map((memory) => memory.size())).toEqual([0, 0]);
    expect([...baselines]).toEqual([]);
  });

  it('an attacker who was refused all week is as unusual as ever', () => {
    const world = ordinary(11);
    for (let day = 0; day < 16; day++)
      world.call(shop, MONDAY + day * DAY, { ip: '10.99.9.9', secret: 'prod/root', denied: true });
    world.call(shop, LATER, { ip: '10.99.9.9', secret: 'prod/root' });
    const { alerts } = run(world.events);
    const last = alerts.filter(
      ({ evidence }) =>
        evidence.event_ids.length > 0 &&
        evidence.event_ids.includes(`call-${String(world.events.length - 1).padStart(6, '0')}`),
    );
    expect(last.map(({ rule }) => rule.name)).toEqual(
      expect.arrayContaining([
        'First access to a secret or part of Vault',
        'Workload calls from a new network',
      ]),
    );
  });

  it('what sealwatch does itself', () => {
    const event = anEvent({ id: 'e', user: 'entity-9' });
    const teaches = (operation: string, path: string, secret?: string) => {
      event.vault.request = { ...event.vault.request, operation, path };
      event.vault.secret = secret === undefined ? undefined : { engine: 'kv', path: secret };
      const ownSecrets = ['kv/data/sealwatch/webhook'];
      return observationOf(event, { lists: noLists, behaviours: [], ownSecrets })?.teaches;
    };
    expect(teaches('update', 'auth/token/lookup-accessor')).toBe(false);
    expect(teaches('update', 'auth/approle/login')).toBe(false);
    expect(teaches('read', 'kv/data/sealwatch/webhook', 'kv/sealwatch/webhook')).toBe(false);
    expect(teaches('read', 'kv/data/other', 'kv/other')).toBe(true);
    // A secret that is called as the role of an engine is.
    expect(teaches('read', 'kv1/role/x')).toBe(false);
    expect(teaches('read', 'kv1/role/x', 'kv1/role/x')).toBe(true);
  });
});

describe('memory', () => {
  it('is small for an ordinary identity, and does not grow without end for one that reads everything', () => {
    const { memories } = run(ordinary(1).events);
    const [calls] = memories;
    expect((calls as MapMemory).size() / 6).toBeLessThan(6000);
    const world = new Weeks(1);
    for (let i = 0; i < 3000; i++)
      world.call(ann, MONDAY + i * HOUR, { ip: `10.${i % 200}.${i % 250}.1`, secret: `all/${i}` });
    const [walked] = run(world.events).memories;
    expect((walked as MapMemory).size()).toBeLessThan(60_000);
  });

  it('forgets who was not there for most of a year', () => {
    const world = new Weeks(1);
    for (let i = 0; i < 50; i++)
      world.call({ name: `pod-${i}`, kind: 'service' }, MONDAY + i * HOUR, {
        ip: '10.20.1.1',
        secret: 'a/b',
      });
    world.call(shop, MONDAY + 60 * DAY, { ip: '10.20.1.1', secret: 'a/b' });
    const full = run(world.events).memories[0]?.size() ?? 0;
    world.call(shop, MONDAY + 200 * DAY, { ip: '10.20.1.1', secret: 'a/b' });
    world.call(shop, MONDAY + 400 * DAY, { ip: '10.20.1.1', secret: 'a/b' });
    const { memories } = run(world.events);
    expect(memories[0]?.size()).toBeLessThan(full / 10);
  });

  it('holds no more subjects than its bound', () => {
    const keeps = doing('keeps', { call: ({ user, id }, turn) => turn.memory.set('all', user, id) });
    const memory = new MapMemory();
    const frame = new Behaviours({ behaviours: [keeps], cluster: 'test', memory, lists: noLists });
    const users = limits.behaviourSubjectsMax + 10;
    const one = call(0);
    for (let i = 0; i < users; i++) frame.call({ ...one, user: `u${i}` });
    frame.snapshot();
    const held = [...memory.spaces.values()].reduce((sum, space) => sum + space.size, 0);
    expect(held).toBe(users - limits.behaviourEvictedAtOnce);
    expect(frame.evicted).toBe(limits.behaviourEvictedAtOnce);
  });
});
