// What the directory says is what the real Vault answered; without its answers it says less, and nothing else.

import { describe, expect, it } from 'vitest';
import type { FactKind } from '../../../../core/directory.ts';
import type { JsonObject } from '../../../../core/event.ts';
import { recordedAnswers, recordedEvents, World } from './world.ts';

/** The last answer to each path. */
const last = new Map(recordedAnswers().map((answer) => [answer.path, answer]));
const dataOf = (path: string) => (last.get(path)?.response?.['data'] ?? {}) as Record<string, JsonObject>;
const asked = [...last.values()].filter(({ path }) => !/^sys\/(mounts|auth)$/.test(path));

const kindOf = (path: string): [FactKind, string] => {
  const [, kind, id] = /^identity\/(entity|group)\/id\/(.+)$/.exec(path) ?? [];
  if (kind !== undefined) return [kind as FactKind, id as string];
  const policy = /^sys\/policies\/acl\/(.+)$/.exec(path)?.[1];
  return policy === undefined ? ['role', path] : ['policy', policy];
};

describe('with answers', () => {
  const { directory, facts } = World.recorded();

  it.each(asked.map(({ path, status }) => [status, path] as const))('%i %s', (status, path) => {
    const [what, key] = kindOf(path);
    const value = directory.current(what, '', key)?.value as JsonObject | null;
    if (status === 404) expect(value ?? null).toBeNull();
    // AppRole was disabled at the end, and its roles with it; so was PKI.
    else if (/approle|^pki/.test(path)) expect(value).toBeNull();
    else expect(value).toMatchObject(wanted(what, dataOf(path)));
  });

  const wanted = (what: FactKind, data: JsonObject): JsonObject => {
    const { name, policies, policy, group_ids, member_entity_ids, token_ttl, token_policies, default_ttl } =
      data;
    const of: Record<string, JsonObject> = {
      entity: { name, policies, group_ids, disabled: data['disabled'] } as JsonObject,
      group: { name, policies, member_entity_ids } as JsonObject,
      policy: { text: policy } as JsonObject,
      role: (default_ttl === undefined
        ? { token_ttl_s: token_ttl, token_policies: token_policies ?? data['allowed_policies'] }
        : { default_ttl_s: default_ttl, max_ttl_s: data['max_ttl'] }) as JsonObject,
    };
    const told = of[what] ?? {};
    return Object.fromEntries(Object.entries(told).filter(([, value]) => value !== undefined)) as JsonObject;
  };

  it('mounts are those that Vault lists at the end, and no others', () => {
    const auth = Object.entries(dataOf('sys/auth')).map(([path, data]) => [`auth/${path}`, data] as const);
    const all = new Map([...Object.entries(dataOf('sys/mounts')), ...auth]);
    const keys = new Set(facts.filter(({ what }) => what === 'mount').map(({ key }) => key));
    expect([...keys]).toEqual(expect.arrayContaining(['pki/', 'team/kv/', 'team/secrets/', 'auth/approle/']));
    for (const key of keys) {
      const listed = all.get(key);
      const known = directory.current('mount', '', key)?.value;
      if (listed === undefined) expect(known, key).toBeNull();
      else expect(known, key).toMatchObject({ type: listed['type'], accessor: listed['accessor'] });
    }
    expect([...all.keys()].filter((key) => !keys.has(key))).toEqual([]);
  });

  it('each fact has an id of its own, follows the one before it, and has a proof', () => {
    expect(new Set(facts.map(({ id }) => id)).size).toBe(facts.length);
    expect(facts.filter(({ proof }) => proof === '')).toEqual([]);
    const times = new Map<string, string>();
    for (const { what, key, at } of facts) {
      expect(at >= (times.get(what + key) ?? '')).toBe(true);
      times.set(what + key, at);
    }
  });

  it('Vault is never asked the same again before it has answered', () => {
    const { questions } = World.recorded([]);
    expect(questions.length).toBeGreaterThan(10);
    expect(new Set(questions.map(({ path }) => path)).size).toBe(questions.length);
  });
});

describe('from the stream alone', () => {
  const { directory, facts } = World.recorded([]);

  it('says of each fact that the audit log shows it, by an event', () => {
    const ids = new Set(recordedEvents().map(({ event }) => event.id));
    expect(facts.filter(({ source, proof }) => source !== 'audit' || !ids.has(proof))).toEqual([]);
  });

  it('never takes a hash for a value', () => expect(JSON.stringify(facts)).not.toContain('hmac-'));

  it('knows lifetimes that somebody read, since numbers of answers are never hashed', () => {
    const read = { default_ttl_s: 900, max_ttl_s: 3600 };
    expect(directory.current('role', '', 'database/roles/readonly')?.value).toMatchObject(read);
    expect(directory.current('role', '', 'auth/token/roles/ci')?.value).toMatchObject({
      token_period_s: 3600,
    });
    expect(directory.current('mount', '', 'database/')?.value).toMatchObject({
      default_lease_ttl_s: 600,
      max_lease_ttl_s: 14_400,
    });
  });

  it('knows what was removed, but for an entity that was removed by a name which nobody had told', () => {
    const removed = asked.filter(({ status }) => status === 404).map(({ path }) => kindOf(path));
    const kept = removed.filter(([what, key]) => directory.current(what, '', key)?.value != null);
    const bob = recordedEvents().find(({ user }) => user.name === 'bob')?.vault.caller.entity_id;
    expect(kept).toEqual([['entity', bob]]);
  });
});
