// The comparison with Vault's lists is itself tried: a ledger made of the truth has no difference, and each falsehood is found.

import { describe, expect, it } from 'vitest';
import type { Lease } from '../../../core/lease.ts';
import { compareWithTruth } from '../../real/ledger/compare.ts';
import { recordedCheckpoints } from './recorded.ts';

const checkpoint = recordedCheckpoints()[2]!;
const at = (seconds: number) => new Date(Date.parse(checkpoint.at) + seconds * 1000).toISOString();

function row(id: string, end: string | null | undefined, change: Partial<Lease> = {}): Lease {
  const token: Partial<Lease> = { kind: 'token', token: { accessor: id.slice('token:'.length) } };
  return {
    cluster: 'c',
    end_confirmed: false,
    id,
    issued_at: at(-60),
    kind: 'lease',
    path: 'database/creds/hour',
    proof: { issued: 'e' },
    renewals: 0,
    requested_by: 'u',
    state: 'active',
    terms: [],
    ttl_source: 'own_lookup',
    ...(end ? { expires_at: end } : {}),
    ...(id.startsWith('token:') ? token : {}),
    ...change,
  };
}

const truth = [
  ...checkpoint.leases.map(({ id, expire_time }) => row(id, expire_time)),
  ...checkpoint.tokens.map(({ accessor, expire_time }) => row(`token:${accessor}`, expire_time)),
];
const compare = (rows: Lease[]) => compareWithTruth(rows, checkpoint, (accessor) => accessor);
const far = truth.findIndex(({ expires_at = '' }) => expires_at > at(600));
const without = (index: number, instead: Lease[] = []) => truth.toSpliced(index, 1, ...instead);
const changed = (change: Partial<Lease>) => without(far, [{ ...(truth[far] as Lease), ...change }]);
const whatOf = (rows: Lease[]) => compare(rows).differences.map(({ what, id }) => ({ what, id }));

describe('a ledger that says what Vault lists', () => {
  it('has no difference, and nearly all was compared', () => {
    const result = compare(truth);
    expect(result.differences).toEqual([]);
    expect(result.leases).toBeGreaterThan(100);
    expect(result.tokens).toBeGreaterThan(40);
    expect(result.ends).toBeGreaterThan(140);
    expect(result.undecided).toBeLessThan(truth.length / 10);
  });

  it('what ended before is no difference, nor what ends as it is listed', () => {
    const ended = row('database/creds/hour/a', at(3600), { ended_at: at(-1), end_reason: 'revoked' });
    const ending = row('database/creds/hour/b', at(1));
    expect(whatOf([...truth, ended, ending])).toEqual([]);
  });

  it('batch tokens are in no list', () => {
    const batch = row('token:hmac-sha256:00', at(600), { token: { type: 'batch' } });
    expect(whatOf([...truth, batch])).toEqual([]);
  });

  it('a renewal of later does not change the end of before', () => {
    const { expires_at = '' } = truth[far] as Lease;
    const ttl_s = (Date.parse(expires_at) - Date.parse(at(-60))) / 1000;
    const terms = [
      { at: at(-60), ttl_s },
      { at: at(5), ttl_s: 900 },
    ];
    expect(whatOf(changed({ terms, expires_at: at(905) }))).toEqual([]);
  });
});

describe('each falsehood is found', () => {
  const { id } = truth[far] as Lease;
  const alive = 'database/creds/hour/never-there';

  it.each<[string, Lease[], string, string]>([
    ['a lease that it does not know', without(far), 'unknown', id],
    ['one that it ended', changed({ ended_at: at(-1), end_reason: 'expired' }), 'dead', id],
    ['one that it let live', [...truth, row(alive, at(600))], 'alive', alive],
    ['one that ends later', changed({ expires_at: at(9999) }), 'end', id],
    ['an end that nobody tells', without(far, [row(id, null)]), 'no_end', id],
    [
      'one that it ended only after the moment',
      [...truth, row(alive, at(600), { ended_at: at(100), end_reason: 'revoked' })],
      'alive',
      alive,
    ],
  ])('%s', (_, rows, what, which) => {
    expect(whatOf(rows)).toEqual([{ what, id: which }]);
  });

  it('with words for people', () => {
    const [difference] = compare(changed({ ended_at: at(-1), end_reason: 'expired' })).differences;
    expect(difference?.text).toContain(`Vault lists it until ${truth[far]?.expires_at}; the ledger ended it`);
  });
});
