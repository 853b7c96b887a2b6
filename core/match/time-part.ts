// Parts of a time in UTC, for Sigma's time modifiers (appendix of modifiers 2.1).

import type { Test } from './expr.ts';

export type TimePart = Extract<Test, { kind: 'time' }>['part'];

/** Least and greatest value of each part. Weeks are those of ISO 8601, so that a year may have 53. */
export const timeParts: Record<TimePart, readonly [least: number, greatest: number]> = {
  minute: [0, 59],
  hour: [0, 23],
  day: [1, 31],
  week: [1, 53],
  month: [1, 12],
  year: [1, 9999],
};

const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;

/** The `part` of a time as Vault and our events write it (RFC 3339), in UTC; NaN when `text` is no time. */
export function timePart(text: string, part: TimePart): number {
  if (!rfc3339.test(text)) return Number.NaN;
  const time = new Date(text);
  if (part === 'minute') return time.getUTCMinutes();
  if (part === 'hour') return time.getUTCHours();
  if (part === 'day') return time.getUTCDate();
  if (part === 'month') return time.getUTCMonth() + 1;
  return part === 'year' ? time.getUTCFullYear() : isoWeek(time);
}

const weekMs = 7 * 86_400_000;

/** The week whose Thursday lies in the same year counts as that year's. */
function isoWeek(time: Date): number {
  const thursday = new Date(time);
  thursday.setUTCDate(time.getUTCDate() + 4 - (time.getUTCDay() || 7));
  const yearStart = Date.UTC(thursday.getUTCFullYear(), 0, 1);
  return Math.floor((thursday.getTime() - yearStart) / weekMs) + 1;
}
