// Hashes and what they stand for: candidates that are asked for, two devices, new salts, and bounds.

import { describe, expect, it } from 'vitest';
import type { Fact } from '../../../../core/directory.ts';
import type { AuditEvent } from '../../../../core/event.ts';
import { limits } from '../../../../core/limits.ts';
import type { HashPair } from '../../../../core/records.ts';
import { addSeconds } from '../../../../core/time.ts';
import { Bounded } from '../../../../ingest/ledger/reading/bounded.ts';
import { MapMemory } from '../memory.ts';
import { callsOf, entriesOf, type Input, Rig, roleFact } from './rig.ts';

const calls = callsOf(entriesOf('database-lease'));
const [issue, renew, lookup, revoke, second] = calls as [Input, Input, Input, Input, Input];
const idOf = ({ event }: Input): string => event?.vault.lease?.id ?? '';
const hashOf = ({ event }: Input): string => String(event?.vault.request.data?.['lease_id']);

function changed({ done, event, handles }: Input, make: (event: AuditEvent) => void): Input {
  const copy = structuredClone(event as AuditEvent);
  make(copy);
  return { done, event: copy, ...(handles === undefined ? {} : { handles }) };
}

const hashed = (input: string, hash: string, at: string, device = 'file'): Input => ({
  done: at,
  answer: {
    at,
    method: 'POST',
    path: `sys/audit-hash/${device}`,
    body: { input },
    status: 200,
    response: { data: { hash } },
  },
});

describe('a hash that nothing explains', () => {
  it('is asked of the device that showed it: the leases of its caller, then of anybody', () => {
    const rig = new Rig({ auditPathOf: (device) => `audit-${device}` }).play([issue, second, revoke]);
    const asked = rig.askedOf('sys/audit-hash/');
    expect(asked.map(({ body }) => body?.['input'])).toEqual([idOf(second), idOf(issue)]);
    expect(new Set(asked.map(({ path, need }) => `${need} ${path}`))).toEqual(
      new Set(['hash sys/audit-hash/audit-file']),
    );
  });

  it('is not asked for again while the answer is awaited, nor what was answered', () => {
    const rig = new Rig().play([issue, revoke, lookup]);
    expect(rig.askedOf('sys/audit-hash/')).toHaveLength(1);
    rig.play([hashed(idOf(issue), `hmac-sha256:${'0'.repeat(64)}`, lookup.done)]);
    const late = changed(lookup, (event) => {
      event['@timestamp'] = addSeconds(event['@timestamp'], limits.readingQuestionSeconds + 1);
      event.event.id = 'another';
    });
    expect(rig.play([late]).askedOf('sys/audit-hash/')).toHaveLength(1);
  });

  it('of an accessor is sought among all that are known, by few questions at a time, until it is found', () => {
    const life = callsOf(entriesOf('token-life', 'plain-accessor'));
    const create = life.find(({ event }) => event?.vault.issued?.accessor !== undefined) as Input;
    const end = life.find(({ event }) => event?.vault.request.path === 'auth/token/revoke-accessor') as Input;
    const [count, wanted] = [4 * limits.readingCandidatesMax, 'accessor-0'];
    // Many tokens, of which the oldest is the one that somebody revokes.
    const creates = Array.from({ length: count }, (_, n) =>
      changed({ ...create, handles: {} }, (event) => {
        event.event.id = `create-${n}`;
        event.vault.caller.accessor = `maker-${n}`;
        event.vault.issued = { ...event.vault.issued, accessor: `accessor-${n}` };
      }),
    );
    const rig = new Rig().play([...creates, end]);
    expect(rig.askedOf('sys/audit-hash/').length).toBeLessThanOrEqual(2 * limits.readingCandidatesMax);
    const hash = String(end.event?.vault.request.data?.['accessor']);
    for (let n = 0; n < rig.askedOf('sys/audit-hash/').length; n++) {
      const input = String(rig.askedOf('sys/audit-hash/')[n]?.body?.['input']);
      rig.play([
        hashed(input, input === wanted ? hash : `hmac-sha256:${`${n}`.padStart(64, '0')}`, end.done),
      ]);
    }
    expect(rig.leases.get(`token:${wanted}`)).toMatchObject({ state: 'revoked', end_reason: 'revoked' });
    const asked = rig.askedOf('sys/audit-hash/').length;
    rig.play([hashed('accessor-1', `hmac-sha256:${'f'.repeat(64)}`, end.done)]);
    expect(rig.askedOf('sys/audit-hash/')).toHaveLength(asked);
  });

  it('is asked for again when the device got a new salt', () => {
    const rig = new Rig().play([
      issue,
      revoke,
      hashed(idOf(issue), `hmac-sha256:${'0'.repeat(64)}`, revoke.done),
    ]);
    expect(rig.leases.get(idOf(issue))?.ended_at).toBeUndefined();
    const enable = callsOf(entriesOf('audit-device')).find(
      ({ event }) => event?.event.action === 'audit-device-enable',
    ) as Input;
    const again = changed(enable, (event) => {
      event.vault.request.path = 'sys/audit/file';
    });
    const next = changed(lookup, (event) => {
      event.event.id = 'another';
    });
    expect(rig.play([next]).askedOf('sys/audit-hash/')).toHaveLength(1);
    expect(rig.play([again, { ...next, done: again.done }]).askedOf('sys/audit-hash/')).toHaveLength(2);
  });

  it('is worked in with its own time when it is explained, by a renewal as well as by Vault', () => {
    const told = new Rig().play([
      issue,
      revoke,
      hashed(idOf(issue), hashOf(revoke), addSeconds(revoke.done, 99)),
    ]);
    expect(told.leases.get(idOf(issue))).toMatchObject({
      ended_at: revoke.event?.['@timestamp'],
      end_reason: 'revoked',
      proof: { ended: revoke.event?.event.id },
    });
    const shown = new Rig().play([issue, renew, revoke]);
    expect(shown.leases.get(idOf(issue))?.end_reason).toBe('revoked');
    expect(shown.askedOf('sys/audit-hash/').every(({ body }) => body?.['input'] !== idOf(issue))).toBe(true);
  });

  it('is forgotten in time, and only so many operations on it are kept', () => {
    const late = addSeconds(revoke.done, limits.readingWaitingSeconds + 60);
    const rig = new Rig().play([issue, revoke, hashed(idOf(issue), hashOf(revoke), late)]);
    expect(rig.changes.filter(({ change }) => change === 'ended')).toEqual([]);
    const many = Array.from({ length: 40 }, (_, n) =>
      changed(lookup, (event) => {
        event.event.id = `look-up-${n}`;
      }),
    );
    const full = new Rig().play([issue, revoke, ...many]);
    const before = full.changes.length;
    full.play([hashed(idOf(issue), hashOf(lookup), lookup.done)]);
    expect(full.changes.length - before).toBe(limits.readingWaitingPerHashMax + 1);
    // However many look-ups came after it.
    expect(full.leases.get(idOf(issue))?.end_reason).toBe('revoked');
  });
});

