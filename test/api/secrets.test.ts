// The inventory of secrets: from calls of a real Vault, and against a plain model for any calls.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { SecretRow } from '../../api/secrets/inventory.ts';
import type { AuditEvent } from '../../core/event.ts';
import { anEvent, at, type EventParts, reached } from '../builders.ts';
import { batchOf, eventsOf } from '../contract/evidence-store.ts';
import { goldenEvents } from './golden-events.ts';
import { Harness } from './harness.ts';

interface Page {
  items: SecretRow[];
  next_cursor: string | null;
  since: string | null;
}

async function allOf(harness: Harness, query = ''): Promise<SecretRow[]> {
  const rows: SecretRow[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const page: Page = (
      await harness.get(`/v1/secrets?limit=3&${query}${cursor && `&cursor=${cursor}`}`)
    ).json();
    rows.push(...page.items);
    cursor = page.next_cursor;
  }
  return rows;
}

const scenes = ['people-and-services', 'kv-v1-read', 'database-lease', 'denied', 'wrapping'];
const lived = () =>
  Harness.open({
    ...eventsOf(...scenes.flatMap((scene) => goldenEvents(scene))),
    offsets: reached('2026-11-24T00:00:00.000000000Z'),
  });

test('of a real Vault: engines, who wrote, who read, who never did', async () => {
  await using harness = await lived();
  const rows = await allOf(harness);
  expect(rows.map(({ path, engine }) => [path, engine])).toEqual([
    ['database/creds/app', 'database'],
    ['legacy/billing/smtp', 'kv-v1'],
    ['secret/billing/api-key', 'kv-v2'],
    ['secret/billing/database', 'kv-v2'],
  ]);
  const [database, legacy, key, wrapped] = rows;
  expect(database).toMatchObject({ reads: 3, readers: 1, last_rotated: null, version: null, state: 'live' });
  expect(legacy).toMatchObject({
    created: null,
    last_rotated: null,
    last_read: { by: { name: 'billing' } },
    never_read: false,
  });
  // A wrapped read counts for who asked for it.
  expect(wrapped).toMatchObject({ reads: 1, readers: 1, never_read: false });
  expect(key).toMatchObject({
    version: 1,
    created: { by: { id: 'root', name: 'root' }, version: 1 },
    last_rotated: { by: { id: 'root' } },
    never_read: true,
    written_never_read: true,
    state: 'live',
  });
  const paths = async (query: string) => (await allOf(harness, query)).map(({ path }) => path);
  expect(await paths('never_read=true')).toEqual(['secret/billing/api-key']);
  expect(await paths('written_never_read=false')).toEqual([
    'database/creds/app',
    'legacy/billing/smtp',
    'secret/billing/database',
  ]);
  expect(await paths('prefix=secret/billing/d')).toEqual(['secret/billing/database']);
  expect(await paths('engine=kv-v1')).toEqual(['legacy/billing/smtp']);
  // The log is a day old: what was never written in it counts as old as the log.
  expect(await paths('older_than=20h')).toHaveLength(4);
  expect(await paths('older_than=1d')).toEqual([]);
});

test('of a real Vault: the states that a secret goes through', async () => {
  const events = goldenEvents('kv-v2');
  const states: string[] = [];
  for (let n = 1; n <= events.length; n++) {
    await using harness = await Harness.open(eventsOf(...events.slice(0, n)));
    const [row, ...others] = await allOf(harness);
    // Neither a list nor a read of what is not there makes a secret.
    expect(others).toEqual([]);
    states.push(`${events[n - 1]?.event.action} ${row?.state} v${row?.version}`);
  }
  expect(states).toEqual([
    'secret-write live v1',
    'secret-write live v2',
    'secret-read live v2',
    'secret-read live v2',
    'secret-read live v2',
    'secret-list live v2',
    'secret-delete deleted v2',
    'secret-undelete live v2',
    'secret-destroy destroyed_in_part v2',
    'secret-metadata-read destroyed_in_part v2',
    'secret-metadata-delete removed v2',
  ]);
});

