// The lease that a call opens, as far as the audit log says it: who holds it, since when, and that its lifetime is unknown.

import { describe, expect, it } from 'vitest';
import type { Lease } from '../../../core/lease.ts';
import { openedLease } from '../../../ingest/ledger/open.ts';
import { callOf, type EntryLine, made, sampleLines, theEvent, withRequest } from '../normalise/lines.ts';

const leaseOf = (lines: EntryLine[]): Lease | undefined => openedLease(theEvent(lines));
const issue = callOf('database-lease', 0);

describe('a dynamic secret', () => {
  it('opens a lease of its caller', () => {
    const event = theEvent(issue);
    expect(openedLease(event)).toEqual({
      cluster: 'test',
      end_confirmed: false,
      holder: 'billing',
      holder_id: event.user.id,
      id: 'database/creds/app/hs4cWy62yJ5MbAIGW4rJcloD',
      issued_at: issue[0].time,
      kind: 'lease',
      path: 'database/creds/app',
      proof: { issued: event.event.id },
      renewals: 0,
      requested_by: event.user.id,
      role: 'billing',
      state: 'unknown',
      terms: [],
      ttl_source: 'unknown',
    });
  });

  it('in a namespace says which', () => {
    const namespace = { id: 'nsEx1', path: 'team-a/' };
    const call = withRequest(issue, { namespace, mount_point: 'team-a/database/' });
    expect(leaseOf(call)).toMatchObject({ namespace: 'team-a/', path: 'database/creds/app' });
  });

  it('is known from the answer alone', () => {
    expect(leaseOf([issue[1]])).toMatchObject({ holder: 'billing', issued_at: issue[1].time });
  });
});

describe('no lease is opened', () => {
  it('by a renewal, though it shows the lease id', () => {
    const renewal = callOf('database-lease', 1);
    expect(theEvent(renewal).vault.lease?.id).toMatch(/^database\/creds\/app\//);
    expect(leaseOf(renewal)).toBeUndefined();
  });

  it('by a request whose answer nobody saw', () => {
    expect(leaseOf([issue[0]])).toBeUndefined();
  });

  it('by a call that failed', () => {
    expect(leaseOf(issue.map((entry) => ({ ...entry, error: 'internal error' })))).toBeUndefined();
  });

  it('by a secret without a lease, as KV v1 shows it', () => {
    expect(theEvent(callOf('kv-v1-read')).vault.lease).toBeUndefined();
    expect(leaseOf(callOf('kv-v1-read'))).toBeUndefined();
  });
});

it('a lease that is unwrapped is held by nobody known: the wrapping token only opened it', () => {
  const [request, response] = callOf('wrapping', 1);
  const secret = { lease_id: 'database/creds/app/EXAMPLEexampleEXAMPLE012' };
  const lease = leaseOf([request, { ...response, response: { ...response.response, secret } } as EntryLine]);
  expect(lease).toMatchObject({ id: secret.lease_id, path: 'database/creds/app' });
  expect(lease?.requested_by).toMatch(/^token:/);
  expect(lease).not.toHaveProperty('holder');
  expect(lease).not.toHaveProperty('holder_id');
});

it('each lease of a morning is opened once, by a service', () => {
  const { leases } = made(sampleLines());
  expect(leases.length).toBeGreaterThan(3);
  expect(new Set(leases.map(({ id }) => id)).size).toBe(leases.length);
  const ids = sampleLines()
    .filter((line) => line.includes('"operation":"read"') && line.includes('"lease_id":"database/'))
    .map(
      (line) => (JSON.parse(line) as { response: { secret: { lease_id: string } } }).response.secret.lease_id,
    );
  expect(leases.map(({ id }) => id).sort()).toEqual([...new Set(ids)].sort());
});
