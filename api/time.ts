// Bounds that hold every event time, for questions without a period; and the times beside a time, where bounds are exclusive.

import { addSeconds } from '../core/time.ts';

export const allTime = { from: '0000-01-01T00:00:00.000000000Z', to: '9999-12-31T23:59:59.999999999Z' };

/** The canonical time a nanosecond later: `to` of a question is exclusive. */
export const afterTime = (time: string): string => moved(time, 1);

/** The canonical time a nanosecond earlier: the last moment of a period. */
export const beforeTime = (time: string): string => moved(time, -1);

/** A year before 0 or after 9999 would be no text in order of time: there `time` stays. */
function moved(time: string, nanos: number): string {
  const fraction = Number(time.slice(20, 29)) + nanos;
  const carry = Math.floor(fraction / 1e9);
  const seconds = addSeconds(time, carry).slice(0, 20);
  const isTime = !seconds.startsWith('+') && !seconds.startsWith('-');
  return isTime ? `${seconds}${String(fraction - carry * 1e9).padStart(9, '0')}Z` : time;
}
