// Where a lease's lifetime comes from: real lines of a database lease, its role and its look-up, with or without each.

import { describe, expect, it } from 'vitest';
import type { AuditEvent, JsonObject } from '../../../../core/event.ts';
import { limits } from '../../../../core/limits.ts';
import type { Answer } from '../../../../core/records.ts';
import { addSeconds } from '../../../../core/time.ts';
import { type EntryLine, withRequest } from '../../normalise/lines.ts';
import { callsOf, entriesOf, type Input, Rig, roleFact } from './rig.ts';

const calls = callsOf(entriesOf('database-lease'));
const [issue, renew, lookup, revoke, second] = calls as [Input, Input, Input, Input, Input];
const roleWrite = callsOf(
  entriesOf('furnish').filter(({ request }) => request['path'] === 'database/roles/app'),
)[0] as Input;
const idOf = ({ event }: Input): string => event?.vault.lease?.id ?? '';
const firstId = idOf(issue);
const dataOf = ({ event }: Input): JsonObject => event?.vault.request.data ?? {};

/** What Vault would answer to us: the data of the look-up in the scene, of a lease that was not renewed yet. */
function answered(lease: string, issuedAt: string, seconds: number): Input {
  const at = addSeconds(issuedAt, 1);
  const data = { issue_time: issuedAt, expire_time: addSeconds(issuedAt, seconds), last_renewal: null };
  const answer: Answer = {
    at,
    method: 'POST',
    path: 'sys/leases/lookup',
    body: { lease_id: lease },
    status: 200,
    response: { request_id: `look-up-of-${lease.slice(-4)}`, data },
  };
  return { done: at, answer };
}

const hashAnswer = (input: string, hash: unknown, at: string): Input => ({
  done: at,
  answer: {
    at,
    method: 'POST',
    path: 'sys/audit-hash/file',
    body: { input },
    status: 200,
    response: { data: { hash: hash as string } },
  },
});

/** The same call, later. */
function later({ done, event, handles }: Input, seconds: number): Input {
  const time = addSeconds(event?.['@timestamp'] ?? '', seconds);
  return {
    done: addSeconds(done, seconds),
    event: { ...(event as AuditEvent), '@timestamp': time },
    ...(handles === undefined ? {} : { handles }),
  };
}

const needs = (rig: Rig) => rig.askedOf('sys/leases/lookup').map(({ need }) => need);

describe('a lease of a role that nobody knows', () => {
  it('has no lifetime, and Vault is asked for it', () => {
    const rig = new Rig().play([issue]);
    expect(rig.leases.get(firstId)).toMatchObject({ ttl_source: 'unknown', state: 'unknown', role: 'app' });
    expect(rig.leases.get(firstId)?.ttl_s).toBeUndefined();
    expect(rig.askedOf('sys/leases/lookup')).toMatchObject([
      { need: 'lifetime', body: { lease_id: firstId }, at: issue.event?.['@timestamp'] },
    ]);
  });

  it('has the one that our look-up shows, with its exact end', () => {
    const rig = new Rig().play([issue, answered(firstId, issue.done, 900)]);
    expect(rig.leases.get(firstId)).toMatchObject({
      ttl_s: 900,
      ttl_source: 'own_lookup',
      expires_at: addSeconds(issue.done, 900),
      proof: { ttl: `look-up-of-${firstId.slice(-4)}` },
    });
  });

  it('has the one that a look-up of anybody shows, once its hash is explained', () => {
    const rig = new Rig().play([issue, renew, lookup]);
    expect(rig.leases.get(firstId)).toMatchObject({ ttl_s: 600, ttl_source: 'audit_lookup', renewals: 1 });
    expect(rig.leases.get(firstId)?.proof.ttl).toBe(lookup.event?.event.id);
    const unexplained = new Rig().play([issue, lookup]);
    expect(unexplained.leases.get(firstId)?.ttl_source).toBe('unknown');
    unexplained.play([hashAnswer(firstId, dataOf(lookup)['lease_id'], lookup.done)]);
    expect(unexplained.leases.get(firstId)).toMatchObject({ ttl_source: 'hmac_join', ttl_s: 600 });
  });
});

