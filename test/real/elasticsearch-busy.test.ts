// An Elasticsearch that cannot take all that comes at once (429): nothing is lost, nothing is refused, nothing stands twice.

import { expect, test } from 'vitest';
import { elasticsearchSettings } from '../../core/config-scale.ts';
import type { EvidenceBatch } from '../../core/ports.ts';
import { connect } from '../../storage/evidence/elasticsearch/client.ts';
import { openElasticsearchWriter } from '../../storage/evidence/elasticsearch/writer.ts';
import { anEvent, at, reached } from '../builders.ts';
import { eventsOf } from '../contract/evidence-store.ts';
import { OwnServer } from './chaos/servers.ts';
import { RecordedLog } from './recorded-log.ts';

const WRITERS = 3;
const EVENTS = 300;
const DATA_CHARS = 60_000;

/** About 18 MB: three bulk requests. */
function batchOf(writer: number): EvidenceBatch {
  const events = Array.from({ length: EVENTS }, (_, i) => {
    const event = anEvent({ id: `${writer}-${i}`, time: at(i) });
    event.vault.request.data = { text: 'x'.repeat(DATA_CHARS) };
    return event;
  });
  const [offset] = reached(at(EVENTS));
  return {
    ...eventsOf(...events),
    offsets: [{ ...offset, partition: writer } as NonNullable<typeof offset>],
  };
}

/** Whoever could not write in all of its tries sends the same again, as the index stage does. */
async function asOftenAsNeeded(write: () => Promise<void>): Promise<void> {
  for (;;) {
    const error = await write().then(
      () => undefined,
      (error: unknown) => error,
    );
    if (error === undefined) return;
    expect(error).toMatchObject({ code: 'ELASTICSEARCH_UNREACHABLE' });
  }
}

test('several writers into a cluster with little memory for them', async () => {
  // Room for one request, and not for two.
  await using server = await OwnServer.elasticsearch('indexing_pressure.memory.limit: 12mb');
  const settings = elasticsearchSettings.parse({ nodes: [`http://${server.address}`], replicas: 0 });
  const client = await connect(settings);
  const log = new RecordedLog();
  const writing = Array.from({ length: WRITERS }, async (_, n) => {
    await using writer = await openElasticsearchWriter(settings, { eventDays: 400, log });
    await asOftenAsNeeded(() => writer.write(batchOf(n)));
    return (await writer.offsets()).filter(({ partition }) => partition === n).length;
  });
  expect(await Promise.all(writing)).toEqual(Array.from({ length: WRITERS }, () => 1));
  await client.indices.refresh();
  expect((await client.count({ index: 'sealwatch-events-*' })).count).toBe(WRITERS * EVENTS);
  const { nodes } = await client.nodes.stats({ metric: 'indexing_pressure' });
  const [node] = Object.values(nodes);
  expect(node?.indexing_pressure?.memory?.total?.coordinating_rejections).toBeGreaterThan(0);
  expect(log.warnings).toEqual([]);
  await client.close();
});
