// What becomes of each document of a bulk: a cluster that says no to some of it, not now to others, or to all.

import { expect, test, vi } from 'vitest';
import { elasticsearchSettings } from '../../../core/config-scale.ts';
import { limits } from '../../../core/limits.ts';
import { bulk, type Operation } from '../../../storage/evidence/elasticsearch/bulk.ts';
import type { Client } from '../../../storage/evidence/elasticsearch/client.ts';

interface Answer {
  status: number;
  type?: string;
}

/** Answers by what a test says of an id; a real one does this only under load. */
class FakeBusyCluster {
  readonly requests: string[][] = [];
  private readonly answer: (id: string, attempt: number) => Answer;

  constructor(answer: (id: string, attempt: number) => Answer) {
    this.answer = answer;
  }

  async bulk({ operations }: { operations: string[] }) {
    const actions = operations
      .map((line) => Object.entries(JSON.parse(line) as Record<string, { _id?: string }>)[0])
      .flatMap((entry) => (entry?.[1]._id === undefined ? [] : [[entry[0], entry[1]._id] as const]));
    this.requests.push(actions.map(([, id]) => id));
    return {
      items: actions.map(([verb, id]) => {
        const { status, type } = this.answer(id, this.requests.length);
        if (status === 0) throw Object.assign(new Error('busy'), { name: 'ResponseError', statusCode: 429 });
        return { [verb]: { status, ...(type !== undefined && { error: { type, reason: 'because' } }) } };
      }),
    };
  }
}

const settings = elasticsearchSettings.parse({});
const run = (cluster: FakeBusyCluster, operations: Operation[]) =>
  bulk({ client: cluster as unknown as Client, settings }, operations);
const put = (id: string, text = '{"x":{}}'): Operation => ({ index: 'i', id, does: 'put', version: 1, text });

/** Waits pass at once. */
vi.mock('node:timers/promises', () => ({ setTimeout: async () => {} }));

test('each document has its own outcome', async () => {
  const answers: Record<string, Answer> = {
    a: { status: 201 },
    b: { status: 409, type: 'version_conflict_engine_exception' },
    c: { status: 400, type: 'document_parsing_exception' },
    d: { status: 404 },
  };
  const cluster = new FakeBusyCluster((id) => answers[id] as Answer);
  const outcomes = await run(cluster, [
    put('a'),
    put('b'),
    put('c'),
    { index: 'i', id: 'd', does: 'delete' },
  ]);
  expect(outcomes.map(({ became }) => became)).toEqual(['done', 'older', 'refused', 'done']);
  expect(cluster.requests.length).toBe(1);
});

test('what cannot be taken now is sent again, and only that', async () => {
  const busy = { status: 429, type: 'es_rejected_execution_exception' };
  const cluster = new FakeBusyCluster((id, attempt) =>
    (id === 'b' && attempt < 3) || (id === 'c' && attempt < 2) ? busy : { status: 201 },
  );
  const outcomes = await run(
    cluster,
    ['a', 'b', 'c'].map((id) => put(id)),
  );
  expect(outcomes.map(({ became }) => became)).toEqual(['done', 'done', 'done']);
  expect(cluster.requests).toEqual([['a', 'b', 'c'], ['b', 'c'], ['b']]);
});

test('a cluster that takes nothing is asked again', async () => {
  const cluster = new FakeBusyCluster((_, attempt) => ({ status: attempt < 3 ? 0 : 201 }));
  await run(cluster, [put('a')]);
  expect(cluster.requests).toEqual([['a'], ['a'], ['a']]);
});

test('in the end somebody hears of it, and not the document is at fault', async () => {
  const cluster = new FakeBusyCluster(() => ({ status: 503, type: 'unavailable_shards_exception' }));
  await expect(run(cluster, [put('a')])).rejects.toMatchObject({
    code: 'ELASTICSEARCH_UNREACHABLE',
    message: expect.stringContaining('unavailable_shards_exception'),
  });
  expect(cluster.requests.length).toBe(limits.bulkTries);
});

test.each([
  ['ELASTICSEARCH_DENIED', { status: 403, type: 'security_exception' }],
  ['ELASTICSEARCH_UNUSABLE', { status: 404, type: 'index_not_found_exception' }],
])('%s when it is not the document: %o', async (code, answer) => {
  await expect(run(new FakeBusyCluster(() => answer), [put('a')])).rejects.toMatchObject({ code });
});

test('requests are bounded in documents and in size, and a document that is larger goes alone', async () => {
  const cluster = new FakeBusyCluster(() => ({ status: 201 }));
  const many = Array.from({ length: limits.bulkDocumentsMax + 1 }, (_, i) => put(`m${i}`));
  await run(cluster, many);
  expect(cluster.requests.map((ids) => ids.length).sort()).toEqual([1, limits.bulkDocumentsMax]);
  cluster.requests.length = 0;
  const large = `{"x":"${'x'.repeat(limits.bulkCharsMax)}"}`;
  await run(cluster, [put('a'), put('b', large), put('c'), put('d')]);
  expect(cluster.requests.toSorted()).toEqual([['a'], ['b'], ['c', 'd']]);
  expect(await run(cluster, [])).toEqual([]);
});

test('a request that is too long goes in halves; one document that is too long alone is refused', async () => {
  const requests: string[][] = [];
  const cluster = {
    async bulk({ operations }: { operations: string[] }) {
      const ids = operations.flatMap((line) => /"_id":"([^"]*)"/.exec(line)?.[1] ?? []);
      requests.push(ids);
      if (ids.length > 1 || ids[0] === 'b')
        throw Object.assign(new Error('too long'), { name: 'ResponseError', statusCode: 413 });
      return { items: ids.map(() => ({ index: { status: 201 } })) };
    },
  };
  const outcomes = await run(
    cluster as unknown as FakeBusyCluster,
    ['a', 'b', 'c'].map((id) => put(id)),
  );
  expect(outcomes.map(({ became }) => became)).toEqual(['done', 'refused', 'done']);
  expect(requests).toEqual([['a', 'b', 'c'], ['a', 'b'], ['a'], ['b'], ['c']]);
});
