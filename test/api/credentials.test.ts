// Who held a credential: found exactly where the log names it, as a candidate where only the default name fits.

import { expect, test } from 'vitest';
import type { Fact } from '../../core/directory.ts';
import type { AuditEvent } from '../../core/event.ts';
import type { Lease } from '../../core/lease.ts';
import { limits } from '../../core/limits.ts';
import { msOf } from '../../core/time.ts';
import { aLease, aToken } from '../builders.ts';
import { batchOf } from '../contract/evidence-store.ts';
import { goldenEvents } from './golden-events.ts';
import { Harness } from './harness.ts';

const [login] = goldenEvents('login-approle', 'plain-accessor') as [AuditEvent];
const issues = goldenEvents('database-lease', 'plain-accessor').filter(
  ({ event }) => event.action === 'credential-issue',
) as [AuditEvent, AuditEvent, AuditEvent];
const [issue] = issues;
const entity = issue.user.id;
const accessor = issue.vault.caller.accessor ?? '';

const leaseOf = (event: AuditEvent): Lease =>
  aLease({
    id: event.vault.lease?.id ?? '',
    time: event['@timestamp'],
    holder: event.user.id,
    with: {
      holder: 'billing',
      holder_token: `token:${accessor}`,
      path: 'database/creds/app',
      role: 'app',
      proof: { issued: event.event.id },
    },
  });
const token = aToken({
  id: accessor,
  time: login['@timestamp'],
  holder: entity,
  token: { login: login.event.id, display_name: 'approle' },
});
const child = aToken({
  id: 'hmac-sha256:c1',
  time: login['@timestamp'],
  token: { auth_method: 'token', display_name: 'token-ci' },
  with: { holder_token: `token:${accessor}` },
});
delete child.token?.login;

const named: Fact<'entity'> = {
  id: 'f1',
  what: 'entity',
  cluster: 'test',
  namespace: '',
  key: entity,
  at: login['@timestamp'],
  value: { name: 'Billing of the shop' },
  source: 'vault',
  proof: 'r1',
};

const open = (events: AuditEvent[] = issues) =>
  Harness.open(
    batchOf({
      events: [login, ...events].map((event) => ({ event, text: JSON.stringify(event) })),
      leases: [...issues.map(leaseOf), token, child].map((body) => ({ revision: 1, body })),
      facts: [named],
      hashes: [
        {
          id: 'h',
          what: 'accessor',
          at: login['@timestamp'],
          ranked: { device: 'file', hash: 'hmac-sha256:c1' },
          other: { device: 'socket', hash: 'hmac-sha256:c2' },
        },
      ],
    }),
  );

const ask = async (harness: Harness, query: string) =>
  (await harness.get(`/v1/credentials?${query}`)).json() as {
    items: { credential: Lease; match: { by: string; certainty: string; detail: string } }[];
    complete: boolean;
  };

test('by lease id: the holder, its name in the directory, the chain to the login', async () => {
  await using harness = await open();
  const { items } = await ask(harness, `lease=${encodeURIComponent(leaseOf(issue).id)}`);
  expect(items).toMatchObject([
    {
      credential: { id: leaseOf(issue).id },
      state: 'active',
      holder: { id: entity, name: 'billing', full_name: 'Billing of the shop' },
      requested_by: entity,
      chain: {
        tokens: [{ id: `token:${accessor}`, display_name: 'approle', auth_method: 'approle' }],
        login: {
          event_id: login.event.id,
          at: login['@timestamp'],
          user: { id: login.user.id, name: 'billing' },
          auth_method: 'approle',
          auth_mount: 'auth/approle/',
          address: login.source?.ip,
        },
      },
      match: { by: 'lease_id', certainty: 'exact' },
    },
  ]);
  expect((await ask(harness, 'lease=database/creds/app/none')).items).toEqual([]);
});

test('by accessor or token, under the salt of any device; a child leads to the login of its parent', async () => {
  await using harness = await open();
  for (const query of ['accessor=hmac-sha256:c2', 'token=token:hmac-sha256:c1', 'token=hmac-sha256:c2']) {
    const { items } = await ask(harness, query);
    expect(items, query).toMatchObject([
      {
        credential: { id: child.id },
        chain: { tokens: [{ id: child.id }, { id: token.id }], login: { event_id: login.event.id } },
        match: { certainty: 'exact' },
      },
    ]);
  }
});

