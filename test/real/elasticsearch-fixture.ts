// An evidence store in Elasticsearch for one test after another: what the test before wrote is gone, the templates stay.

import { openElasticReader } from '../../storage/evidence/elasticsearch/reader.ts';
import { openElasticsearchWriter } from '../../storage/evidence/elasticsearch/writer.ts';
import type { EvidenceStoreFixture } from '../contract/evidence-store.ts';
import type { OwnPrefix } from './elasticsearch.ts';

const log = { debug() {}, info() {}, warn() {}, error() {} };

export function elasticsearchStore({ client, settings }: OwnPrefix): EvidenceStoreFixture {
  const index = `${settings.prefix}-*`;
  return {
    openWriter: () => openElasticsearchWriter(settings, { eventDays: 400, log }),
    openReader: () => openElasticReader(settings),
    refresh: async () => void (await client.indices.refresh({ index })),
    // Whole indices: deleted documents would still have their versions.
    async remove() {
      const { indices = {} } = await client.indices.stats({ index, metric: 'indexing' });
      const used = Object.entries(indices).filter(([, { total }]) => total?.indexing?.index_total !== 0);
      if (used.length > 0) await client.indices.delete({ index: used.map(([name]) => name) });
    },
  };
}
