// Long answers: letting other calls have their turn; and the times beside a time, for bounds that are exclusive.

import { addSeconds } from '../../core/time.ts';

/** The embedded store answers at once, so that awaiting it lets nobody else run. */
export const takeTurns = (): Promise<void> => new Promise((done) => setImmediate(done));

/** The canonical time a nanosecond later: `to` of a question is exclusive. */
export const afterTime = (time: string): string => moved(time, 1);

/** The canonical time a nanosecond earlier: the last moment of a period. */
export const beforeTime = (time: string): string => moved(time, -1);

function moved(time: string, nanos: number): string {
  const fraction = Number(time.slice(20, 29)) + nanos;
  const carry = Math.floor(fraction / 1e9);
  const digits = String(fraction - carry * 1e9).padStart(9, '0');
  return `${addSeconds(time, carry).slice(0, 20)}${digits}Z`;
}
