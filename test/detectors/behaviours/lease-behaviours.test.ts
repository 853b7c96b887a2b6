// Behaviours over rows of the ledger: lifetimes against policy, chains of renewals, tokens without an end.

import { describe, expect, test } from 'vitest';
import type { Lease } from '../../../core/lease.ts';
import { type Lists, noLists } from '../../../core/lists.ts';
import { addSeconds } from '../../../core/time.ts';
import type { Behaviour } from '../../../detectors/behaviours/behaviour.ts';
import { leaseLifetime, tokenLifetime } from '../../../detectors/behaviours/lifetime.ts';
import { renewalChain } from '../../../detectors/behaviours/renewal-chain.ts';
import { standingToken } from '../../../detectors/behaviours/standing-token.ts';
import { aLease, aToken } from '../../builders.ts';
import { DAY, on } from './calls.ts';
import { type CrossingOptions, runCrossing } from './crossing-run.ts';
import { recordedRows } from './rows.ts';

const behaviours = [leaseLifetime, tokenLifetime, renewalChain, standingToken];
const run = (rows: Lease[], more: Partial<CrossingOptions> = {}) =>
  runCrossing({
    behaviours,
    leases: rows.map((lease, i) => ({
      lease,
      told: { revision: i + 1, time: lease.last_renewed_at ?? lease.issued_at },
    })),
    ...more,
  });
const told = (rows: Lease[], more: Partial<CrossingOptions> = {}) =>
  run(rows, more).alerts.map(({ rule, message }) => `${rule.level} ${message}`);

const living = (
  ttl_s: number,
  parts: Partial<Lease> = {},
  id = 'database/creds/app/1',
  time = on(0),
): Lease =>
  aLease({
    id,
    time,
    with: {
      ttl_s,
      holder: 'shop',
      terms: [{ at: time, ttl_s }],
      proof: { issued: `event of ${id}` },
      ...parts,
    },
  });

test('a lease that lives longer than policy allows is told of with the source of the number', () => {
  expect(told([living(30 * DAY)])).toEqual([
    'medium A lease of shop from database/creds/app lives 30 days, over the 60 min that policy allows its class (known by own_lookup).',
  ]);
  expect(told([living(3600)])).toEqual([]);
});

test('a lifetime that nobody knows is not judged', () => {
  const { ttl_s: _, ...unknown } = living(30 * DAY);
  expect(
    told([
      { ...unknown, ttl_source: 'unknown' },
      { ...living(30 * DAY), ttl_source: 'unknown' },
    ]),
  ).toEqual([]);
});

test('the same path and holder are told of once, and again when the lifetime grows', () => {
  const rows = [2, 2, 1, 30, 30].map((hours, i) => living(hours * 3600, {}, `l${i}`, on(i)));
  expect(told(rows)).toHaveLength(2);
  expect(told([...rows, living(7200, { holder_id: 'other', holder: 'other' }, 'x', on(9))])).toHaveLength(3);
});

test('the bound is that of the class of the holder, which its token tells', () => {
  const human = aToken({
    id: 'h',
    time: on(0),
    holder: 'eve',
    token: { kind: 'human' },
    with: { ttl_s: 3600 },
  });
  const lists: Lists = {
    ...noLists,
    setting: (_b, name, className, fallback) =>
      name === 'maxSeconds' && className === 'human' ? 60 : fallback,
  };
  const lease = living(900, { holder_id: 'eve', holder: 'eve' });
  expect(told([lease], { lists })).toEqual([]);
  expect(told([human, lease], { lists })).toHaveLength(2);
});

test('tokens have a bound of their own; ones that a token made are their maker’s', () => {
  const made = (id: string) =>
    aToken({
      id,
      holder: `token:${id}`,
      token: { auth_method: 'token', auth_mount: 'auth/token/' },
      with: { path: 'auth/token/create', requested_by: 'ci', ttl_s: 2 * DAY, expires_at: on(0.5) },
    });
  expect(told([aToken({ id: 'a', time: on(0), with: { ttl_s: 28_800 } })])).toEqual([]);
  expect(told([made('a'), made('b'), made('c')])).toHaveLength(1);
});

test('what a list allows is not told of', () => {
  const lists: Lists = {
    ...noLists,
    silencedBy: (rule) => (rule === leaseLifetime.info.id ? { kind: 'allow', name: 'x' } : undefined),
  };
  expect(told([living(30 * DAY)], { lists })).toEqual([]);
});

const renewed = (renewals: number, day: number, parts: Partial<Lease> = {}): Lease =>
  living(3600, {
    renewals,
    last_renewed_at: on(day),
    expires_at: addSeconds(on(day), 3600),
    ...parts,
  });

test('a chain of renewals is told of at its age and at each doubling', () => {
  const rows = [...Array(70).keys()].map((day) => renewed(day + 1, day, { issued_at: on(0) }));
  expect(told(rows, { until: on(80) })).toEqual([
    'medium A lease of shop is 30 days old and alive through 31 renewals; 30 days is where that is told.',
    'medium A lease of shop is 60 days old and alive through 61 renewals; 60 days is where that is told.',
  ]);
});

