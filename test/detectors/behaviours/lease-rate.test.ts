// Lease rate: fires for a leak and a thief, quiet for deploys, batch hours and what a service always did.

import { expect, test } from 'vitest';
import type { Observation } from '../../../detectors/behaviours/behaviour.ts';
import { leaseRate } from '../../../detectors/behaviours/lease-rate.ts';
import { aCall, on } from './calls.ts';
import { type CrossingOptions, runCrossing } from './crossing-run.ts';

const alertsOf = (calls: Observation[], more: Partial<CrossingOptions> = {}) =>
  runCrossing({ behaviours: [leaseRate], calls, ...more }).alerts;

let n = 0;
const issue = (time: string, accessor: string, secret = 'database/creds/app') =>
  aCall('credential-issue', { time, name: 'shop', accessor, secret, lease: `lease-${n++}` });
const burst = (day: number, hour: number, count: number, tokens = 1) =>
  [...Array(count).keys()].map((i) => issue(on(day, hour, i), `t-${day}-${hour}-${i % tokens}`));
/** Two leases an hour in office hours. */
const weeks = (days = 10) =>
  [...Array(days).keys()].flatMap((day) => [8, 9, 10, 11, 12, 13, 14].flatMap((hour) => burst(day, hour, 2)));

test('a token that takes forty in an hour is told of with what is usual', () => {
  const [alert, ...more] = alertsOf([...weeks(), ...burst(10, 9, 40)]);
  expect(more).toEqual([]);
  expect(alert?.message).toBe(
    'shop took 30 leases from database/creds/app within this hour, 30 of them by one token; its busiest hours had 2.',
  );
});

test('it is told again as the number doubles', () => {
  const [alert] = alertsOf([...weeks(), ...burst(10, 9, 130)]);
  expect(alert?.alert.count).toBe(3);
});

test('a deploy of many pods, and a batch hour that comes every day, are quiet', () => {
  expect(alertsOf([...weeks(), ...burst(10, 9, 120, 120)])).toEqual([]);
  const batches = [...Array(10).keys()].flatMap((day) => burst(day, 2, 25));
  expect(alertsOf([...batches, ...burst(10, 2, 60)])).toEqual([]);
});

test('before anything is learned only a flood is told of', () => {
  expect(alertsOf(burst(0, 9, 100))).toEqual([]);
  expect(alertsOf(burst(0, 9, 320))[0]?.message).toContain('too new to know what is usual');
});

test('an hour of theft does not make the next one usual', () => {
  const alerts = alertsOf([...weeks(), ...burst(10, 9, 40), ...burst(10, 20, 130)]);
  expect(alerts).toHaveLength(2);
});

test('failed calls and renewals count nothing', () => {
  const calls = burst(10, 9, 40);
  expect(alertsOf([...weeks(), ...calls.map((call) => ({ ...call, teaches: false }))])).toEqual([]);
  expect(alertsOf([...weeks(), ...calls.map((call) => ({ ...call, action: 'lease-renew' }))])).toEqual([]);
});

test('restarts and order of arrival change nothing, and many tokens take no more memory', () => {
  const calls = [...weeks(), ...burst(10, 9, 600, 600)];
  const { alerts, longest, values } = runCrossing({ behaviours: [leaseRate], calls });
  expect(alertsOf([...calls].reverse(), { partitions: 3, restartEvery: 11 })).toEqual(alerts);
  expect(alerts).toHaveLength(1);
  expect([values, longest < 4000]).toEqual([1, true]);
});