const secondsOf = (event: AuditEvent) => Math.floor(msOf(event['@timestamp']) / 1000);
const userName = `v-approle-app-Ff0bLkq2XUcxTnZr9m1a-${secondsOf(issue)}`;

/** As the line looks when the mount is tuned with audit_non_hmac_response_keys=username. */
const showing = (event: AuditEvent, username: string): AuditEvent => ({
  ...event,
  vault: { ...event.vault, response: { data: { ...event.vault.response?.data, username } } },
});

test('a database user by the pattern of its name is one of several, and never exact', async () => {
  await using harness = await open();
  const { items, complete } = await ask(harness, `database_user=${userName}`);
  // All three were taken within the same second by the same role.
  expect(items.map(({ credential }) => credential.id).sort()).toEqual(
    issues.map((event) => leaseOf(event).id).sort(),
  );
  expect(new Set(items.map(({ match }) => `${match.by} ${match.certainty}`))).toEqual(
    new Set(['user_name_pattern one_of_several']),
  );
  expect(items[0]?.match.detail).toContain('PostgreSQL');
  expect(complete).toBe(true);
});

test('names in plain that are others rule their leases out; what is left is still a candidate', async () => {
  const [first, ...others] = issues;
  await using harness = await open([first, ...others.map((event, i) => showing(event, `v-other-${i}`))]);
  const { items } = await ask(harness, `database_user=${userName}`);
  expect(items).toMatchObject([
    { credential: { id: leaseOf(first).id }, match: { certainty: 'only_candidate' } },
  ]);
});

test('a database user whose name, or hash, the log shows is exact', async () => {
  const [first, second, third] = issues;
  await using harness = await open([first, showing(second, userName), third]);
  expect(await ask(harness, `database_user=${userName}`)).toMatchObject({
    items: [{ credential: { id: leaseOf(second).id }, match: { by: 'user_name', certainty: 'exact' } }],
  });
  const hash = third.vault.response?.data?.['username'] as string;
  expect(hash).toContain('hmac-sha256:');
  expect(await ask(harness, `database_user=${hash}`)).toMatchObject({
    items: [{ credential: { id: leaseOf(third).id }, match: { by: 'user_name', certainty: 'exact' } }],
  });
});

test('more candidates than a list may hold: the answer is cut, and says so', async () => {
  await using harness = await open();
  const many = Array.from({ length: limits.pageRowsMax }, (_, i) => ({
    revision: 1,
    body: { ...leaseOf(issue), id: `database/creds/app/many-${i}` },
  }));
  await harness.writer.write(batchOf({ leases: many }));
  const { items, complete } = await ask(harness, `database_user=${userName}`);
  expect([items.length, complete]).toEqual([limits.pageRowsMax, false]);
});

test('another role, another hour: nothing is claimed', async () => {
  await using harness = await open();
  for (const name of [
    `v-approle-other-Ff0bLkq2XUcxTnZr9m1a-${secondsOf(issue)}`,
    `v-approle-app-Ff0bLkq2XUcxTnZr9m1a-${secondsOf(issue) - 3600}`,
    `v-token-app-Ff0bLkq2XUcxTnZr9m1a-${secondsOf(issue)}`,
  ])
    expect(await ask(harness, `database_user=${name}`), name).toMatchObject({ items: [], complete: true });
});

test('just one handle is asked for, and never a token', async () => {
  await using harness = await open();
  const problem = async (query: string) => {
    const response = await harness.get(`/v1/credentials${query}`);
    return [response.statusCode, response.json().detail];
  };
  expect(await problem('')).toEqual([400, expect.stringContaining('just one of')]);
  expect(await problem('?lease=a&accessor=b')).toEqual([400, expect.stringContaining('just one of')]);
  const secret = 'hvs.CAESIJqv0000000000000000000000';
  expect(await problem(`?token=${secret}`)).toEqual([400, expect.stringContaining('token itself')]);
  expect(harness.log.join('')).not.toContain(secret);
});
