// The writer against a real Elasticsearch: what an attacker writes, midnight, ends in the middle, two writers at once, retention.

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Alert } from '../../core/alert.ts';
import { canonicalJson } from '../../core/canonical.ts';
import type { AuditEvent, Json, JsonObject } from '../../core/event.ts';
import { incidentOf } from '../../core/incident.ts';
import { limits } from '../../core/limits.ts';
import type { EvidenceBatch, EvidenceWriter } from '../../core/ports.ts';
import type { Reject } from '../../core/records.ts';
import { topics } from '../../core/records.ts';
import { rowOf, type Source } from '../../storage/evidence/elasticsearch/document.ts';
import { documentId } from '../../storage/evidence/elasticsearch/names.ts';
import { openElasticReader } from '../../storage/evidence/elasticsearch/reader.ts';
import { openElasticsearchWriter } from '../../storage/evidence/elasticsearch/writer.ts';
import { aLease, anAlert, anEvent, at, reached } from '../builders.ts';
import { batchOf, eventsOf } from '../contract/evidence-store.ts';
import { type OwnPrefix, ownPrefix } from './elasticsearch.ts';
import { RecordedLog } from './recorded-log.ts';

let own: OwnPrefix;
let writer: EvidenceWriter;
let log: RecordedLog;
const open = () => openElasticsearchWriter(own.settings, { eventDays: 400, log });

beforeAll(async () => {
  own = await ownPrefix('writer');
  log = new RecordedLog();
  writer = await open();
});
/** Indices that are made anew know no versions of what was deleted in them. */
afterEach(async () => {
  const { client, settings } = own;
  log.warnings.length = 0;
  await writer.retain('9999-12-31T00:00:00.000000000Z');
  await client.indices.delete({ index: `${settings.prefix}-offsets` });
  await client.indices.create({ index: `${settings.prefix}-offsets` });
  await client.deleteByQuery({ index: `${settings.prefix}-*`, query: { match_all: {} }, refresh: true });
});
afterAll(async () => {
  await writer[Symbol.asyncDispose]();
  await own[Symbol.asyncDispose]();
});

/** What stands in indices of a kind, with the index of each. */
async function standing<T>(kind: string): Promise<{ index: string; row: T; source: Source }[]> {
  const index = `${own.settings.prefix}-${kind}`;
  await own.client.indices.refresh({ index });
  const { hits } = await own.client.search<Source>({ index, size: 1000, sort: ['row.id'] });
  return hits.hits.map(({ _index, _source }) => ({
    index: _index.slice(own.settings.prefix.length + 1),
    row: rowOf<T>(_source as Source),
    source: _source as Source,
  }));
}

/** `event` with other data, which an attacker chooses. */
const withData = (id: string, data: unknown, parts: (event: AuditEvent) => void = () => {}): AuditEvent => {
  const event = anEvent({ id });
  event.vault.request.data = data as JsonObject;
  parts(event);
  return event;
};
const nested = (depth: number): Json => (depth === 0 ? 'x' : { a: nested(depth - 1) });
const long = (unit: string) => unit.repeat(60_000);

