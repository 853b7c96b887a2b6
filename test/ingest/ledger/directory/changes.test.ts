// A change is known from the call that makes it: what it hides is not known any more, what it leaves alone still is.

import { describe, expect, it } from 'vitest';
import { givenName } from '../../../../core/directory.ts';
import type { AuditEvent } from '../../../../core/event.ts';
import type { Answer } from '../../../../core/records.ts';
import { recordedAnswers, recordedEvents, World } from './world.ts';

const world = World.recorded();
const events = recordedEvents();
const callsOf = (path: string, ...operations: string[]): AuditEvent[] =>
  events.filter(
    ({ vault }) =>
      vault.request.path === path &&
      (operations.length === 0 || operations.includes(vault.request.operation ?? '')),
  );
const callOf = (path: string, ...operations: string[]): AuditEvent => {
  const [event] = callsOf(path, ...operations);
  if (event === undefined) throw new Error(`no call of ${path}`);
  return event;
};

describe('a role', () => {
  const key = 'auth/approle/role/orders-api';
  const facts = world.of('role', key);
  const base = { mount: 'auth/approle/', role: 'orders-api', mount_type: 'approle' };

  it('that is written holds nothing older, until somebody reads it', () => {
    const [written, read, answered] = facts;
    expect(written).toMatchObject({ source: 'audit', proof: callOf(key, 'create').event.id });
    expect(written?.value).toEqual(base);
    expect(read?.value).toMatchObject({
      ...base,
      token_ttl_s: 1200,
      token_period_s: 0,
      secret_id_ttl_s: 86_400,
    });
    expect(read?.value).not.toHaveProperty('token_policies');
    expect(answered).toMatchObject({
      source: 'vault',
      value: { token_ttl_s: 1200, token_policies: ['orders'] },
    });
  });

  it('is written by one setting as well', () => {
    const setting = callOf(`${key}/token-ttl`, 'update');
    const after = facts.find(({ at }) => at >= setting['@timestamp']);
    expect(after).toMatchObject({ proof: setting.event.id });
    expect(after?.value).toEqual(base);
  });

  it('is not what is kept below it: its id, or a secret id', () => {
    expect(callOf(`${key}/secret-id`).event.outcome).toBe('success');
    expect(world.facts.filter(({ key: other }) => other.startsWith(`${key}/`))).toEqual([]);
    const below = ['secret-id', 'role-id'].flatMap((name) => callsOf(`${key}/${name}`));
    expect(below).toHaveLength(2);
    expect(new World().play(below).facts.filter(({ what }) => what === 'role')).toEqual([]);
  });

  it('goes with its mount', () => {
    expect(world.of('role', 'pki/roles/web').at(-1)).toMatchObject({
      value: null,
      proof: callOf('sys/mounts/pki', 'delete').event.id,
    });
  });

  it('of PKI is told by the answer to its write', () => {
    const [first] = world.of('role', 'pki/roles/web');
    expect(first?.value).toMatchObject({ default_ttl_s: 3600, max_ttl_s: 86_400 });
  });

  it('of an engine whose path looks like it is none: a secret of KV', () => {
    const [event] = callsOf('database/roles/readonly', 'create');
    const secret = structuredClone(event as AuditEvent);
    Object.assign(secret.vault.request, { path: 'secret/roles/a', mount_point: 'secret/', mount_type: 'kv' });
    expect(new World().play([secret]).facts.map(({ what }) => what)).toEqual(['mount']);
  });
});

describe('a mount', () => {
  it('that is tuned keeps its type, and the lifetime that the call does not name', () => {
    const tune = callOf('sys/mounts/database/tune', 'update');
    const after = world.of('mount', 'database/').find(({ proof }) => proof === tune.event.id);
    expect(after?.value).toMatchObject({ type: 'database', default_lease_ttl_s: 600 });
    expect(after?.value).not.toHaveProperty('max_lease_ttl_s');
  });

  it('that moved is gone, and is at its new place', () => {
    expect(world.of('mount', 'team/kv/').at(-1)?.value).toBeNull();
    expect(world.of('mount', 'team/secrets/').at(-1)?.value).toMatchObject({ type: 'kv', version: '1' });
  });

  it('is known by its type from any call that goes to it', () => {
    const [first] = new World().play([callOf('database/roles/readonly', 'create')]).facts;
    expect(first).toMatchObject({
      what: 'mount',
      key: 'database/',
      value: { type: 'database' },
      source: 'audit',
    });
  });

  it('keeps the lifetime in effect that somebody read when Vault lists it as left to the system', () => {
    const daily = world.of('mount', 'auth/userpass/');
    expect(daily.at(-1)?.value).toMatchObject({ default_lease_ttl_s: 2_764_800 });
    expect(daily.filter(({ source }) => source === 'vault')).toHaveLength(1);
  });
});