describe('the role tells it', () => {
  it('when it was read, and its greatest too', () => {
    const rig = new Rig();
    rig.directory.facts.set(
      'role database/roles/app',
      roleFact('database/roles/app', app({ default_ttl_s: 900, max_ttl_s: 3600 })),
    );
    rig.play([issue]);
    expect(rig.leases.get(firstId)).toMatchObject({
      ttl_s: 900,
      max_ttl_s: 3600,
      ttl_source: 'role_config',
      proof: { ttl: 'read-of-role' },
    });
    expect(needs(rig)).toEqual(['sample']);
  });

  it('but not when it has none of its own and nobody knows the mount', () => {
    const rig = new Rig();
    rig.directory.facts.set(
      'role database/roles/app',
      roleFact('database/roles/app', app({ default_ttl_s: 0 })),
    );
    expect(rig.play([issue]).leases.get(firstId)?.ttl_source).toBe('unknown');
  });

  it('by a lease of it that was looked up, also to those that came between', () => {
    const rig = new Rig().play([issue, second, answered(firstId, issue.done, 900)]);
    expect(rig.leases.get(idOf(second))).toMatchObject({ ttl_s: 900, ttl_source: 'role_config' });
    expect(rig.leases.get(idOf(second))?.proof.ttl).toBe(`look-up-of-${firstId.slice(-4)}`);
    expect(needs(rig)).toEqual(['lifetime', 'sample']);
  });

  it('until it changes', () => {
    const learnt = new Rig().play([issue, answered(firstId, issue.done, 900)]);
    learnt.play([later(second, 10)]);
    expect(learnt.leases.get(idOf(second))).toMatchObject({ ttl_s: 900, ttl_source: 'role_config' });
    const changed = new Rig().play([issue, answered(firstId, issue.done, 900), later(roleWrite, 5)]);
    changed.play([later(second, 10)]);
    expect(changed.leases.get(idOf(second))?.ttl_source).toBe('unknown');
    expect(needs(changed)).toEqual(['lifetime', 'lifetime']);
  });

  it('never by a look-up of a lease that is older than the change', () => {
    const rig = new Rig().play([issue, later(roleWrite, 1), answered(firstId, issue.done, 900)]);
    expect(rig.play([later(second, 10)]).leases.get(idOf(second))?.ttl_source).toBe('unknown');
  });
});

const app = (times: object) => ({ mount: 'database/', role: 'app', ...times });

