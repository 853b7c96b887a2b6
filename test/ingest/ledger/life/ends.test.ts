// How rows end: by what is done, by what follows from it, by time, and what a look-up says of it.

import { describe, expect, it } from 'vitest';
import { limits } from '../../../../core/limits.ts';
import { addSeconds } from '../../../../core/time.ts';
import {
  at,
  ended,
  gone,
  irrevocable,
  LEASE,
  lease,
  life,
  lifetime,
  renewed,
  revoked,
  TOKEN,
  Told,
  token,
  tokenRevoked,
  unwrapped,
  used,
} from './told.ts';

const held = (clock = '10:00', more = {}) => lease(clock, { life: life(900), holder_token: TOKEN, ...more });
const CHILD = 'token:hmac-sha256:bb';
const child = (clock: string, more = {}) =>
  token(clock, {
    id: CHILD,
    path: 'auth/token/create',
    holder_token: TOKEN,
    token: { auth_method: 'token' },
    ...more,
  });

describe('a lease that is revoked', () => {
  it('has ended with the call', () => {
    const row = new Told().live(held(), revoked('10:05')).row(LEASE);
    expect(row).toMatchObject({
      state: 'revoked',
      ended_at: at('10:05'),
      end_reason: 'revoked',
      end_confirmed: false,
      expires_at: at('10:15'),
      proof: { ended: 'e-10:05' },
    });
  });

  it('changes no more by what comes after', () => {
    const told = new Told().live(held(), revoked('10:05'));
    const before = told.rows.get(LEASE);
    told.live(
      revoked('10:06'),
      ended('10:07', { prefix: 'database/' }, 'revoke_prefix'),
      tokenRevoked('10:08'),
    );
    expect(told.until('12:00').rows.get(LEASE)).toEqual(before);
  });

  it('is nothing to tell when nobody knows it', () => {
    const told = new Told().live(
      revoked('10:05'),
      gone('10:06'),
      irrevocable('10:07'),
      unwrapped('10:08', 'x'),
    );
    expect(told.rows.size + told.questions.length).toBe(0);
  });
});

describe('everything under a prefix', () => {
  const other = 'database/creds/apple/two';
  const far = 'database/creds/app/other';
  const ofMany = () =>
    new Told().live(
      lease('10:00', { life: life(900) }),
      lease('10:00', { id: other }),
      lease('10:00', { id: far, namespace: 'team/' }),
      token('10:00'),
    );
  const endedOf = (told: Told) =>
    told
      .all()
      .filter((row) => row.ended_at !== undefined)
      .map(({ id }) => id);

  it.each([
    ['database/creds/app', [LEASE]],
    ['database/creds/app/', [LEASE]],
    ['database/creds/ap', []],
    ['database', [LEASE, other]],
    [LEASE, [LEASE]],
    ['auth/approle/login', [TOKEN]],
    ['auth/', [TOKEN]],
    ['', [LEASE, other, TOKEN]],
  ])('%j', (prefix, expected) => {
    const told = ofMany().live(ended('10:05', { prefix }, 'revoke_prefix'));
    expect(endedOf(told)).toEqual(expected);
    for (const id of expected)
      expect(told.row(id)).toMatchObject({
        ended_at: at('10:05'),
        end_reason: 'revoke_prefix',
        state: 'revoked',
      });
  });

  it('of its namespace', () => {
    const told = ofMany().live({
      ...ended('10:05', { prefix: 'database/' }, 'revoke_prefix'),
      namespace: 'team/',
    });
    expect(endedOf(told)).toEqual([far]);
  });

  it('of a mount that goes away', () => {
    const told = ofMany().live(ended('10:05', { prefix: 'database/' }, 'mount_removed'));
    expect(told.row(LEASE)).toMatchObject({ end_reason: 'mount_removed', state: 'revoked' });
  });

  it('but not what was given out after it, when it is told late', () => {
    const told = ofMany().live(lease('10:10', { id: 'database/creds/app/new' }));
    told.live(ended('10:05', { prefix: 'database/' }, 'revoke_prefix'));
    expect(endedOf(told)).toEqual([LEASE, other]);
  });

  it('with the leases of its tokens', () => {
    const told = new Told().live(
      token('10:00'),
      held(),
      ended('10:05', { prefix: 'auth/approle' }, 'mount_removed'),
    );
    expect(told.row(LEASE)).toMatchObject({ end_reason: 'parent_ended', ended_at: at('10:05') });
  });
});

