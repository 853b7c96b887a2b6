// The writer ends at any of its calls, before the cluster has done it or before it hears so; another one writes the same again.

import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Alert } from '../../core/alert.ts';
import type { AuditEvent } from '../../core/event.ts';
import { incidentOf } from '../../core/incident.ts';
import type { EvidenceBatch, EvidenceWriter } from '../../core/ports.ts';
import { topics } from '../../core/records.ts';
import { rowOf, type Source } from '../../storage/evidence/elasticsearch/document.ts';
import { openElasticsearchWriter } from '../../storage/evidence/elasticsearch/writer.ts';
import { aCoverageRow, aLease, anAlert, anEvent, at } from '../builders.ts';
import { batchOf } from '../contract/evidence-store.ts';
import { type OwnPrefix, ownPrefix } from './elasticsearch.ts';
import { RecordedLog } from './recorded-log.ts';

let own: OwnPrefix;
const log = new RecordedLog();
const open = () => openElasticsearchWriter(own.settings, { eventDays: 400, log });

beforeAll(async () => {
  own = await ownPrefix('cut');
});
afterAll(() => own[Symbol.asyncDispose]());

/** Lets the call number `cut` of `writer` fail, and all after it; `done`: only the answer is lost. Tells how many there were. */
function cutAt(writer: EvidenceWriter, cut: number, done: boolean): () => number {
  const { transport } = (writer as unknown as { target: { client: { transport: Transport } } }).target.client;
  const real = transport.request.bind(transport);
  let calls = 0;
  transport.request = async (...args) => {
    const call = calls++;
    if (call < cut) return real(...args);
    if (call === cut && done) await real(...args);
    throw new Error('the end');
  };
  return () => calls;
}
interface Transport {
  request: (...args: unknown[]) => Promise<unknown>;
}

/** A half that becomes whole over midnight, an alert that moves to another incident, and one of everything else. */
function batches(
  n: string,
  partition: number,
): {
  before: EvidenceBatch;
  after: EvidenceBatch;
  incidents: unknown[];
  whole: AuditEvent;
} {
  const half = anEvent({ id: `e${n}`, revision: 1, time: '2026-01-02T00:00:00.500000000Z' });
  half.vault = { ...half.vault, pair: 'response_only' };
  const whole = anEvent({ id: `e${n}`, revision: 2, time: '2026-01-01T23:59:59.900000000Z' });
  whole.event.duration = 600_000_000;
  const [a, b] = ['a', 'b'].map((id) => anAlert({ id: `${id}${n}`, user: `u${n}` })) as [Alert, Alert];
  const moved = { ...a, user: { id: `v${n}` }, incident: { id: `incident-v${n}` } };
  const alerts = [a, b].map((body) => ({ revision: 1, body }));
  return {
    before: batchOf({ events: [{ event: half, text: JSON.stringify(half) }], alerts }),
    after: batchOf({
      events: [{ event: whole, text: JSON.stringify(whole) }],
      alerts: [{ revision: 2, body: moved }],
      leases: [{ revision: 1, body: aLease({ id: `l${n}` }) }],
      rejects: [{ id: `r${n}`, bytes: 1, device: 'file', reason: 'not_json' }],
      coverage: [{ ...aCoverageRow({ counts: { received: 1 } }), id: `c${n}` }],
      offsets: [{ topic: topics.leases, partition, next: 5, sources: { 0: at(1) } }],
    }),
    incidents: [incidentOf([b]), incidentOf([moved])],
    whole,
  };
}

async function rowsOf(kind: string, n: string): Promise<unknown[]> {
  const index = `${own.settings.prefix}-${kind}`;
  await own.client.indices.refresh({ index });
  const query = { wildcard: { 'row.id': `*${n}` } };
  const { hits } = await own.client.search<Source>({ index, query, sort: ['row.id'] });
  return hits.hits.map(({ _source }) => rowOf(_source as Source));
}

test.each([false, true])('at each call, the answer alone being lost: %s', async (done) => {
  for (let cut = 0; ; cut++) {
    const n = `${cut}${done ? 'd' : 'n'}`;
    const partition = cut + (done ? 100 : 0);
    const { before, after, incidents, whole } = batches(n, partition);
    const writer = await open();
    await writer.write(before);
    const calls = cutAt(writer, cut, done);
    const ended = await writer.write(after).then(
      () => false,
      () => true,
    );
    const count = calls();
    await writer[Symbol.asyncDispose]();
    await using next = await open();
    const offset = (await next.offsets()).find((offset) => offset.partition === partition);
    // What the offsets tell is there.
    if (offset !== undefined) expect(await rowsOf('incidents', n), n).toEqual(incidents);
    await next.write(after);
    expect(await rowsOf('events-*', n), n).toEqual([whole]);
    expect(await rowsOf('incidents', n), n).toEqual(incidents);
    for (const kind of ['leases', 'rejects', 'coverage']) expect((await rowsOf(kind, n)).length, n).toBe(1);
    if (!ended) {
      expect(count).toBe(cut);
      expect(cut).toBeGreaterThan(8);
      return;
    }
  }
});
