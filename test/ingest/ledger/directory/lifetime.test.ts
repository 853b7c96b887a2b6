// How long what a role gives out lives, by what is known of role and mount.

import { describe, expect, it } from 'vitest';
import type { Fact, FactKind, FactValues } from '../../../../core/directory.ts';
import type { Directory } from '../../../../ingest/ledger/change.ts';
import { effectiveLifetime } from '../../../../ingest/ledger/directory/lifetime.ts';
import { World } from './world.ts';

/** A directory that knows one role and its mount. */
const knowing = (role: object | null | undefined, mount?: FactValues['mount']): Directory => ({
  current<W extends FactKind>(what: W): Fact<W> | undefined {
    const value = what === 'role' ? role : mount;
    return value === undefined ? undefined : ({ value, proof: `by-${what}` } as unknown as Fact<W>);
  },
});
const lifetime = (directory: Directory, mount = 'database/') =>
  effectiveLifetime(directory, '', `${mount}roles/app`, mount);

describe('the lifetime of a lease', () => {
  it.each([
    ['the role says it', { default_ttl_s: 900, max_ttl_s: 3600 }, undefined, [900, 3600, 'by-role']],
    [
      'the mount bounds it',
      { default_ttl_s: 900, max_ttl_s: 3600 },
      { max_lease_ttl_s: 600 },
      [600, 600, 'by-role'],
    ],
    [
      'the mount says it',
      { default_ttl_s: 0, max_ttl_s: 0 },
      { default_lease_ttl_s: 600 },
      [600, undefined, 'by-mount'],
    ],
    [
      'the role bounds the mount',
      { default_ttl_s: 0, max_ttl_s: 60 },
      { default_lease_ttl_s: 600 },
      [60, 60, 'by-mount'],
    ],
  ])('%s', (_, role, mount, [ttl_s, max_ttl_s, proof]) => {
    expect(lifetime(knowing(role, mount))).toEqual({
      ttl_s,
      ...(max_ttl_s !== undefined && { max_ttl_s }),
      proof,
    });
  });

  it.each([
    ['nothing is known of the role', undefined, { default_lease_ttl_s: 600 }],
    ['the role was removed', null, { default_lease_ttl_s: 600 }],
    ['the role was changed unseen', { mount: 'database/', role: 'app' }, { default_lease_ttl_s: 600 }],
    [
      'the system decides, and nobody has read what',
      { default_ttl_s: 0, max_ttl_s: 0 },
      { type: 'database' },
    ],
    ['nothing is known of the mount', { default_ttl_s: 0 }, undefined],
  ])('is unknown when %s', (_, role, mount) => expect(lifetime(knowing(role, mount))).toBeUndefined());
});

describe('the lifetime of a token', () => {
  const of = (role: object, mount?: FactValues['mount']) => lifetime(knowing(role, mount), 'auth/approle/');

  it('is that of its role, as far as maxima let it', () => {
    expect(of({ token_ttl_s: 1200, token_max_ttl_s: 0 })).toMatchObject({ ttl_s: 1200 });
    expect(of({ token_ttl_s: 1200, token_max_ttl_s: 600 })).toMatchObject({ ttl_s: 600, max_ttl_s: 600 });
    expect(of({ token_ttl_s: 1200, token_explicit_max_ttl_s: 60 })).toMatchObject({
      ttl_s: 60,
      max_ttl_s: 60,
    });
  });

  it('of a periodic one is its period, again and again', () => {
    const role = { token_ttl_s: 60, token_max_ttl_s: 600, token_period_s: 3600 };
    expect(of(role, { max_lease_ttl_s: 7200 })).toEqual({ ttl_s: 3600, proof: 'by-role' });
  });
});

it('is what the real Vault said of role and mount', () => {
  const { directory } = World.recorded();
  expect(effectiveLifetime(directory, '', 'database/roles/readonly', 'database/')).toMatchObject({
    ttl_s: 900,
    max_ttl_s: 3600,
  });
});
