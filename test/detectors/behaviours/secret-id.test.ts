// Secret-ids: fires where one is opened or used in the wrong place or made by the wrong one, quiet for pipelines and planned work.

import { expect, test } from 'vitest';
import type { Observation } from '../../../detectors/behaviours/behaviour.ts';
import { secretId } from '../../../detectors/behaviours/secret-id.ts';
import { aCall, failed, on } from './calls.ts';
import { type CrossingOptions, runCrossing } from './crossing-run.ts';

const alertsOf = (calls: Observation[], more: Partial<CrossingOptions> = {}) =>
  runCrossing({ behaviours: [secretId], calls, ...more }).alerts;

const role = { role: 'billing', auth_mount: 'auth/approle/', name: 'billing' };
const login = (time: string, hash: string, ip = '10.1.0.21') =>
  aCall(
    'user-login',
    { ...role, time, ip, secret_id: hash },
    ({ path, outcome }) => path === 'auth/approle/login' && outcome === 'success',
  );
const mint = (time: string, hash: string, by = 'ci', ip = '10.2.0.1', policies = ['ci']) =>
  aCall('secret-id-create', {
    time,
    name: by,
    ip,
    policies,
    secret_id: hash,
    path: 'auth/approle/role/billing/secret-id',
  });
/** Made and wrapped by one, opened at `ip`. */
const wrapped = (time: string, wrap: string, by = 'ci', policies = [by]): Observation => {
  const { secret_id: _, ...made } = mint(time, '', by, '10.2.0.1', policies);
  return { ...made, wrap };
};
const unwrap = (time: string, wrap: string, hash: string, ip = '10.1.0.21') =>
  aCall(
    'response-unwrap',
    { time, ip, accessor: wrap, user: `token:${wrap}`, secret_id: hash },
    ({ outcome }) => outcome === 'success',
  );

/** Three weeks: the pipeline makes a secret-id each workday, the service opens it and logs in with it all day. */
const weeks = (): Observation[] =>
  [...Array(21).keys()].flatMap((day) => [
    ...(day % 7 < 5 ? [wrapped(on(day, 8), `w${day}`), unwrap(on(day, 8, 9), `w${day}`, `h${day}`)] : []),
    ...[9, 12, 15, 18].map((hour) => login(on(day, hour), `h${day - Math.max(0, (day % 7) - 4)}`)),
  ]);

test('three weeks of a pipeline that makes them for a service are quiet', () => {
  expect(alertsOf(weeks())).toEqual([]);
});

test('a wrapped one that is opened elsewhere is told of, with the maker and where the role is at home', () => {
  const stolen = [wrapped(on(21, 8), 'w'), unwrap(on(21, 8, 3), 'w', 'h', '10.7.0.33')];
  const [alert, ...more] = alertsOf([...weeks(), ...stolen]);
  expect(more).toEqual([]);
  expect(alert?.message).toBe(
    'A secret-id of billing that ci made at 10.2.0.1 was opened at 10.7.0.33: the role logs in from 10.1.0.0/24 only.',
  );
  expect(alert?.evidence.event_ids).toEqual([stolen[1]?.id]);
});

test('one that logs in where it was made is told of: the maker has become the service', () => {
  const [alert] = alertsOf([
    ...weeks(),
    mint(on(21, 8), 'x', 'ci', '10.1.0.9'),
    login(on(21, 9), 'x', '10.1.0.9'),
  ]);
  expect(alert?.message).toContain('logged in at 10.1.0.9: that is where it was made');
});

test('a pipeline that always logs in with what it makes is quiet', () => {
  const jobs = [...Array(10).keys()].flatMap((day) => [
    mint(on(day, 8), `j${day}`, 'ci', '10.2.0.1'),
    login(on(day, 8, 5), `j${day}`, '10.2.0.1'),
  ]);
  expect(alertsOf(jobs)).toEqual([]);
});

test('a first-time maker is told of when the secret-id is used; one whose peers make them is not', () => {
  const by = (who: string, policies: string[]) =>
    alertsOf([...weeks(), wrapped(on(21, 8), 'w', who, policies), unwrap(on(21, 8, 3), 'w', 'h')]);
  expect(by('mallory', ['developer'])[0]?.message).toContain('mallory had never made one');
  expect(by('ci-two', ['ci'])).toEqual([]);
});

test('of a secret-id that nobody saw made nothing is said', () => {
  expect(alertsOf([...weeks(), login(on(21, 9), 'older', '10.7.0.33')])).toEqual([]);
});

test('failed logins teach no home', () => {
  const tries = [0, 1, 2, 3].map((day) => ({
    ...login(on(day, 3), 'guess', '10.7.0.33'),
    outcome: 'failure' as const,
  }));
  const stolen = [wrapped(on(21, 8), 'w'), unwrap(on(21, 8, 3), 'w', 'h', '10.7.0.33')];
  expect(alertsOf([...weeks(), ...tries, ...stolen])).toHaveLength(1);
  const anonymous = aCall('user-login', { time: on(0), secret_id: 'x' }, failed);
  expect(runCrossing({ behaviours: [secretId], calls: [anonymous] }).crossings).toEqual([]);
});

test('few calls cross: one login a day and network', () => {
  const { crossings } = runCrossing({ behaviours: [secretId], calls: weeks() });
  expect(crossings).toHaveLength(15 * 2 + 21);
});

test('restarts, partitions and order of arrival change nothing', () => {
  const calls = [...weeks(), wrapped(on(21, 8), 'w'), unwrap(on(21, 8, 3), 'w', 'h', '10.7.0.33')];
  const alerts = alertsOf(calls);
  expect(alertsOf([...calls].reverse(), { partitions: 8, restartEvery: 3 })).toEqual(alerts);
});

test('who tries many networks and makes many fills one bounded record of each role', () => {
  const flood = [...Array(2000).keys()].flatMap((i) => [
    mint(on(0, 0, i), `f${i}`, `maker-${i}`),
    login(on(0, 0, i), `f${i}`, `10.${i >> 8}.${i & 255}.1`),
  ]);
  expect(runCrossing({ behaviours: [secretId], calls: flood }).longest).toBeLessThan(8_000);
});
