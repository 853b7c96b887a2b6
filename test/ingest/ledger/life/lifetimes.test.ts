// Lifetimes: what was said of them, by whom, and the end that follows.

import { describe, expect, it } from 'vitest';
import { limits } from '../../../../core/limits.ts';
import { addSeconds } from '../../../../core/time.ts';
import type { Lifetime } from '../../../../ingest/ledger/change.ts';
import { at, LEASE, lease, life, lifetime, renewed, revoked, TOKEN, Told, token } from './told.ts';

describe('a lease that is given out', () => {
  it('is told once, with what is known', () => {
    const told = new Told().tell(lease('10:00', { holder: 'orders', role: 'app', holder_token: 'token:x' }));
    expect(told.rows.get(LEASE)?.revision).toBe(1);
    expect(told.row(LEASE)).toEqual({
      cluster: 'test',
      end_confirmed: false,
      holder: 'orders',
      holder_id: 'entity-1',
      holder_token: 'token:x',
      id: LEASE,
      issued_at: at('10:00'),
      kind: 'lease',
      path: 'database/creds/app',
      proof: { issued: 'e-10:00' },
      renewals: 0,
      requested_by: 'entity-1',
      role: 'app',
      state: 'unknown',
      terms: [],
      ttl_source: 'unknown',
    });
  });

  it('has its lifetime from whoever told it', () => {
    const row = new Told().tell(lease('10:00', { life: life(900, { max_ttl_s: 3600 }) })).row(LEASE);
    expect(row).toMatchObject({
      state: 'active',
      ttl_s: 900,
      ttl_source: 'own_lookup',
      max_ttl_s: 3600,
      expires_at: at('10:15'),
      terms: [{ at: at('10:00'), ttl_s: 900 }],
      proof: { issued: 'e-10:00', ttl: 'l' },
    });
    expect(row).not.toHaveProperty('ended_at');
  });

  it('told again with more, loses nothing', () => {
    const told = new Told().tell(
      lease('10:00', { holder: 'orders', life: life(900) }),
      lease('10:00', { role: 'app', holder_token: 'token:x', holder: 'other' }),
    );
    expect(told.row(LEASE)).toMatchObject({
      holder: 'orders',
      role: 'app',
      holder_token: 'token:x',
      ttl_s: 900,
    });
    const { revision } = told.rows.get(LEASE) ?? { revision: 0 };
    told.tell(lease('10:00', { role: 'app' }));
    expect(told.rows.get(LEASE)?.revision, 'nothing new is not told').toBe(revision);
  });

  it('in a wrapped answer belongs to who asked for it, though its opening was told first', () => {
    const wrapped = { by: 'e-09:00', at: at('09:00') };
    const told = new Told().tell(
      lease('10:00', { requested_by: 'token:wrapping', holder_id: 'token:wrapping', life: life(7200) }),
      lease('09:00', { requested_by: 'entity-9', holder_id: 'entity-9', wrapped }),
    );
    expect(told.row(LEASE)).toMatchObject({
      requested_by: 'entity-9',
      holder_id: 'entity-9',
      wrapped,
      issued_at: at('09:00'),
      expires_at: at('11:00'),
      renewals: 0,
    });
  });

  it('in a namespace says which', () => {
    expect(new Told().tell(lease('10:00', { namespace: 'team/' })).row(LEASE).namespace).toBe('team/');
  });
});

