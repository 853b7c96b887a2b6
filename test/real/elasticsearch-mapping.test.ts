// What a real Vault's calls become, in a real Elasticsearch: every row is taken as it is by the strict mappings, and comes back equal.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EvidenceWriter } from '../../core/ports.ts';
import { fields, type QueryKind } from '../../core/query.ts';
import { topics } from '../../core/records.ts';
import { rowOf, type Source } from '../../storage/evidence/elasticsearch/document.ts';
import { searchIndex, singleIndices } from '../../storage/evidence/elasticsearch/names.ts';
import { openElasticsearchWriter } from '../../storage/evidence/elasticsearch/writer.ts';
import { openEvidenceReader } from '../../storage/evidence/embedded/reader.ts';
import { createIndexer } from '../../storage/indexer.ts';
import { EmbeddedStream } from '../../storage/stream/embedded/stream.ts';
import { numbers } from '../commands/replay-run.ts';
import { logAt, recordedLogs, writtenBy } from '../permuter/inputs.ts';
import { device, rules } from '../permuter/permute.ts';
import { Player, plain } from '../permuter/play.ts';
import { World } from '../permuter/world.ts';
import { type OwnPrefix, ownPrefix } from './elasticsearch.ts';
import { RecordedLog } from './recorded-log.ts';

/** A recording beside those of the repository. */
const more = process.env['PERMUTER_LOG'];

const PARTITIONS = 2;
let dir: string;
let world: World;
let own: OwnPrefix;
const log = new RecordedLog();

async function indexInto(writer: EvidenceWriter): Promise<void> {
  const options = { dir: world.streamDir, partitions: PARTITIONS, writes: Object.values(topics) };
  await using stream = await EmbeddedStream.open(options);
  const indexer = createIndexer({ stream, writer });
  while ((await indexer.step()) > 0);
  await indexer.flush();
}

/** Documents of an index, by id. */
async function documents(index: string): Promise<Source[]> {
  const { client } = own;
  await client.indices.refresh({ index });
  const found: Source[] = [];
  for (let after: unknown[] | undefined; ; ) {
    const { hits } = await client.search<Source>({
      ...{ index, size: 1000, sort: ['row.id'], track_total_hits: false },
      ...(after && { search_after: after as string[] }),
    });
    found.push(...hits.hits.map(({ _source }) => _source as Source));
    after = hits.hits.at(-1)?.sort;
    if (after === undefined) return found;
  }
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sealwatch-mapping-'));
  const devices = [device('file', true), device('tcp')];
  world = new World({ dir, partitions: PARTITIONS, devices, rules, random: numbers(1) });
  const logs = [...Object.values(recordedLogs()), ...(more === undefined ? [] : [logAt(more)])];
  const written = logs.flatMap((lines) => writtenBy({ device: 'file' }, lines));
  await new Player(world, written, plain, numbers(1)).play();
  own = await ownPrefix('mapping');
  await using writer = await openElasticsearchWriter(own.settings, { eventDays: 400, log });
  await indexInto(writer);
});
afterAll(async () => {
  await own[Symbol.asyncDispose]();
  await rm(dir, { recursive: true });
});

test('every row of every kind comes back as the embedded store has it', async () => {
  await using embedded = openEvidenceReader(world.evidence);
  const seen: Partial<Record<QueryKind, number>> = {};
  for (const kind of Object.keys(fields) as QueryKind[]) {
    const found = await documents(searchIndex(own.settings.prefix, kind));
    for (const source of found) expect(await embedded.get(kind, source.row.id)).toEqual(rowOf(source));
    expect(found.length).toBe(await embedded.count(kind, { where: [] }));
    seen[kind] = found.length;
  }
  // Nobody has said or changed anything in a recording.
  for (const kind of ['events', 'leases', 'alerts', 'incidents', 'facts', 'baselines'] as const)
    expect(seen[kind], kind).toBeGreaterThan(5);
});

test('nothing was refused, and no member was left out of the index', async () => {
  expect(log.warnings).toEqual([]);
  const { prefix } = own.settings;
  const { aggregations } = await own.client.search<unknown, { ignored: { buckets: unknown[] } }>({
    index: `${prefix}-*`,
    size: 0,
    aggs: { ignored: { terms: { field: '_ignored' } } },
  });
  expect(aggregations?.ignored.buckets).toEqual([]);
});

test('what a mapping does not name is refused, at the top and in every object that is not free-form', async () => {
  const { client, settings } = own;
  const refused = { message: expect.stringContaining('strict_dynamic_mapping_exception') };
  for (const kind of ['events-2026.01.01', ...singleIndices])
    for (const document of [{ nobody: 1 }, { row: { nobody: 1 } }])
      await expect(
        client.index({ index: `${settings.prefix}-${kind}`, document }),
        kind,
      ).rejects.toMatchObject(refused);
  const nested = [{ event: { nobody: 1 } }, { vault: { caller: { nobody: 1 } } }];
  for (const document of nested)
    await expect(
      client.index({ index: `${settings.prefix}-events-2026.01.01`, document }),
    ).rejects.toMatchObject(refused);
  await client.index({
    index: `${settings.prefix}-events-2026.01.01`,
    document: { vault: { request: { data: { anything: { at: 'all' } } } } },
  });
});

test('the same again changes nothing', async () => {
  const index = `${own.settings.prefix}-incidents,${own.settings.prefix}-alerts,${own.settings.prefix}-leases`;
  const before = await documents(index);
  await own.client.deleteByQuery({
    index: `${own.settings.prefix}-offsets`,
    query: { match_all: {} },
    refresh: true,
  });
  await using writer = await openElasticsearchWriter(own.settings, { eventDays: 400, log });
  await indexInto(writer);
  expect(await documents(index)).toEqual(before);
});