test('a chain that ends before is quiet; one that a long last term carries over the bound is told of when it comes', () => {
  const ended: Lease = { ...renewed(5, 20), state: 'revoked', ended_at: on(21), end_reason: 'revoked' };
  expect(told([renewed(5, 20), ended], { until: on(80) })).toEqual([]);
  const long = renewed(1, 25, { expires_at: on(57) });
  const { alerts } = run([long], { until: on(80) });
  expect(alerts.map(({ alert }) => alert.first_seen)).toEqual([on(30)]);
  expect(told([long, { ...long, state: 'revoked', ended_at: on(28) }], { until: on(80) })).toEqual([]);
});

const root = aToken({ id: 'root', time: on(0), holder: 'root', token: { kind: 'root', policies: ['root'] } });
const periodic = aToken({
  id: 'p',
  time: on(0),
  holder: 'token:p',
  token: { periodic: 'told' },
  with: { ttl_s: 32 * DAY },
});
const fixed = aToken({
  id: 's',
  time: on(0),
  holder: 'token:s',
  token: { auth_method: 'token', display_name: 'token-cron' },
  with: { ttl_s: 32 * DAY, expires_at: on(32) },
});

test('a token that turns out to be periodic is not told of as static too', () => {
  const renewed: Lease = { ...fixed, token: { ...fixed.token, periodic: 'told' } };
  const said = told([fixed, renewed], { until: on(3) }).filter((text) => text.startsWith('low'));
  expect(said).toEqual(['low A token of token-cron is periodic: whoever holds it renews it for ever.']);
});

test('root, periodic and static tokens are told of once each', () => {
  const all = told([root, periodic, fixed, root, periodic, fixed], { until: on(3) });
  expect(all.filter((text) => text.startsWith('low'))).toEqual(
    [
      'low A token of token:p is periodic: whoever holds it renews it for ever.',
      'low A token of root is a root token: no policy limits it, and it never expires.',
      'low A token of token-cron was made by a token and is 24 h old: no login stands behind it.',
    ].sort((a, b) => all.indexOf(a) - all.indexOf(b)),
  );
  expect(all).toHaveLength(4);
});

test('a token of a token that is revoked within the day, or expires, is quiet', () => {
  const revoked = { ...fixed, state: 'revoked' as const, ended_at: on(0.5) };
  expect(told([fixed, revoked], { until: on(3) }).filter((text) => text.startsWith('low'))).toEqual([]);
  const short = { ...fixed, ttl_s: 300, expires_at: addSeconds(on(0), 300) };
  expect(told([short], { until: on(3) })).toEqual([]);
});

describe('rows that the ledger made of a real log', () => {
  const rows = recordedRows(1500);
  const halfAnHour: Lists = {
    ...noLists,
    setting: (_b, name, _c, fallback) => (name === 'maxSeconds' ? 1800 : fallback),
  };
  const { alerts, failures } = runCrossing({ behaviours, leases: rows, lists: halfAnHour });
  const of = ({ info }: Behaviour) => alerts.filter(({ rule }) => rule.id === info.id);

  test('each path and holder whose leases live too long is told of, and nobody else', () => {
    const over = rows
      .filter(({ lease }) => lease.kind === 'lease' && (lease.ttl_s ?? 0) > 1800)
      .map(({ lease }) => `${lease.path} ${lease.holder_id}`);
    expect(failures).toEqual([]);
    expect(
      of(leaseLifetime)
        .map(({ vault, user }) => `${vault.request.path} ${user.id}`)
        .sort(),
    ).toEqual([...new Set(over)].sort());
    expect(over.length).toBeGreaterThan(50);
  });

  test('each root and each periodic token is told of once, by the event that gave it out', () => {
    const standing = rows.filter(
      ({ lease: { token } }) => token?.periodic !== undefined || token?.policies?.includes('root') === true,
    );
    const ids = new Set(standing.map(({ lease }) => lease.id));
    expect(of(standingToken)).toHaveLength(ids.size);
    expect(ids.size).toBeGreaterThan(2);
    const proofs = new Set(standing.map(({ lease }) => lease.proof.issued));
    for (const { evidence } of of(standingToken)) expect(proofs.has(evidence.event_ids[0] ?? '')).toBe(true);
  });

  test('a token of an hour is over half an hour only when nothing makes it periodic', () => {
    const found = of(tokenLifetime).map(({ evidence }) => evidence.facts['lease']);
    const periodic = rows.filter(({ lease }) => lease.token?.periodic !== undefined);
    expect(found.length).toBeGreaterThan(0);
    for (const { lease } of periodic) expect(found).not.toContain(lease.id);
  });
});

test('restarts change nothing', () => {
  const rows = [
    root,
    periodic,
    fixed,
    renewed(1, 2, { issued_at: on(0), expires_at: on(57) }),
    living(30 * DAY, {}, 'z', on(3)),
  ];
  const alerts = run(rows, { until: on(80) }).alerts;
  expect(run(rows, { until: on(80), restartEvery: 1 }).alerts).toEqual(alerts);
  expect(alerts.length).toBeGreaterThan(4);
});
