// How far event time has come in the store: by the offsets as they are now, whether they can be searched yet or not.

import type { IndexOffset } from '../../../core/ports.ts';
import { LEDGER_PARTITION, topics } from '../../../core/records.ts';
import { lowestWatermark } from '../../watermark.ts';
import { foundOf } from './client.ts';
import { rowOf, type Source } from './document.ts';
import { indexName, offsetId } from './names.ts';
import type { Searches } from './search.ts';

/** `lowestWatermark` of the offsets. */
export async function storedWatermark(searches: Searches, prefix: string): Promise<string | undefined> {
  const events = (partition: number) => offsetId({ topic: topics.events, partition });
  const ledger = offsetId({ topic: topics.leases, partition: LEDGER_PARTITION });
  const [first] = await offsetsOf(searches, prefix, [events(0)]);
  // Each names every source from the start on: one for each partition.
  const partitions = Object.keys(first?.sources ?? {}).length;
  if (partitions === 0) return undefined;
  const ids = [...Array.from({ length: partitions }, (_, partition) => events(partition)), ledger];
  return lowestWatermark(await offsetsOf(searches, prefix, ids));
}

/** Those that are there. */
async function offsetsOf(searches: Searches, prefix: string, ids: string[]): Promise<IndexOffset[]> {
  const docs = await searches.ask(
    async (client, options) =>
      foundOf((await client.mget<Source>({ index: indexName(prefix, 'offsets'), ids }, options)).docs),
    [],
  );
  return docs.flatMap((doc) => (doc?._source ? [rowOf<IndexOffset>(doc._source)] : []));
}