describe('a lease that Vault does not find', () => {
  const refused = (namespace?: string) =>
    changed(lookup, (event) => {
      event.event.id = 'refused';
      event.event.outcome = 'failure';
      event.error = { message: '1 error occurred:\n\t* invalid request\n\n' };
      if (namespace !== undefined) event.vault.request.namespace = namespace;
    });

  it('is gone, but not when another namespace was asked', () => {
    const gone = new Rig().play([issue, renew, refused()]);
    expect(gone.leases.get(idOf(issue))).toMatchObject({ end_confirmed: true, end_reason: 'unknown' });
    const elsewhere = new Rig().play([issue, renew, refused('team/')]);
    expect(elsewhere.leases.get(idOf(issue))?.ended_at).toBeUndefined();
  });

  it('may be there when the policy refused to look, or Vault failed', () => {
    const denied = changed(refused(), (event) => {
      event.vault.authorization = { allowed: false };
    });
    const failed = changed(refused(), (event) => {
      event.error = { message: 'internal error' };
    });
    for (const input of [denied, failed])
      expect(new Rig().play([issue, renew, input]).leases.get(idOf(issue))?.ended_at).toBeUndefined();
  });
});

describe('two devices', () => {
  const pair = (ranked: string, other: string): HashPair => ({
    id: `${ranked} ${other}`,
    what: 'accessor',
    ranked: { device: 'a', hash: ranked },
    other: { device: 'b', hash: other },
    at: issue.done,
  });
  const accessor = issue.event?.vault.caller.accessor ?? '';
  const [one, two] = [`hmac-sha256:${'1'.repeat(64)}`, `hmac-sha256:${'2'.repeat(64)}`];
  const by = (name: string) =>
    changed(second, (event) => {
      event.vault.caller.accessor = name;
    });

  it('show one token, which has one row', () => {
    const rig = new Rig()
      .play([issue])
      .pair(pair(accessor, one))
      .play([by(one)]);
    expect(rig.leases.get(idOf(second))?.holder_token).toBe(`token:${accessor}`);
    expect([...rig.leases.values()].filter(({ kind }) => kind === 'token')).toHaveLength(1);
  });

  it('keep it over a new salt of one, as long as the other stays', () => {
    const rig = new Rig()
      .play([issue])
      .pair(pair(accessor, one))
      .pair(pair(two, one))
      .play([by(two)]);
    expect(rig.leases.get(idOf(second))?.holder_token).toBe(`token:${accessor}`);
  });

  it('that tell of each other in a circle end somewhere', () => {
    const rig = new Rig().pair(pair(one, two)).pair(pair(two, one)).pair(pair(one, two));
    expect(() => rig.play([by(one), by(two)])).not.toThrow();
    expect([...rig.leases.values()].filter(({ kind }) => kind === 'token')).toHaveLength(1);
  });

  it('are asked by the hash that the event shows: that of the first in rank', () => {
    const both = changed(revoke, (event) => {
      event.vault.devices = ['a', 'b'];
    });
    const rig = new Rig({ ranks: ['b', 'a'] }).play([issue, both]);
    expect(rig.askedOf('sys/audit-hash/').map(({ path }) => path)).toEqual(['sys/audit-hash/b']);
  });
});

