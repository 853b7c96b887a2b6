// A real recording of leases and tokens from issue to end, by a device that hashes accessors and by one that does not.

import { describe, expect, it } from 'vitest';
import type { Lease } from '../../../../core/lease.ts';
import { answersOf, callsOf, entriesOf, inOrder, Rig } from './rig.ts';

const ofDevice = (device: string) => callsOf(entriesOf(device, 'credentials'));
const played = (device: string) => new Rig().play(inOrder(ofDevice(device), answersOf('credentials')));
const endsOf = (leases: Lease[]) => leases.map(({ end_reason = 'none' }) => end_reason);

const hashed = played('file');
const plain = played('plain');

describe('leases', () => {
  const leases = hashed.by('pki/issue/svc').filter(({ kind }) => kind === 'lease');

  it('are all found, with their role and who holds them', () => {
    expect(leases).toHaveLength(13);
    const [asker, app] = hashed.by('auth/token/create-orphan');
    expect(asker?.id).not.toBe(app?.id);
    const batch = leases.filter(({ holder_token }) => holder_token !== app?.id);
    expect(batch).toHaveLength(1);
    expect(new Set(leases.map(({ role }) => role))).toEqual(new Set(['svc']));
    expect(leases.every(({ holder_id }) => holder_id !== undefined)).toBe(true);
  });

  it('end by body, URL, prefix, force and mount', () => {
    expect(endsOf(leases)).toEqual([
      ...['revoked', 'revoked', 'revoked', 'revoked'],
      ...['revoke_prefix', 'revoke_prefix', 'revoke_prefix', 'revoke_prefix'],
      ...['mount_removed', 'mount_removed', 'mount_removed', 'mount_removed', 'mount_removed'],
    ]);
    expect(endsOf(hashed.by('pki-new/issue/svc'))).toEqual(['mount_removed']);
  });

  it('end when the call says, though the hash was explained later', () => {
    const first = leases[0] as Lease;
    const revoke = ofDevice('file').find(({ event }) => event?.event.action === 'lease-revoke');
    expect(first.ended_at).toBe(revoke?.event?.['@timestamp']);
    expect(first.proof.ended).toBe(revoke?.event?.event.id);
    expect(first.end_confirmed).toBe(true);
  });

  it('have the lifetime that a look-up of ours shows, or that the line itself does', () => {
    expect(leases[0]).toMatchObject({ ttl_s: 599, ttl_source: 'own_lookup' });
    const response = answersOf('credentials')[0]?.answer?.response;
    expect(leases[0]?.proof.ttl).toBe(response?.['request_id']);
    expect(leases[1]).toMatchObject({ ttl_s: 299, ttl_source: 'audit' });
    expect(leases[1]?.proof.ttl).toBe(leases[1]?.proof.issued);
  });

  it('of a batch token end with it', () => {
    const [batch] = hashed.by('auth/token/create').filter(({ token }) => token?.type === 'batch');
    const lease = leases.find(({ holder_token }) => holder_token === batch?.id);
    expect(lease?.ttl_s).toBeLessThanOrEqual(60);
    expect(batch?.id).toMatch(/^token:hmac-sha256:/);
  });

  it('that were wrapped belong to who asked, from when it asked', () => {
    const opened = leases.filter(({ wrapped }) => wrapped !== undefined);
    expect(opened.map(({ wrapped }) => wrapped?.opened_from)).toEqual([
      '127.0.0.31',
      '127.0.0.21',
      '127.0.0.31',
    ]);
    const [, app] = hashed.by('auth/token/create-orphan');
    for (const lease of opened) {
      expect(lease.holder_token).toBe(app?.id);
      expect(lease.issued_at).toBe(lease.wrapped?.at);
      expect((lease.wrapped?.opened_at ?? '') > lease.issued_at).toBe(true);
    }
    const wrapping = hashed.by('pki/issue/svc').filter(({ kind }) => kind === 'token');
    expect(wrapping.map(({ wrapped }) => wrapped?.opened_at !== undefined)).toEqual([
      ...[true, true, true, true, false],
    ]);
  });
});

describe.each([
  ['hashed accessors', hashed],
  ['plain accessors', plain],
])('tokens, by a device with %s', (_, rig) => {
  const made = rig.by('auth/token/create');

  it('have a row each, with their parent or without', () => {
    expect(made).toHaveLength(9);
    const [, app] = rig.by('auth/token/create-orphan');
    expect(made.slice(0, 4).map(({ holder_token }) => holder_token)).toEqual(Array(4).fill(app?.id));
    expect(made[5]?.token?.orphan).toBe(true);
    expect(made[5]?.holder_token).toBeUndefined();
    expect(rig.by('auth/token/create/nightly')[0]?.token?.orphan).toBe(true);
  });

  it('end by accessor, by themselves, by their last use and with their mount', () => {
    const [, byAccessor, unseen, parent, grandchild] = made;
    expect(endsOf([byAccessor, unseen, parent, grandchild] as Lease[])).toEqual(Array(4).fill('revoked'));
    expect(byAccessor?.end_confirmed).toBe(true);
    const twice = made.find(({ token }) => token?.num_uses === 2);
    expect(twice).toMatchObject({ state: 'revoked', end_confirmed: true, token: { uses_left: 0 } });
    expect(rig.by('auth/userpass/login/bob')[0]?.end_reason).toBe('mount_removed');
  });

  it('live on when their parent is revoked without them', () => {
    const [, , , parent, grandchild] = made;
    expect(parent?.ended_at).toBeDefined();
    expect((grandchild?.ended_at ?? '') > (parent?.ended_at ?? '')).toBe(true);
    expect(grandchild?.holder_token).toBeUndefined();
  });

  it('are renewed by accessor and by token', () => {
    expect(made[1]).toMatchObject({ renewals: 1, ttl_s: 2700, ttl_source: 'audit' });
    expect(made[3]).toMatchObject({ renewals: 1, ttl_s: 1800 });
  });

  it('of before the log have a row without an issue', () => {
    const [root] = [...rig.leases.values()].filter(({ requested_by }) => requested_by === undefined);
    expect(root).toMatchObject({ kind: 'token', holder: 'root', token: { kind: 'root' } });
    expect(root?.path).toBeUndefined();
  });
});

describe('what nobody can know', () => {
  it('is a token that is revoked by itself before it made a call, where no look-up shows its accessor in plain', () => {
    // Its look-up shows the accessor hashed, and hashing the plain one was not asked for.
    expect(plain.by('auth/token/create')[0]?.end_reason).toBe('parent_ended');
    expect(hashed.by('auth/token/create')[0]?.end_reason).toBe('revoked');
  });
});

describe('our own calls', () => {
  it('show which token is ours, once', () => {
    const [asker] = hashed.by('auth/token/create-orphan');
    expect(hashed.own).toHaveLength(1);
    expect(`token:${hashed.own[0]?.accessor}`).toBe(asker?.id);
  });

  it('do so too when their answers come first', () => {
    const early = answersOf('credentials').map((input) => ({ ...input, done: '' }));
    const rig = new Rig().play(inOrder(early, ofDevice('file')));
    expect(rig.own).toEqual(hashed.own);
  });
});
