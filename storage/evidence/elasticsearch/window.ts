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
/** Days after event time that have an index of their own: clocks differ, midnight comes. */
const AHEAD_DAYS = 2;
/** Event time moves between a write and its repetition by less than this many days. */
const MARGIN_DAYS = 1;

/**
 * From event time, as the offsets of `batch` tell it, `eventDays` back and a little ahead. Event time and not the wall clock: a log of
 * last year has its days as well. Until event time is known every day has its index.
 */
export function dayWindow(
  prefix: string,
  { offsets }: Pick<EvidenceBatch, 'offsets'>,
  eventDays: number,
): DayWindow {
  const times = offsets.flatMap(({ sources = {} }) => Object.values(sources));
  const latest = times.reduce((a, b) => (a > b ? a : b), '');
  if (latest === '') return { indexOf: (time) => eventsIndex(prefix, time), besides: () => undefined };
  const day = (days: number) => addSeconds(latest, days * DAY_SECONDS).slice(0, 10);
  const [first, last] = [day(-eventDays - 1), day(AHEAD_DAYS)];
  // Of days before event time and within the days kept, nearly all there are, nobody can have thought otherwise.
  const [sureFrom, sureTo] = [day(-eventDays - 1 + MARGIN_DAYS), day(0)];
  const other = otherIndex(prefix);
  const isInside = (time: string) => time.slice(0, 10) >= first && time.slice(0, 10) <= last;
  const indexOf = (time: string) => (isInside(time) ? eventsIndex(prefix, time) : other);
  return {
    indexOf,
    besides(time) {
      if (!isInside(time)) return eventsIndex(prefix, time);
      return time.slice(0, 10) >= sureFrom && time.slice(0, 10) <= sureTo ? undefined : other;
    },
  };
}
