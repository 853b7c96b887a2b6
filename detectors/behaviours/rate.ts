// How many there usually are in an hour or a day: mean and deviation, both fading, and the highest of late.

/** A JSON value. Fades by the periods in which the subject was there. */
export type Rate = { periods: number; mean: number; spread: number; peak: number };

/** Share of the newest period once enough have been seen. */
const NEWEST = 0.1;
/** What is left of a peak a period later: half in a month and a half of days, in two months of hours. */
const fading = { day: 0.985, hour: 0.9995 };
const DEVIATIONS = 4;

export function withPeriod(rate: Rate | undefined, count: number, period: keyof typeof fading): Rate {
  if (rate === undefined) return { periods: 1, mean: count, spread: 0, peak: count };
  const share = Math.max(NEWEST, 1 / (rate.periods + 1));
  return {
    periods: rate.periods + 1,
    mean: rounded(rate.mean + share * (count - rate.mean)),
    spread: rounded(rate.spread + share * (Math.abs(count - rate.mean) - rate.spread)),
    peak: rounded(Math.max(count, rate.peak * fading[period])),
  };
}

/** The most that is usual. */
export const expected = (rate: Rate | undefined): number =>
  rate === undefined ? 0 : Math.max(rate.peak, rate.mean + DEVIATIONS * rate.spread);

/** Kept short on disk. */
const rounded = (value: number): number => Math.round(value * 1000) / 1000;

/** What is new on a day, as a sentence says it. */
export function newOnes(rate: Rate | undefined): string {
  const mean = shown(rate?.mean ?? 0);
  if (mean === 0) return 'hardly any new ones';
  return mean === 1 ? '1 new one a day' : `${mean} new ones a day`;
}

/** As a sentence shows it. */
export const shown = (value: number): number =>
  value < 10 ? Math.round(value * 10) / 10 : Math.round(value);
