// What an identity can still use and what it already has, from calls of a real Vault.

import { expect, test, vi } from 'vitest';
import { blastSchema } from '../../api/identities/blast-radius.ts';
import { summarySchema } from '../../api/identities/summary.ts';
import type { Fact } from '../../core/directory.ts';
import type { AuditEvent } from '../../core/event.ts';
import { addSeconds } from '../../core/time.ts';
import { aCoverageRow, aLease, anEvent, aToken, reached } from '../builders.ts';
import { batchOf } from '../contract/evidence-store.ts';
import { goldenEvents } from './golden-events.ts';
import { Harness } from './harness.ts';

const [login] = goldenEvents('login-approle') as [AuditEvent];
const events = [
  'people-and-services',
  'kv-v1-read',
  'database-lease',
  'wrapping',
  'kv-v2',
  'login-approle',
].flatMap((scene) => goldenEvents(scene));
const service = login.user.id;
const begin = login['@timestamp'];
const after = (second: number) => addSeconds(begin, second);

/** Afterwards: the service's secret is rotated, and it takes a certificate and a static credential. */
const later = [
  anEvent({
    id: 'rotation',
    time: after(60),
    user: 'root',
    action: 'secret-write',
    secret: 'secret/billing/database',
    version: 2,
  }),
  anEvent({
    id: 'static',
    time: after(61),
    user: service,
    action: 'credential-read',
    secret: 'database/static-creds/report',
    engine: 'database',
  }),
  anEvent({
    id: 'cert',
    time: after(62),
    user: service,
    action: 'certificate-issue',
    path: 'pki/issue/web',
    secret: 'pki/issue/web',
    engine: 'pki',
  }),
];

const token = aToken({
  id: 'plain-accessor',
  time: begin,
  holder: service,
  token: { login: login.event.id },
  with: { expires_at: after(1200) },
});
const child = aToken({
  id: 'hmac-sha256:child',
  time: after(1),
  holder: 'token:hmac-sha256:child',
  token: { auth_method: 'token' },
  with: { holder_token: token.id, requested_by: service, state: 'unknown' },
});
const ofChild = aLease({
  id: 'database/creds/app/child',
  time: after(2),
  holder: 'token:hmac-sha256:child',
  with: { holder_token: child.id, expires_at: after(3600) },
});
const own = aLease({
  id: 'database/creds/app/own',
  time: after(2),
  holder: service,
  with: { holder_token: token.id, expires_at: after(3600) },
});
const over = aLease({
  id: 'database/creds/app/over',
  time: after(2),
  holder: service,
  state: 'revoked',
  with: { ended_at: after(5) },
});
const others = aLease({ id: 'database/creds/app/other', time: after(2), holder: 'someone' });

const facts: Fact[] = [
  fact('entity', service, 1, { name: 'Billing', policies: ['billing-own'], group_ids: ['g1'] }),
  fact('group', 'g1', 1, { name: 'shop', policies: ['shop-read'] }),
  fact('group', 'g2', 1, { name: 'all', policies: ['all-read'], member_group_ids: ['g1'] }),
  fact('group', 'g3', 1, { name: 'gone', member_entity_ids: [service] }),
  fact('group', 'g3', 2, null),
];

function fact(what: 'entity' | 'group', key: string, second: number, value: Fact['value']): Fact {
  const at = after(second);
  return {
    id: `${key}-${second}`,
    what,
    cluster: 'test',
    namespace: '',
    key,
    at,
    value,
    source: 'vault',
    proof: 'r',
  };
}

const open = () =>
  Harness.open(
    batchOf({
      events: [...events, ...later].map((event) => ({ event, text: JSON.stringify(event) })),
      leases: [token, child, ofChild, own, over, others].map((body) => ({ revision: 1, body })),
      facts,
      offsets: reached(after(100)),
    }),
  );

test('live tokens and leases with all that hangs on them, and what ends them', async () => {
  await using harness = await open();
  const blast = blastSchema.parse((await harness.get(`/v1/identities/${service}/blast-radius`)).json());
  expect(blast.at).toBe(after(100));
  expect(blast.tokens.map(({ id }) => id)).toEqual([token.id, child.id]);
  expect(blast.leases.map(({ id }) => id).sort()).toEqual([ofChild.id, own.id].sort());
  expect(blast.contain).toMatchObject({
    disable_entity: service,
    tokens: [
      { accessor: 'plain-accessor', usable: true },
      { accessor: 'hmac-sha256:child', usable: false },
    ],
    prefixes: [{ prefix: 'database/creds/app/', of_identity: 2, all: 3 }],
  });
  expect(blast.contain.leases.every((lease) => lease.ends_with_token)).toBe(true);
  expect(blast.addresses.map(({ address }) => address)).toContain(login.source?.ip);
  expect(blast.notes.join(' ')).toMatch(/1 of the tokens and leases have no known lifetime.*1 accessor\(s\)/);
  expect(blast.complete).toBe(true);
});

test('at an earlier time: what lived then', async () => {
  await using harness = await open();
  const { tokens, leases } = (
    await harness.get(`/v1/identities/${service}/blast-radius?at=${encodeURIComponent(after(4))}`)
  ).json();
  expect([tokens.length, leases.length]).toEqual([2, 3]);
});

