// Search in the words of Sigma: what it finds is what a plain look at every event finds; what it cannot read it refuses by name.

import { readdirSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { clausesOf } from '../../api/search/pushdown.ts';
import type { AuditEvent } from '../../core/event.ts';
import { limits } from '../../core/limits.ts';
import { predicateOf } from '../../core/match/predicate.ts';
import { readSelection } from '../../core/match/read.ts';
import { anAlert, anEvent, at } from '../builders.ts';
import { batchOf, eventsOf } from '../contract/evidence-store.ts';
import { goldenEvents } from './golden-events.ts';
import { Harness } from './harness.ts';

const scenes = readdirSync('test/fixtures/golden/default').map((name) => name.replace('.jsonl', ''));
const events = scenes.flatMap((scene) => goldenEvents(scene));
const matchOf = (search: unknown) =>
  encodeURIComponent(typeof search === 'string' ? search : JSON.stringify(search));

/** Every id that the search finds, along its cursor. */
async function found(harness: Harness, search: unknown, more = ''): Promise<string[]> {
  const ids: string[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const next: string = cursor === '' ? '' : `&cursor=${cursor}`;
    const response = await harness.get(`/v1/events?match=${matchOf(search)}&limit=1000${more}${next}`);
    expect([search, response.statusCode, response.json().detail]).toEqual([search, 200, undefined]);
    ids.push(...response.json().items.map((event: AuditEvent) => event.event.id));
    cursor = response.json().next_cursor;
  }
  return ids.sort();
}

const idsOf = (rows: AuditEvent[]) => rows.map(({ event }) => event.id).sort();

const searches: [search: unknown, test: (event: AuditEvent) => boolean][] = [
  [{ 'event.action': 'SECRET-read' }, ({ event }) => event.action === 'secret-read'],
  [{ 'event.action|startswith': 'secret-' }, ({ event }) => event.action.startsWith('secret-')],
  ['event.outcome: failure', ({ event }) => event.outcome === 'failure'],
  [
    { 'event.outcome': ['failure', 'unknown'], 'vault.caller.kind': 'human' },
    ({ event, vault }) => event.outcome !== 'success' && vault.caller.kind === 'human',
  ],
  [{ 'vault.secret.path': null }, ({ vault }) => vault.secret === undefined],
  [{ 'vault.secret.version|exists': true }, ({ vault }) => vault.secret?.version !== undefined],
  [{ 'vault.secret.version': 2 }, ({ vault }) => vault.secret?.version === 2],
  [{ 'vault.secret.version|gte': 2 }, ({ vault }) => (vault.secret?.version ?? 0) >= 2],
  [{ 'source.ip|cidr': '127.0.0.0/8' }, ({ source }) => source?.ip?.startsWith('127.') === true],
  [
    { 'vault.caller.policies': 'default' },
    ({ vault }) => vault.caller.policies?.includes('default') === true,
  ],
  [
    {
      read: { 'event.action': 'secret-read' },
      filter_people: { 'vault.caller.kind': 'human' },
      condition: 'read and not 1 of filter_*',
    },
    ({ event, vault }) => event.action === 'secret-read' && vault.caller.kind !== 'human',
  ],
  [
    'a:\n  vault.request.path|re: ^sys/\nb:\n  event.outcome: failure\ncondition: a or b',
    ({ event, vault }) => event.outcome === 'failure' || vault.request.path?.startsWith('sys/') === true,
  ],
];

test('finds what a plain look at every real event finds', async () => {
  await using harness = await Harness.open(eventsOf(...events));
  for (const [search, plain] of searches) {
    const wanted = events.filter(plain);
    expect([search, wanted.length > 0 && wanted.length < events.length]).toEqual([search, true]);
    expect([search, await found(harness, search)]).toEqual([search, idsOf(wanted)]);
  }
});

test('the store answers what it can: a search for one person looks at no other', async () => {
  await using harness = await Harness.open(eventsOf(...events));
  const [user = ''] = events.map((event) => event.user.id).filter((id) => id.startsWith('address:'));
  const of = events.filter((event) => event.user.id === user).length;
  const page = (await harness.get(`/v1/events?match=${matchOf({ 'user.id|cased': user })}`)).json();
  expect([page.items.length, page.scanned]).toEqual([Math.min(of, 100), Math.min(of, 100)]);
  expect(of).toBeLessThan(events.length);
});

const values = fc.constantFrom<string | number | null>(
  ...['secret-read', 'SECRET-READ', 'sec*', '*read', 'secret-?ead', '', 'failure', 'Failure', 'root', 'ROOT'],
  ...['127.0.0.1', '127.*', 'secret/app', 'Secret/App', 'secret/a*', 1, 2, '1', null, 'kv', 'ſecret-read'],
);
const names = fc.constantFrom(
  ...['event.action', 'event.outcome', 'user.id', 'source.ip', 'vault.secret.path', 'vault.secret.version'],
  ...['vault.request.path', 'vault.caller.kind', 'vault.caller.policies'],
);
const modifiers = fc.constantFrom('', '|cased', '|startswith', '|contains|cased', '|startswith|cased');
const selection = fc
  .array(fc.tuple(names, modifiers, fc.oneof(values, fc.array(values, { minLength: 1, maxLength: 3 }))), {
    minLength: 1,
    maxLength: 3,
  })
  .map((entries) => Object.fromEntries(entries.map(([name, modifier, value]) => [name + modifier, value])));

/** Events with few values that meet, in letters of both cases. */
const strange = fc.array(
  fc.record({
    user: fc.constantFrom('root', 'ROOT', 'u1'),
    action: fc.constantFrom('secret-read', 'secret-write'),
    ip: fc.constantFrom(undefined, '127.0.0.1', '127.0.0.11'),
    secret: fc.constantFrom(undefined, 'secret/app', 'Secret/App', 'secret/apple'),
    version: fc.constantFrom(undefined, 1, 2, 12),
  }),
  { maxLength: 12 },
);

test('a clause never holds back what the search is after, whatever the selection', async () => {
  await using harness = await Harness.open();
  let clauses = 0;
  let round = 0;
  await fc.assert(
    fc.asyncProperty(selection, strange, async (asked, parts) => {
      const from = at(++round * 100);
      const time = at(round * 100 + 1);
      const rows = parts.map((part, i) => anEvent({ ...part, id: `${round}-${i}`, time }));
      await harness.writer.write(eventsOf(...rows));
      let expr: ReturnType<typeof readSelection>;
      try {
        expr = readSelection(asked);
      } catch {
        return;
      }
      clauses += clausesOf('events', expr).length;
      const wanted = rows.filter(predicateOf(expr));
      expect(await found(harness, asked, `&from=${from}&to=${at(round * 100 + 2)}`)).toEqual(idsOf(wanted));
    }),
    { numRuns: 300 },
  );
  expect(clauses).toBeGreaterThan(100);
}, 60_000);

const refused: [search: unknown, detail: RegExp][] = [
  ['{', /line 1/],
  ['[]', /empty/],
  ['{}', /empty/],
  [{ 'event.acton': 'x' }, /event\.acton: is no field of events; did you mean event\.action\?/],
  [{ constructor: 'x' }, /constructor: is no field/],
  [{ '__proto__.x': 'x' }, /is no field/],
  [{ 'event.action|startwith': 'x' }, /startswith/],
  [{ a: { 'event.action': 'x' }, condition: 'b' }, /condition: there is no selection b/],
  [{ a: { 'event.action': 'x' }, b: { 'user.id': 'x' }, condition: 'a' }, /selection b is never used/],
  [{ a: { 'event.action': 'x' }, condition: 7 }, /condition: must be a text/],
  [{ 'event.action|re': '(?=a)b' }, /event\.action\|re/],
  [{ 'event.action': { deep: 1 } }, /event\.action/],
  ['user.name = mara', /a text alone/],
  ['{"user.name": "mara"', /line 1, column 21$/],
  [{ one: { 'user.name': 'mara' } }, /one: is a selection of its own and needs a condition/],
  ['a: &x {user.id: 1}\nb: *x\ncondition: a or b', /aliases/],
  ['user.id: a\nuser.id: b', /unique/],
  ['- &a [x]\n- *a', /aliases/],
  ['['.repeat(5000), /./],
  [
    { 'event.action|re': Array.from({ length: limits.searchRegexesMax + 1 }, (_, i) => `^a${i}`) },
    /11 regular/,
  ],
  ['x'.repeat(limits.matchCharsMax + 1), /8192/],
  [{ 'vault.request.data.x': 'y', 'user.nme': 'x' }, /did you mean user\.name/],
];

test.each(refused)('%j is refused with a reason', async (search, detail) => {
  await using harness = await Harness.open();
  const response = await harness.get(`/v1/events?match=${matchOf(search)}`);
  expect(response.statusCode).toBe(400);
  expect(response.json()).toMatchObject({ errors: [{ parameter: 'match' }] });
  expect(response.json().detail).toMatch(detail);
});

test('alerts are searched alike, and with a status', async () => {
  const alerts = [
    anAlert({ id: 'a1', level: 'high' }),
    anAlert({ id: 'a2', level: 'low', time: at(1) }),
    anAlert({ id: 'a3', level: 'high', user: 'v', time: at(2) }),
  ];
  await using harness = await Harness.open(
    batchOf({ alerts: alerts.map((body) => ({ revision: 1, body })) }),
  );
  await harness.post('/v1/alerts/a1/triage', { status: 'closed' });
  const ids = async (query: string) =>
    (await harness.get(`/v1/alerts?${query}`))
      .json()
      .items.map((row: { alert: { id: string } }) => row.alert.id);
  const high = `match=${matchOf({ 'rule.level': 'HIGH' })}`;
  expect(await ids(high)).toEqual(['a1', 'a3']);
  expect(await ids(`${high}&status=open`)).toEqual(['a3']);
  expect(await ids(`match=${matchOf({ 'message|contains': 'unusual', 'user.id': 'v' })}`)).toEqual(['a3']);
  const wrong = await harness.get(`/v1/alerts?match=${matchOf({ 'vault.caller.role': 'x' })}`);
  expect(wrong.json().detail).toMatch(/no field of alerts/);
});
