// Facts at a time: inclusive, and one path is another thing in another namespace or cluster.

import { expect, test } from 'vitest';
import { entityAt } from '../../api/directory/entity.ts';
import { factAt, factsAt } from '../../api/directory/facts.ts';
import { mountsAt } from '../../api/directory/mounts.ts';
import { allowedMaxima } from '../../api/posture/allowed.ts';
import { afterTime, allTime, beforeTime } from '../../api/time.ts';
import type { Fact } from '../../core/directory.ts';
import { at } from '../builders.ts';
import { batchOf } from '../contract/evidence-store.ts';
import { aFact } from './access/facts.ts';
import { Harness } from './harness.ts';

const open = (facts: Fact[]) => Harness.open(batchOf({ facts }));

const elsewhere = { namespace: 'team/', time: at(5) };

test('a fact holds from its own time on, everywhere', async () => {
  await using store = await open([aFact('mount', 'kv/', { type: 'kv' }, { time: at(3) })]);
  expect(await factAt(store.reader, 'mount', 'kv/', at(3))).toBeDefined();
  expect((await factsAt(store.reader, 'mount', at(3))).facts).toHaveLength(1);
  expect(await factAt(store.reader, 'mount', 'kv/', beforeTime(at(3)))).toBeUndefined();
  expect((await factsAt(store.reader, 'mount', beforeTime(at(3)))).facts).toEqual([]);
  expect((await factsAt(store.reader, 'mount', allTime.to)).facts).toHaveLength(1);
});

test('the times beside the first and the last are times', () => {
  expect(afterTime(allTime.to)).toBe(allTime.to);
  expect(beforeTime(allTime.from)).toBe(allTime.from);
  expect(afterTime('2026-12-31T23:59:59.999999999Z')).toBe('2027-01-01T00:00:00.000000000Z');
});

test('what is removed or tuned in another namespace or cluster is another mount', async () => {
  await using store = await open([
    aFact('mount', 'db/prod/', { max_lease_ttl_s: 3600 }),
    aFact('mount', 'db/prod/', null, elsewhere),
    aFact('mount', 'db/prod/', { max_lease_ttl_s: 60 }, { time: at(6), cluster: 'other' }),
  ]);
  const mounts = await mountsAt(store.reader);
  expect(mounts.of({ path: 'db/prod/creds/app', cluster: 'test' })).toBe('db/prod/');
  expect(mounts.tuning('db/prod/', 'test')).toEqual({ max_lease_ttl_s: 3600 });
  expect(mounts.tuning('db/prod/', 'other')).toEqual({ max_lease_ttl_s: 60 });
  expect(mounts.of({ path: 'x', namespace: 'team/', cluster: 'test' })).toBe('team/x');
});

test('the longest lifetime is of the role of the same namespace and cluster, and never longer than its mount allows', async () => {
  const role = (name: string, s: number) => ({ mount: 'db/', role: name, max_ttl_s: s });
  await using store = await open([
    aFact('mount', 'db/', { max_lease_ttl_s: 3600 }),
    aFact('mount', 'db/', { max_lease_ttl_s: 90_000 }, elsewhere),
    aFact('role', 'db/roles/app', role('app', 600)),
    aFact('role', 'db/roles/app', role('app', 86_400), elsewhere),
    aFact('role', 'db/roles/long', role('long', 86_400)),
    aFact('role', 'db/roles/app', role('app', 7), { cluster: 'other', time: at(6) }),
  ]);
  const allowed = await allowedMaxima(store.reader, await mountsAt(store.reader), at(100));
  const of = (name: string, namespace = '') =>
    allowed.of({ path: `db/creds/${name}`, namespace, cluster: 'test' }, name)?.s;
  expect([of('app'), of('app', 'team/'), of('long'), of('none')]).toEqual([600, 86_400, 3600, 3600]);
});

test('groups of another cluster are not those of the entity', async () => {
  const member = { policies: ['p'], member_entity_ids: ['e'] };
  await using store = await open([
    aFact('entity', 'e', { name: 'Orders', policies: [] }),
    aFact('group', 'g', { ...member, name: 'here' }),
    aFact('group', 'g', { ...member, name: 'there' }, { cluster: 'other', time: at(9) }),
  ]);
  expect((await entityAt(store.reader, 'e'))?.groups.map(({ name }) => name)).toEqual(['here']);
});

test('too many facts: the answer says so', async () => {
  const facts: Fact[] = ['a/', 'b/', 'c/'].map((key, i) => aFact('mount', key, {}, { time: at(i) }));
  await using store = await open(facts);
  const cut = await factsAt(store.reader, 'mount', undefined, 2);
  expect([cut.facts.map(({ key }) => key), cut.read, cut.complete]).toEqual([['c/', 'b/'], 2, false]);
  expect((await factsAt(store.reader, 'mount', undefined, 3)).complete).toBe(true);
});
