// What sealwatch says of itself: the logger's shape, and the counters that each thread reports.

/** The part of pino that the stages use; the fields come first, then a sentence. Never a secret, never a line. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Counters that only grow and gauges, by metric name with `_total` on counters; made by `labelled` when there are labels. */
export type Metrics = Record<string, number>;

/** A metric's name with labels as Prometheus writes them. Values are names and reasons of ours: nothing in them is escaped. */
export const labelled = (name: string, labels: Record<string, string>): string =>
  `${name}{${Object.entries(labels)
    .map(([label, value]) => `${label}="${value}"`)
    .join(',')}}`;

/** The name and the labels of `labelled`. */
export function nameAndLabels(metric: string): { name: string; labels: Record<string, string> } {
  const [name = '', rest = ''] = metric.split('{', 2);
  const pairs = [...rest.matchAll(/(\w+)="([^"]*)"/g)].map(([, label = '', value = '']) => [label, value]);
  return { name, labels: Object.fromEntries(pairs) as Record<string, string> };
}
