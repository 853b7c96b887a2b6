// Who reads what: the names under which readers tell how far they are, and for whom retention waits.

import { LEDGER_PARTITION, type Topic, topics } from '../../../core/records.ts';

/** Each reader tells `Stream.commit` the lowest offsets that it still needs. */
export const readers = {
  normalise: (partition: number) => `normalise-${partition}`,
  ledger: 'ledger',
  /** Calls of one partition of events. */
  detectEvents: (partition: number) => `detect-events-${partition}`,
  detectGroups: (partition: number) => `detect-groups-${partition}`,
  /** What watches leases. */
  detectLeases: 'detect-leases',
  /** Which tokens are sealwatch's own: each detector of events hears it from the ledger. */
  detectOwn: (partition: number) => `detect-own-${partition}`,
  /** What watches for lines that were lost, on all partitions. */
  detectLosses: 'detect-losses',
  /** One partition of all topics that the evidence store is made from. */
  index: (partition: number) => `index-${partition}`,
};

/** What is deleted when it is old and nobody needs it. Changes never are: nowhere else is triage kept for a new evidence store. */
export const retained: readonly Topic[] = [
  topics.raw,
  topics.events,
  topics.groups,
  topics.leases,
  topics.coverage,
  topics.credentials,
  topics.alerts,
];

/** Whoever must have read a record before it may be deleted. Outputs are not among them: the stream does not wait for them. */
export function readersOf(topic: Topic, partition: number, partitions: number): string[] {
  if (topic === topics.raw) return [readers.normalise(partition)];
  if (topic === topics.groups) return [readers.detectGroups(partition)];
  const index = readers.index(partition);
  if (topic === topics.events) return [index, readers.detectEvents(partition)];
  if (topic === topics.coverage) return [index, readers.detectLosses];
  if (partition !== LEDGER_PARTITION) return [index];
  if (topic === topics.credentials) return [index, readers.ledger];
  if (topic !== topics.leases) return [index];
  const all = Array.from({ length: partitions }, (_, of) => readers.detectOwn(of));
  return [index, readers.detectLeases, ...all];
}