test('what revocation does not take back, and whether it was rotated since', async () => {
  await using harness = await open();
  const { rotate } = (await harness.get(`/v1/identities/${service}/blast-radius`)).json();
  const row = (secret: string) => rotate.secrets.find((found: { secret: string }) => found.secret === secret);
  expect(row('secret/billing/database')).toMatchObject({
    engine: 'kv-v2',
    // A wrapped answer shows no version.
    last_version_read: null,
    rotated_since: 'yes',
    rotated_at: after(60),
  });
  expect(row('legacy/billing/smtp')).toMatchObject({
    engine: 'kv-v1',
    rotated_since: 'no',
    rotated_at: null,
  });
  expect(row('database/static-creds/report')).toMatchObject({ rotated_since: 'unknown' });
  // Dynamic credentials are leases: revocation ends them.
  expect(row('database/creds/app')).toBeUndefined();
  expect(rotate.handed_out).toMatchObject([{ action: 'certificate-issue', path: 'pki/issue/web', n: 1 }]);
  const root = (await harness.get('/v1/identities/root/blast-radius')).json();
  expect(root.contain.disable_entity).toBeNull();
  expect(root.rotate.handed_out).toMatchObject([
    { action: 'secret-id-create', path: 'auth/approle/role/billing/secret-id' },
  ]);
});

test('a secret that was read again after its rotation is not rotated since', async () => {
  await using harness = await open();
  const read = anEvent({
    id: 'again',
    time: after(70),
    user: service,
    secret: 'secret/billing/database',
    version: 2,
  });
  await harness.writer.write(batchOf({ events: [{ event: read, text: JSON.stringify(read) }] }));
  const { rotate } = (await harness.get(`/v1/identities/${service}/blast-radius`)).json();
  expect(
    rotate.secrets.find((row: { secret: string }) => row.secret === 'secret/billing/database'),
  ).toMatchObject({
    rotated_since: 'no',
    last_version_read: 2,
    versions_read: [2],
  });
});

test('bounds are told: a period before the log, an unknown identity, at without blast-radius', async () => {
  await using harness = await open();
  const early = (
    await harness.get(`/v1/identities/${service}/blast-radius?from=2020-01-01T00:00:00Z`)
  ).json();
  expect(early.complete).toBe(false);
  expect(early.notes.join(' ')).toContain('The log begins at');
  expect((await harness.get('/v1/identities/nobody/blast-radius')).statusCode).toBe(404);
  const slashed = 'token:hmac-sha256:child';
  expect((await harness.get(`/v1/identities/${slashed}/blast-radius?at=${after(3)}`)).statusCode).toBe(200);
  expect((await harness.get(`/v1/identities/a/b?at=${after(3)}`)).statusCode).toBe(400);
});

test('lines that were lost in the period may be reads: the answer is not complete', async () => {
  await using harness = await open();
  const url = `/v1/identities/${service}/blast-radius`;
  expect((await harness.get(url)).json().complete).toBe(true);
  const coverage = [aCoverageRow({ hour: begin, counts: { received: 9, rejected: 2 } })];
  await harness.writer.write(batchOf({ coverage }));
  const { complete, notes } = (await harness.get(url)).json();
  expect(complete).toBe(false);
  expect(notes[0]).toContain('2 line(s) of the period');
});

test('prefixes are counted in one question, each in its own namespace and cluster', async () => {
  const at100 = after(50);
  const of = (id: string, holder: string, more: object = {}) =>
    aLease({ id, time: at100, holder, with: { path: id.slice(0, id.lastIndexOf('/')), ...more } });
  const leases = [
    ...[1, 2, 3].map((i) => of(`db/creds/role-${i}/a`, service)),
    of('db/creds/role-1/b', 'other'),
    of('db/creds/role-1/c', 'other', { namespace: 'team/' }),
    of('db/creds/role-1/d', 'other', { cluster: 'far' }),
    of('db/creds/role-2/e', 'other', { ended_at: after(60), state: 'revoked' }),
  ];
  await using harness = await Harness.open(
    batchOf({ leases: leases.map((body) => ({ revision: 1, body })), offsets: reached(after(100)) }),
  );
  const questions = vi.spyOn(harness.reader, 'count');
  const { contain } = (await harness.get(`/v1/identities/${service}/blast-radius`)).json();
  expect(contain.prefixes).toEqual([
    { prefix: 'db/creds/role-1/', of_identity: 1, all: 2 },
    { prefix: 'db/creds/role-2/', of_identity: 1, all: 1 },
    { prefix: 'db/creds/role-3/', of_identity: 1, all: 1 },
  ]);
  expect(questions).not.toHaveBeenCalled();
});

test('an identity: its given name, groups with their groups, policies and where each comes from, its logins', async () => {
  await using harness = await open();
  const summary = summarySchema.parse((await harness.get(`/v1/identities/${service}`)).json());
  expect(summary).toMatchObject({
    full_name: 'Billing',
    entity: {
      source: 'vault',
      groups: [
        { id: 'g1', name: 'shop' },
        { id: 'g2', name: 'all' },
      ],
      policies: [
        { policy: 'billing-own', from: 'entity' },
        { policy: 'shop-read', from: 'group:shop' },
        { policy: 'all-read', from: 'group:all' },
      ],
      complete: true,
    },
    alive: { at: after(100), tokens: 1, leases: 1 },
    logins: [{ event_id: login.event.id, auth_method: 'approle', address: login.source?.ip }],
  });
  expect(summary.tokens.map(({ id }) => id)).toEqual([child.id, token.id]);
  expect(summary.leases.map(({ id }) => id).sort()).toEqual([over.id, own.id].sort());
  // Before the directory knew it.
  const before = (await harness.get(`/v1/identities/${service}?to=${after(1)}`)).json();
  expect([before.full_name, before.entity]).toEqual([null, null]);
});