describe('rows that an attacker writes', () => {
  const events: AuditEvent[] = [
    withData('nul-key', { 'a\0b': 1 }),
    withData('deep', nested(limits.nestingMax + 50)),
    withData('long-key', { [long('k')]: 'v' }),
    withData('long-value', { a: long('\u20ac') }),
    withData('odd-keys', {
      '': { '': 1 },
      '.': 2,
      'a.b': { c: [] },
      constructor: 1,
      row: { ts: 'x' },
      body: 'y',
    }),
    withData('numbers', { a: 1e300, b: -1e-300, c: 2 ** 53, d: [1, 'x', null, { y: true }] }),
    withData('surrogates', { 'k\udc00': '\ud800' }, (event) => {
      event.user.name = 'a\ud800b';
    }),
    withData('not-an-object', 'text'),
    withData('address', {}, (event) => {
      event.source = { ip: 'not:an:address', port: 1e300 };
      event.related = { ip: ['', '1.2.3.4', 'fe80::1%eth0'] };
    }),
    withData('long-texts', {}, (event) => {
      event.user = { id: long('\u{1F511}'), name: long('n'), roles: [long('r')] };
      event.vault.request.path = long('p/');
    }),
    withData('big-number', {}, (event) => {
      event.vault.secret = { engine: 'kv', path: 's', version: 1e21 };
    }),
    ...[
      '1969-12-31T23:59:59.999999999Z',
      '0000-01-01T00:00:00.000000000Z',
      '9999-12-31T23:59:59.999999999Z',
    ].map((time) => anEvent({ id: `at ${time}`, time })),
    ...['', 'sha256:x', long('i'), 'a\0b', '\ud800', '_id', '"\n'].map((id) => anEvent({ id })),
    // Of a version that says more than this one.
    { ...anEvent({ id: 'unknown-member' }), more: { than: 'we know' } } as AuditEvent,
  ];

  test('each comes back equal, once, with those beside it', async () => {
    await writer.write({ ...eventsOf(...events), offsets: reached(at(1)) });
    const rows = (await standing<AuditEvent>('events-*')).map(({ row }) => row);
    expect(rows.length).toBe(events.length);
    const byId = new Map(rows.map((row) => [row.event.id, row]));
    for (const event of events) expect(byId.get(event.event.id), event.event.id.slice(0, 30)).toEqual(event);
    expect(await standing('rejects')).toEqual([]);
    expect(log.warnings.map(({ message }) => message)).toEqual([expect.stringContaining('kept as text')]);
  });

  test('what is kept as text is found by its columns', async () => {
    await writer.write(eventsOf(...events));
    await own.client.indices.refresh({ index: `${own.settings.prefix}-events-*` });
    const { hits } = await own.client.search<Source>({
      index: `${own.settings.prefix}-events-*`,
      query: { exists: { field: 'row.user_id' } },
      size: 100,
    });
    const opaque = hits.hits
      .filter(({ _source }) => _source?.body !== undefined)
      .map(({ _source }) => _source?.row.id);
    expect(opaque.sort()).toEqual(['deep', 'long-key', 'not-an-object', 'nul-key', 'unknown-member']);
  });

  test('an id that Elasticsearch does not take has a document of its own', () => {
    const ids = events.map(({ event }) => documentId(event.id));
    expect(new Set(ids).size).toBe(events.length);
    for (const id of ids) expect(Buffer.byteLength(id)).toBeLessThanOrEqual(512);
  });
});

describe('a document that is refused for good', () => {
  // A stand-in for a fault that we do not know of: an administrator's pipeline that fails for one event.
  const poison = async () => {
    const id = `${own.settings.prefix}-poison`;
    const convert = { field: 'event.id', type: 'integer' as const, if: "ctx._id == 'poisoned'" };
    await own.client.ingest.putPipeline({ id, processors: [{ convert }] });
    const index = `${own.settings.prefix}-events-*`;
    await writer.write(eventsOf(anEvent({ id: 'before' })));
    await own.client.indices.putSettings({ index, settings: { index: { final_pipeline: id } } });
    return async () => {
      await own.client.indices.putSettings({ index, settings: { index: { final_pipeline: '_none' } } });
      await own.client.ingest.deletePipeline({ id });
    };
  };

  test('leaves a reject and a hole in the coverage, and the rest goes on', async () => {
    const cure = await poison();
    const poisoned = anEvent({ id: 'poisoned', time: at(5) });
    const offsets = reached(at(9));
    await writer.write({ ...eventsOf(anEvent({ id: 'a' }), poisoned, anEvent({ id: 'b' })), offsets });
    await cure();
    expect((await standing<AuditEvent>('events-*')).map(({ row }) => row.event.id)).toEqual([
      'a',
      'b',
      'before',
    ]);
    expect(await writer.offsets()).toEqual(offsets);
    const [reject, ...others] = await standing<Reject>('rejects');
    expect(others).toEqual([]);
    expect(reject?.row).toMatchObject({ reason: 'internal', hash: poisoned.event.hash, '@timestamp': at(5) });
    expect((await standing('coverage')).map(({ row }) => row)).toMatchObject([
      { device: 'file', counts: { dropped: 1, gaps: 1 } },
    ]);
    expect(log.warnings.at(-1)).toMatchObject({ fields: { count: 1, id: 'poisoned' } });
  });

  test('alone is no proof: it may be the index, so nothing is given up', async () => {
    const cure = await poison();
    const batch = { ...eventsOf(anEvent({ id: 'poisoned' })), offsets: reached(at(9)) };
    await expect(writer.write(batch)).rejects.toMatchObject({ code: 'ELASTICSEARCH_UNUSABLE' });
    expect(await writer.offsets()).toEqual([]);
    await cure();
    await writer.write(batch);
    expect(await writer.offsets()).toEqual(batch.offsets);
    expect(await standing('rejects')).toEqual([]);
  });
});

