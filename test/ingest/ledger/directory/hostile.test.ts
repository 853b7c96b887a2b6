// An attacker writes our input: data of any shape makes no fact of nonsense, and keeps within its bounds.

import { describe, expect, it } from 'vitest';
import type { AuditEvent, Json, JsonObject } from '../../../../core/event.ts';
import { limits } from '../../../../core/limits.ts';
import { type Answer, TOKEN_LEFT_OUT } from '../../../../core/records.ts';
import { made, sampleLines } from '../../normalise/lines.ts';
import { recordedAnswers, recordedEvents, World } from './world.ts';

const odd: Json[] = [null, true, -1, 1e300, 0.5, '', 'hmac-sha256:aa', [], [[]], {}, { '': null }, '\u0000'];

/** `value` with each member in turn replaced by each odd value. */
function* spoilt(value: JsonObject): Generator<JsonObject> {
  for (const key of Object.keys(value)) {
    for (const other of odd) yield { ...value, [key]: other };
    const inner = value[key];
    if (typeof inner === 'object' && inner !== null && !Array.isArray(inner))
      for (const changed of spoilt(inner)) yield { ...value, [key]: changed };
  }
}

const numbers = /_s$/;
function check(world: World): void {
  for (const { value, name } of world.facts) {
    expect(JSON.stringify(value) + name).not.toMatch(/hmac-sha256:|\\u0000/);
    for (const [key, member] of Object.entries(value ?? {}))
      if (numbers.test(key)) expect(Number.isSafeInteger(member) && (member as number) >= 0, key).toBe(true);
  }
}

it('answers of any shape', () => {
  const kinds = new Map(recordedAnswers().map((answer) => [answer.path.replace(/[^/]+$/, ''), answer]));
  const world = World.recorded();
  let second = 0;
  for (const answer of kinds.values()) {
    const data = (answer.response?.['data'] ?? {}) as JsonObject;
    for (const other of spoilt(data)) {
      const at = new Date(Date.parse('2099-01-01') + 1000 * second++).toISOString();
      world.directory.answer({ ...answer, at, status: 200, response: { data: other } } as Answer);
    }
  }
  expect(second).toBeGreaterThan(500);
  check(world);
});

it('calls of any shape', () => {
  const world = World.recorded();
  for (const event of recordedEvents()) {
    for (const side of ['request', 'response'] as const) {
      for (const data of spoilt(event.vault[side]?.data ?? {})) {
        const call = structuredClone(event) as AuditEvent;
        Object.assign(call.vault[side] ?? {}, { data });
        call['@timestamp'] = '2099-01-01T00:00:00.000000000Z';
        world.play([call]);
      }
    }
  }
  check(world);
});

describe('what is kept of one answer', () => {
  const [alice] = recordedAnswers().filter(({ path }) => path.startsWith('identity/entity/id/'));
  const [group] = recordedAnswers().filter(({ path }) => path.startsWith('identity/group/id/'));
  const many = (count: number, make: (n: number) => Json) => Array.from({ length: count }, (_, n) => make(n));
  const told = (answer: Answer | undefined, members: JsonObject): JsonObject => {
    const world = new World();
    const data = { ...(answer?.response?.['data'] as JsonObject), ...members };
    world.directory.answer({ ...(answer as Answer), status: 200, response: { data } });
    return world.facts[0]?.value as unknown as JsonObject;
  };

  it('is bounded', () => {
    const alias = (n: number) => ({ name: `a${n}`, mount_path: 'auth/userpass/' });
    const metadata = Object.fromEntries(
      many(500, (n) => [`k${n}`, 'v'] as unknown as Json) as [string, Json][],
    );
    const entity = told(alice, { aliases: many(5_000, alias), metadata, name: 'n'.repeat(1e6) });
    expect(entity['aliases']).toHaveLength(limits.entityAliasesMax);
    expect(Object.keys(entity['metadata'] as JsonObject)).toHaveLength(limits.metadataKeysMax);
    expect(entity['name']).toHaveLength(limits.textCharsMax);
    const members = many(2 * limits.groupMembersMax, (n) => `e${n}`);
    expect(told(group, { member_entity_ids: members })['member_entity_ids']).toHaveLength(
      limits.groupMembersMax,
    );
  });

  it('is no text of a policy that may have been cut', () => {
    const [policy] = recordedAnswers().filter(({ path }) => path === 'sys/policies/acl/orders');
    const long = 'x'.repeat(limits.vaultKeptTextCharsMax);
    expect(told(policy, { policy: long })).toEqual({});
    expect(told(policy, { policy: long.slice(1) })).toEqual({ text: long.slice(1) });
  });

  it('of a group that many join leads to a bounded number of questions', () => {
    const world = new World();
    const answer = (at: string, members: Json) =>
      world.directory.answer({
        ...(group as Answer),
        at,
        status: 200,
        response: { data: { name: 'all', member_entity_ids: members } },
      });
    answer('2099-01-01T00:00:00Z', []);
    answer(
      '2099-01-02T00:00:00Z',
      many(1_000, (n) => `e${n}`),
    );
    expect(world.questions).toHaveLength(limits.groupChangesAskedMax);
  });
});

