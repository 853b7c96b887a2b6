// What every evidence store must do, whatever it is built on. An adapter's test calls this with a way to open it.

import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { canonicalJson } from '../../core/canonical.ts';
import type { AuditEvent } from '../../core/event.ts';
import { limits } from '../../core/limits.ts';
import type { EvidenceBatch, EvidenceReader, EvidenceWriter, IndexOffset } from '../../core/ports.ts';
import type { Clause, Field, Query } from '../../core/query.ts';
import { LEDGER_PARTITION, topics } from '../../core/records.ts';
import { aCoverageRow, aLease, anAlert, anEvent, at, type EventParts, reached } from '../builders.ts';
import { evidenceHostileContract } from './evidence-hostile.ts';
import { evidenceIncidentsContract } from './evidence-incidents.ts';
import { countModel, findModel, groupModel } from './evidence-model.ts';
import { evidenceQuestionsContract } from './evidence-questions.ts';

/** One store, empty at first. `openWriter` again after a dispose must find what was written. */
export interface EvidenceStoreFixture {
  openWriter(): Promise<EvidenceWriter>;
  openReader(): Promise<EvidenceReader>;
  /** Readers see what was written until now. */
  refresh(): Promise<void>;
  remove(): Promise<void>;
}

export const batchOf = (parts: Partial<EvidenceBatch>): EvidenceBatch => ({
  events: [],
  leases: [],
  alerts: [],
  rejects: [],
  coverage: [],
  hashes: [],
  nodes: [],
  facts: [],
  triage: [],
  changes: [],
  baselines: [],
  offsets: [],
  ...parts,
});

export const eventsOf = (...events: AuditEvent[]): EvidenceBatch =>
  batchOf({ events: events.map((event) => ({ event, text: canonicalJson(event) })) });

const everything: Query<'events'> = { kind: 'events', where: [], order: 'asc', limit: 1000 };

/** @param runs random questions: fewer where a store takes long to open */
export function evidenceStoreContract(name: string, create: Create, { runs } = { runs: 60 }): void {
  evidenceIncidentsContract(name, create);
  evidenceHostileContract(name, create);
  evidenceQuestionsContract(name, create);
  describe(`evidence store: ${name}`, () => {
    const open = {} as Opened;
    beforeEach(async () => {
      const store = await create();
      Object.assign(open, { store, writer: await openShown(store), reader: await store.openReader() });
    });
    afterEach(async () => {
      await open.reader[Symbol.asyncDispose]();
      await open.writer[Symbol.asyncDispose]();
      await open.store.remove();
    });
    rowsAreKept(open);
    rowsByIds(open);
    listsAndPages(open);
    transactions(open);
    sumsAndGroups(open);
    model(create, runs);
  });
}

type Create = () => Promise<EvidenceStoreFixture>;

/** What each test finds open; filled before it. */
interface Opened {
  store: EvidenceStoreFixture;
  writer: EvidenceWriter;
  reader: EvidenceReader;
}

const idsOf = async ({ reader }: Opened, query: Partial<Query<'events'>> = {}) =>
  (await reader.find({ ...everything, ...query })).items.map((event) => event.event.id);

function rowsByIds(open: Opened): void {
  test('rows of many ids in one question: those that are there', async () => {
    const ids = Array.from({ length: 600 }, (_, i) => `${i}${i % 100 === 0 ? 'x'.repeat(600) : ''}`);
    await open.writer.write(batchOf({ leases: ids.map((id) => ({ revision: 1, body: aLease({ id }) })) }));
    const found = await open.reader.getAll('leases', [...ids, 'none', '0']);
    expect([...found].map(([id, lease]) => [id, lease.id]).sort()).toEqual(ids.map((id) => [id, id]).sort());
    expect(await open.reader.getAll('leases', [])).toEqual(new Map());
  });
}

