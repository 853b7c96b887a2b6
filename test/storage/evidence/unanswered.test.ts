// A cluster of which a part does not answer: what it cannot say is an error, and never that there is nothing.

import { expect, test } from 'vitest';
import { elasticsearchSettings } from '../../../core/config-scale.ts';
import { whileWanted } from '../../../core/wanted.ts';
import { bulk, type Target } from '../../../storage/evidence/elasticsearch/bulk.ts';
import { settleDays } from '../../../storage/evidence/elasticsearch/days.ts';
import { storedWatermark } from '../../../storage/evidence/elasticsearch/extent.ts';
import { alertRows, refreshIncidents } from '../../../storage/evidence/elasticsearch/incidents.ts';
import { Searches } from '../../../storage/evidence/elasticsearch/search.ts';
import { dayWindow } from '../../../storage/evidence/elasticsearch/window.ts';
import { anAlert, anEvent } from '../../builders.ts';

const settings = elasticsearchSettings.parse({});
const targetOf = (client: object) => ({ client, settings }) as unknown as Target;
const searchesOf = (client: object) => new Searches(targetOf(client).client, settings);
const unreachable = { code: 'ELASTICSEARCH_UNREACHABLE' };

const noShard = { type: 'no_shard_available_action_exception', reason: 'no shard' };
const noIndex = { type: 'index_not_found_exception', reason: 'no such index' };
const mget = (error: object) => async (asked: { docs?: object[]; ids?: string[] }) => ({
  docs: (asked.docs ?? asked.ids ?? []).map(() => ({ _index: 'i', _id: 'x', error })),
});
const refused = (statusCode: number, body?: object) => () =>
  Promise.reject(Object.assign(new Error('refused'), { name: 'ResponseError', statusCode, body }));

const midnight = { event: anEvent({ id: 'a', time: '2026-11-20T00:00:01.000000000Z' }), text: '{}' };
const window = dayWindow(settings.prefix, { offsets: [] }, { eventDays: 400, nowMs: 0 });

test('the other side of midnight', async () => {
  await settleDays(targetOf({ mget: mget(noIndex) }), [midnight], window);
  await expect(settleDays(targetOf({ mget: mget(noShard) }), [midnight], window)).rejects.toMatchObject(
    unreachable,
  );
});

test('incidents that an alert was in', async () => {
  const alerts = [{ revision: 1, body: anAlert({ id: 'x' }) }];
  expect((await alertRows(targetOf({ mget: mget(noIndex) }), alerts)).rows.length).toBe(1);
  await expect(alertRows(targetOf({ mget: mget(noShard) }), alerts)).rejects.toMatchObject(unreachable);
});

test('alerts of an incident', async () => {
  const searches: object[] = [];
  const cluster = {
    mget: async ({ ids }: { ids: string[] }) => ({ docs: ids.map((_id) => ({ _id, found: false })) }),
    indices: { refresh: async () => ({}) },
    msearch: async (asked: { searches: object[] }) => {
      searches.push(...asked.searches);
      return { responses: [{ status: 503, error: { type: 'search_phase_execution_exception' } }] };
    },
  };
  await expect(refreshIncidents(targetOf(cluster), ['one'])).rejects.toMatchObject(unreachable);
  expect(searches[0]).toEqual({ allow_partial_search_results: false });
});

test('an incident that the index refuses is not said to be changed by others', async () => {
  const hits = { total: { value: 1 }, hits: [{ _source: anAlert({ id: 'x' }) }] };
  const cluster = {
    mget: async ({ ids }: { ids: string[] }) => ({ docs: ids.map((_id) => ({ _id, found: false })) }),
    indices: { refresh: async () => ({}) },
    msearch: async () => ({
      responses: [{ hits, aggregations: { revision: { value: 1 }, matches: { value: 1 } } }],
    }),
    bulk: async () => ({
      items: [{ create: { status: 400, error: { type: 'illegal_argument_exception' } } }],
    }),
  };
  await expect(refreshIncidents(targetOf(cluster), ['one'])).rejects.toMatchObject({
    code: 'ELASTICSEARCH_UNUSABLE',
    message: expect.stringContaining('illegal_argument_exception'),
  });
});

test('how far event time has come', async () => {
  expect(await storedWatermark(searchesOf({ mget: mget(noIndex) }), settings.prefix)).toBeUndefined();
  await expect(storedWatermark(searchesOf({ mget: mget(noShard) }), settings.prefix)).rejects.toMatchObject(
    unreachable,
  );
});

test('an index that is not there is empty; anything else that is not found is an error', async () => {
  const search = (client: object) => searchesOf(client).search('sealwatch-leases', {});
  expect((await search({ search: refused(404, { error: noIndex }) })).hits.hits).toEqual([]);
  // What a proxy says whose cluster is gone.
  const proxy = search({ search: refused(404, { ok: false, message: 'Unknown resource.' }) });
  await expect(proxy).rejects.toMatchObject({ code: 'ELASTICSEARCH_UNUSABLE' });
});

test('a moment that is over', async () => {
  const cluster = {
    openPointInTime: async () => ({ id: 'p' }),
    closePointInTime: () => new Promise(() => {}),
    search: refused(404, {
      error: { type: 'search_phase_execution_exception', reason: 'all shards failed' },
    }),
  };
  const asked = searchesOf(cluster).atOneMoment('sealwatch-leases', (search) => search({}));
  await expect(asked).rejects.toMatchObject({ name: 'SealwatchError' });
});

test('a bulk that answers to less than it was asked', async () => {
  const operations = ['a', 'b'].map((id) => ({ index: 'i', id, does: 'create' as const, text: '{}' }));
  for (const answer of [{}, { items: [{ create: { status: 201 } }] }])
    await expect(bulk(targetOf({ bulk: async () => answer }), operations)).rejects.toMatchObject(unreachable);
});

test('a call that is ended because nobody waits for it', async () => {
  const ended = Object.assign(new Error('Request aborted'), { name: 'RequestAbortedError' });
  const asked = whileWanted(AbortSignal.abort(), () =>
    searchesOf({ search: () => Promise.reject(ended) }).search('sealwatch-leases', {}),
  );
  await expect(asked).rejects.toMatchObject(unreachable);
});
