// GET /v1/access: who could read, through what, by which facts, at which time; and what is said when it is not known.

import { expect, test } from 'vitest';
import { type AccessAnswer, accessSchema } from '../../../api/access/schemas.ts';
import { limits } from '../../../core/limits.ts';
import type { EvidenceBatch } from '../../../core/ports.ts';
import { at } from '../../builders.ts';
import { Harness } from '../harness.ts';
import { aFact, aToken, batchWith, organisation, reading } from './facts.ts';

async function ask(batch: EvidenceBatch, query = '', path = 'secret/data/app'): Promise<AccessAnswer> {
  await using harness = await Harness.open(batch);
  const response = await harness.get(`/v1/access?path=${path}${query}`, 'auditor');
  expect(response.statusCode).toBe(200);
  return accessSchema.parse(response.json());
}

const named = ({ could }: AccessAnswer) => could?.map(({ who, tokens }) => [who.kind, who.id, tokens]);

test('entities by themselves and by nested groups, roles, and tokens without an entity', async () => {
  const tokens = [
    aToken('a', ['default'], { entity: 'e-anna' }),
    aToken('b', ['default'], { entity: 'e-anna', time: at(1) }),
    aToken('c', ['app'], { entity: 'e-carla' }),
    aToken('x', ['App ', 'default']),
    aToken('r', ['root']),
    aToken('n', ['default']),
  ];
  const answer = await ask(batchWith(organisation, tokens));
  expect(named(answer)).toEqual([
    ['entity', 'e-anna', 2],
    ['entity', 'e-bert', 0],
    ['role', 'auth/approle/role/orders', 0],
    ['root', 'root', 1],
    ['token', 'token:x', 1],
  ]);
  expect(answer).toMatchObject({
    at: at(100),
    capability: 'read',
    known: { policies: 3, groups: 2, roles: 3, entities: 4, live_tokens: 5 },
    not_evaluated: [],
    complete: true,
  });
  expect(answer.could?.[0]).toEqual({
    who: { kind: 'entity', id: 'e-anna', name: 'anna', namespace: '' },
    policies: ['app'],
    through: [{ kind: 'group', id: 'g-all', name: 'all' }],
    conditions: [],
    tokens: 2,
    facts: ['policy|test||app', 'group|test||g-all', 'entity|test||e-anna'].map((id) => `${id}|${at(0)}`),
  });
  expect(answer.facts.find(({ key }) => key === 'g-all')).toMatchObject({
    ...{
      what: 'group',
      at: at(0),
      age_s: 100,
      source: 'vault',
      proof: `proof of group|test||g-all|${at(0)}`,
    },
  });
  expect(answer.facts.find(({ key }) => key === 'token:x')).toMatchObject({
    what: 'token',
    source: 'audit',
    proof: 'e1',
  });
});

test('a template gives its own path to each', async () => {
  const erna = aFact('entity', 'e-erna', { name: 'erna', policies: ['own'], metadata: {}, aliases: [] });
  const both = batchWith([...organisation, erna]);
  expect(named(await ask(both, '', 'secret/data/erna'))).toEqual([['entity', 'e-erna', 0]]);
  expect(named(await ask(both, '', 'secret/data/bert'))).toEqual([['entity', 'e-bert', 0]]);
  expect(named(await ask(batchWith(organisation), '', 'secret/data/bert'))).toEqual([
    ['entity', 'e-bert', 0],
  ]);
  expect(named(await ask(batchWith(organisation), '', 'secret/data/anna'))).toEqual([]);
});

test('what was true then counts, not what is true now', async () => {
  const facts = [
    aFact('policy', 'p', reading('other'), { time: at(0) }),
    aFact('policy', 'p', reading('secret/data/app'), { time: at(10) }),
    aFact('policy', 'p', null, { time: at(20) }),
    aFact('entity', 'e', { name: 'e', policies: ['p'] }, { time: at(5) }),
    aFact('entity', 'e', { name: 'e', policies: [] }, { time: at(15) }),
    aFact('policy', 'q', { text: 'path "*" { policy = "sudo" }' }, { cluster: 'another' }),
    aFact('entity', 'o', { policies: ['q'] }, { cluster: 'another' }),
  ];
  const tokens = [
    aToken('t', ['p'], { time: at(8), ended: at(30) }),
    aToken('u', ['q'], { cluster: 'another' }),
  ];
  const batch = batchWith(facts, tokens);
  const who = async (time: string) => named(await ask(batch, `&at=${time}`))?.map(([, id]) => id);
  expect(await who(at(9))).toEqual([]);
  expect((await ask(batch, `&at=${at(9)}`)).not_evaluated).toEqual([]);
  expect(await who(at(10))).toEqual(['e', 'token:t']);
  expect(await who(at(15))).toEqual(['token:t']);
  expect(await who(at(20))).toEqual(undefined);
  expect(named(await ask(batch, '&cluster=another'))?.map(([, id]) => id)).toEqual(['o', 'token:u']);
});