test('a static credential: rotated by call, or as Vault tells a reader', async () => {
  const secret = 'database/static-creds/app';
  const read = anEvent({ id: 'r', time: at(100), action: 'credential-read', secret, engine: 'database' });
  read.vault.response = { data: { last_vault_rotation: at(50).replace('.000000000Z', '.5Z'), ttl: 10 } };
  const call = (id: string, second: number) =>
    anEvent({
      id,
      time: at(second),
      user: 'root',
      action: 'credential-rotate',
      secret: 'database/rotate-role/app',
      engine: 'database',
    });
  const rotated = async (...events: AuditEvent[]) => {
    await using harness = await Harness.open(eventsOf(read, ...events));
    const [row, ...others] = await allOf(harness);
    expect(others).toEqual([]);
    return [row?.path, row?.last_rotated?.at, row?.last_rotated?.by?.id];
  };
  expect(await rotated()).toEqual([secret, at(50).replace('.0', '.5'), undefined]);
  expect(await rotated(call('c', 49))).toEqual([secret, at(49), 'root']);
  expect(await rotated(call('c', 200))).toEqual([secret, at(200), 'root']);
});

// Few of each, so that they meet.
const parts: fc.Arbitrary<Omit<EventParts, 'id'>> = fc.record({
  time: fc.integer({ min: 0, max: 20 }).map(at),
  user: fc.constantFrom('u1', 'u2', 'root'),
  action: fc.constantFrom('secret-read', 'secret-write', 'secret-patch', 'secret-list', 'secret-delete'),
  outcome: fc.constantFrom('success' as const, 'success' as const, 'failure' as const),
  secret: fc.constantFrom('s/a', 's/ab', 's/b', 't/a', 't/ü'),
  version: fc.option(fc.constantFrom(1, 2, 3), { nil: undefined }),
});

test('any calls: reads, readers, first and last are those of a plain model', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(parts, { maxLength: 30 }), async (list) => {
      const events = list.map((part, i) => anEvent({ ...part, id: `e${String(i).padStart(2, '0')}` }));
      await using harness = await Harness.open(batchOf(eventsOf(...events)));
      const rows = await allOf(harness);
      expect(rows.map(tell)).toEqual(model(events));
      for (const query of ['never_read=true', 'never_read=false', 'written_never_read=true'])
        expect((await allOf(harness, query)).map(tell)).toEqual(
          rows
            .filter((row) => String(row[query.split('=')[0] as 'never_read']) === query.split('=')[1])
            .map(tell),
        );
    }),
    { numRuns: 25 },
  );
}, 60_000);

const tell = ({ path, reads, readers, created, last_rotated: rotated, last_read: read }: SecretRow) => ({
  path,
  reads,
  readers,
  created: created?.event_id,
  rotated: rotated?.event_id,
  read: read?.event_id,
});

function model(events: AuditEvent[]) {
  const known = events
    .filter(({ event }) => event.outcome === 'success' && event.action !== 'secret-list')
    .sort((a, b) => (a['@timestamp'] + a.event.id < b['@timestamp'] + b.event.id ? -1 : 1));
  const paths = [...new Set(known.map(({ vault }) => vault.secret?.path ?? ''))].sort();
  return paths.map((path) => {
    const of = known.filter(({ vault }) => vault.secret?.path === path);
    const reads = of.filter(({ event }) => event.action === 'secret-read');
    const writes = of.filter(({ event }) => /write|patch/.test(event.action));
    return {
      path,
      reads: reads.length,
      readers: new Set(reads.map(({ user }) => user.id)).size,
      created: writes[0]?.event.id,
      rotated: writes.at(-1)?.event.id,
      read: reads.at(-1)?.event.id,
    };
  });
}
