// Stretches of a window's time, for what a group has too much of to keep one by one.

import { limits } from '../../../core/limits.ts';
import { msOf } from '../../../core/time.ts';

/** Which stretch `time` lies in: so many of them in a window of `timespanSeconds`. */
export const bucketIndex = (time: string, timespanSeconds: number): number =>
  Math.floor((msOf(time) * limits.windowBuckets) / (Math.max(1, timespanSeconds) * 1000));