test('a token that ended is not there any more, one without an end is', async () => {
  const past = { ...aToken('past', ['app']), expires_at: at(10) };
  const tokens = [aToken('t', ['app'], { ended: at(30) }), aToken('u', ['app'], { time: at(31) }), past];
  const batch = batchWith([aFact('policy', 'app', reading('secret/data/app'))], tokens);
  const who = async (time: string) => named(await ask(batch, `&at=${time}`))?.map(([, id]) => id);
  expect(await who(at(29))).toEqual(['token:t']);
  expect(await who(at(30))).toEqual([]);
  expect(await who(at(31))).toEqual(['token:u']);
});

test('a deny through a group takes away what the token gives', async () => {
  const deny = aFact('policy', 'no', { text: 'path "secret/data/app" { capabilities = ["deny"] }' });
  const group = aFact('group', 'g', { policies: ['no'], member_entity_ids: ['e'], member_group_ids: [] });
  const facts = [
    aFact('policy', 'app', reading('secret/data/app')),
    deny,
    group,
    aFact('entity', 'e', { policies: [] }),
  ];
  const answer = await ask(batchWith(facts, [aToken('t', ['app'], { entity: 'e' })]));
  expect(named(answer)).toEqual([]);
});

test('what is not known is named with its reason, and the answer is not complete', async () => {
  const facts = [
    aFact('policy', 'app', reading('secret/data/app', 'secret/data/{{identity.entity.metadata.x}}')),
    aFact('policy', 'broken', { text: 'path {' }),
    aFact('policy', 'changed', reading('a'), { time: at(0) }),
    aFact('policy', 'changed', {}, { time: at(1), source: 'audit' }),
    aFact('entity', 'seen', { name: 'seen' }, { source: 'audit' }),
    aFact('group', 'hidden', { policies: ['app'] }),
    aFact('role', 'auth/jwt/role/x', { mount: 'auth/jwt/', role: 'x' }),
  ];
  const tokens = [aToken('t', ['never', 'broken', 'changed']), aToken('u', ['app'], { entity: 'unseen' })];
  const { not_evaluated: doubts, complete } = await ask(batchWith(facts, tokens), '', 'secret/data/b');
  expect(complete).toBe(false);
  expect(
    doubts.map(({ reason, policy, subjects, examples }) => [reason, policy?.name, subjects, examples]),
  ).toEqual([
    ['entity_unknown', undefined, 2, ['seen', 'unseen']],
    ['group_unknown', undefined, 1, ['hidden']],
    ['policy_not_understood', 'broken', 1, ['token:t']],
    ['policy_unknown', 'changed', 1, ['token:t']],
    ['policy_unknown', 'default', 1, ['auth/jwt/role/x']],
    ['policy_unknown', 'never', 1, ['token:t']],
    ['role_unknown', undefined, 1, ['auth/jwt/role/x']],
    ['template_unknown', 'app', 1, ['unseen']],
  ]);
});

test('a list that was cut at its bound is not all there is', async () => {
  const names = (n: number) => Array.from({ length: n }, (_, i) => `p${i}`);
  const facts = (n: number, members: number) => [
    aFact('policy', 'app', reading('secret/data/app')),
    ...names(n).map((name) => aFact('policy', name, { text: '' })),
    aFact('policy', 'default', { text: '' }),
    aFact('entity', 'e', { policies: names(n) }),
    aFact('role', 'auth/a/role/x', { mount: 'auth/a/', role: 'x', token_policies: names(n) }),
    aFact('group', 'g', { policies: [], member_entity_ids: names(members), member_group_ids: [] }),
  ];
  const doubtsWith = async (n: number, members: number) =>
    (await ask(batchWith(facts(n, members), [aToken('t', names(n))]))).not_evaluated.map(
      ({ reason }) => reason,
    );
  const { listTextsMax, groupMembersMax } = limits;
  expect(await doubtsWith(listTextsMax, groupMembersMax)).toEqual([
    ...['entity_unknown', 'group_unknown', 'role_unknown', 'token_unknown'],
  ]);
  expect(await doubtsWith(listTextsMax - 1, groupMembersMax - 1)).toEqual([]);
});