describe('a mount that is removed', () => {
  const removed = (path: string): Input =>
    changed(revoke, ({ event, vault }) => {
      event.action = 'mount-disable';
      vault.request = { ...vault.request, path: `sys/mounts/${path}`, operation: 'delete', data: {} };
    });

  it('takes its leases with it, but not when it is a path inside of one: Vault says done to both', () => {
    const rig = new Rig();
    const fact = {
      ...roleFact('database/', null),
      what: 'mount',
      value: { type: 'database' },
    } as Fact<'mount'>;
    rig.directory.facts.set('mount database/', fact);
    rig.play([issue, removed('database/creds')]);
    expect(rig.leases.get(idOf(issue))?.ended_at).toBeUndefined();
    expect(rig.play([removed('database')]).leases.get(idOf(issue))?.end_reason).toBe('mount_removed');
  });
});

describe('hashes of nothing', () => {
  const nothing = (n: number): Input =>
    changed(lookup, (event) => {
      event.event.id = `nothing-${n}`;
      event['@timestamp'] = addSeconds(revoke.done, 0);
      event.event.outcome = 'failure';
      event.error = { message: 'invalid lease' };
      event.vault.authorization = { allowed: true };
      event.vault.request.data = { lease_id: `hmac-sha256:${String(n).padStart(64, '0')}` };
    });
  const lease = (n: number): Input =>
    changed(issue, (event) => {
      event.vault.lease = { id: `database/creds/readonly/${n}` };
    });
  const known = (n: number): Input =>
    hashed(`database/creds/readonly/${n}`, `hmac-sha256:${'f'.repeat(60)}${1000 + n}`, revoke.done);

  it('do not have the ledger look through its rows for each of them', () => {
    const numbers = [...Array(40).keys()];
    const rig = new Rig().play(numbers.map(lease));
    // Each has its caller's newest leases asked for, until there is none that is not known.
    for (const n of numbers) rig.play([nothing(n), ...numbers.map(known)]);
    let rows = 0;
    const { newestOpen } = rig.memory;
    rig.memory.newestOpen = (holder, limit) => {
      const found = newestOpen.call(rig.memory, holder, limit);
      rows += found.length;
      return found;
    };
    rig.play(numbers.map((n) => nothing(100 + n)));
    expect(rows).toBeLessThanOrEqual(numbers.length * 4 * limits.readingCandidatesMax);
  });

  it('take no place from what was ended', () => {
    const rig = new Rig().play([issue, revoke, ...[...Array(40).keys()].map(nothing)]);
    expect(rig.memory.list('read/ends', '', 9).map(({ key }) => key)).toEqual([hashOf(revoke)]);
    expect(rig.memory.list('read/waiting', '', 99).map(({ key }) => key)).not.toContain(hashOf(revoke));
  });
});

describe('a bounded space', () => {
  it('forgets what came first, keeps what is set again, and tells the newest', () => {
    const memory = new MapMemory();
    const space = new Bounded<number>(memory, 'read/test', 3);
    for (const [key, value] of Object.entries({ a: 1, b: 2, c: 3 })) space.set(key, value);
    space.set('a', 9);
    expect(['a', 'b', 'c'].map((key) => space.get(key))).toEqual([9, 2, 3]);
    space.set('d', 4);
    expect(['a', 'b', 'c', 'd'].map((key) => space.get(key))).toEqual([undefined, 2, 3, 4]);
    expect(space.newest(2)).toEqual(['d', 'c']);
    space.delete('d');
    space.set('b', 7);
    expect(space.newest(9)).toEqual(['c', 'b']);
  });

  it('holds no more than it may, whatever comes and goes', () => {
    const memory = new MapMemory();
    const space = new Bounded<number>(memory, 'read/test', 10);
    for (let n = 0; n < 500; n++) {
      space.set(`key-${n % 37}`, n);
      if (n % 3 === 0) space.delete(`key-${(n * 7) % 37}`);
    }
    expect(memory.list('read/test', '', 1000).length).toBeLessThanOrEqual(10);
    expect(memory.list('read/test/order', '', 1000).length).toBeLessThanOrEqual(11);
  });
});