function rowsAreKept(open: Opened): void {
  test('an event comes back as it was written', async () => {
    const event = anEvent({ id: 'a', path: 'secret/data/\u0000\u{1F511}"\\', name: undefined });
    await open.writer.write(eventsOf(event));
    expect(await open.reader.get('events', 'a')).toEqual(event);
    expect((await open.reader.find(everything)).items).toEqual([event]);
    expect(await open.reader.get('events', 'b')).toBeUndefined();
  });

  test('the highest revision stays, in whatever order they come', async () => {
    const half = anEvent({ id: 'a', revision: 1, pair: 'request_only', outcome: 'unknown' });
    const whole = anEvent({ id: 'a', revision: 2, time: at(1) });
    for (const order of [
      [half, whole, half],
      [whole, half, whole],
    ])
      for (const event of order) await open.writer.write(eventsOf(event));
    expect((await open.reader.find(everything)).items).toEqual([whole]);
  });

  test('alerts and leases are kept by id and revision as well', async () => {
    const [alert, lease] = [anAlert({ id: 'x' }), aLease({ id: 'database/creds/app/1' })];
    const ended = { ...lease, state: 'revoked' as const };
    const counted = { ...alert, alert: { ...alert.alert, count: 2 } };
    await open.writer.write(
      batchOf({ alerts: [{ revision: 2, body: counted }], leases: [{ revision: 7, body: ended }] }),
    );
    await open.writer.write(
      batchOf({ alerts: [{ revision: 1, body: alert }], leases: [{ revision: 6, body: lease }] }),
    );
    expect(await open.reader.get('alerts', 'x')).toEqual(counted);
    expect(await open.reader.get('leases', 'database/creds/app/1')).toEqual(ended);
    expect(
      await open.reader.count('leases', { where: [{ field: 'state', op: 'eq', value: 'revoked' }] }),
    ).toBe(1);
    expect(
      await open.reader.count('alerts', { where: [{ field: 'rule.level', op: 'eq', value: 'low' }] }),
    ).toBe(0);
  });

  test('leases by when they ended, how long they live, and what nobody confirmed; in exact groups', async () => {
    const ended = { ended_at: at(5), end_confirmed: true, ttl_s: 60 };
    const rows = [
      aLease({ id: 'a', with: { role: 'app', ttl_s: 7200 } }),
      aLease({ id: 'b', with: { role: 'app', ...ended } }),
      aLease({ id: 'c', with: { role: 'app', ...ended, end_confirmed: false } }),
    ];
    await open.writer.write(batchOf({ leases: rows.map((body) => ({ revision: 1, body })) }));
    const of = async (...where: Clause<'leases'>[]) =>
      (await open.reader.find({ kind: 'leases', where, order: 'asc', limit: 9 })).items
        .map(({ id }) => id)
        .join('');
    expect(await of({ field: 'ended_at', op: 'after_or_absent', value: at(4) })).toBe('abc');
    expect(await of({ field: 'ended_at', op: 'after_or_absent', value: at(5) })).toBe('a');
    expect(await of({ field: 'ttl_s', op: 'over', value: 60 })).toBe('a');
    expect(await of({ field: 'end_confirmed', op: 'eq', value: 'false' })).toBe('ac');
    const by: Field<'leases'>[] = ['role', 'ttl_s'];
    const { groups } = await open.reader.group({ kind: 'leases', where: [], by, collect: [], limit: 9 });
    expect(groups.map((group) => [...group.by, group.n])).toEqual([
      ['app', '60', 2],
      ['app', '7200', 1],
    ]);
  });
}