describe('the end of a token', () => {
  it('ends its leases and the tokens that it made, and theirs', () => {
    const told = new Told().live(
      token('10:00'),
      held('10:01', { life: life(86_400) }),
      child('10:02'),
      lease('10:03', { id: 'database/creds/app/of-child', holder_token: CHILD, life: life(3600) }),
      tokenRevoked('10:05'),
    );
    expect(told.row(TOKEN)).toMatchObject({ state: 'revoked', end_reason: 'revoked' });
    for (const id of [LEASE, CHILD, 'database/creds/app/of-child'])
      expect(told.row(id)).toMatchObject({
        state: 'revoked',
        end_reason: 'parent_ended',
        ended_at: at('10:05'),
        proof: { ended: 'e-10:05' },
      });
  });

  it('is the latest that a lease of unknown lifetime can have lived: nobody says how that ended', () => {
    const told = new Told().live(
      token('10:00'),
      lease('10:01', { holder_token: TOKEN }),
      tokenRevoked('10:05'),
    );
    expect(told.row(LEASE)).toMatchObject({
      state: 'unknown',
      end_reason: 'unknown',
      ended_at: at('10:05'),
      ttl_source: 'unknown',
    });
  });

  it('lets its children live as orphans when only it was revoked; its leases end', () => {
    const told = new Told().live(token('10:00'), held(), child('10:02'), tokenRevoked('10:05', TOKEN, true));
    expect(told.row(LEASE)).toMatchObject({ end_reason: 'parent_ended' });
    expect(told.row(CHILD)).toMatchObject({ state: 'active', token: { orphan: true, login: 'e-10:00' } });
    expect(told.row(CHILD)).not.toHaveProperty('holder_token');
    expect(told.until('11:02').row(CHILD)).toMatchObject({ end_reason: 'expired', ended_at: at('11:02') });
  });

  it('comes with its expiry, at that time, whatever expires later', () => {
    const told = new Told().live(
      token('10:00'),
      held('10:50'),
      child('10:30'),
      held('10:05', { id: 'database/creds/app/first' }),
    );
    told.until('20:00');
    expect(told.row(TOKEN)).toMatchObject({ state: 'expired', end_reason: 'expired', ended_at: at('11:00') });
    expect(told.row(TOKEN).proof).not.toHaveProperty('ended');
    for (const id of [LEASE, CHILD])
      expect(told.row(id)).toMatchObject({
        state: 'revoked',
        end_reason: 'parent_ended',
        ended_at: at('11:00'),
      });
    expect(told.row('database/creds/app/first')).toMatchObject({
      end_reason: 'expired',
      ended_at: at('10:20'),
    });
  });

  it('that nobody saw given out ends what it holds', () => {
    const told = new Told().live(held(), tokenRevoked('10:05'));
    expect(told.row(LEASE)).toMatchObject({ end_reason: 'parent_ended', ended_at: at('10:05') });
    expect(told.row(TOKEN)).toMatchObject({ kind: 'token', state: 'revoked' });
  });

  it('comes with its last use', () => {
    const told = new Told().live(token('10:00', { token: { num_uses: 2 } }), held(), used('10:03', 1));
    expect(told.row(TOKEN)).toMatchObject({ state: 'active', token: { num_uses: 2, uses_left: 1 } });
    expect(told.tell(used('10:02', 2)).row(TOKEN).token?.uses_left, 'told late').toBe(1);
    told.live(used('10:05', 0));
    expect(told.row(TOKEN)).toMatchObject({
      state: 'revoked',
      ended_at: at('10:05'),
      token: { uses_left: 0 },
    });
    expect(told.row(LEASE)).toMatchObject({ end_reason: 'parent_ended', ended_at: at('10:05') });
  });

  it('ends nothing of an orphan, nor of itself', () => {
    const orphan = child('10:02', { token: { orphan: true } });
    const self = token('10:02', { id: 'token:self', holder_token: 'token:self' });
    const told = new Told().live(token('10:00'), orphan, self, tokenRevoked('10:05'));
    expect(told.row(CHILD).state).toBe('active');
    expect(told.row('token:self')).not.toHaveProperty('holder_token');
  });

  it('ends a batch token that it made; that one has no accessor to ask for', () => {
    const batch = child('10:02', { token: { type: 'batch' } });
    const told = new Told().live(token('10:00'), batch, tokenRevoked('10:05'));
    expect(told.row(CHILD)).toMatchObject({ end_reason: 'parent_ended' });
    expect(told.questions).toEqual([]);
  });

  it('was its end already for what it gives out in the same moment', () => {
    const told = new Told().live(token('10:00'), tokenRevoked('10:05'), held('10:05:01'), child('10:05:02'));
    expect(told.row(LEASE)).toMatchObject({ end_reason: 'parent_ended', ended_at: at('10:05:01') });
    expect(told.row(CHILD)).toMatchObject({ end_reason: 'parent_ended', ended_at: at('10:05:02') });
  });

  it('was none when it gives something out long after', () => {
    const told = new Told().live(
      token('10:00'),
      held('10:55', { life: life(7200) }),
      held('11:10', { id: 'a/b' }),
    );
    expect(told.row(TOKEN)).toMatchObject({ state: 'unknown', ttl_s: 3600 });
    expect(told.row(TOKEN)).not.toHaveProperty('expires_at');
    expect(told.row(LEASE).state).toBe('active');
    expect(told.row('a/b').state).toBe('active');
  });

  it('crosses any number of rows, piece by piece', () => {
    const count = 2 * limits.cascadeRowsMax + 10;
    const told = new Told().live(token('10:00'));
    for (let n = 0; n < count; n++) told.live(held('10:01', { id: `database/creds/app/${n}` }));
    told.live(tokenRevoked('10:05'));
    expect(told.all().filter(({ end_reason }) => end_reason === 'parent_ended')).toHaveLength(count);
    const under = new Told();
    for (let n = 0; n < count; n++) under.live(held('10:01', { id: `database/creds/app/${n}` }));
    under.live(ended('10:05', { prefix: 'database/creds' }, 'revoke_prefix'));
    expect(under.all().filter(({ end_reason }) => end_reason === 'revoke_prefix')).toHaveLength(count);
    const passed = new Told();
    for (let n = 0; n < count; n++) passed.live(held('10:01', { id: `database/creds/app/${n}` }));
    expect(
      passed
        .until('11:00')
        .all()
        .filter(({ state }) => state === 'expired'),
    ).toHaveLength(count);
  });
});

