// The Elasticsearch of a run of the real tests: one for all files, started by whoever comes first; or the one at ES_URL.

import { type ElasticsearchSettings, elasticsearchSettings } from '../../core/config-scale.ts';
import { type Client, connect } from '../../storage/evidence/elasticsearch/client.ts';
import { sharedServer } from './shared-server.ts';

export interface OwnPrefix extends AsyncDisposable {
  client: Client;
  settings: ElasticsearchSettings;
}

let count = 0;

/** Indices and templates under a prefix of the caller's own; disposing deletes them. */
export async function ownPrefix(name: string): Promise<OwnPrefix> {
  const prefix = `test-${name}-${process.pid}-${Date.now().toString(36)}-${count++}`;
  const node = process.env['ES_URL'] ?? `http://${await sharedServer('elasticsearch')}`;
  const settings = elasticsearchSettings.parse({ nodes: [node], prefix, replicas: 0 });
  const client = await connect(settings);
  return { client, settings, [Symbol.asyncDispose]: () => removePrefix(client, prefix) };
}

async function removePrefix(client: Client, prefix: string): Promise<void> {
  const missing = { ignore: [404] };
  await client.indices.delete({ index: `${prefix}-*` }, missing);
  await client.indices.deleteIndexTemplate({ name: `${prefix}-*` }, missing);
  await client.cluster.deleteComponentTemplate({ name: `${prefix}-*` }, missing);
  await client.close();
}
