// Lists: filters, times of any zone, cursors that find each row once, ids with slashes, one identity.

import { expect, test } from 'vitest';
import { z } from 'zod';
import { coveragePageSchema } from '../../api/coverage.ts';
import { alertSchema, eventSchema, leaseSchema, listOf } from '../../api/schemas.ts';
import { canonicalJson } from '../../core/canonical.ts';
import { aCoverageRow, aLease, anAlert, anEvent, at, reached } from '../builders.ts';
import { eventsOf } from '../contract/evidence-store.ts';
import { Harness } from './harness.ts';

const alice = { user: 'user:auth/userpass/alice', name: 'alice', kind: 'human', ip: '10.0.0.9' } as const;

const seeded = () =>
  Harness.open({
    ...eventsOf(
      anEvent({ id: 'e1', time: at(1) }),
      anEvent({ id: 'e2', time: at(2), ...alice, path: 'secret/data/prod/db', secret: 'secret/prod/db' }),
      anEvent({ id: 'e3', time: at(3), ...alice, action: 'secret-write', secret: 'secret/prod/db' }),
      anEvent({ id: 'e4', time: at(4), outcome: 'failure', reason: 'policy_denied', ...alice }),
    ),
    alerts: [
      { revision: 1, body: anAlert({ id: 'a1', time: at(2), user: alice.user, level: 'critical' }) },
      { revision: 1, body: anAlert({ id: 'a2', time: at(3), rule: 'rule-2' }) },
    ],
    leases: [
      { revision: 1, body: aLease({ id: 'database/creds/app/AbC', time: at(1) }) },
      {
        revision: 1,
        body: aLease({ id: 'database/creds/app/DeF', time: at(2), holder: alice.user, state: 'expired' }),
      },
    ],
    coverage: [aCoverageRow({ hour: at(0), counts: { received: 8, paired: 4 } })],
    offsets: reached(at(5)),
  });

const idsOf = (items: { event: { id: string } }[]) => items.map((item) => item.event.id);

const eventCases: [query: string, ids: string[]][] = [
  ['', ['e1', 'e2', 'e3', 'e4']],
  ['order=desc&limit=2', ['e4', 'e3']],
  ['name=alice&action=secret-read', ['e2', 'e4']],
  [`user=${encodeURIComponent(alice.user)}`, ['e2', 'e3', 'e4']],
  ['outcome=failure', ['e4']],
  ['ip=10.0.0.1', ['e1']],
  ['secret=secret/prod/db', ['e2', 'e3']],
  ['secret_prefix=secret/prod/', ['e2', 'e3']],
  ['path=secret/data/prod/db', ['e2']],
  ['path_prefix=secret/data/prod', ['e2']],
  [`from=${at(2)}&to=${at(4)}`, ['e2', 'e3']],
  ['from=2026-09-01T02:00:02%2B02:00&to=2026-08-31T17:00:03-07:00', ['e2']],
  ['from=2026-09-01T02:00:04+02:00', ['e4']],
];

test.each(eventCases)('/v1/events?%s', async (query, ids) => {
  await using harness = await seeded();
  const response = await harness.get(`/v1/events?${query}`);
  const page = listOf(eventSchema).parse(response.json());
  expect(idsOf(page.items)).toEqual(ids);
});

test('an event leaves as it is stored', async () => {
  await using harness = await seeded();
  const event = (await harness.get('/v1/events/e1')).json();
  expect(canonicalJson(event)).toBe(canonicalJson(anEvent({ id: 'e1', time: at(1) })));
});

test('a walk by cursor finds each row once, both ways', async () => {
  const events = Array.from({ length: 57 }, (_, i) => anEvent({ id: `e${i}`, time: at(i % 6) }));
  await using harness = await Harness.open(eventsOf(...events));
  for (const order of ['asc', 'desc']) {
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const next: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const page = (await harness.get(`/v1/events?limit=10&order=${order}${next}`)).json();
      seen.push(...idsOf(page.items));
      cursor = page.next_cursor;
    }
    expect(seen.length).toBe(57);
    expect(new Set(seen).size).toBe(57);
  }
});

test('a cursor of another query is refused; another limit is the same query', async () => {
  await using harness = await seeded();
  const { next_cursor: cursor } = (await harness.get('/v1/events?limit=1')).json();
  const codes = async (query: string) => (await harness.get(`/v1/${query}&cursor=${cursor}`)).statusCode;
  expect(await codes('events?limit=3')).toBe(200);
  for (const other of ['events?order=desc', 'events?name=alice', `events?from=${at(0)}`, 'alerts?limit=1'])
    expect([other, await codes(other)]).toEqual([other, 400]);
});