function listsAndPages(open: Opened): void {
  test('order is (time, id), both ways', async () => {
    const parts: [string, number][] = [
      ['b', 1],
      ['a', 1],
      ['c', 0],
      ['B', 1],
    ];
    await open.writer.write(eventsOf(...parts.map(([id, second]) => anEvent({ id, time: at(second) }))));
    expect(await idsOf(open)).toEqual(['c', 'B', 'a', 'b']);
    expect(await idsOf(open, { order: 'desc' })).toEqual(['b', 'a', 'B', 'c']);
  });

  test('from is inclusive, to is exclusive', async () => {
    await open.writer.write(eventsOf(...[0, 1, 2].map((s) => anEvent({ id: `e${s}`, time: at(s) }))));
    expect(await idsOf(open, { from: at(1), to: at(2) })).toEqual(['e1']);
  });

  test('a walk by pages sees each row once, also when rows are inserted meanwhile', async () => {
    const first = Array.from({ length: 25 }, (_, i) => anEvent({ id: `e${i}`, time: at(i % 5) }));
    await open.writer.write(eventsOf(...first));
    const seen: string[] = [];
    let after: { time: string; id: string } | undefined;
    for (let page = 0; page < 50; page++) {
      const { items, next } = await open.reader.find({ ...everything, limit: 4, ...(after && { after }) });
      seen.push(...items.map((event) => event.event.id));
      await open.writer.write(eventsOf(anEvent({ id: `new${page}`, time: at(page % 5) })));
      after = next;
      if (next === undefined) break;
    }
    expect(after).toBeUndefined();
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toEqual(expect.arrayContaining(first.map((event) => event.event.id)));
  });

  test('a page that ends with the last row has no next', async () => {
    await open.writer.write(eventsOf(anEvent({ id: 'a' }), anEvent({ id: 'b' })));
    expect((await open.reader.find({ ...everything, limit: 2 })).next).toBeUndefined();
    expect((await open.reader.find({ ...everything, limit: 1 })).next).toEqual({ time: at(0), id: 'a' });
  });
}

function transactions(open: Opened): void {
  test('offsets are written with the rows, or neither is', async () => {
    const offset = { topic: topics.events, partition: 0, next: 5, sources: { 0: at(1), 1: at(2) } };
    await open.writer.write({ ...eventsOf(anEvent({ id: 'a' })), offsets: [offset] });
    const broken = { ...anEvent({ id: 'c' }), vault: undefined } as unknown as AuditEvent;
    const bad = { ...eventsOf(anEvent({ id: 'b' }), broken), offsets: [{ ...offset, next: 6 }] };
    await expect(open.writer.write(bad)).rejects.toThrow();
    expect(await idsOf(open)).toEqual(['a']);
    expect(await open.writer.offsets()).toEqual([offset]);
    await open.writer[Symbol.asyncDispose]();
    open.writer = await openShown(open.store);
    expect(await open.writer.offsets()).toEqual([offset]);
    await open.writer.write(eventsOf(anEvent({ id: 'd' })));
    expect(await idsOf(open)).toEqual(['a', 'd']);
  });

  test('the extent, and a watermark that is the lowest of what the offsets tell', async () => {
    expect(await open.reader.extent()).toEqual({});
    const { writer, reader } = open;
    await writer.write({ ...eventsOf(anEvent({ id: 'a', time: at(3) })), offsets: reached(at(8)) });
    await writer.write({ ...eventsOf(anEvent({ id: 'b', time: at(1) })), offsets: reached(at(9)) });
    expect(await reader.extent()).toEqual({ first: at(1), last: at(3), watermark: at(9) });
    const leases = { topic: topics.leases, partition: LEDGER_PARTITION, next: 2 };
    await writer.write(batchOf({ offsets: [{ ...leases, sources: { [LEDGER_PARTITION]: at(10) } }] }));
    expect(await reader.extent()).toEqual({ first: at(1), last: at(3), watermark: at(9) });
  });

  test('there is no watermark before every source has been heard of on every partition', async () => {
    const [, leases] = reached(at(9));
    const of = (partition: number, sources: Record<number, string>): IndexOffset[] => [
      { topic: topics.events, partition, next: 1, sources },
      leases as IndexOffset,
    ];
    await open.writer.write(batchOf({ offsets: of(0, { 0: at(9), 1: at(8) }) }));
    expect(await open.reader.extent()).toEqual({});
    await open.writer.write(batchOf({ offsets: of(1, { 0: at(7), 1: '' }) }));
    expect(await open.reader.extent()).toEqual({});
    await open.writer.write(batchOf({ offsets: of(1, { 0: at(7), 1: at(8) }) }));
    expect(await open.reader.extent()).toEqual({ watermark: at(7) });
  });

  test('retention deletes whole UTC days, and only those that are older', async () => {
    const day = 86_400;
    const events = Array.from({ length: 4500 }, (_, i) => anEvent({ id: `e${i}`, time: at(i * 40) }));
    const rejects = [0, 2 * day].map((second) => ({
      ...{ id: `r${second}`, '@timestamp': at(second), bytes: 1, device: 'file' },
      reason: 'not_json' as const,
    }));
    const hours = [0, day, 2 * day];
    const coverage = hours.map((second) => aCoverageRow({ hour: at(second), counts: { received: 1 } }));
    const { writer, reader } = open;
    await writer.write({ ...eventsOf(...events), rejects, coverage, offsets: reached(at(10)) });
    const left = async () => ({
      events: await reader.count('events', { where: [] }),
      first: (await reader.extent()).first,
      hours: (await reader.coverage(at(0), at(3 * day))).map(({ hour }) => hour),
    });
    expect(await writer.retain(at(day - 1))).toBe(0);
    expect(await left()).toEqual({ events: 4500, first: at(0), hours: hours.map(at) });
    expect(await writer.retain(at(2 * day + 4400))).toBe(4320);
    expect(await left()).toEqual({ events: 180, first: at(2 * day), hours: [at(2 * day)] });
    expect(await writer.retain(at(2 * day + 4400))).toBe(0);
  });
}

