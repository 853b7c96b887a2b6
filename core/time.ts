// Event time as text: UTC with 9 fraction digits, so that text order is time order. JS dates keep milliseconds only.

const RFC3339 =
  /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9})\d*)?(Z|z|[+-]\d{2}:\d{2})$/;

/**
 * An RFC 3339 time with 0 to 9 fraction digits in any zone (vault-audit.md 1), as UTC with 9 digits; undefined when it
 * is not one. More digits than 9 are cut.
 */
export function utcTime(text: string): string | undefined {
  const length = text.length;
  // The common case without a regular expression: UTC already, only the fraction to fill up.
  if (
    length >= 20 &&
    length !== 21 &&
    length <= 30 &&
    text.charCodeAt(length - 1) === 90 &&
    text.charCodeAt(10) === 84
  ) {
    const fast =
      length === 30
        ? text
        : length === 20
          ? `${text.slice(0, 19)}.000000000Z`
          : `${text.slice(0, -1).padEnd(29, '0')}Z`;
    if (isCanonical(fast)) return fast;
  }
  const match = RFC3339.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction = '', zone = 'Z'] = match;
  // Date.parse takes 30 February for 2 March, and 24:00 for the next day.
  const last = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  if (Number(day) > last || Number(hour) > 23) return undefined;
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.000${zone.toUpperCase()}`);
  if (Number.isNaN(ms)) return undefined;
  const utc = new Date(ms).toISOString();
  return utc.length === 24 ? `${utc.slice(0, 19)}.${fraction.padEnd(9, '0')}Z` : undefined;
}

const SHAPE = '0000-00-00T00:00:00.000000000Z';
const pair = (text: string, at: number) => (text.charCodeAt(at) - 48) * 10 + text.charCodeAt(at + 1) - 48;

function isCanonical(text: string): boolean {
  for (let i = 0; i < 30; i++) {
    const c = text.charCodeAt(i);
    const digit = SHAPE.charCodeAt(i) === 48;
    if (digit ? c < 48 || c > 57 : c !== SHAPE.charCodeAt(i)) return false;
  }
  const month = pair(text, 5);
  const day = pair(text, 8);
  return (
    month >= 1 &&
    month <= 12 &&
    day >= 1 &&
    day <= 28 &&
    pair(text, 11) < 24 &&
    pair(text, 14) < 60 &&
    pair(text, 17) < 60
  );
}

/** The end of event time. */
export const END_OF_TIME = '9999-12-31T23:59:59.999999999Z';

/** Milliseconds since 1970 of a canonical time, without what is under a millisecond. */
export const msOf = (time: string): number => Date.parse(`${time.slice(0, 23)}Z`);

/** A canonical time from milliseconds since 1970. */
export const timeOfMs = (ms: number): string => `${new Date(ms).toISOString().slice(0, 23)}000000Z`;

/** `time` moved by whole seconds, its fraction kept. */
export const addSeconds = (time: string, seconds: number): string =>
  `${new Date(Date.parse(`${time.slice(0, 19)}Z`) + seconds * 1000).toISOString().slice(0, 19)}${time.slice(19)}`;

/** Nanoseconds from `from` to `to`; exact up to 104 days. */
export function nanosBetween(from: string, to: string): number {
  const fraction = Number(to.slice(20, 29)) - Number(from.slice(20, 29));
  // Most answers come within the second, and reading a date costs more than comparing it.
  if (from.slice(0, 19) === to.slice(0, 19)) return fraction;
  return (Date.parse(`${to.slice(0, 19)}Z`) - Date.parse(`${from.slice(0, 19)}Z`)) * 1e6 + fraction;
}

/**
 * A call whose answer took longer than this many nanoseconds is slow: its half may have gone out before the answer came
 * (decision 0002). One less than the wait without the lateness, so that at just that time there is one answer, not two.
 */
export const slowCallNanos = (time: { pairWaitSeconds: number; allowedLatenessSeconds: number }): number =>
  (time.pairWaitSeconds - time.allowedLatenessSeconds) * 1e9 - 1;

/** `time` moved by nanoseconds, from 0 to 104 days. */
export function addNanos(time: string, nanos: number): string {
  const sum = Number(time.slice(20, 29)) + nanos;
  const seconds = Math.floor(sum / 1e9);
  const fraction = String(sum - seconds * 1e9).padStart(9, '0');
  return `${seconds === 0 ? time.slice(0, 19) : addSeconds(time, seconds).slice(0, 19)}.${fraction}Z`;
}
