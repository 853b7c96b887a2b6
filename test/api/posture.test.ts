// Posture: each number from the rows that make it, this period beside the one before.

import { expect, test } from 'vitest';
import type { Numbers } from '../../api/posture/numbers.ts';
import type { Fact } from '../../core/directory.ts';
import type { Lease } from '../../core/lease.ts';
import { limits } from '../../core/limits.ts';
import { addSeconds } from '../../core/time.ts';
import { aLease, anEvent, aToken } from '../builders.ts';
import { batchOf } from '../contract/evidence-store.ts';
import { Harness } from './harness.ts';

/** Days of September; the period is the second ten, that before it the first ten. */
const day = (n: number, second = 0) =>
  addSeconds('2026-09-01T00:00:00.000000000Z', (n - 1) * 86_400 + second);
const period = `from=${day(11)}&to=${day(21)}`;

const byToken = { auth_method: 'token', display_name: 'token-ci' };
const named = (holder: string, more: Partial<Lease> = {}) => ({ with: { holder, ...more } });
const tokens = [
  aToken({ id: 'login-1', time: day(12), ...named('orders', { ttl_s: 600 }) }),
  aToken({ id: 'login-2', time: day(13), ...named('orders', { ttl_s: 86_400 }) }),
  aToken({ id: 'login-0', time: day(2), ...named('orders', { ttl_s: 600, ended_at: day(2, 600) }) }),
  aToken({ id: 'old', time: day(3), token: byToken, ...named('ci', { path: 'auth/token/create' }) }),
  aToken({
    id: 'young',
    time: day(20, 80_000),
    token: byToken,
    ...named('ci', { path: 'auth/token/create' }),
  }),
  // Its own end came before the age of a static token.
  aToken({
    id: 'short',
    time: day(12),
    token: { ...byToken, orphan: true },
    ...named('ci', { path: 'auth/token/create-orphan', ended_at: day(12, 600) }),
  }),
  aToken({
    id: 'periodic',
    time: day(4),
    token: { ...byToken, periodic: 'behaviour' },
    // Its calls tell who has it.
    holder: 'token:periodic',
    with: { path: 'auth/token/create', ended_at: day(15) },
  }),
  aToken({
    id: 'root',
    time: day(1),
    token: { kind: 'root', policies: ['root'] },
    ...named('root', { path: 'auth/token/create' }),
  }),
];
for (const row of tokens)
  if (row.token?.kind === 'root') {
    delete row.token.auth_method;
    // Nobody saw it given out.
    delete row.requested_by;
  }
const leases = [
  aLease({ id: 'l1', time: day(12), ...named('orders', { role: 'app', ttl_s: 60 }) }),
  aLease({ id: 'l2', time: day(13), ...named('orders', { role: 'app', ttl_s: 7200 }) }),
  aLease({
    id: 'l3',
    time: day(14),
    ...named('orders', { role: 'report', ttl_source: 'unknown', state: 'unknown' }),
  }),
  aLease({ id: 'l0', time: day(5), ...named('orders', { role: 'app', ttl_s: 60 }) }),
];
delete leases[2]?.ttl_s;