function sumsAndGroups(open: Opened): void {
  test('coverage adds up by device and hour; hours are those the period touches', async () => {
    const coverage = [
      aCoverageRow({ hour: at(0), counts: { received: 2, paired: 1 } }),
      aCoverageRow({ hour: at(0), counts: { received: 3 } }),
      aCoverageRow({ hour: at(3600), counts: { gaps: 1 } }),
      aCoverageRow({ counts: { rejected: 1 } }),
    ];
    await open.writer.write(batchOf({ coverage }));
    const rows = await open.reader.coverage(at(0), at(3600));
    expect(rows.map((row) => [row.hour, row.counts.received, row.counts.rejected])).toEqual([
      [undefined, 0, 1],
      [at(0), 5, 0],
    ]);
    expect((await open.reader.coverage(at(3599), at(3601))).length).toBe(3);
    expect((await open.reader.coverage(at(7200), at(9000))).map((row) => row.hour)).toEqual([undefined]);
  });

  test('collected values are distinct, sorted and bounded', async () => {
    const events = Array.from({ length: 50 }, (_, i) =>
      anEvent({ id: `e${i}`, ip: `10.0.0.${10 + (i % 30)}` }),
    );
    await open.writer.write(eventsOf(...events));
    const { groups } = await open.reader.group({
      from: at(0),
      to: at(1),
      where: [],
      by: ['user.id'],
      collect: ['source.ip', 'event.reason'],
      limit: 10,
    });
    const lowest = Array.from({ length: limits.collectedValuesMax }, (_, i) => `10.0.0.${10 + i}`);
    expect(groups).toMatchObject([{ by: ['entity-1'], n: 50, collected: [lowest, []] }]);
  });

  test('more groups than asked for are cut, and the answer says so', async () => {
    await open.writer.write(eventsOf(...['a', 'b', 'c'].map((id) => anEvent({ id, user: id }))));
    const options = { from: at(0), to: at(1), where: [], by: ['user.id' as const], collect: [] };
    expect(await open.reader.group({ ...options, limit: 3 })).toMatchObject({ complete: true });
    const cut = await open.reader.group({ ...options, limit: 2 });
    expect([cut.groups.map((group) => group.by), cut.complete]).toEqual([[['a'], ['b']], false]);
  });
}

