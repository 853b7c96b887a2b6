// What sealwatch says of itself: the logger's shape, and the counters that each thread reports.

/** The part of pino that the stages use; the fields come first, then a sentence. Never a secret, never a line. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Counters that only grow and gauges, by metric name with `_total` on counters. */
export type Metrics = Record<string, number>;