const reading = { name: 'orders', user: 'e-orders' };
const events = [
  anEvent({
    id: 'w-old',
    time: '2026-05-01T00:00:00.000000000Z',
    user: 'root',
    action: 'secret-write',
    secret: 'kv/old',
    name: 'root',
    kind: 'root',
  }),
  anEvent({
    id: 'w-new',
    time: day(10),
    user: 'root',
    action: 'secret-write',
    secret: 'kv/new',
    name: 'root',
    kind: 'root',
  }),
  anEvent({ id: 'r1', time: day(12), ...reading, secret: 'kv/old' }),
  anEvent({ id: 'r2', time: day(12, 1), ...reading, secret: 'kv/new' }),
  anEvent({ id: 'r3', time: day(12, 2), ...reading, secret: 'kv/never-written' }),
  anEvent({ id: 'r4', time: day(12, 3), ...reading, secret: 'legacy/x', engine: 'kv-v1' }),
  anEvent({ id: 'r5', time: day(12, 4), ...reading, secret: 'legacy/x', engine: 'kv-v1' }),
  anEvent({
    id: 'r6',
    time: day(12, 5),
    ...reading,
    secret: 'legacy/y',
    engine: 'kv-v1',
    outcome: 'failure',
  }),
  anEvent({ id: 'r0', time: day(3), ...reading, secret: 'legacy/x', engine: 'kv-v1' }),
  anEvent({
    id: 'used',
    time: day(5),
    user: 'token:periodic',
    name: 'ci',
    action: 'token-lookup',
    secret: undefined,
  }),
];

const fact = (what: 'mount' | 'role', key: string, value: Fact['value']): Fact => ({
  id: key,
  what,
  cluster: 'test',
  namespace: '',
  key,
  at: day(6),
  value,
  source: 'audit',
  proof: 'e',
});
const facts = [
  fact('mount', 'database/', { type: 'database', max_lease_ttl_s: 864_000 }),
  fact('mount', 'auth/approle/', { type: 'approle', max_lease_ttl_s: 172_800 }),
  fact('role', 'database/roles/app', { mount: 'database/', role: 'app', max_ttl_s: 7200 }),
];

const open = () =>
  Harness.open(
    batchOf({
      events: events.map((event) => ({ event, text: JSON.stringify(event) })),
      leases: [...tokens, ...leases].map((body) => ({ revision: 1, body })),
      facts,
    }),
  );

interface Item {
  name: string | null;
  now: Numbers;
  before: Numbers;
}

async function posture(harness: Harness, query: string) {
  const page = (await harness.get(`/v1/posture?${period}&${query}`)).json();
  const of = (name: string | null) => page.items.find((item: Item) => item.name === name) as Item;
  return { page, of };
}

test('a service: logins, lifetimes against the policy, KV v1, overdue rotations, and the period before', async () => {
  await using harness = await open();
  const { page, of } = await posture(harness, 'by=service');
  expect(page).toMatchObject({
    by: 'service',
    period: { from: day(11), to: day(21) },
    period_before: { from: day(1), to: day(11) },
    before_complete: true,
    complete: true,
    policy: { lease_s: 3600, token_s: 43_200 },
  });
  expect(page.items.map(({ name }: Item) => name)).toEqual(['ci', 'orders', 'root']);
  const { now, before } = of('orders');
  expect(now).toMatchObject({
    logins: { approle: 2 },
    tokens_issued: 2,
    static_tokens: 0,
    kv_v1_reads: 2,
    kv_v1_secrets: 1,
    kv_v2_reads: 3,
    secrets_read: 4,
    // kv/old was written long ago; the others never, in a log that is older than ninety days.
    overdue_rotations: 3,
    rotations_unknown: 0,
    lease_lifetimes: {
      n: 3,
      unknown: 1,
      unknown_share: 0.3333,
      p50_s: 60,
      p95_s: 7200,
      max_s: 7200,
      over: 1,
    },
    lease_allowed_max: { s: 864_000, source: 'mount', of: 'database/' },
    token_lifetimes: { n: 2, max_s: 86_400, over: 1 },
    token_allowed_max: { s: 172_800, source: 'mount', of: 'auth/approle/' },
  });
  expect(before).toMatchObject({
    logins: { approle: 1 },
    kv_v1_reads: 1,
    lease_lifetimes: { n: 1, max_s: 60, over: 0 },
    lease_allowed_max: { s: 7200, source: 'role', of: 'database/roles/app' },
  });
});