test('whether a role gives default is said where it matters', async () => {
  const facts = [
    aFact('policy', 'default', reading('secret/data/app')),
    aFact('role', 'auth/a/role/without', { mount: 'auth/a/', role: 'without', token_policies: [] }),
    aFact('role', 'auth/a/role/with', { mount: 'auth/a/', role: 'with', token_policies: ['default'] }),
  ];
  const { not_evaluated: doubts } = await ask(batchWith(facts));
  expect(doubts).toMatchObject([{ reason: 'role_default_unknown', examples: ['auth/a/role/without'] }]);
  expect((await ask(batchWith(facts), '', 'other')).not_evaluated).toEqual([]);
});

test('members are those that the newer of group and entity names', async () => {
  const facts = (groupAt: number, entityAt: number) => [
    aFact('policy', 'app', reading('secret/data/app')),
    aFact(
      'group',
      'g',
      { policies: ['app'], member_entity_ids: ['in-group'], member_group_ids: [] },
      { time: at(groupAt) },
    ),
    aFact('entity', 'in-group', { policies: [], group_ids: [] }, { time: at(entityAt) }),
    aFact('entity', 'by-itself', { policies: [], group_ids: ['g'] }, { time: at(entityAt) }),
  ];
  expect(named(await ask(batchWith(facts(2, 1))))).toEqual([['entity', 'in-group', 0]]);
  expect(named(await ask(batchWith(facts(1, 2))))).toEqual([['entity', 'by-itself', 0]]);
});

test('namespaces: the same names there and here are different policies', async () => {
  const inTeam = { namespace: 'team/' };
  const facts = [
    aFact('policy', 'app', reading('secret/data/app')),
    aFact('policy', 'app', reading('other'), inTeam),
    aFact('role', 'auth/a/role/x', { mount: 'auth/a/', role: 'x', token_policies: ['app'] }, inTeam),
    aFact('policy', 'default', { text: '' }, inTeam),
  ];
  expect(named(await ask(batchWith(facts)))).toEqual([]);
  expect(named(await ask(batchWith(facts), '&namespace=team/', 'other'))).toEqual([
    ['role', 'auth/a/role/x', 0],
  ]);
});

test('without any policy nothing is said of who could', async () => {
  const answer = await ask(batchWith([aFact('entity', 'e', { policies: ['app'] })], [aToken('t', ['app'])]));
  expect(answer.could).toBeUndefined();
  expect(answer.complete).toBe(false);
  expect(answer.limits[0]).toContain('No policy is known at this time');
});

test('more facts or more rows than are looked at make the answer incomplete', async () => {
  const policy = aFact('policy', 'app', reading('secret/data/app'));
  const { accessRowsMax } = limits;
  const many = Array.from({ length: accessRowsMax + 1 }, (_, i) =>
    aFact('entity', `e${i}`, { policies: ['app'] }),
  );
  const answer = await ask(batchWith([policy, ...many]));
  expect(answer.could?.length).toBe(accessRowsMax);
  expect(answer.complete).toBe(false);
  expect(answer.limits[0]).toContain(`More than ${accessRowsMax} rows`);
});

test('the question is recorded as evidence is', async () => {
  await using harness = await Harness.open(batchWith(organisation));
  await harness.get('/v1/access?path=secret/data/app&key=hvs.secret', 'auditor');
  await harness.get('/v1/access?path=secret/data/app', 'auditor');
  expect(harness.accesses).toMatchObject([
    { status: 400, query: { path: 'secret/data/app' }, rows: 0 },
    {
      status: 200,
      query: { path: 'secret/data/app', namespace: '', cluster: 'test' },
      rows: 3,
      control: null,
    },
  ]);
});

test.each(['', '?path=', '?path=a&namespace=team', '?path=a&at=yesterday'])('refuses %s', async (query) => {
  await using harness = await Harness.open();
  expect((await harness.get(`/v1/access${query}`)).statusCode).toBe(400);
});