test('alerts and leases have their filters', async () => {
  await using harness = await seeded();
  const alerts = async (query: string) =>
    listOf(alertSchema)
      .parse((await harness.get(`/v1/alerts?${query}`)).json())
      .items.map((item) => item.alert.id);
  expect(await alerts('')).toEqual(['a1', 'a2']);
  expect(await alerts('level=critical')).toEqual(['a1']);
  expect(await alerts('rule=rule-2')).toEqual(['a2']);
  expect(await alerts(`user=${encodeURIComponent(alice.user)}`)).toEqual(['a1']);
  const leases = async (query: string) =>
    listOf(leaseSchema)
      .parse((await harness.get(`/v1/leases?${query}`)).json())
      .items.map((item) => item.id);
  expect(await leases('state=active')).toEqual(['database/creds/app/AbC']);
  expect(await leases('holder=entity-1&kind=lease')).toEqual(['database/creds/app/AbC']);
  expect((await harness.get('/v1/alerts/a1')).json().alert.id).toBe('a1');
});

test('an id with slashes may come encoded or as it is', async () => {
  await using harness = await seeded();
  for (const id of ['database/creds/app/AbC', 'database%2Fcreds%2Fapp%2FAbC']) {
    const response = await harness.get(`/v1/leases/${id}`);
    expect([id, response.statusCode]).toEqual([id, 200]);
    expect(response.json().id).toBe('database/creds/app/AbC');
  }
  expect((await harness.get(`/v1/leases/${'x/'.repeat(400)}`)).statusCode).toBe(404);
});

test('an identity: names, counts, secrets, alerts, leases, last events', async () => {
  await using harness = await seeded();
  for (const id of [encodeURIComponent(alice.user), alice.user]) {
    const summary = (await harness.get(`/v1/identities/${id}`)).json();
    expect(summary).toMatchObject({
      id: alice.user,
      names: ['alice'],
      kinds: ['human'],
      auth_methods: ['approle'],
      addresses: ['10.0.0.9'],
      events: 3,
      first_seen: at(2),
      last_seen: at(4),
      actions: [
        { action: 'secret-read', outcome: 'failure', n: 1 },
        { action: 'secret-read', outcome: 'success', n: 1 },
        { action: 'secret-write', outcome: 'success', n: 1 },
      ],
      secrets_read: [{ secret: 'secret/prod/db', n: 1, first: at(2), last: at(2) }],
      complete: true,
    });
    expect(summary.alerts.map((alert: { alert: { id: string } }) => alert.alert.id)).toEqual(['a1']);
    expect(summary.leases.map((lease: { id: string }) => lease.id)).toEqual(['database/creds/app/DeF']);
    expect(idsOf(summary.last_events)).toEqual(['e4', 'e3', 'e2']);
  }
});

test('coverage per device and hour, in words, and unwitnessed', async () => {
  await using harness = await seeded();
  const page = coveragePageSchema.parse((await harness.get('/v1/coverage')).json());
  expect(page.items).toMatchObject([{ device: 'file', received: 8, paired: 4, gaps: 0 }]);
  expect(page.totals.received).toBe(8);
  expect(page.extent).toEqual({ first: at(1), last: at(4), watermark: at(5) });
  expect(page.statement).toContain('8 lines were received from 1 audit device(s) (file)');
  expect(page.statement).toContain('Unwitnessed');
});

test('the rules, and what each has found', async () => {
  await using harness = await seeded();
  const page = listOf(z.looseObject({ id: z.string() })).parse((await harness.get('/v1/rules')).json());
  expect(page).toMatchObject({
    items: [{ id: 'rule-1', enabled: true, type: 'event', why: null, alerts: 1, last_alert: at(2) }],
    next_cursor: null,
  });
});

test('an identity shows what was learned of it', async () => {
  const learned = { learning: false, at: at(9), text: 'calls between 8 and 17', numbers: { hours: 9 } };
  const baselines = [
    { id: 'b1', behaviour: 'unusual-hour', subject: alice.user, ...learned },
    { id: 'b2', behaviour: 'unusual-hour', subject: 'entity-1', ...learned },
  ];
  await using harness = await Harness.open({ ...eventsOf(anEvent({ id: 'e', ...alice })), baselines });
  const summary = (await harness.get(`/v1/identities/${encodeURIComponent(alice.user)}`)).json();
  expect(summary.baselines).toEqual([{ behaviour: 'unusual-hour', ...learned }]);
});