describe('the chain of tokens', () => {
  it('leads to the login that it began with', () => {
    const told = new Told().live(
      token('10:00'),
      child('10:02'),
      token('10:03', { id: 'token:c', holder_token: CHILD, token: { auth_method: 'token' } }),
    );
    expect(told.row('token:c').token).toEqual({ auth_method: 'token', login: 'e-10:00' });
    expect(told.row(CHILD)).toMatchObject({ holder_token: TOKEN, token: { login: 'e-10:00' } });
  });

  it('names who wrapped it and who opened it first', () => {
    const told = new Told().live(
      held('10:00', { wrapped: { by: 'e-10:00', at: at('10:00') } }),
      unwrapped('10:02', '10.0.0.9'),
      unwrapped('10:03', '10.0.0.10'),
    );
    expect(told.row(LEASE).wrapped).toEqual({
      by: 'e-10:00',
      at: at('10:00'),
      opened_at: at('10:02'),
      opened_from: '10.0.0.9',
    });
  });

  it('loses its parent when a look-up shows that it has none', () => {
    const shown = { ...lifetime('10:03', life(3600), CHILD), token: { orphan: true } } as never;
    const thought = child('10:02', { token: { orphan: false } });
    const told = new Told().live(token('10:00'), thought).tell(shown).live(tokenRevoked('10:05'));
    expect(told.row(CHILD).state).toBe('active');
  });
});

