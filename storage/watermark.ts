// How far event time has come in an evidence store: told by the offsets that its rows came from, whoever wrote them.

import type { IndexOffset } from '../core/ports.ts';
import { LEDGER_PARTITION, topics } from '../core/records.ts';

/** How many sources tell on a partition how far they have come: each raw partition on those of events, the ledger on its own. */
export function sourcesOf(
  { topic, partition }: Pick<IndexOffset, 'topic' | 'partition'>,
  partitions: number,
): number {
  if (topic === topics.events) return partitions;
  return topic === topics.leases && partition === LEDGER_PARTITION ? 1 : 0;
}

/**
 * How far every raw partition has come on every partition of events, and the ledger with them; undefined until each has been
 * heard of. What lies before it is all in the store.
 */
export function lowestWatermark(offsets: readonly IndexOffset[]): string | undefined {
  const ofEvents = offsets.filter(({ topic }) => topic === topics.events);
  // Each of them names every source from the start on, with an empty time until it is heard of.
  const partitions = Math.max(0, ...ofEvents.map(({ sources = {} }) => Object.keys(sources).length));
  if (partitions === 0 || ofEvents.length < partitions) return undefined;
  let lowest: string | undefined;
  for (const offset of offsets) {
    for (let source = 0; source < sourcesOf(offset, partitions); source++) {
      const time = offset.sources?.[source] ?? '';
      if (time === '') return undefined;
      if (lowest === undefined || time < lowest) lowest = time;
    }
  }
  return offsets.some((offset) => offset.topic === topics.leases && sourcesOf(offset, partitions) > 0)
    ? lowest
    : undefined;
}