it('each entity of a morning has a name, in any order of the calls of its token', () => {
  const { events } = made(sampleLines());
  const { facts } = new World().play(events);
  const entities = new Set(events.flatMap(({ vault }) => vault.caller.entity_id ?? []));
  expect(entities.size).toBeGreaterThan(3);
  for (const id of entities)
    expect(facts.find(({ what, key }) => what === 'entity' && key === id)?.name).toMatch(/^[a-z]/);
});

describe('an entity as Vault tells it', () => {
  const told = (data: JsonObject, at: string): Answer => ({
    ...{ at, method: 'GET', path: 'identity/entity/id/e1', status: 200 },
    response: { request_id: 'r', data },
  });

  it.each([
    [{ name: `x\0${'A'.repeat(60_000)}` }],
    [{ name: 'n', metadata: { role_name: `x\0${'A'.repeat(60_000)}` } }],
    [{ name: 'n', metadata: { username: `x\0${'A'.repeat(60_000)}` } }],
  ])('has a name that a store can hold', (alias) => {
    const world = new World();
    const aliases = [{ mount_path: 'auth/ldap/', mount_type: 'ldap', ...alias }];
    world.directory.answer(told({ name: 'entity_07a8e2ec', aliases }, '2026-09-14T10:00:00Z'));
    const [fact] = world.of('entity', 'e1');
    expect(fact?.name?.startsWith('x\u{fffd}A')).toBe(true);
    expect(fact?.name?.length).toBeLessThanOrEqual(limits.textCharsMax);
  });

  it('is not taken for who has had its name since', () => {
    const world = new World();
    world.directory.answer(told({ name: 'anna', policies: ['prod'] }, '2026-09-14T10:00:00Z'));
    world.directory.answer(told({ name: 'anna-admin', policies: ['prod'] }, '2026-09-14T11:00:00Z'));
    const [call] = recordedEvents().filter(
      ({ vault: { request } }) =>
        request.operation === 'delete' && request.path === 'identity/entity/name/bob',
    );
    const gone = structuredClone(call as AuditEvent);
    gone.vault.request.path = 'identity/entity/name/anna';
    world.play([gone]);
    expect(world.of('entity', 'e1').map(({ value }) => value?.name)).toEqual(['anna', 'anna-admin']);
  });
});

it('a policy that lacks what looked like a token is not known', () => {
  const world = new World();
  const policy = `path "secret/data/${TOKEN_LEFT_OUT}" { capabilities = ["read"] }`;
  world.directory.answer({
    ...{ at: '2026-09-14T10:00:00Z', method: 'GET', path: 'sys/policies/acl/x', status: 200 },
    response: { request_id: 'r', data: { name: 'x', policy } },
  });
  expect(world.of('policy', 'x').map(({ value }) => value)).toEqual([{}]);
});
