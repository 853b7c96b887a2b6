// One token in two places: fires for a copied token, stays quiet for people who move and pods that share.

import { expect, test } from 'vitest';
import type { Observation } from '../../../detectors/behaviours/behaviour.ts';
import { twoPlaces } from '../../../detectors/behaviours/two-places.ts';
import { aCall, byPerson, byWorkload, failed, on } from './calls.ts';
import { runCrossing } from './crossing-run.ts';

const behaviours = [twoPlaces];
const alertsOf = (calls: Observation[], more = {}) => runCrossing({ behaviours, calls, ...more }).alerts;

/** A week of a person at the office: a token a day. */
const week = (ip = '10.1.0.7'): Observation[] =>
  [0, 1, 2, 3, 4].flatMap((day) =>
    [9, 10, 11, 14, 16].map((hour) =>
      aCall('secret-read', { time: on(day, hour), name: 'alice', ip, accessor: `day-${day}` }, byPerson),
    ),
  );

const read = (time: string, ip: string, accessor = 'day-4', parts = {}) =>
  aCall('secret-read', { time, name: 'alice', ip, accessor, ...parts }, byPerson);

test('a token that turns up elsewhere while it is in use is one alert, with every call from there', () => {
  const [alert, ...more] = alertsOf([
    ...week(),
    read(on(4, 16, 90), '203.0.113.9'),
    read(on(4, 16, 95), '203.0.113.9'),
  ]);
  expect(more).toEqual([]);
  expect(alert?.message).toBe(
    'A token of alice was used from 203.0.113.9, 90 s after it was used from 10.1.0.7, which is another network (usual: 10.1.0.0/24). (2 times)',
  );
  expect(alert?.rule.level).toBe('high');
  expect(alert?.evidence.event_ids).toHaveLength(2);
  expect(alert?.evidence.facts).toMatchObject({ address: '203.0.113.9', seconds_apart: 90 });
});

test('a denied call proves it as well', () => {
  const denied = { outcome: 'failure' as const, reason: 'policy_denied', teaches: false };
  expect(alertsOf([...week(), read(on(4, 16, 90), '203.0.113.9', 'day-4', denied)])).toHaveLength(1);
});

test('a login is the first use of its token', () => {
  const login = aCall('user-login', { time: on(0, 9), name: 'alice', ip: '10.1.0.7' }, byPerson);
  const accessor = login.issued?.accessor as string;
  expect(alertsOf([login, read(on(0, 9, 60), '203.0.113.9', accessor)])).toHaveLength(1);
});

test('back and forth within the hour is two places at a time', () => {
  const calls = [read(on(0, 9), '10.1.0.7'), read(on(0, 9.3), '203.0.113.9'), read(on(0, 9.6), '10.1.0.7')];
  expect(alertsOf(calls)).toHaveLength(1);
});

test('a laptop that moves, and a NAT that changes hours later, are quiet', () => {
  const moves = [read(on(4, 16.5), '203.0.113.9'), read(on(4, 18), '203.0.113.9')];
  expect(alertsOf([...week(), ...moves])).toEqual([]);
});

test('between two networks that are usual for the person nothing is told', () => {
  const home = [0, 1, 2].map((day) => read(on(day, 20), '192.0.2.5', `home-${day}`));
  expect(alertsOf([...week(), ...home, read(on(4, 16, 120), '192.0.2.5')])).toEqual([]);
});

test('pods that share a token by an agent are told of a few times at most, then that is how they work', () => {
  const shared = (day: number) =>
    [1, 2, 3, 4].map((pod) =>
      aCall(
        'secret-read',
        { time: on(day, 8, pod), name: 'shop', ip: `10.9.${pod}.3`, accessor: `token-${day}` },
        byWorkload,
      ),
    );
  const fresh = [0, 1, 2, 3, 4, 5, 6].flatMap(shared);
  expect(alertsOf(fresh).length).toBeLessThanOrEqual(2);
  // Elsewhere is elsewhere all the same.
  const thief = aCall(
    'secret-read',
    { time: on(6, 8, 30), name: 'shop', ip: '198.51.100.4', accessor: 'token-6' },
    byWorkload,
  );
  const alerts = alertsOf([...fresh, thief]).filter(({ message }) => message.includes('198.51.100.4'));
  expect(alerts).toHaveLength(1);
});

test('failed calls teach no place', () => {
  const probes = [0, 1, 2, 3].map((day) =>
    read(on(day, 12), '203.0.113.9', `other-${day}`, { teaches: false }),
  );
  expect(alertsOf([...week(), ...probes, read(on(4, 16, 90), '203.0.113.9')])).toHaveLength(1);
  const anonymous = aCall('user-login', { time: on(0), ip: '203.0.113.9' }, failed);
  expect(runCrossing({ behaviours, calls: [anonymous] }).values).toBe(0);
});

test('one identity takes so much memory and no more, whatever tokens and networks it uses', () => {
  const flood = (count: number) =>
    Array.from({ length: count }, (_, i) =>
      read(on(0, 0, i * 60), `10.${Math.floor(i / 250)}.${i % 250}.1`, `flood-${i}-${'x'.repeat(40)}`),
    );
  const { longest, values } = runCrossing({ behaviours, calls: flood(3000) });
  expect(values).toBe(1);
  expect(longest).toBeLessThan(16_000);
});

test('restarts and partitions change nothing', () => {
  const calls = [...week(), read(on(4, 16, 90), '203.0.113.9')];
  const alerts = alertsOf(calls);
  expect(alertsOf([...calls].reverse(), { restartEvery: 1, partitions: 8 })).toEqual(alerts);
});