describe('who is believed', () => {
  const say = (source: Lifetime['source'], ttl_s: number, clock: string) =>
    lifetime(clock, life(ttl_s, { source, proof: source }));
  it.each<[Lifetime['source'], Lifetime['source']]>([
    ['own_lookup', 'audit_lookup'],
    ['audit', 'audit_lookup'],
    ['audit_lookup', 'hmac_join'],
    ['hmac_join', 'role_config'],
    ['role_config', 'dictionary'],
  ])('%s before %s, whichever comes first', (more, less) => {
    for (const order of [
      [say(more, 600, '10:01'), say(less, 900, '10:02')],
      [say(less, 900, '10:01'), say(more, 600, '10:02')],
    ]) {
      const row = new Told().tell(lease('10:00'), ...order).row(LEASE);
      expect(row).toMatchObject({ ttl_s: 600, ttl_source: more, expires_at: at('10:10') });
      expect(row.proof.ttl).toBe(more);
    }
  });

  it('the later one of two that are as good', () => {
    const row = new Told().tell(lease('10:00'), say('own_lookup', 700, '10:02'), say('audit', 600, '10:01'));
    expect(row.row(LEASE)).toMatchObject({ ttl_s: 700, ttl_source: 'own_lookup' });
  });

  it('an exact end, to the nanosecond', () => {
    const expires_at = '2026-09-07T10:15:00.056789012Z';
    const told = new Told().tell(lease('10:00'), lifetime('10:01', life(900, { expires_at })));
    expect(told.row(LEASE)).toMatchObject({ ttl_s: 900, expires_at });
  });

  it.each([Number.NaN, -1, Number.POSITIVE_INFINITY, 1e300])('nobody who says %d', (ttl_s) => {
    const told = new Told().tell(lease('10:00'), lifetime('10:01', life(ttl_s)));
    expect(told.row(LEASE)).toMatchObject({ state: 'unknown', ttl_source: 'unknown' });
  });

  it('nobody whose time is none', () => {
    const told = new Told().tell(lease('10:00'), { ...revoked('10:01'), at: 'yesterday' });
    expect(told.row(LEASE)).not.toHaveProperty('ended_at');
    expect(
      new Told().tell(lease('10:00', { life: life(9, { expires_at: 'soon' }) })).row(LEASE),
    ).toMatchObject({
      expires_at: at('10:00:09'),
    });
  });

  it('a lifetime of centuries does not pass what a time can say', () => {
    const told = new Told().tell({
      ...lease('10:00'),
      at: '9990-01-01T00:00:00Z',
      life: life(9_000_000_000),
    });
    expect(told.row(LEASE).expires_at).toBe('9999-12-31T23:59:59.999999999Z');
  });
});