describe('an expiry', () => {
  it('comes when time passes it, assumed', () => {
    const told = new Told().live(held()).until('10:14:59');
    expect(told.row(LEASE).state).toBe('active');
    expect(told.until('10:15').row(LEASE)).toMatchObject({
      state: 'expired',
      end_reason: 'expired',
      ended_at: at('10:15'),
      end_confirmed: false,
    });
  });

  it('makes way for a revocation of before that is told late, and so does what follows', () => {
    const told = new Told().live(token('10:00'), held('10:01', { life: life(7200) })).until('11:30');
    expect(told.row(LEASE)).toMatchObject({ ended_at: at('11:00') });
    told.tell(tokenRevoked('10:30'));
    expect(told.row(TOKEN)).toMatchObject({ state: 'revoked', ended_at: at('10:30') });
    expect(told.row(LEASE)).toMatchObject({ end_reason: 'parent_ended', ended_at: at('10:30') });
    told.tell(revoked('10:20'));
    expect(told.row(LEASE)).toMatchObject({ end_reason: 'revoked', ended_at: at('10:20') });
  });

  it('is none when the token went alone, told late: its child lives on', () => {
    const told = new Told().live(token('10:00'), child('10:30')).until('11:10');
    expect(told.row(CHILD)).toMatchObject({ end_reason: 'parent_ended' });
    told.tell(tokenRevoked('10:45', TOKEN, true));
    expect(told.row(CHILD)).toMatchObject({ state: 'active', token: { orphan: true } });
    expect(told.until('11:30').row(CHILD)).toMatchObject({ end_reason: 'expired', ended_at: at('11:30') });
  });

  it('is taken back when a look-up shows a later one', () => {
    const told = new Told().live(token('10:00'), held('10:01', { life: life(7200) })).until('11:10');
    told.tell(lifetime('11:10', life(3600, { source: 'audit_lookup', expires_at: at('11:50') }), TOKEN));
    expect(told.row(TOKEN)).toMatchObject({ state: 'active', expires_at: at('11:50') });
    expect(told.row(TOKEN)).not.toHaveProperty('ended_at');
    expect(told.row(LEASE)).toMatchObject({ state: 'active' });
    expect(told.row(LEASE)).not.toHaveProperty('end_reason');
    expect(told.until('12:00').row(LEASE)).toMatchObject({
      ended_at: at('11:50'),
      end_reason: 'parent_ended',
    });
  });

  it('is taken back by a renewal', () => {
    const told = new Told().live(held()).until('10:20').tell(renewed('10:14'));
    expect(told.row(LEASE)).toMatchObject({ state: 'active', expires_at: at('10:29') });
  });

  it('taken back leaves the end of the token that came since', () => {
    const told = new Told().live(token('10:00'), held('10:00', { life: life(300) })).until('12:00');
    expect(told.row(LEASE)).toMatchObject({ end_reason: 'expired', ended_at: at('10:05') });
    told.tell(lifetime('10:07', life(300)));
    expect(told.row(LEASE)).toMatchObject({ end_reason: 'parent_ended', ended_at: at('11:00') });
  });

  it('survives a start: time does not go back', () => {
    const told = new Told().live(held()).until('10:20');
    const again = new Told(told.memory);
    again.live(lifetime('10:05', life(900, { proof: 'later' })));
    expect(again.row(LEASE)).toMatchObject({
      state: 'expired',
      ended_at: at('10:15'),
      proof: { ttl: 'later' },
    });
  });
});

describe('a look-up', () => {
  it('that finds nothing confirms the end', () => {
    const told = new Told().live(held(), revoked('10:05'), gone('10:06'));
    expect(told.row(LEASE)).toMatchObject({
      ended_at: at('10:05'),
      end_reason: 'revoked',
      end_confirmed: true,
    });
    const expired = new Told().live(held()).until('10:16').live(gone('10:17'));
    expect(expired.row(LEASE)).toMatchObject({ end_reason: 'expired', end_confirmed: true });
  });

  it('that finds nothing ends what had not: nobody says how', () => {
    const told = new Told().live(held(), gone('10:06'));
    expect(told.row(LEASE)).toMatchObject({
      state: 'revoked',
      end_reason: 'unknown',
      ended_at: at('10:06'),
      end_confirmed: true,
      proof: { ended: 'e-10:06' },
    });
    expect(told.tell(revoked('10:05')).row(LEASE)).toMatchObject({
      end_reason: 'revoked',
      end_confirmed: true,
    });
    const untold = new Told().live(lease('10:00'), gone('10:06'));
    expect(untold.row(LEASE)).toMatchObject({ state: 'unknown', end_reason: 'unknown' });
  });

  it('that finds nothing, by a clock that is a little behind, saw the end that came next', () => {
    const told = new Told().live(held(), gone('10:14:50'), revoked('10:15'));
    expect(told.row(LEASE)).toMatchObject({
      end_reason: 'revoked',
      ended_at: at('10:15'),
      end_confirmed: true,
    });
  });

  it('that shows its end, by a clock that is ahead, does not refute that end', () => {
    const told = new Told().live(held()).tell(lifetime('10:18', life(900, { expires_at: at('10:15') })));
    expect(told.until('10:20').row(LEASE)).toMatchObject({ state: 'expired', ended_at: at('10:15') });
  });

  it('that finds it long after its end: that was none', () => {
    const day = life(86_400, { expires_at: at('23:00') });
    const told = new Told().live(token('10:00'), held('10:00', { life: day }), tokenRevoked('10:05'));
    told.live(lifetime('10:05:30', day));
    expect(told.row(LEASE), 'Vault is still at it').toMatchObject({ end_reason: 'parent_ended' });
    told.live(lifetime('10:07', day));
    expect(told.row(LEASE)).toMatchObject({ state: 'active', expires_at: at('23:00') });
    expect(told.row(LEASE)).not.toHaveProperty('ended_at');
  });
});