describe('a call at midnight', () => {
  const day = (text: string) => `2026-01-${text}Z`;
  const half = {
    ...anEvent({ id: 'a', revision: 1, time: day('02T00:00:00.500000000') }),
  };
  half.vault = { ...half.vault, pair: 'response_only' };
  const whole = anEvent({ id: 'a', revision: 2, time: day('01T23:59:59.900000000') });
  whole.event.duration = 600_000_000;
  const days = async () =>
    (await standing<AuditEvent>('events-*')).map(({ index, row }) => [index, row.vault.revision]);

  test.each([
    ['half, whole', [half, whole]],
    ['whole, half', [whole, half]],
    ['half, whole, half again', [half, whole, half]],
  ])('stands once, as a whole: %s', async (_, order) => {
    for (const event of order) await writer.write(eventsOf(event));
    expect(await days()).toEqual([['events-2026.01.01', 2]]);
  });

  test('in one batch as well', async () => {
    await writer.write(eventsOf(half, whole));
    expect(await days()).toEqual([['events-2026.01.01', 2]]);
  });

  test('a call that took hours leaves no half behind', async () => {
    const slow = anEvent({ id: 'a', revision: 2, time: day('01T20:00:00.000000000') });
    slow.event.duration = 5 * 3600 * 1e9;
    const late = { ...half, '@timestamp': day('02T01:00:00.000000000') };
    await writer.write(eventsOf(late));
    await writer.write(eventsOf(slow));
    expect(await days()).toEqual([['events-2026.01.01', 2]]);
    await writer.write(eventsOf(late));
    expect(await days()).toEqual([['events-2026.01.01', 2]]);
  });

  test('of the same revision the whole stays', async () => {
    const late = { ...whole, vault: { ...whole.vault, revision: 1 as const } };
    for (const event of [half, late, half]) await writer.write(eventsOf(event));
    expect((await standing<AuditEvent>('events-*')).map(({ row }) => row)).toEqual([late]);
  });

  test('two writers at once leave one of it', async () => {
    await using other = await open();
    for (let round = 0; round < 10; round++) {
      const [a, b] = [half, whole].map((event) => ({ ...event, event: { ...event.event, id: `r${round}` } }));
      await Promise.all([writer.write(eventsOf(a as AuditEvent)), other.write(eventsOf(b as AuditEvent))]);
    }
    expect(await days()).toEqual(Array.from({ length: 10 }, () => ['events-2026.01.01', 2]));
  });
});

describe('incidents', () => {
  const alertsOf = (revision: number, ...bodies: Alert[]): Partial<EvidenceBatch> => ({
    alerts: bodies.map((body) => ({ revision, body })),
  });

  test('two writers of one identity at once: the incident is that of all alerts', async () => {
    await using other = await open();
    const alerts = Array.from({ length: 40 }, (_, i) =>
      anAlert({ id: `a${i}`, user: 'u', rule: `r${i % 7}`, time: at(i) }),
    );
    const write = async (by: EvidenceWriter, rest: number) => {
      for (const [i, alert] of alerts.entries())
        if (i % 2 === rest) await by.write(batchOf(alertsOf(1, alert)));
    };
    await Promise.all([write(writer, 0), write(other, 1)]);
    expect((await standing('incidents')).map(({ row }) => row)).toEqual([incidentOf(alerts)]);
  });

  test('one that ends between the alert and its incidents is made good by the next', async () => {
    const [a, b] = ['a', 'b'].map((id) => anAlert({ id, user: 'u' })) as [Alert, Alert];
    await writer.write(batchOf(alertsOf(1, a, b)));
    const moved = { ...a, user: { id: 'v' }, incident: { id: 'incident-v' } };
    const batch = batchOf({ ...alertsOf(2, moved), offsets: reached(at(1)) });
    await cutAt(writer, 'msearch', () => writer.write(batch));
    expect(await writer.offsets()).toEqual([]);
    expect((await standing('incidents')).map(({ row }) => row)).toEqual([incidentOf([a, b])]);
    await using next = await open();
    await next.write(batch);
    expect((await standing('incidents')).map(({ row }) => row)).toEqual([
      incidentOf([b]),
      incidentOf([moved]),
    ]);
  });
});

/** Lets `work` fail at the first call of `name`, as if the process had ended there. */
async function cutAt(
  of: EvidenceWriter,
  name: 'msearch' | 'bulk' | 'mget',
  work: () => Promise<void>,
): Promise<void> {
  const { client } = (of as unknown as { target: { client: Record<string, unknown> } }).target;
  const real = client[name];
  client[name] = () => Promise.reject(new Error('the end'));
  await expect(work()).rejects.toThrow('the end');
  client[name] = real;
}

test('a writer that lost its partition sets no offset back', async () => {
  const [events] = reached(at(9));
  await writer.write(batchOf({ offsets: [{ ...events, next: 7 } as typeof events & object] }));
  await writer.write(batchOf({ offsets: [{ topic: topics.events, partition: 0, next: 5 }] }));
  expect(await writer.offsets()).toMatchObject([{ next: 7 }]);
});

