// Days that have an index of their own, and the one that all others share.

import { expect, test } from 'vitest';
import type { EvidenceBatch } from '../../../core/ports.ts';
import { indicesOf } from '../../../storage/evidence/elasticsearch/query.ts';
import { dayWindow } from '../../../storage/evidence/elasticsearch/window.ts';

const offsets = (...times: string[]): Pick<EvidenceBatch, 'offsets'> => ({
  offsets: [{ topic: 'vault.audit.events', partition: 0, next: 1, sources: { ...times } }],
});
const noon = (day: string) => `${day}T12:00:00.000000000Z`;
const kept = { eventDays: 30, nowMs: 0 };
const other = 'p-events-9999.12.31';

test('a thousand years of dates make a bounded number of indices', () => {
  const window = dayWindow('p', offsets('', noon('2026-11-23')), kept);
  const made = new Set<string>();
  for (let ms = Date.UTC(1500, 0); ms < Date.UTC(2500, 0); ms += 86_400_000)
    made.add(window.indexOf(new Date(ms).toISOString()));
  expect(made.size).toBe(30 + 1 + 1 + 2 + 1);
  expect(made).toContain('p-events-2026.11.23');
  expect(made).toContain('p-events-2026.11.25');
  expect(made).toContain('p-events-2026.10.24');
  expect(made).toContain(other);
});

test('near the edges the other place is looked at, in the midst never', () => {
  const { besides } = dayWindow('p', offsets(noon('2026-11-23')), kept);
  expect(besides(noon('2026-11-23'))).toBeUndefined();
  expect(besides(noon('2026-11-01'))).toBeUndefined();
  expect(besides(noon('2026-11-24'))).toBe(other);
  expect(besides(noon('2026-10-23'))).toBe(other);
  expect(besides(noon('1999-01-01'))).toBe('p-events-1999.01.01');
});

test('at the end of time too', () => {
  const window = dayWindow('p', offsets(noon('9999-12-30')), kept);
  expect(window.indexOf(noon('9999-12-30'))).toBe('p-events-9999.12.30');
  expect(window.indexOf(noon('2026-11-23'))).toBe(other);
});

test('event time stands still while nobody calls: what comes after days has its own', () => {
  const monday = { eventDays: 30, nowMs: Date.UTC(2026, 10, 30, 12) };
  const { indexOf, besides } = dayWindow('p', offsets(noon('2026-11-23')), monday);
  expect(indexOf(noon('2026-11-30'))).toBe('p-events-2026.11.30');
  expect(besides(noon('2026-11-30'))).toBeUndefined();
});

test('while event time is not known every day has its index', () => {
  expect(dayWindow('p', offsets(''), kept).indexOf(noon('1999-01-01'))).toBe('p-events-1999.01.01');
});

test('a question of some days asks the shared index too', () => {
  const names = indicesOf('p', 'events', { from: noon('1999-01-01'), to: noon('1999-01-02') });
  expect(names.split(',')).toEqual(['p-events-1999.01.01*', 'p-events-1999.01.02*', `${other}*`]);
});
