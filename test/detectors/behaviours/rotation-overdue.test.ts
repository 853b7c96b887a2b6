// Rotation overdue: found when its time comes, of secrets that are read, once until the next write.

import { expect, test } from 'vitest';
import { type Lists, noLists } from '../../../core/lists.ts';
import type { Observation } from '../../../detectors/behaviours/behaviour.ts';
import { rotationOverdue } from '../../../detectors/behaviours/rotation-overdue.ts';
import { aCall, byPerson, byWorkload, on } from './calls.ts';
import { type CrossingOptions, runCrossing } from './crossing-run.ts';

const alertsOf = (calls: Observation[], until: string, more: Partial<CrossingOptions> = {}) =>
  runCrossing({ behaviours: [rotationOverdue], calls, until, ...more }).alerts;

const path = 'secret/shop/db';
const read = (day: number, name = 'shop', secret = path) =>
  aCall('secret-read', { time: on(day, 9), name, secret }, byWorkload);
const write = (day: number, secret = path) =>
  aCall('secret-write', { time: on(day, 3), name: 'rotator', secret }, ({ secret: is }) => is !== undefined);
const reads = (from: number, to: number) => [...Array(to - from).keys()].map((i) => read(from + i));
const in30: Lists = { ...noLists, setting: (_b, _n, _c, fallback) => (fallback === 90 ? 30 : fallback) };

test('ninety days after the last write, with a read in between, it is told of, once', () => {
  const calls = [write(0), ...reads(1, 120)];
  expect(alertsOf(calls.slice(0, 89), on(89))).toEqual([]);
  const [alert, ...more] = alertsOf(calls, on(200));
  expect(more).toEqual([]);
  expect(alert?.message).toBe(
    'secret/shop/db was last written 90 days ago and may go 90 days without; shop reads it.',
  );
  expect(alert?.alert.first_seen).toBe(on(90, 3));
  expect(alert?.vault.secret).toEqual({ path });
});

test('of one that nobody was seen to write it says what it knows', () => {
  expect(alertsOf(reads(0, 100), on(95))[0]?.message).toContain('has not been written for at least 90 days');
});

test('rotation nights keep it quiet, and a new silence after a write is told of anew', () => {
  const nights = [0, 30, 60, 90].map((day) => write(day));
  expect(alertsOf([...nights, ...reads(0, 119)], on(119))).toEqual([]);
  expect(alertsOf([write(0), ...reads(1, 95), write(95), ...reads(96, 190)], on(190))).toHaveLength(2);
});

test('what nobody reads is not told of, until somebody does', () => {
  expect(alertsOf([write(0), read(1)], on(200))).toEqual([]);
  expect(alertsOf([write(0), read(150)], on(200))[0]?.alert.first_seen).toBe(on(150, 9));
});

test('a secret that was deleted is forgotten', () => {
  const gone = { ...write(80), action: 'secret-metadata-delete' };
  expect(alertsOf([write(0), ...reads(1, 80), gone], on(200))).toEqual([]);
});

test('the bound is that of the strictest class of its readers', () => {
  const humans: Lists = {
    ...noLists,
    setting: (_b, name, className, fallback) => (name === 'days' && className === 'human' ? 30 : fallback),
  };
  const person = aCall('secret-read', { time: on(2, 9), name: 'eve', secret: path }, byPerson);
  expect(alertsOf([write(0), person, ...reads(3, 40)], on(40), { lists: humans })).toHaveLength(1);
  expect(alertsOf([write(0), ...reads(3, 40)], on(40), { lists: humans })).toEqual([]);
});

test('a read that a list allows does not bring it up', () => {
  const allowed = reads(1, 40).map((call) => ({ ...call, silenced: [rotationOverdue.info.id] }));
  expect(alertsOf([write(0), ...allowed], on(60), { lists: in30 })).toEqual([]);
});

test('failed calls write and read nothing', () => {
  const failedWrite = { ...write(20), teaches: false };
  expect(alertsOf([write(0), failedWrite, ...reads(1, 31)], on(31), { lists: in30 })).toHaveLength(1);
  const failedReads = reads(1, 31).map((call) => ({ ...call, teaches: false }));
  expect(alertsOf([write(0), ...failedReads], on(31), { lists: in30 })).toEqual([]);
});

test('one read a day and reader crosses; partitions and restarts change nothing', () => {
  const calls = [write(0), ...reads(1, 40), ...reads(1, 40), read(5, 'other')];
  const run = runCrossing({ behaviours: [rotationOverdue], calls, lists: in30, until: on(45) });
  expect(run.crossings).toHaveLength(1 + 39 + 1);
  expect(run.alerts).toHaveLength(1);
  const more = { lists: in30, partitions: 8, restartEvery: 2 };
  expect(alertsOf([...calls].reverse(), on(45), more)).toEqual(run.alerts);
});
