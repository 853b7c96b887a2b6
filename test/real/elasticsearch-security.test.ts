// An Elasticsearch with its security on: deploy/elasticsearch/setup.sh makes the roles, and each can do its work and nothing else.

import { execFile } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { checkElasticsearch } from '../../commands/doctor/elasticsearch.ts';
import { loadConfig } from '../../core/config.ts';
import { type ElasticsearchSettings, elasticsearchSettings } from '../../core/config-scale.ts';
import { LEDGER_PARTITION, topics } from '../../core/records.ts';
import { connect } from '../../storage/evidence/elasticsearch/client.ts';
import { openElasticReader } from '../../storage/evidence/elasticsearch/reader.ts';
import { openElasticsearchWriter } from '../../storage/evidence/elasticsearch/writer.ts';
import { aLease, anAlert, anEvent } from '../builders.ts';
import { eventsOf } from '../contract/evidence-store.ts';
import { freePort } from './servers.ts';

const run = promisify(execFile);
const scripts = resolve('test/real/servers/elasticsearch');
const folder = join(
  process.env['SERVERS_DIR'] ?? '/var/tmp/sealwatch-servers',
  `elasticsearch-secure-${process.pid}`,
);
const log = { debug() {}, info() {}, warn() {}, error() {} };
let env: NodeJS.ProcessEnv;
let node: string;

beforeAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, 'secrets'), { recursive: true });
  const [port, transport] = [await freePort(), await freePort()];
  node = `http://127.0.0.1:${port}`;
  env = {
    ...process.env,
    ...{ ES_RUN: join(folder, 'run'), ES_DATA: join(folder, 'data'), ES_HEAP: '512m', ES_SECURITY: 'true' },
    ...{ ES_PORT: String(port), ES_TRANSPORT_PORT: String(transport) },
  };
  await run('bash', [join(scripts, 'start.sh')], { env });
  for (const name of ['superuser', 'indexer', 'reader', 'setup'])
    writeFileSync(passwordFile(name), 'example-password\n', { mode: 0o600 });
  const secrets = { SUPERUSER: 'operator', SECRETS: join(folder, 'secrets'), ELASTICSEARCH: node };
  await run('bash', ['deploy/elasticsearch/setup.sh'], { env: { ...process.env, ...secrets } });
  // Again: it must be safe.
  await run('bash', ['deploy/elasticsearch/setup.sh'], { env: { ...process.env, ...secrets } });
});
afterAll(async () => {
  await run('bash', [join(scripts, 'stop.sh')], { env });
  rmSync(folder, { recursive: true, force: true });
});

const passwordFile = (name: string) => join(folder, 'secrets', `elasticsearch-${name}`);

const settingsOf = (role: string, password = passwordFile(role)): ElasticsearchSettings =>
  elasticsearchSettings.parse({
    ...{ nodes: [node], replicas: 0, username: `sealwatch-${role}`, passwordFile: password },
  });

/** `doctor` as the user of a role: what it says that is not ok, and what this user may. */
async function doctor(role: string, fix: boolean, password?: string): Promise<string[]> {
  const elasticsearch = settingsOf(role, password);
  const config = { ...loadConfig({}), evidence: 'elasticsearch' as const, elasticsearch };
  const findings = await checkElasticsearch(config, fix);
  return findings
    .filter(({ state, what }) => state !== 'ok' || /this user|put the/.test(what))
    .map(({ state, what }) => `${state} ${what}`);
}

it('doctor --fix puts the templates by the role that may, and says so of one that may not', async () => {
  const missing = expect.stringMatching(/^fail 13 templates are missing/);
  expect(await doctor('indexer', false)).toEqual([
    missing,
    'ok this user may write evidence and read evidence',
  ]);
  expect(await doctor('reader', true)).toEqual([
    expect.stringMatching(/^fail .* does not let sealwatch do this/),
  ]);
  expect(await doctor('setup', true)).toEqual([
    'ok put the templates, made the indices that were missing',
    expect.stringMatching(/^warn this user may neither write nor read/),
  ]);
  expect(await doctor('indexer', false)).toEqual(['ok this user may write evidence and read evidence']);
  expect(await doctor('reader', false)).toEqual(['ok this user may read evidence']);
});

it('the indexer writes and deletes, the reader reads', async () => {
  await using writer = await openElasticsearchWriter(settingsOf('indexer'), { eventDays: 400, log });
  const event = anEvent({ id: 'one', time: '2026-11-20T12:00:00.000000000Z' });
  const [lease, alert] = [aLease({ id: 'database/creds/app/1' }), anAlert({ id: 'x' })];
  await writer.write({
    ...eventsOf(event),
    ...{ leases: [{ revision: 1, body: lease }], alerts: [{ revision: 1, body: alert }] },
    offsets: [
      { topic: topics.events, partition: 0, next: 1, sources: { 0: '2026-11-20T12:00:00.000000000Z' } },
      {
        topic: topics.leases,
        partition: LEDGER_PARTITION,
        next: 1,
        sources: { 0: '2026-11-20T12:00:00.000000000Z' },
      },
    ],
  });
  await using reader = await openElasticReader(settingsOf('reader'));
  // It refreshes: what is written up to there is found.
  const time = '2026-11-20T12:00:00.000000000Z';
  expect(await reader.extent()).toEqual({ first: time, last: time, watermark: time });
  expect(await reader.count('events', { where: [] })).toBe(1);
  expect(await reader.count('alerts', { where: [] })).toBe(1);
  expect(await reader.count('leases', { where: [] })).toBe(1);
  await writer.retain('2026-11-21T00:00:00.000000000Z');
  expect(await reader.count('events', { where: [] })).toBe(0);
});

it('nobody does more', async () => {
  const document = { index: 'sealwatch-alerts', document: { a: 1 } };
  expect(await as('reader', (client) => client.index(document))).toBe(403);
  expect(await as('reader', (client) => client.indices.delete({ index: 'sealwatch-alerts' }))).toBe(403);
  expect(await as('setup', (client) => client.search({ index: 'sealwatch-alerts' }))).toBe(403);
  expect(await as('setup', (client) => client.index(document))).toBe(403);
  for (const role of ['indexer', 'reader', 'setup']) {
    expect(await as(role, (client) => client.index({ index: 'other', document: {} })), role).toBe(403);
    expect(await as(role, (client) => client.security.getUser()), role).toBe(403);
    expect(
      await as(role, (client) =>
        client.cluster.putSettings({ persistent: { 'cluster.max_shards_per_node': 999 } }),
      ),
      role,
    ).toBe(403);
  }
  const template = { name: 'sealwatch-x', index_patterns: ['sealwatch-x'] };
  expect(await as('indexer', (client) => client.indices.putIndexTemplate(template))).toBe(403);
});

it('a wrong password is told in a sentence without it', async () => {
  const wrong = join(folder, 'wrong');
  writeFileSync(wrong, 'example-wrong', { mode: 0o600 });
  const [said, ...more] = await doctor('indexer', false, wrong);
  expect(said).toMatch(
    /^fail Elasticsearch at 127\.0\.0\.1:\d+ does not let sealwatch do this .*unable to authenticate/,
  );
  expect(said).not.toContain('example-');
  expect(more).toEqual([]);
});

/** 200, or the status of a refusal. */
async function as(
  role: string,
  work: (client: Awaited<ReturnType<typeof connect>>) => Promise<unknown>,
): Promise<number> {
  const client = await connect(settingsOf(role));
  try {
    await work(client);
    return 200;
  } catch (error) {
    return (error as { statusCode?: number }).statusCode ?? 0;
  } finally {
    await client.close();
  }
}
