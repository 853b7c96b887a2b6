// Logins, tokens that tokens make, and wrapped ones: real lines of the scenes.

import { describe, expect, it } from 'vitest';
import { without } from '../../normalise/lines.ts';
import { callsOf, entriesOf, Rig } from './rig.ts';

const rigOf = (scene: string, device = 'default') => new Rig().play(callsOf(entriesOf(scene, device)));

describe('the life of a token', () => {
  const rig = rigOf('token-life');
  const [first, batch, once] = rig.by('auth/token/create');

  it('begins with its maker as parent', () => {
    const [root] = [...rig.leases.values()].filter(({ token }) => token?.kind === 'root');
    expect(first).toMatchObject({
      holder_token: root?.id,
      ttl_source: 'audit',
      renewals: 1,
      end_reason: 'revoked',
    });
    expect(first?.token).toMatchObject({ orphan: false, policies: ['default', 'team'], type: 'service' });
    expect(first?.ttl_s).toBe(1200);
  });

  it('has the exact end that a look-up shows', () => {
    const looked = rig.changes.filter(({ change }) => change === 'lifetime');
    expect(looked.length).toBeGreaterThanOrEqual(2);
    expect(first?.expires_at?.slice(0, 26)).toBe('2026-11-23T02:21:46.867261');
  });

  it('shows its name when it is used first, and keeps what its making told', () => {
    const used = [...rig.leases.values()].filter(({ token }) => token?.auth_method === 'token' && token.kind);
    const child = used.find(({ path }) => path === 'auth/token/create');
    expect(child).toMatchObject({ holder: child?.token?.display_name, requested_by: 'root' });
    expect(child?.token?.display_name).toMatch(/^token/);
  });

  it('of a batch token goes by its hash, and that of one use ends with it', () => {
    expect(batch).toMatchObject({ ttl_s: 300, token: { type: 'batch' } });
    expect(batch?.token?.accessor).toBeUndefined();
    expect(once).toMatchObject({
      end_reason: 'revoked',
      end_confirmed: true,
      token: { num_uses: 1, uses_left: 0 },
    });
    expect(rig.by('auth/token/create-orphan')[0]?.holder_token).toBeUndefined();
  });
});

describe('a login', () => {
  const rig = rigOf('token-kinds', 'auth');
  const [login] = rig.by('auth/people/login/dora');

  it('begins the chain of every token made from it', () => {
    expect(login).toMatchObject({ holder: 'dora', ttl_s: 2_764_800 });
    expect(login?.token).toMatchObject({
      auth_method: 'userpass',
      auth_mount: 'auth/people/',
      kind: 'human',
      orphan: true,
    });
    const children = rig.by('auth/token/create').filter(({ holder_token }) => holder_token === login?.id);
    expect(children.length).toBeGreaterThanOrEqual(2);
    expect(children.map(({ token }) => token?.login)).toEqual(children.map(() => login?.proof.issued));
    expect(login?.token?.login).toBe(login?.proof.issued);
  });

  it('has the policies of its token and the entity', () => {
    expect(login?.holder_id).toBe(login?.token?.entity_id);
    expect(login?.token?.policies).toEqual(['default', 'team']);
  });
});

describe('a wrapped token', () => {
  const rig = rigOf('wrapped', 'auth');

  it('of a login has its row from the login on, and says who opened it', () => {
    const rows = rig.by('auth/people/login/dora').filter(({ token }) => token?.policies?.includes('team'));
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ holder: 'dora', ttl_s: 2_764_800, renewals: 1, end_reason: 'revoked' });
    expect(rows[0]?.wrapped?.opened_at).toBeDefined();
  });

  it('of `token create` gets its lifetime and its entity when it is opened', () => {
    const [row] = rig.by('auth/token/create').filter(({ token }) => token?.entity_id !== undefined);
    const [emil] = rig.by('auth/people/login/emil');
    expect(row).toMatchObject({
      holder_id: emil?.holder_id,
      holder_token: emil?.id,
      ttl_s: 1800,
      ttl_source: 'audit',
    });
    expect(row?.wrapped).toMatchObject({ by: emil?.holder_id });
    expect(row?.wrapped?.opened_at).toBeDefined();
  });

  it('that nobody opens is known as well', () => {
    const closed = entriesOf('wrapped', 'auth').filter(
      ({ request }) => request['path'] !== 'sys/wrapping/unwrap',
    );
    const [row] = new Rig().play(callsOf(closed)).by('auth/people/login/dora');
    expect(row?.wrapped?.at).toBe(row?.issued_at);
    expect(row?.wrapped?.opened_at).toBeUndefined();
  });
});

describe('calls that change nothing', () => {
  it('are those that failed, and those whose answer was not seen', () => {
    const halves = entriesOf('token-life').filter(({ type }) => type === 'request');
    const rig = new Rig().play(callsOf(halves));
    expect(rig.changes.filter(({ change }) => change === 'ended' || change === 'renewed')).toEqual([]);
    const failed = entriesOf('token-life').map((entry) => ({ ...entry, error: 'internal error' }));
    const other = new Rig().play(callsOf(failed));
    expect(new Set(other.changes.map(({ change }) => change))).toEqual(new Set(['issued', 'used']));
    expect(other.by('auth/token/create')).toEqual([]);
  });

  it('a wrapped answer that is opened without its wrapping having been seen belongs to nobody', () => {
    const late = entriesOf('wrapped', 'auth').filter(({ response }) => response?.['wrap_info'] === undefined);
    const rig = new Rig().play(callsOf(late));
    const opened = [...rig.leases.values()].filter(({ token }) => token?.policies?.includes('team'));
    expect(opened.some(({ requested_by, path }) => requested_by === undefined && path === undefined)).toBe(
      true,
    );
  });

  it('nor does a line without its handles break anything', () => {
    const bare = entriesOf('wrapped', 'auth').map((entry) => ({
      ...entry,
      request: without(entry.request, 'client_token'),
      auth: without(entry.auth, 'client_token'),
    }));
    expect(() => new Rig().play(callsOf(bare))).not.toThrow();
  });
});
