// Leases and tokens: by who holds them, when they lived, how long; lifetimes by group against a plain model.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lifetimeRow } from '../../api/leases/by-group.ts';
import { Lifetimes } from '../../api/leases/lifetimes.ts';
import { leaseSchema, listOf } from '../../api/schemas.ts';
import type { Lease } from '../../core/lease.ts';
import { aLease, anEvent, aToken, at, reached } from '../builders.ts';
import { batchOf, eventsOf } from '../contract/evidence-store.ts';
import { Harness } from './harness.ts';

const ended = { state: 'revoked', end_reason: 'revoked', ended_at: at(50), end_confirmed: true } as const;

const rows: Lease[] = [
  aLease({
    id: 'database/creds/app/A',
    time: at(1),
    with: { expires_at: at(3601), role: 'app', holder: 'orders' },
  }),
  aLease({
    id: 'database/creds/app/B',
    time: at(10),
    with: { ...ended, ttl_s: 60, holder_token: 'token:acc-1', role: 'app' },
  }),
  aLease({
    id: 'db2/creds/report/C',
    time: at(20),
    holder: 'entity-2',
    state: 'expired',
    with: {
      path: 'db2/creds/report',
      role: 'report',
      ttl_s: 30,
      expires_at: at(50),
      ended_at: at(50),
      end_reason: 'expired',
    },
  }),
  aToken({ id: 'acc-1', time: at(0), with: { ttl_s: 1200, expires_at: at(1200) } }),
  aToken({ id: 'hmac-sha256:b', time: at(5), holder: 'entity-2', with: { ttl_s: 7200 } }),
  aLease({
    id: 'database/creds/app/D',
    time: at(30),
    state: 'unknown',
    with: { terms: [], ttl_source: 'unknown', requested_by: 'entity-9' },
  }),
];
delete rows[5]?.ttl_s;

const seeded = () =>
  Harness.open({
    ...eventsOf(anEvent({ id: 'e1', time: at(0) })),
    leases: rows.map((body) => ({ revision: 1, body })),
    hashes: [
      {
        id: 'h',
        what: 'accessor',
        at: at(0),
        ranked: { device: 'file', hash: 'hmac-sha256:b' },
        other: { device: 'socket', hash: 'hmac-sha256:x' },
      },
    ],
    offsets: reached(at(100)),
  });

const cases: [query: string, ids: string][] = [
  ['', '1 A b B C D'],
  ['kind=lease', 'A B C D'],
  ['alive_at=now', '1 A b D'],
  [`alive_at=${at(40)}`, '1 A b B C D'],
  [`alive_at=${at(50)}`, '1 A b D'],
  [`alive_at=${at(2000)}`, 'A b D'],
  [`alive_at=${at(2)}`, '1 A'],
  [`alive_at=now&to=${at(5)}`, '1 A'],
  ['over_s=60', '1 A b'],
  ['over_s=59&kind=lease', 'A B'],
  ['role=report', 'C'],
  ['path_prefix=database/', 'A B D'],
  ['holder=entity-2', 'b C'],
  ['holder_name=orders', 'A'],
  ['requested_by=entity-9', 'D'],
  ['holder_token=token:acc-1', 'B'],
  ['accessor=acc-1', '1'],
  ['accessor=hmac-sha256:x', 'b'],
  ['ttl_source=unknown', 'D'],
  ['end_reason=expired', 'C'],
  ['end_confirmed=false', 'C'],
  ['end_confirmed=true', 'B'],
];

test.each(cases)('/v1/leases?%s', async (query, ids) => {
  await using harness = await seeded();
  const page = listOf(leaseSchema).parse((await harness.get(`/v1/leases?${query}`)).json());
  expect(page.items.map(({ id }) => id.slice(-1)).join(' ')).toBe(ids);
});

test('pages of what is alive now go on while event time does', async () => {
  await using harness = await seeded();
  const first = (await harness.get('/v1/leases?alive_at=now&limit=2')).json();
  await harness.writer.write(batchOf({ offsets: reached(at(1500)) }));
  const next = (await harness.get(`/v1/leases?alive_at=now&limit=2&cursor=${first.next_cursor}`)).json();
  expect([...first.items, ...next.items].map(({ id }: Lease) => id.slice(-1)).join(' ')).toBe('1 A b D');
});

test('lifetimes by role, mount and holder, leases and tokens apart', async () => {
  await using harness = await seeded();
  const page = listOf(lifetimeRow).parse((await harness.get('/v1/leases/lifetimes')).json());
  expect(page.items).toMatchObject([
    { kind: 'lease', group: null, n: 1, unknown: 1, unknown_share: 1, p50_s: null, max_s: null, over: null },
    {
      kind: 'lease',
      group: 'app',
      n: 2,
      p50_s: 60,
      p95_s: 3600,
      max_s: 3600,
      ttl_sources: { own_lookup: 2 },
    },
    { kind: 'lease', group: 'report', n: 1, max_s: 30, first_issued_at: at(20), last_issued_at: at(20) },
    { kind: 'token', group: 'app', n: 2, p50_s: 1200, max_s: 7200, ttl_sources: { audit: 2 } },
  ]);
  const of = async (query: string) =>
    (await harness.get(`/v1/leases/lifetimes?${query}`))
      .json()
      .items.map((row: { group: string; n: number; over: number }) => [row.group, row.n, row.over]);
  expect(await of('over_s=60')).toEqual([
    ['app', 2, 1],
    ['app', 2, 2],
  ]);
  expect(await of('by=mount&kind=lease')).toEqual([
    ['database/', 3, null],
    ['db2/', 1, null],
  ]);
  expect(await of('by=holder&kind=token&over_s=1200')).toEqual([['entity-2', 1, 1]]);
});

interface Page {
  items: { group: string }[];
  next_cursor: string | null;
}

test('lifetimes come in pages, each group once', async () => {
  const leases = Array.from({ length: 25 }, (_, i) =>
    aLease({ id: `l${i}`, with: { role: `role-${i % 7}`, ttl_s: i } }),
  );
  await using harness = await Harness.open(
    batchOf({ leases: leases.map((body) => ({ revision: 1, body })) }),
  );
  const seen: string[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const page: Page = (
      await harness.get(`/v1/leases/lifetimes?limit=3${cursor && `&cursor=${cursor}`}`)
    ).json();
    seen.push(...page.items.map((row) => row.group));
    cursor = page.next_cursor;
  }
  expect(seen).toEqual(['role-0', 'role-1', 'role-2', 'role-3', 'role-4', 'role-5', 'role-6']);
});

test('percentiles are the nearest rank of the sorted list', () => {
  fc.assert(
    fc.property(
      fc.array(fc.option(fc.nat(50), { nil: undefined }), { maxLength: 60 }),
      fc.nat(50),
      (ttls, bound) => {
        const lifetimes = new Lifetimes();
        for (const ttl of ttls) lifetimes.add(ttl, 'audit', 1);
        const known = ttls.filter((ttl) => ttl !== undefined).sort((a, b) => a - b);
        const rank = (p: number) => known[Math.ceil((p / 100) * known.length) - 1] ?? null;
        expect(lifetimes.spread(bound)).toMatchObject({
          n: ttls.length,
          unknown: ttls.length - known.length,
          p50_s: rank(50),
          p95_s: rank(95),
          max_s: known.at(-1) ?? null,
          over: known.filter((ttl) => ttl > bound).length,
        });
      },
    ),
  );
});