describe('what Vault could not revoke', () => {
  it('has no end as long as Vault has given up', () => {
    const told = new Told().live(token('10:00'), held(), revoked('10:05'), irrevocable('10:10'));
    const row = told.until('12:00').row(LEASE);
    expect(row.state).toBe('irrevocable');
    expect(row).not.toHaveProperty('ended_at');
    expect(row).not.toHaveProperty('expires_at');
  });

  it('ends when it is revoked with force', () => {
    const told = new Told().live(held(), irrevocable('10:20'));
    told.live(ended('10:30', { prefix: 'database/creds/app' }, 'revoke_prefix'));
    expect(told.row(LEASE)).toMatchObject({ state: 'revoked', ended_at: at('10:30') });
    expect(new Told().live(held(), irrevocable('10:20'), gone('10:30')).row(LEASE)).toMatchObject({
      state: 'revoked',
      end_reason: 'unknown',
    });
  });
});

describe('asks whether what ended is gone', () => {
  it('of a lease by its id, once', () => {
    const told = new Told().live(held('10:00', { namespace: 'team/' }), revoked('10:05'), revoked('10:06'));
    expect(told.tell(revoked('10:04')).questions).toEqual([
      {
        at: at('10:05'),
        method: 'POST',
        path: 'sys/leases/lookup',
        body: { lease_id: LEASE },
        namespace: 'team/',
        need: 'end',
      },
    ]);
  });

  it.each([
    ['plain0Accessor', [{ accessor: 'plain0Accessor' }]],
    ['hmac-sha256:aa', []],
    ['sealwatch-hmac:aa', []],
  ])('of a token by its accessor %s when that is plain', (accessor, expected) => {
    const told = new Told().live(token('10:00', { token: { accessor } })).until('11:00');
    expect(told.questions.map(({ body }) => body)).toEqual(expected);
    if (expected.length > 0) expect(told.questions[0]?.path).toBe('auth/token/lookup-accessor');
  });

  it('not when a look-up said so already', () => {
    expect(new Told().live(held(), gone('10:05')).questions).toEqual([]);
  });
});

describe('what ended', () => {
  const pass = (told: Told, hours: number) => {
    for (let hour = 0; hour < hours; hour++) told.life.advance(addSeconds(told.now(), 3600));
  };

  it('is remembered for a while, then forgotten', () => {
    const told = new Told().live(held(), held('10:00', { id: 'a/open', life: life(9e8) }), revoked('10:05'));
    pass(told, limits.endedMemoryHours - 1);
    expect(told.memory.held(LEASE)).toBeDefined();
    pass(told, 2);
    expect(told.memory.held(LEASE)).toBeUndefined();
    expect(told.memory.held('a/open')).toBeDefined();
    told.tell(gone('10:10'));
    expect(told.row(LEASE).end_confirmed, 'too late').toBe(false);
  });

  it('is not forgotten for a gap between two logs', () => {
    const told = new Told().live(held(), revoked('10:05')).until('10:00', '2027-03-01');
    expect(told.tell(gone('10:10')).row(LEASE).end_confirmed).toBe(true);
  });
});