describe('an entity', () => {
  const alice = callOf('auth/userpass/login/alice').vault.caller.entity_id ?? '';
  const facts = world.of('entity', alice);

  it('is first what her login shows', () => {
    expect(facts[0]).toMatchObject({
      name: 'alice',
      source: 'audit',
      value: { aliases: [{ name: 'alice', mount_path: 'auth/userpass/', mount_type: 'userpass' }] },
    });
  });

  it('that is renamed has no name of its own until Vault tells it', () => {
    const rename = callOf(`identity/entity/id/${alice}`, 'update');
    const at = facts.findIndex(({ proof }) => proof === rename.event.id);
    expect(facts[at - 1]?.value).toMatchObject({ name: expect.stringMatching(/^entity_/) });
    expect(facts[at]?.value).not.toHaveProperty('name');
    expect(facts[at]?.value).toMatchObject({ policies: [], disabled: false });
    expect(facts[at + 1]).toMatchObject({ source: 'vault', name: 'Alice Example' });
    expect(facts.map(givenName)).toEqual([undefined, undefined, undefined, 'Alice Example', 'Alice Example']);
  });

  it('is asked about again when a group was made that she may be in', () => {
    const group = world.facts.find(({ what }) => what === 'group')?.key;
    expect(facts.at(-1)?.value).toMatchObject({ group_ids: [group] });
  });

  it('that joins a known group is asked about at once', () => {
    const orders = callOf('auth/approle/login').vault.caller.entity_id ?? '';
    const joined = world.of('entity', orders).filter(({ value }) => (value?.group_ids ?? []).length > 0);
    expect(joined[0]).toMatchObject({ source: 'vault' });
    // Disabling it is no text: the call itself shows it, whether Vault is asked or not.
    const alone = World.recorded([]).of('entity', orders);
    expect(alone.map(({ value }) => value)).toEqual([{}, { disabled: true }, null]);
  });

  it('is known by name when Vault has told its name', () => {
    const gone = callOf('identity/entity/name/bob', 'delete');
    const bob = world.facts.find(({ proof }) => proof === gone.event.id);
    expect(bob).toMatchObject({ what: 'entity', name: 'bob', value: null });
  });

  it('of whom Vault tells no name keeps the one that its calls showed, and says so', () => {
    const [answer] = recordedAnswers().filter(({ path }) => path === `identity/entity/id/${alice}`);
    const alias = {
      name: 'f05307bd-5954-e375-a345-79ff356db32a',
      mount_path: 'auth/aws/',
      mount_type: 'aws',
    };
    const data = { name: 'entity_07a8e2ec', aliases: [alias] };
    const world = new World().play([callOf('auth/userpass/login/alice')]);
    world.directory.answer({ ...(answer as Answer), at: '2099-01-01T00:00:00Z', response: { data } });
    const last = world.of('entity', alice).at(-1);
    expect(last).toMatchObject({ source: 'vault', name: 'alice', name_source: 'audit' });
    expect(facts.at(-1)).not.toHaveProperty('name_source');
  });

  it('that is gone is not brought back by a call that is refused', () => {
    const orders = callOf('auth/approle/login');
    const late = structuredClone(orders);
    late['@timestamp'] = '2099-01-01T00:00:00.000000000Z';
    late.event.outcome = 'failure';
    const key = orders.vault.caller.entity_id ?? '';
    const again = World.recorded([]).play([late]);
    expect(again.directory.current('entity', '', key)?.value).toBeNull();
    late.event.outcome = 'success';
    expect(again.play([late]).directory.current('entity', '', key)?.value).toEqual({});
  });

  it('whose child token calls is not named by it', () => {
    const login = structuredClone(callOf('auth/userpass/login/alice'));
    Object.assign(login.vault.caller, { auth_method: 'token', entity_id: 'entity-x' });
    login.user.name = 'token-admin';
    login.event.action = 'secret-read';
    expect(new World().play([login]).directory.current('entity', '', 'entity-x')).not.toHaveProperty('name');
  });
});

it('a call that failed, or whose answer nobody saw, changes nothing', () => {
  for (const change of [{ outcome: 'failure' }, { pair: 'request_only' }]) {
    const spoilt = recordedEvents().map((event) => {
      if ('outcome' in change) event.event.outcome = 'failure';
      else event.vault.pair = 'request_only';
      return event;
    });
    const kinds = new Set(new World().play(spoilt).facts.map(({ what }) => what));
    expect([...kinds].sort()).toEqual(['entity', 'mount']);
  }
});

it('another cluster has facts of its own and raises no question', () => {
  const other = recordedEvents().map((event) => {
    event.vault.cluster = 'other';
    return event;
  });
  const { facts, questions, directory } = new World().play(other);
  expect(questions).toEqual([]);
  expect(new Set(facts.map(({ cluster }) => cluster))).toEqual(new Set(['other']));
  expect(directory.current('role', '', 'database/roles/readonly')).toBeUndefined();
});

it('a restart between any two calls changes nothing', () => {
  const split = new World();
  for (const event of events) split.play([event], split.again());
  expect(split.facts).toEqual(World.recorded([]).facts);
  expect(split.questions).toEqual(World.recorded([]).questions);
});
