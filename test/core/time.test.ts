// Event time as text: every RFC 3339 time becomes UTC with nine digits, exactly, and nothing else becomes a time.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addSeconds, msOf, nanosBetween, timeOfMs, utcTime } from '../../core/time.ts';

const two = (n: number) => String(n).padStart(2, '0');
const isLeap = (year: number) => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
const daysOf = (year: number, month: number) =>
  [31, isLeap(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0;

/** Nanoseconds since 1970 by counting days, with no date of JavaScript. */
function nanos(parts: {
  year: number;
  month: number;
  day: number;
  second: number;
  fraction: bigint;
  offset: number;
}): bigint {
  const y = BigInt(parts.month <= 2 ? parts.year - 1 : parts.year);
  const era = y / 400n;
  const yearOfEra = y - era * 400n;
  const dayOfYear = (153n * BigInt((parts.month + 9) % 12) + 2n) / 5n + BigInt(parts.day - 1);
  const days = era * 146_097n + yearOfEra * 365n + yearOfEra / 4n - yearOfEra / 100n + dayOfYear - 719_468n;
  return (days * 86_400n + BigInt(parts.second - parts.offset * 60)) * 1_000_000_000n + parts.fraction;
}

const ofCanonical = (time: string) =>
  nanos({
    year: Number(time.slice(0, 4)),
    month: Number(time.slice(5, 7)),
    day: Number(time.slice(8, 10)),
    second: Number(time.slice(11, 13)) * 3600 + Number(time.slice(14, 16)) * 60 + Number(time.slice(17, 19)),
    fraction: BigInt(time.slice(20, 29)),
    offset: 0,
  });

const SHAPE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/;
const zone = fc.oneof(
  fc.constantFrom('Z', 'z', '+00:00', '-00:00'),
  fc
    .tuple(fc.constantFrom('+', '-'), fc.nat(23), fc.nat(59))
    .map(([sign, h, m]) => `${sign}${two(h)}:${two(m)}`),
);
const offsetOf = (text: string) =>
  text.length === 1
    ? 0
    : (text[0] === '-' ? -1 : 1) * (Number(text.slice(1, 3)) * 60 + Number(text.slice(4)));
const moment = fc
  .record({
    year: fc.integer({ min: 1900, max: 2999 }),
    month: fc.integer({ min: 1, max: 12 }),
    day: fc.integer({ min: 1, max: 31 }),
    hour: fc.nat(23),
    minute: fc.nat(59),
    second: fc.nat(59),
    digits: fc.stringMatching(/^\d{0,12}$/),
    separator: fc.constantFrom('T', 't', ' '),
    zone,
  })
  .map((m) => ({
    ...m,
    text: `${m.year}-${two(m.month)}-${two(m.day)}${m.separator}${two(m.hour)}:${two(m.minute)}:${two(m.second)}${m.digits === '' ? '' : `.${m.digits}`}${m.zone}`,
  }));

describe('utcTime', () => {
  test('of any real time is that time, counted exactly, to nine digits', () => {
    fc.assert(
      fc.property(moment, (m) => {
        fc.pre(m.day <= daysOf(m.year, m.month));
        const time = utcTime(m.text) ?? 'none';
        expect([m.text, time]).toEqual([m.text, expect.stringMatching(SHAPE)]);
        const second = m.hour * 3600 + m.minute * 60 + m.second;
        const fraction = BigInt(m.digits.slice(0, 9).padEnd(9, '0'));
        expect(ofCanonical(time)).toBe(nanos({ ...m, second, fraction, offset: offsetOf(m.zone) }));
        expect(utcTime(time)).toBe(time);
      }),
      { numRuns: 2000 },
    );
  });

  test('text order is time order', () => {
    fc.assert(
      fc.property(moment, moment, (a, b) => {
        const [x, y] = [utcTime(a.text), utcTime(b.text)];
        fc.pre(x !== undefined && y !== undefined && a.day <= 28 && b.day <= 28);
        expect((x ?? '') < (y ?? '')).toBe(ofCanonical(x ?? '') < ofCanonical(y ?? ''));
      }),
    );
  });

  test.each([0, 1, 3, 6, 9, 12])('takes %i digits', (count) => {
    const digits = '123456789012'.slice(0, count);
    const nine = digits.slice(0, 9).padEnd(9, '0');
    expect(utcTime(`2026-09-07T10:00:00${count === 0 ? '' : '.'}${digits}Z`)).toBe(
      `2026-09-07T10:00:00.${nine}Z`,
    );
    expect(utcTime(`2026-09-07T12:00:00${count === 0 ? '' : '.'}${digits}+02:00`)).toBe(
      `2026-09-07T10:00:00.${nine}Z`,
    );
  });

  test.each([
    '',
    'now',
    '2026-09-07',
    '2026-09-07T10:00:00',
    '2026-09-07T10:00:00.Z',
    '2026-9-7T10:00:00Z',
    '2026-00-07T10:00:00Z',
    '2026-13-07T10:00:00Z',
    '2026-09-00T10:00:00Z',
    '2026-09-32T10:00:00Z',
    '2026-09-07T25:00:00Z',
    '2026-09-07T10:60:00Z',
    '2026-09-07T10:00:61Z',
    '2026-09-07T10:00:00+2:00',
    '2026-09-07T10:00:00+02:00Z',
    '2026-09-07T10:00:00.123456789 Z',
    ' 2026-09-07T10:00:00Z',
    '2026-09-07T10:00:00Z ',
    '9999-12-31T23:59:59-01:00',
    '2026-09-07T10:00:00.12345678٩Z',
  ])('of %j is undefined', (text) => {
    expect(utcTime(text)).toBeUndefined();
  });

  test.each([
    '2026-02-29',
    '2026-02-30',
    '2026-02-31',
    '2026-04-31',
    '2026-06-31',
    '2026-09-31',
    '2026-11-31',
    '1900-02-29',
  ])('of a day that is not there is undefined, and not another day: %s', (day) => {
    for (const rest of ['T10:00:00Z', 'T10:00:00.5Z', 'T10:00:00.123456789+02:00', ' 10:00:00Z'])
      expect([rest, utcTime(day + rest)]).toEqual([rest, undefined]);
  });

  test('of the hour 24, which RFC 3339 does not have, is undefined', () => {
    expect(utcTime('2026-09-07T24:00:00Z')).toBeUndefined();
  });

  test('takes 29 February of a leap year', () => {
    expect(utcTime('2028-02-29T23:30:00-01:00')).toBe('2028-03-01T00:30:00.000000000Z');
  });
});

const canonical = fc
  .tuple(fc.integer({ min: -2_000_000_000_000, max: 30_000_000_000_000 }), fc.nat(999_999))
  .map(([ms, rest]) => `${timeOfMs(ms).slice(0, 23)}${String(rest).padStart(6, '0')}Z`);

test('milliseconds and back', () => {
  fc.assert(
    fc.property(fc.integer({ min: -2_000_000_000_000, max: 30_000_000_000_000 }), (ms) => {
      expect(timeOfMs(ms)).toMatch(SHAPE);
      expect(msOf(timeOfMs(ms))).toBe(ms);
      expect(ofCanonical(timeOfMs(ms))).toBe(BigInt(ms) * 1_000_000n);
    }),
  );
});

test('addSeconds moves by whole seconds and keeps the fraction', () => {
  fc.assert(
    fc.property(canonical, fc.integer({ min: -10_000_000, max: 10_000_000 }), (time, seconds) => {
      const moved = addSeconds(time, seconds);
      expect(moved).toMatch(SHAPE);
      expect(ofCanonical(moved) - ofCanonical(time)).toBe(BigInt(seconds) * 1_000_000_000n);
    }),
  );
});

test('nanosBetween is exact up to 104 days, in both directions', () => {
  const nearby = fc.tuple(
    canonical,
    fc.integer({ min: -104 * 86_400, max: 104 * 86_400 }),
    fc.nat(999_999_999),
  );
  fc.assert(
    fc.property(nearby, ([from, seconds, fraction]) => {
      const to = `${addSeconds(from, seconds).slice(0, 20)}${String(fraction).padStart(9, '0')}Z`;
      fc.pre(Math.abs(seconds) < 104 * 86_400);
      expect(BigInt(nanosBetween(from, to))).toBe(ofCanonical(to) - ofCanonical(from));
      expect(nanosBetween(from, from)).toBe(0);
    }),
    { numRuns: 1000 },
  );
});
