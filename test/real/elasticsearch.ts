// One Elasticsearch for all tests of a run that want it, started by the first; and a prefix of its own for each test.

import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { type ElasticsearchSettings, elasticsearchSettings } from '../../core/config-scale.ts';
import { type Client, connect } from '../../storage/evidence/elasticsearch/client.ts';
import { freePort } from './servers.ts';

const run = promisify(execFile);
const scripts = resolve('test/real/servers/elasticsearch');
const serversDir = process.env['SERVERS_DIR'] ?? '/var/tmp/sealwatch-servers';

/** Starts it unless it runs already; `ES_URL` names one that somebody else has started. `run.ts` ends it. Returns its address. */
async function startElasticsearch(): Promise<string> {
  const given = process.env['ES_URL'];
  if (given !== undefined) return given;
  const folder = process.env['REAL_RUN_DIR'];
  if (folder === undefined) throw new Error('no REAL_RUN_DIR: run with vitest, or set ES_URL');
  const program = join(serversDir, 'elasticsearch');
  mkdirSync(program, { recursive: true });
  // Elasticsearch runs as somebody who owns nothing else.
  chmodSync(folder, 0o755);
  const [port, transport] = [await freePort(), await freePort()];
  const env = {
    ...process.env,
    ...{ SERVERS_DIR: folder, ES_HOME_DIR: join(program, 'home'), ES_HEAP: '512m' },
    ...{ ES_PORT: String(port), ES_TRANSPORT_PORT: String(transport) },
  };
  // Files run in processes of their own: the first starts it, the others wait and find it running.
  await run('flock', [join(folder, 'elasticsearch.lock'), 'bash', join(scripts, 'start.sh')], { env });
  const settings = readFileSync(join(folder, 'elasticsearch/run/conf/elasticsearch.yml'), 'utf8');
  return `http://127.0.0.1:${/^http\.port: (\d+)$/m.exec(settings)?.[1]}`;
}

export interface OwnPrefix extends AsyncDisposable {
  client: Client;
  settings: ElasticsearchSettings;
}

let count = 0;

/** Indices and templates under a prefix of its own; disposing deletes them. */
export async function ownPrefix(name: string): Promise<OwnPrefix> {
  const prefix = `test-${name}-${process.pid}-${Date.now().toString(36)}-${count++}`;
  const settings = elasticsearchSettings.parse({ nodes: [await startElasticsearch()], prefix, replicas: 0 });
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