test('retention deletes whole days by their index, and what is counted by hours', async () => {
  const time = (day: number) => `2026-01-${String(day).padStart(2, '0')}T12:00:00.000000000Z`;
  const days = [1, 2, 3, 10];
  await writer.write({
    ...eventsOf(...days.map((day) => anEvent({ id: `e${day}`, time: time(day) }))),
    rejects: [...days, 0].map((day) => ({
      ...{ id: `r${day}`, bytes: 1, device: 'file', reason: 'not_json' as const },
      ...(day > 0 && { '@timestamp': time(day) }),
    })),
    nodes: days.map((day) => ({
      id: `n${day}`,
      node: 'n',
      cluster: 'c',
      how: 'collected' as const,
      hour: time(day),
    })),
    leases: [{ revision: 1, body: aLease({ id: 'l', time: time(1) }) }],
    offsets: reached(time(10)),
  });
  expect(await writer.retain(time(3))).toBe(2);
  expect((await standing('events-*')).map(({ index }) => index)).toEqual([
    'events-2026.01.10',
    'events-2026.01.03',
  ]);
  // The one without a time came when event time was at the tenth.
  expect((await standing<Reject>('rejects')).map(({ row }) => row.id)).toEqual(['r0', 'r10', 'r3']);
  expect((await standing<{ id: string }>('nodes')).map(({ row }) => row.id)).toEqual(['n10', 'n3']);
  expect((await standing('leases')).length).toBe(1);
  expect(await writer.retain(time(3))).toBe(0);
  await writer.write(eventsOf(anEvent({ id: 'again', time: time(1) })));
  expect((await standing('events-*')).length).toBe(3);
});

test('dates far from event time share one index, are found, moved to their day, and go when they are old', async () => {
  const far = ['1500-01-01', '1999-05-05', '2900-12-31'].map((day) => `${day}T12:00:00.000000000Z`);
  const events = far.map((time, i) => anEvent({ id: `far${i}`, time }));
  await writer.write({ ...eventsOf(...events), offsets: reached(at(0)) });
  const shared = 'events-9999.12.31';
  const places = async () =>
    (await standing<AuditEvent>('events-*')).map(({ index, row }) => [row.event.id, index]);
  expect(await places()).toEqual(events.map(({ event: { id } }) => [id, shared]));
  await using reader = await openElasticReader(own.settings);
  const asked = { kind: 'events' as const, where: [], order: 'asc' as const, limit: 10 };
  const day = { from: '1999-05-05T00:00:00.000000000Z', to: '1999-05-06T00:00:00.000000000Z' };
  expect((await reader.find({ ...asked, ...day })).items.map(({ event }) => event.id)).toEqual(['far1']);
  // Event time has come there meanwhile: the next revision has its day.
  const later = { ...(events[2] as AuditEvent), vault: { ...(events[2] as AuditEvent).vault, revision: 2 } };
  await writer.write({ ...eventsOf(later), offsets: reached('2900-12-30T12:00:00.000000000Z') });
  expect((await places()).filter(([id]) => id === 'far2')).toEqual([['far2', 'events-2900.12.31']]);
  expect(await writer.retain(at(0))).toBe(2);
  expect(await places()).toEqual([['far2', 'events-2900.12.31']]);
});

test('an address that nobody listens at is an error that the user can mend', async () => {
  const settings = { ...own.settings, nodes: ['http://127.0.0.1:9'] };
  await expect(openElasticsearchWriter(settings, { eventDays: 1, log })).rejects.toMatchObject({
    code: 'ELASTICSEARCH_UNREACHABLE',
  });
});

test('text is canonical: the document is the event as it was written, to the byte', async () => {
  const event = withData('bytes', { z: 1, a: [1.5, '\ud800'] });
  const text = canonicalJson(event);
  await writer.write(batchOf({ events: [{ event, text }] }));
  const index = `${own.settings.prefix}-events-${event['@timestamp'].slice(0, 10).replaceAll('-', '.')}`;
  const raw = await fetch(`${own.settings.nodes[0]}/${index}/_source/bytes`);
  expect((await raw.text()).startsWith(text.slice(0, -1))).toBe(true);
});

// The last: it takes templates away.
test('an index of another layout, or made without the templates, is refused', async () => {
  const index = `${own.settings.prefix}-events-2026.01.01`;
  await own.client.indices.create({ index, mappings: { _meta: { layout: 99 } } });
  await own.client.indices.putMapping({ index, _meta: { layout: 99 } });
  await expect(open()).rejects.toMatchObject({
    code: 'ELASTICSEARCH_UNUSABLE',
    message: expect.stringContaining('layout 99'),
  });
  await own.client.indices.delete({ index });
  await own.client.indices.deleteIndexTemplate({ name: `${own.settings.prefix}-events` });
  await expect(writer.write(eventsOf(anEvent({ id: 'a' })))).rejects.toMatchObject({
    code: 'ELASTICSEARCH_UNUSABLE',
    message: expect.stringContaining('no layout'),
  });
});