describe('a renewal', () => {
  it('goes on for as long as the last term', () => {
    const row = new Told()
      .tell(lease('10:00', { life: life(900) }), renewed('10:10'), renewed('10:20'))
      .row(LEASE);
    expect(row).toMatchObject({
      renewals: 2,
      last_renewed_at: at('10:20'),
      expires_at: at('10:35'),
      ttl_s: 900,
      ttl_source: 'own_lookup',
      terms: [
        { at: at('10:00'), ttl_s: 900 },
        { at: at('10:10'), ttl_s: 900 },
        { at: at('10:20'), ttl_s: 900 },
      ],
    });
  });

  it('not beyond the greatest lifetime', () => {
    const row = new Told()
      .tell(lease('10:00', { life: life(900, { max_ttl_s: 1800, source: 'role_config' }) }), renewed('10:10'))
      .tell(renewed('10:20'))
      .row(LEASE);
    expect(row).toMatchObject({ ttl_s: 600, expires_at: at('10:30'), max_ttl_s: 1800 });
  });

  it('nor does what was asked for: what the line of a renewal shows is no grant', () => {
    const max = life(900, { max_ttl_s: 1800, source: 'role_config' });
    const asked = life(7200, { source: 'audit' });
    expect(new Told().tell(lease('10:00', { life: max }), renewed('10:10', asked)).row(LEASE)).toMatchObject({
      expires_at: at('10:30'),
      ttl_source: 'audit',
    });
  });

  it('beyond it after all when Vault says so, or when it was renewed after it was over', () => {
    const max = life(900, { max_ttl_s: 1800, source: 'role_config' });
    const told = new Told().tell(lease('10:00', { life: max }), renewed('10:20', life(900)));
    expect(told.row(LEASE).expires_at).toBe(at('10:35'));
    const over = new Told().tell(lease('10:00', { life: max }), renewed('10:40'));
    expect(over.row(LEASE).expires_at).toBe(at('10:55'));
  });

  it('has a lifetime of its own', () => {
    const told = new Told().tell(lease('10:00', { life: life(900) }), renewed('10:10', life(60)));
    expect(told.row(LEASE)).toMatchObject({ ttl_s: 60, expires_at: at('10:11') });
  });

  it('is what a later look-up is about, and not what an earlier one was, whose answer is told now', () => {
    const first = life(900, { expires_at: at('10:15:01') });
    const second = life(900, { expires_at: at('10:25:01'), proof: 'second' });
    const told = new Told().tell(lease('10:00'), renewed('10:10'), lifetime('10:11', second));
    expect(told.row(LEASE)).toMatchObject({
      expires_at: at('10:25:01'),
      terms: [{ at: at('10:10'), ttl_s: 900 }],
    });
    // By a clock that is ahead it came after the renewal.
    told.tell(lifetime('10:11:30', first));
    expect(told.row(LEASE)).toMatchObject({ expires_at: at('10:25:01') });
    expect(told.row(LEASE).terms).toEqual([
      { at: at('10:00'), ttl_s: 900 },
      { at: at('10:10'), ttl_s: 900 },
    ]);
  });

  it('that is told after its look-up takes what that said', () => {
    const exact = life(600, { expires_at: at('10:20:01') });
    const told = new Told().tell(lease('10:00'), lifetime('10:11', exact), renewed('10:10'));
    expect(told.row(LEASE)).toMatchObject({
      expires_at: at('10:20:01'),
      terms: [{ at: at('10:10'), ttl_s: 600 }],
    });
  });

  it('of what nobody saw given out opens a row with what is known', () => {
    const row = new Told().tell(renewed('10:00')).row(LEASE);
    expect(row).toMatchObject({
      kind: 'lease',
      path: 'database/creds/app',
      issued_at: at('10:00'),
      renewals: 1,
    });
    expect(row).not.toHaveProperty('requested_by');
    expect(row.state).toBe('unknown');
    const unseen = new Told().tell(renewed('10:00', life(60, { source: 'audit' }), TOKEN)).row(TOKEN);
    expect(unseen).toMatchObject({ kind: 'token', state: 'active', expires_at: at('10:01'), token: {} });
    expect(unseen).not.toHaveProperty('path');
  });

  it('comes before its issue, when that is told late', () => {
    const told = new Told().tell(renewed('10:10'), lease('10:00', { life: life(900), holder: 'orders' }));
    expect(told.row(LEASE)).toMatchObject({
      issued_at: at('10:00'),
      requested_by: 'entity-1',
      holder: 'orders',
      renewals: 1,
      expires_at: at('10:25'),
      proof: { issued: 'e-10:00' },
    });
  });

  it('keeps the first and the newest terms of many', () => {
    const told = new Told().tell(token('00:00'));
    const start = at('00:00');
    for (let n = 1; n <= 2 * limits.leaseTermsMax; n++)
      told.tell({ ...renewed('00:00', undefined, TOKEN), at: addSeconds(start, n * 600) });
    const { renewals, terms } = told.row(TOKEN);
    expect(renewals).toBe(2 * limits.leaseTermsMax);
    expect(terms).toHaveLength(limits.leaseTermsMax);
    expect(terms[0]?.at).toBe(start);
    expect(terms.at(-1)?.at).toBe(addSeconds(start, renewals * 600));
  });
});

describe('what a look-up tells of a row that nobody saw given out', () => {
  it('opens it, from when its term began', () => {
    const found = life(900, { source: 'audit_lookup', expires_at: at('10:10') });
    const row = new Told().tell(lifetime('10:00', found)).row(LEASE);
    expect(row).toMatchObject({ state: 'active', issued_at: at('09:55'), expires_at: at('10:10') });
  });

  it('but not what is said of a role', () => {
    expect(new Told().tell(lifetime('10:00', life(900, { source: 'role_config' }))).rows.size).toBe(0);
  });
});

