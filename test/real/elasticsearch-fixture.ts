// An evidence store in Elasticsearch for one test after another: what the test before wrote is gone, the templates stay.

import { randomUUID } from 'node:crypto';
import { type ElasticsearchSettings, elasticsearchSettings } from '../../core/config-scale.ts';
import { connect } from '../../storage/evidence/elasticsearch/client.ts';
import { openElasticReader } from '../../storage/evidence/elasticsearch/reader.ts';
import { openElasticsearchWriter } from '../../storage/evidence/elasticsearch/writer.ts';
import type { EvidenceStoreFixture } from '../contract/evidence-store.ts';

const log = { debug() {}, info() {}, warn() {}, error() {} };

/** A prefix of its own in the cluster at `node`. */
export const settingsFor = (node: string): ElasticsearchSettings =>
  elasticsearchSettings.parse({ nodes: [node], prefix: `test-${randomUUID().slice(0, 8)}`, replicas: 0 });

export function elasticsearchStore(settings: ElasticsearchSettings): EvidenceStoreFixture {
  const all = `${settings.prefix}-*`;
  const asking = async (work: (client: Awaited<ReturnType<typeof connect>>) => Promise<unknown>) => {
    const client = await connect(settings);
    await work(client).finally(() => client.close());
  };
  return {
    openWriter: () => openElasticsearchWriter(settings, { eventDays: 400, log }),
    openReader: () => openElasticReader(settings),
    refresh: () => asking((client) => client.indices.refresh({ index: all })),
    // Deleted documents would still have their versions.
    remove: () =>
      asking(async (client) => {
        const { indices = {} } = await client.indices.stats({ index: all, metric: 'indexing' });
        const used = Object.entries(indices).filter(([, { total }]) => total?.indexing?.index_total !== 0);
        if (used.length > 0) await client.indices.delete({ index: used.map(([name]) => name) });
      }),
  };
}

/** Everything under the prefix. */
export async function removeAll(settings: ElasticsearchSettings): Promise<void> {
  const client = await connect(settings);
  const name = `${settings.prefix}-*`;
  await client.indices.delete({ index: name });
  await client.indices.deleteIndexTemplate({ name });
  await client.cluster.deleteComponentTemplate({ name });
  await client.close();
}
