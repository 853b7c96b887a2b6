// Event time as two numbers that a double holds exactly, so that Elasticsearch finds the first and the last to the nanosecond.

import { addNanos, msOf, timeOfMs } from '../../core/time.ts';

export interface SpanTime {
  /** Number of the span of 100 days, from 1970 on. */
  span: number;
  /** Since its begin; below 2^53. */
  nanos: number;
}

const SPAN_MS = 100 * 86_400_000;

/** Of a canonical time. */
export function spanOf(time: string): SpanTime {
  const ms = msOf(time);
  const span = Math.floor(ms / SPAN_MS);
  return { span, nanos: (ms - span * SPAN_MS) * 1e6 + Number(time.slice(23, 29)) };
}

/** The canonical time of it. */
export const spanTime = ({ span, nanos }: SpanTime): string => addNanos(timeOfMs(span * SPAN_MS), nanos);
