// Days and hours of event time as numbers. Calls come in order, so the last hour is nearly always the next one's.

let known = ' ';
let hour = 0;

/** Hours since 1970 of a canonical time. */
export function hourOf(time: string): number {
  if (!time.startsWith(known)) {
    known = time.slice(0, 13);
    hour = Math.floor(Date.parse(`${known}:00:00Z`) / 3_600_000);
  }
  return hour;
}

/** Days since 1970. */
export const dayOf = (time: string): number => Math.floor(hourOf(time) / 24);

/** Minutes since 1970. */
export const minuteOf = (time: string): number => hourOf(time) * 60 + Number(time.slice(14, 16));

/** The day as people write it, `2026-09-07`. */
export const dateOf = (day: number): string => new Date(day * 86_400_000).toISOString().slice(0, 10);

/** `1 day`, `2 days`. */
export const daysText = (count: number): string => `${count} ${count === 1 ? 'day' : 'days'}`;

/** Saturday or Sunday, in UTC. */
export const isWeekend = (day: number): boolean => (day + 4) % 7 === 6 || (day + 4) % 7 === 0;