function model(create: Create, runs: number): void {
  test('find, count and group agree with a plain model on any events and questions', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(eventParts, { maxLength: 40 }), question, async (parts, asked) => {
        await using run = await openRun(create);
        const events = parts.map((part, i) => anEvent({ ...part, id: `e${String(i).padStart(2, '0')}` }));
        await run.writer.write(eventsOf(...events));
        const { from, to, where, by, collect, order } = asked;
        expect(
          (await run.reader.find({ kind: 'events', from, to, where, order, limit: 1000 })).items,
        ).toEqual(findModel(events, asked));
        expect(await run.reader.count('events', { from, to, where })).toBe(countModel(events, asked));
        const { groups } = await run.reader.group({ from, to, where, by, collect, limit: 1000 });
        expect(groups).toEqual(groupModel(events, asked));
      }),
      { numRuns: runs },
    );
  }, 240_000);
}

/** A writer whose rows readers see at once. */
async function openShown(store: EvidenceStoreFixture): Promise<EvidenceWriter> {
  const writer = await store.openWriter();
  return {
    offsets: () => writer.offsets(),
    async write(batch) {
      await writer.write(batch);
      await store.refresh();
    },
    async retain(before) {
      const deleted = await writer.retain(before);
      await store.refresh();
      return deleted;
    },
    [Symbol.asyncDispose]: () => writer[Symbol.asyncDispose](),
  };
}

export async function openRun(create: () => Promise<EvidenceStoreFixture>) {
  const store = await create();
  const writer = await openShown(store);
  const reader = await store.openReader();
  return {
    writer,
    reader,
    async [Symbol.asyncDispose]() {
      await reader[Symbol.asyncDispose]();
      await writer[Symbol.asyncDispose]();
      await store.remove();
    },
  };
}

// Few values, so that they meet; some that are prefixes of others, some beyond ASCII.
const paths = fc.constantFrom('secret/a', 'secret/ab', 'secret/a\u{10FFFF}', 'secret/b', 'SECRET/a', 'ü', '');
const users = fc.constantFrom('u', 'u1', 'u2', 'root');
const time = fc.integer({ min: 0, max: 5 }).map(at);

const eventParts: fc.Arbitrary<Omit<EventParts, 'id'>> = fc.record({
  time,
  user: users,
  action: fc.constantFrom('secret-read', 'secret-write'),
  outcome: fc.constantFrom('success' as const, 'failure' as const),
  ip: fc.option(fc.constantFrom('10.0.0.1', '10.0.0.2'), { nil: undefined }),
  path: paths,
  secret: fc.option(paths, { nil: undefined }),
  version: fc.option(fc.constantFrom(1, 2, 3), { nil: undefined }),
});

const textFields = ['user.id', 'vault.request.path', 'vault.secret.path', 'source.ip'] as const;
const clause: fc.Arbitrary<Clause<'events'>> = fc.oneof(
  fc.record({
    field: fc.constantFrom(...textFields),
    op: fc.constantFrom('eq' as const, 'prefix' as const),
    value: fc.oneof(paths, users),
  }),
  fc.record({
    field: fc.constantFrom(...textFields),
    op: fc.constant('in' as const),
    value: fc.array(fc.oneof(paths, users), { maxLength: 3 }),
  }),
  fc.record({ field: fc.constantFrom(...textFields), op: fc.constant('after' as const), value: paths }),
  fc.record({
    field: fc.constantFrom(...textFields),
    op: fc.constant('exists' as const),
    value: fc.boolean(),
  }),
);
const groupFields = fc.subarray<Field>([
  'user.id',
  'vault.secret.path',
  'vault.secret.version',
  'event.action',
  'event.outcome',
]);
const question = fc.record({
  from: time,
  to: time,
  where: fc.array(clause, { maxLength: 2 }),
  order: fc.constantFrom('asc' as const, 'desc' as const),
  by: groupFields,
  collect: fc.subarray<Field>(['source.ip', 'vault.request.path']),
});
