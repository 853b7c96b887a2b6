// `user.full_name` on events and alerts: the name at the row's time, of the row's cluster, and only names that a person gave.

import { expect, test } from 'vitest';
import { withFullNames } from '../../api/directory/full-name.ts';
import { eventSchema, listOf } from '../../api/schemas.ts';
import { limits } from '../../core/limits.ts';
import { anAlert, anEvent, at } from '../builders.ts';
import { batchOf, eventsOf } from '../contract/evidence-store.ts';
import { aFact } from './access/facts.ts';
import { Harness } from './harness.ts';

const entity = '0f0c7c3e-6a56-4a6c-9b6d-0d7d7a9d9f01';
const other = '0f0c7c3e-6a56-4a6c-9b6d-0d7d7a9d9f02';
const calls = [
  anEvent({ id: 'e1', time: at(1), user: entity }),
  anEvent({ id: 'e2', time: at(10), user: entity }),
  anEvent({ id: 'e3', time: at(20), user: entity }),
  anEvent({ id: 'e4', time: at(30), user: entity }),
  anEvent({ id: 'e5', time: at(30), user: other }),
  anEvent({ id: 'e6', time: at(30), user: 'root' }),
  anEvent({ id: 'e7', time: at(30), user: `token:${entity}` }),
];
const facts = [
  aFact('entity', entity, { name: 'Orders' }, { time: at(5) }),
  aFact('entity', entity, { name: 'Orders of the shop' }, { time: at(20) }),
  aFact('entity', entity, null, { time: at(25) }),
  aFact('entity', entity, { name: 'Elsewhere' }, { time: at(19), cluster: 'other' }),
  aFact('entity', other, { name: 'entity_0a1b2c3d' }, { time: at(0) }),
  aFact('entity', 'root', { name: 'Nobody' }, { time: at(0) }),
  aFact('group', entity, { name: 'A group' }, { time: at(29) }),
];

const open = () =>
  Harness.open({
    ...batchOf({
      ...eventsOf(...calls),
      facts,
      alerts: [
        { revision: 1, body: anAlert({ id: 'a1', time: at(21), user: entity }) },
        { revision: 1, body: anAlert({ id: 'a2', time: at(21), user: 'root' }) },
      ],
    }),
  });

const nameOf = (row: { user: object }) => (row.user as { full_name?: string }).full_name;

test('events: the name then, the first after when there was none yet, none of what was removed', async () => {
  await using harness = await open();
  const page = (await harness.get('/v1/events')).json();
  listOf(eventSchema).parse(page);
  expect(page.items.map(nameOf)).toEqual([
    'Orders',
    'Orders',
    'Orders of the shop',
    ...[undefined, undefined, undefined, undefined],
  ]);
  // Nothing else of the row is changed.
  expect({ ...page.items[0], user: calls[0]?.user }).toEqual(calls[0]);
  const early = (await harness.get(`/v1/events?to=${at(2)}`)).json();
  expect(early.items.map(nameOf)).toEqual(['Orders']);
});

test('one event, one alert, a list of alerts', async () => {
  await using harness = await open();
  expect(nameOf((await harness.get('/v1/events/e3')).json())).toBe('Orders of the shop');
  expect(nameOf((await harness.get('/v1/events/e6')).json())).toBeUndefined();
  expect(nameOf((await harness.get('/v1/alerts/a1')).json())).toBe('Orders of the shop');
  expect((await harness.get('/v1/alerts')).json().items.map(nameOf)).toEqual([
    'Orders of the shop',
    undefined,
  ]);
});

test('one bounded question for each entity; what was not read gives no name', async () => {
  const told = Array.from({ length: limits.entityFactsMax + 5 }, (_, i) =>
    aFact('entity', entity, { name: `Name ${i}` }, { time: at(i + 1) }),
  ).reverse();
  const asked: { limit: number }[] = [];
  const reader = {
    find: async (query: { limit: number; to: string }) => {
      asked.push(query);
      return { items: told.filter((fact) => fact.at < query.to).slice(0, query.limit) };
    },
  };
  const rows = [1, 3, 90, 104].map((second) => anEvent({ id: `r${second}`, time: at(second), user: entity }));
  const named = await withFullNames(reader as never, rows);
  expect(named.map(nameOf)).toEqual([undefined, undefined, 'Name 89', 'Name 103']);
  expect(asked.map(({ limit }) => limit)).toEqual([limits.entityFactsMax]);
});