describe('no end', () => {
  it('have a root token and one whose lifetime is 0', () => {
    const { life: _, ...untold } = token('10:00', { token: { kind: 'root' } });
    for (const issued of [untold, token('10:00', { life: life(0, { source: 'audit' }) })]) {
      const row = new Told().tell(issued).until('10:00', '2036-01-01').row(TOKEN);
      expect(row.state).toBe('active');
      expect(row).not.toHaveProperty('expires_at');
      expect(row).not.toHaveProperty('ttl_s');
    }
  });

  it('is known of a token of whose lifetime nobody tells', () => {
    const { life: _, ...untold } = token('10:00');
    const row = new Told().tell(untold).until('10:00', '2036-01-01').row(TOKEN);
    expect(row).toMatchObject({ state: 'unknown', ttl_source: 'unknown' });
  });
});

describe('a periodic token', () => {
  const DAY = 86_400;
  const renewedEach = (days: number, ttl_s: (age: number) => number, max_ttl_s?: number) => {
    const granted = (seconds: number) =>
      life(seconds, { source: 'audit', ...(max_ttl_s === undefined ? {} : { max_ttl_s }) });
    const told = new Told().tell(token('00:00', { life: granted(DAY) }));
    for (let age = DAY / 2; age < days * DAY; age += DAY / 2) {
      const renewal = renewed('00:00', granted(ttl_s(age)), TOKEN);
      told.tell({ ...renewal, at: addSeconds(at('00:00'), age) });
    }
    return told.row(TOKEN).token?.periodic;
  };

  it.each<[string, 'behaviour' | undefined, () => string | undefined]>([
    ['given full terms beyond the system’s greatest age', 'behaviour', () => renewedEach(33, () => DAY)],
    ['given full terms below it', undefined, () => renewedEach(30, () => DAY)],
    ['given less and less near it', undefined, () => renewedEach(32, (age) => Math.min(DAY, 32 * DAY - age))],
    ['given full terms beyond its own greatest age', 'behaviour', () => renewedEach(4, () => DAY, 3 * DAY)],
    ['given full terms below a greater one', undefined, () => renewedEach(33, () => DAY, 60 * DAY)],
  ])('%s: %s', (_, expected, made) => {
    expect(made()).toBe(expected);
  });

  it('is told by its period, and by whoever knows', () => {
    const told = new Told().tell(token('10:00', { token: { period_s: 60 } }));
    expect(told.row(TOKEN).token?.periodic).toBe('told');
    const later = new Told().tell(token('10:00'), {
      ...lifetime('10:01', life(60), TOKEN),
      token: { period_s: 60 },
    } as never);
    expect(later.row(TOKEN).token).toMatchObject({
      periodic: 'told',
      period_s: 60,
      accessor: 'hmac-sha256:aa',
    });
  });

  it('is not one because it was given out for long', () => {
    const row = new Told().tell(token('10:00', { life: life(90 * DAY, { source: 'audit' }) })).row(TOKEN);
    expect(row.token).not.toHaveProperty('periodic');
  });

  it('is not one that is given less than before, past the system’s greatest age, by a mount that allows more', () => {
    const told = new Told().tell(token('10:00', { life: life(32 * DAY, { source: 'audit' }) }));
    const renewal = renewed('10:00', life(20 * DAY, { source: 'audit' }), TOKEN);
    told.tell({ ...renewal, at: addSeconds(at('10:00'), 31 * DAY) });
    expect(told.row(TOKEN).token).not.toHaveProperty('periodic');
  });

  it('is not held to a greatest lifetime', () => {
    const role = life(DAY, { source: 'role_config', max_ttl_s: DAY });
    const told = new Told().tell(token('10:00', { life: role, token: { period_s: DAY } }));
    expect(told.tell(renewed('20:00', undefined, TOKEN)).row(TOKEN).ttl_s).toBe(DAY);
  });
});