test('static, orphan, periodic and root tokens', async () => {
  await using harness = await open();
  const { of } = await posture(harness, 'by=service');
  const count = ({ static_tokens, orphan_tokens, periodic_tokens, root_tokens, root_calls }: Numbers) => ({
    static_tokens,
    orphan_tokens,
    periodic_tokens,
    root_tokens,
    root_calls,
  });
  const none = { static_tokens: 0, orphan_tokens: 0, periodic_tokens: 0, root_tokens: 0, root_calls: 0 };
  expect(count(of('ci').now)).toEqual({ ...none, static_tokens: 2, orphan_tokens: 1, periodic_tokens: 1 });
  expect(count(of('ci').before)).toEqual({ ...none, static_tokens: 2, periodic_tokens: 1 });
  expect(count(of('root').now)).toEqual({ ...none, root_tokens: 1 });
  expect(of('root').before.tokens_issued).toBe(0);
  expect(count(of('root').before)).toEqual({ ...none, root_tokens: 1, root_calls: 1 });
});

test('by role and by mount the same rows stand elsewhere', async () => {
  await using harness = await open();
  const role = await posture(harness, 'by=role');
  expect(role.of('report').now.lease_lifetimes).toMatchObject({
    n: 1,
    unknown: 1,
    unknown_share: 1,
    p50_s: null,
  });
  expect(role.of('app').now).toMatchObject({
    logins: { approle: 2 },
    lease_lifetimes: { n: 2 },
    kv_v1_reads: 2,
  });
  const mount = await posture(harness, 'by=mount');
  expect(mount.page.items.map(({ name }: Item) => name)).toEqual([
    'auth/approle/',
    'auth/token/',
    'database/',
    'kv/',
    'legacy/',
    'secret/',
  ]);
  expect(mount.of('auth/approle/').now.logins).toEqual({ approle: 2 });
  expect(mount.of('auth/token/').now).toMatchObject({ static_tokens: 2, tokens_issued: 2 });
  expect(mount.of('legacy/').now).toMatchObject({ kv_v1_reads: 2, overdue_rotations: 1 });
  expect(mount.of('kv/').now).toMatchObject({ kv_v2_reads: 3, secrets_read: 3, overdue_rotations: 2 });
});

test('what the log is too young to tell is told', async () => {
  await using harness = await Harness.open(
    batchOf({ events: events.slice(2).map((event) => ({ event, text: JSON.stringify(event) })) }),
  );
  const { page, of } = await posture(harness, 'by=service');
  expect(of('orders').now).toMatchObject({ overdue_rotations: 0, rotations_unknown: 4 });
  expect(page.before_complete).toBe(false);
});

test('pages, and periods that cannot be', async () => {
  await using harness = await open();
  const first = (await harness.get(`/v1/posture?${period}&limit=2`)).json();
  const rest = (await harness.get(`/v1/posture?${period}&limit=2&cursor=${first.next_cursor}`)).json();
  expect([...first.items, ...rest.items].map(({ name }: Item) => name)).toEqual(['ci', 'orders', 'root']);
  expect(rest.next_cursor).toBeNull();
  expect(
    (await harness.get('/v1/posture?from=0001-01-01T00:00:00Z&to=9999-01-01T00:00:00Z')).statusCode,
  ).toBe(400);
  expect((await harness.get(`/v1/posture?from=${day(2)}&to=${day(1)}`)).statusCode).toBe(400);
});

test('more nameless holders than are asked for: the numbers are not complete', async () => {
  const tokens = Array.from({ length: limits.postureNamesMax + 1 }, (_, i) => {
    const row = aToken({ id: `n${i}`, time: day(12), holder: `token:n${i}`, token: byToken });
    delete row.holder;
    return { revision: 1, body: row };
  });
  await using harness = await Harness.open(batchOf({ leases: tokens }));
  const ask = async (by: string) =>
    (await harness.get(`/v1/posture?by=${by}&from=${day(11)}&to=${day(21)}`)).json().complete;
  expect([await ask('service'), await ask('mount')]).toEqual([false, true]);
});
