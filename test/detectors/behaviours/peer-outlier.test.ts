// Peer outlier: fires for what no peer does, quiet for teams with work of their own and for pods that come and go.

import { expect, test } from 'vitest';
import type { Observation } from '../../../detectors/behaviours/behaviour.ts';
import { peerOutlier } from '../../../detectors/behaviours/peer-outlier.ts';
import { aCall, byPerson, byWorkload, on } from './calls.ts';
import { type CrossingOptions, runCrossing } from './crossing-run.ts';

const alertsOf = (calls: Observation[], more: Partial<CrossingOptions> = {}) =>
  runCrossing({ behaviours: [peerOutlier], calls, ...more }).alerts;

const team = ['ann', 'ben', 'cem', 'dia', 'eve'];
const read = (time: string, name: string, secret: string, policies = ['default', 'developer']) =>
  aCall('secret-read', { time, name, secret, policies }, byPerson);

/** Two weeks of a team that shares its folders. */
const weeks = (members = team, folders = ['shop', 'orders', 'mail']): Observation[] =>
  [...Array(14).keys()].flatMap((day) =>
    members.flatMap((name, i) =>
      folders.map((folder, j) => read(on(day, 9 + i, j), name, `secret/${folder}/db`)),
    ),
  );

test('what no peer ever touched is told of, with the numbers', () => {
  const [alert, ...more] = alertsOf([...weeks(), read(on(14, 11), 'eve', 'secret/payroll/all')]);
  expect(more).toEqual([]);
  expect(alert?.message).toBe(
    'eve touched secret/payroll, which none of its 4 peers with the policies developer ever did; 3 of the 3 areas that they touch are shared.',
  );
  expect(alert?.user.name).toBe('eve');
});

test('the first that others have touched is quiet, and so is everything in the first week', () => {
  const late = ['ann', 'ben', 'cem'].map((name) => read(on(3, 9), name, 'secret/infra/dns'));
  expect(alertsOf([...weeks(), ...late, read(on(14, 11), 'eve', 'secret/infra/dns')])).toEqual([]);
});

test('a newcomer who does what the team does is quiet', () => {
  const first = ['shop', 'orders', 'mail'].map((folder) => read(on(14, 10), 'new', `secret/${folder}/db`));
  expect(alertsOf([...weeks(), ...first])).toEqual([]);
});

test('a team whose members each have folders of their own is quiet', () => {
  const own = [...Array(14).keys()].flatMap((day) =>
    team.map((name) => read(on(day, 9), name, `secret/${name}/${day}/notes`)),
  );
  expect(alertsOf([...own, read(on(14, 11), 'eve', 'secret/payroll/all')])).toEqual([]);
});

test('too few peers tell nothing', () => {
  expect(alertsOf([...weeks(['ann', 'ben', 'eve']), read(on(14, 11), 'eve', 'secret/payroll/all')])).toEqual(
    [],
  );
});

test('many more distinct secrets than any peer in a day are told of as they come', () => {
  const sweep = (count: number) =>
    [...Array(count).keys()].map((i) => read(on(14, 11, i), 'eve', `secret/shop/item-${i}`));
  expect(alertsOf([...weeks(), ...sweep(18)])).toEqual([]);
  const [alert] = alertsOf([...weeks(), ...sweep(60)]);
  expect(alert?.message).toContain('eve used 20 distinct secrets today; none of its 4 peers');
  const all = team.flatMap((name) =>
    [...Array(25).keys()].map((i) => read(on(10, 12, i), name, `secret/shop/item-${i}`)),
  );
  expect(
    alertsOf([...weeks(), ...all, ...sweep(60)]).filter(({ alert: a }) => a.first_seen > on(14)),
  ).toEqual([]);
});

test('pods of a role that come and go have each other as peers, and cross little', () => {
  const calls = [...Array(14).keys()].flatMap((day) =>
    [...Array(6).keys()].flatMap((pod) =>
      [...Array(20).keys()].map((i) =>
        aCall(
          'secret-read',
          { time: on(day, i, pod), name: `pod-${day}-${pod}`, role: 'shop', secret: `secret/shop/${i % 4}` },
          byWorkload,
        ),
      ),
    ),
  );
  const { alerts, crossings } = runCrossing({ behaviours: [peerOutlier], calls });
  expect(alerts).toEqual([]);
  // Each of 84 pods is told of once.
  expect(crossings).toHaveLength(84);
});

test('failed and anonymous calls teach nothing', () => {
  const denied = team.map((name) => ({ ...read(on(2, 9), name, 'secret/payroll/all'), teaches: false }));
  expect(alertsOf([...weeks(), ...denied, read(on(14, 11), 'eve', 'secret/payroll/all')])).toHaveLength(1);
});

test('restarts, partitions and order of arrival change nothing', () => {
  const calls = [...weeks(), read(on(14, 11), 'eve', 'secret/payroll/all')];
  expect(alertsOf([...calls].reverse(), { partitions: 8, restartEvery: 7 })).toEqual(alertsOf(calls));
});

test('one identity cannot fill the memory with areas and secrets', () => {
  const flood = [...Array(4000).keys()].map((i) => read(on(0, 0, i), 'eve', `mount-${i}/folder/secret-${i}`));
  const { longest } = runCrossing({ behaviours: [peerOutlier], calls: flood });
  expect(longest).toBeLessThan(40_000);
});
