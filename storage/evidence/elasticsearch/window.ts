// Which index an event goes into. Whoever writes lines chooses their dates: days far from event time share one index, so that
// nobody makes the cluster an index for each day of a thousand years.

import type { EvidenceBatch } from '../../../core/ports.ts';
import { addSeconds } from '../../../core/time.ts';
import { eventsIndex, otherIndex } from './names.ts';

/** Gives the index of an event by its time. */
export interface DayWindow {
  indexOf(time: string): string;
  /** Another index where a revision may stand that was written when event time was elsewhere; undefined of nearly all. */
  besides(time: string): string | undefined;
}

const DAY_SECONDS = 86_400;
/** Days after event time, or after today where that is later, that have an index of their own: clocks differ, midnight comes. */
const AHEAD_DAYS = 2;
/** Event time moves between a write and its repetition by less than this many days. */
const MARGIN_DAYS = 1;

/**
 * From event time, as the offsets of `batch` tell it, `eventDays` back; to a little ahead of it, or of the wall clock `nowMs`: event time
 * stands still while nobody calls. Back from event time and not from today: a log of last year has its days as well. Until
 * event time is known every day has its index.
 */
export function dayWindow(
  prefix: string,
  { offsets }: Pick<EvidenceBatch, 'offsets'>,
  { eventDays, nowMs }: { eventDays: number; nowMs: number },
): DayWindow {
  const times = offsets.flatMap(({ sources = {} }) => Object.values(sources));
  const reached = latest(times);
  if (reached === '') return { indexOf: (time) => eventsIndex(prefix, time), besides: () => undefined };
  const ahead = latest([reached, new Date(nowMs).toISOString()]);
  const [first, last] = [dayAfter(reached, -eventDays - 1), dayAfter(ahead, AHEAD_DAYS)];
  // Of the days kept up to now, nearly all there are, nobody can have thought otherwise.
  const [sureFrom, sureTo] = [dayAfter(reached, -eventDays - 1 + MARGIN_DAYS), dayAfter(ahead, 0)];
  const other = otherIndex(prefix);
  const isWithin = (time: string, from: string, to: string) => {
    const day = time.slice(0, 10);
    return day >= from && day <= to;
  };
  return {
    indexOf: (time) => (isWithin(time, first, last) ? eventsIndex(prefix, time) : other),
    besides(time) {
      if (!isWithin(time, first, last)) return eventsIndex(prefix, time);
      return isWithin(time, sureFrom, sureTo) ? undefined : other;
    },
  };
}

const latest = (times: readonly string[]): string => times.reduce((a, b) => (a > b ? a : b), '');

function dayAfter(time: string, days: number): string {
  const moved = addSeconds(time, days * DAY_SECONDS);
  // The year 10000, which canonical times do not have.
  return moved.startsWith('+') ? '9999-12-31' : moved.slice(0, 10);
}