describe('the dictionary', () => {
  it('is asked for at the first write that it may explain, each word once a day', () => {
    const rig = new Rig().play([issue]);
    expect(rig.askedOf('sys/audit-hash')).toEqual([]);
    rig.play([later(roleWrite, 5)]);
    const asked = rig.askedOf('sys/audit-hash');
    expect(asked.length).toBeGreaterThan(50);
    expect(new Set(asked.map(({ body }) => body?.['input'])).size).toBe(asked.length);
    expect(asked[0]).toMatchObject({ need: 'hash', path: 'sys/audit-hash/file' });
    rig.play([later(roleWrite, 10)]);
    expect(rig.askedOf('sys/audit-hash')).toHaveLength(asked.length);
    rig.play([later(roleWrite, limits.readingWordsSeconds + 10)]);
    expect(rig.askedOf('sys/audit-hash')).toHaveLength(2 * asked.length);
  });

  it('explains what a role was written with', () => {
    const hash = dataOf(roleWrite)['default_ttl'];
    const rig = new Rig().play([roleWrite, hashAnswer('15m', hash, roleWrite.done), issue]);
    expect(rig.leases.get(firstId)).toMatchObject({ ttl_s: 900, ttl_source: 'dictionary' });
    expect(rig.leases.get(firstId)?.proof.ttl).toBe(roleWrite.event?.event.id);
  });

  it('explains for how long a renewal was, later as well', () => {
    const hash = dataOf(renew)['increment'];
    const known = new Rig().play([hashAnswer('600', hash, issue.done), issue, renew]);
    expect(known.leases.get(firstId)).toMatchObject({ ttl_s: 600, ttl_source: 'dictionary', renewals: 1 });
    const laterKnown = new Rig().play([issue, renew]);
    expect(laterKnown.leases.get(firstId)?.ttl_source).toBe('unknown');
    expect(needs(laterKnown)).toEqual(['lifetime']);
    laterKnown.play([hashAnswer('600', hash, addSeconds(renew.done, 60))]);
    expect(laterKnown.leases.get(firstId)).toMatchObject({ ttl_s: 600, ttl_source: 'dictionary' });
    expect(laterKnown.leases.get(firstId)?.expires_at?.slice(0, 19)).toBe(
      addSeconds(renew.done, 600).slice(0, 19),
    );
  });

  it('never says anything of a secret, nor of a lease', () => {
    const hash = dataOf(revoke)['lease_id'];
    const rig = new Rig().play([issue, revoke, hashAnswer('1h', hash, revoke.done)]);
    expect(rig.leases.get(firstId)?.ended_at).toBeUndefined();
    expect([...rig.leases.keys()]).not.toContain('1h');
  });
});

describe('a renewal for as long as its caller likes', () => {
  const event = structuredClone(renew.event as AuditEvent);
  event.vault.request.data = { ...dataOf(renew), increment: 31_536_000 };
  const greedy: Input = { done: renew.done, event, handles: renew.handles ?? {} };

  it('is asked about when nobody knows how much Vault may give', () => {
    const rig = new Rig().play([issue, answered(firstId, issue.done, 60), greedy]);
    const of = rig.askedOf('sys/leases/lookup').filter(({ body }) => body?.['lease_id'] === firstId);
    expect(of.map(({ need, at }) => [need, at])).toContainEqual(['lifetime', event['@timestamp']]);
  });

  it('is held to that where it is known', () => {
    const rig = new Rig();
    rig.directory.facts.set(
      'role database/roles/app',
      roleFact('database/roles/app', { mount: 'database/', role: 'app', default_ttl_s: 60, max_ttl_s: 600 }),
    );
    rig.play([issue, greedy]);
    expect(rig.leases.get(firstId)?.expires_at).toBe(addSeconds(issue.event?.['@timestamp'] ?? '', 600));
    expect(rig.askedOf('sys/leases/lookup').every(({ need }) => need === 'sample')).toBe(true);
  });
});

describe('what was asked for with a lifetime of its own', () => {
  const asked = (ttl: unknown) => {
    const lines = entriesOf('database-lease').filter(
      ({ request }) => request['id'] === issue.event?.vault.request.id,
    );
    return callsOf(withRequest(lines as EntryLine[], { data: { ttl } }))[0] as Input;
  };

  it('is not what the role says', () => {
    const rig = new Rig();
    rig.directory.facts.set(
      'role database/roles/app',
      roleFact('database/roles/app', app({ default_ttl_s: 900 })),
    );
    expect(rig.play([asked(dataOf(renew)['increment'])]).leases.get(firstId)?.ttl_source).toBe('unknown');
    const plain = new Rig().play([asked(300)]);
    expect(plain.leases.get(firstId)).toMatchObject({ ttl_s: 300, ttl_source: 'audit' });
  });

  it('teaches nothing of the role', () => {
    const rig = new Rig().play([asked('hmac-sha256:x'), answered(firstId, issue.done, 60), later(second, 5)]);
    expect(rig.leases.get(firstId)).toMatchObject({ ttl_s: 60, ttl_source: 'own_lookup' });
    expect(rig.leases.get(idOf(second))?.ttl_source).toBe('unknown');
  });
});
