// What every evidence store must do with what an attacker writes into its rows: texts that are long, broken or look like something else.

import { describe, expect, test } from 'vitest';
import { canonicalJson } from '../../core/canonical.ts';
import type { AuditEvent, JsonObject } from '../../core/event.ts';
import type { Lease } from '../../core/lease.ts';
import { limits } from '../../core/limits.ts';
import type { Clause } from '../../core/query.ts';
import { aLease, anEvent, at, type EventParts } from '../builders.ts';
import { batchOf, type EvidenceStoreFixture, eventsOf, openRun } from './evidence-store.ts';

const BOUND = limits.columnCharsMax;
const long = 'x'.repeat(BOUND);

/** Paths that are hard: each must be found by itself and by nothing else. */
const paths = [
  '',
  '*',
  '?',
  '"',
  '\\',
  '{"match_all":{}}',
  "' or 1=1 --",
  'a AND b',
  '_id',
  ' a',
  'a',
  'A',
  'ä',
  'a\u0308',
  'a\u0000',
  '\uD7FF',
  '\uD7FFx',
  '\uE000',
  '\u{10FFFF}',
  '\u{10FFFF}\u{10FFFF}x',
  'a\u0000b',
  '\uFFFE',
  '\uFFFF',
  '\u{10000}',
  '\u{1F511}',
  '~',
  '\u007F',
  '\t\r\n\u2028',
  'null',
  'true',
  '60',
];

/** As columns have them. */
const shown = (text: string) => text.replaceAll('\0', '\uFFFD');
const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

export function evidenceHostileContract(name: string, create: () => Promise<EvidenceStoreFixture>): void {
  describe(`evidence store, hostile texts: ${name}`, () => {
    const events = (...parts: Omit<EventParts, 'id'>[]) =>
      eventsOf(...parts.map((part, i) => anEvent({ ...part, id: `e${String(i).padStart(4, '0')}` })));

    test('every text is found by itself alone, and in the order of its bytes', async () => {
      await using run = await openRun(create);
      await run.writer.write(events(...paths.map((path) => ({ path, secret: path, ip: undefined }))));
      const count = (clause: Clause<'events'>) => run.reader.count('events', { where: [clause] });
      for (const path of paths) {
        const field = 'vault.request.path' as const;
        expect([path, await count({ field, op: 'eq', value: path })]).toEqual([path, 1]);
        expect([path, await count({ field, op: 'in', value: [path, 'none'] })]).toEqual([path, 1]);
        const prefixed = paths.filter((other) => shown(other).startsWith(shown(path))).length;
        expect([path, await count({ field, op: 'prefix', value: path })]).toEqual([path, prefixed]);
        const after = paths.filter((other) => byBytes(shown(other), shown(path)) > 0).length;
        expect([path, await count({ field, op: 'after', value: path })]).toEqual([path, after]);
      }
      const asked = { where: [], collect: [], limit: 100 };
      const { groups } = await run.reader.group({ ...asked, by: ['vault.secret.path'] });
      expect(groups.map(({ by }) => by[0])).toEqual(paths.map(shown).sort(byBytes));
    });

    test('a value beyond the bound is cut, in what is asked for as well; the row keeps it whole', async () => {
      await using run = await openRun(create);
      const wide = '\u{1F511}'.repeat(BOUND / 2);
      const values = [long, `${long}y`, `${long}z`, long.slice(1), wide, `${wide}!`, `x${wide}`];
      await run.writer.write(events(...values.map((path) => ({ path, secret: path }))));
      const count = (value: string, op: 'eq' | 'prefix') =>
        run.reader.count('events', { where: [{ field: 'vault.secret.path', op, value }] });
      expect(await count(long, 'eq')).toBe(3);
      expect(await count(`${long}q`, 'eq')).toBe(3);
      expect(await count(long.slice(1), 'prefix')).toBe(4);
      expect(await count(wide, 'eq')).toBe(2);
      const { groups } = await run.reader.group({
        ...{ where: [], by: ['vault.secret.path'], collect: ['vault.request.path'], limit: 9 },
      });
      expect(groups.map(({ n, by, collected }) => [n, by[0]?.length, collected[0]?.length])).toEqual([
        [1, BOUND - 1, 1],
        [3, BOUND, 1],
        [1, BOUND, 1],
        [2, BOUND, 1],
      ]);
      expect((await run.reader.get('events', 'e0001'))?.vault.request.path).toBe(`${long}y`);
    });

    test('half a surrogate pair is one text, wherever it stands', async () => {
      await using run = await openRun(create);
      const half = 'a\uD83D';
      await run.writer.write(events({ path: half }, { path: 'a\uDD11' }, { path: 'a\uFFFD' }, { path: 'a' }));
      const where: Clause<'events'>[] = [{ field: 'vault.request.path', op: 'eq', value: half }];
      expect(await run.reader.count('events', { where })).toBe(3);
      expect((await run.reader.get('events', 'e0000'))?.vault.request.path).toBe(half);
    });

    test('an event comes back as it was written, whatever its data', async () => {
      await using run = await openRun(create);
      let deep: JsonObject = { end: 'x' };
      for (let depth = 0; depth < limits.nestingMax - 8; depth++) deep = { deep };
      const datas: JsonObject[] = [
        { '': 'empty', 'a.b': 'dots', '.': 1, '..': [1, 'x', null, { y: [] }], 'a b': true },
        JSON.parse('{"__proto__":{"x":1},"constructor":{"prototype":{"y":2}},"toString":"z"}') as JsonObject,
        { a: 1, b: 1.5, c: -0.1, d: 1e300, e: 2 ** 53, f: '9'.repeat(40) },
        { row: { ts: 'no', id: 'no' }, body: 'no', _id: 'no' },
        { text: 'y'.repeat(9_000), nul: '\u0000', half: '\uD800' },
        { mixed: [1, 'two', { three: 3 }, [4]], same: { a: 1 } },
        { same: 'text and not an object' },
        deep,
      ];
      const written = datas.map((data, i): AuditEvent => {
        const event = anEvent({ id: `e${i}`, time: at(i) });
        return { ...event, vault: { ...event.vault, request: { ...event.vault.request, data } } };
      });
      await run.writer.write(eventsOf(...written));
      const { items } = await run.reader.find({ kind: 'events', where: [], order: 'asc', limit: 100 });
      // As text: `toEqual` does not tell an own `__proto__`.
      expect(items.map(canonicalJson)).toEqual(written.map(canonicalJson));
    });

    test('an address that is none, and a time far away, are rows like any other', async () => {
      await using run = await openRun(create);
      const odd = [
        { ip: 'not an address', time: at(1) },
        { ip: '10.0.0.1', time: '9999-12-31T23:59:59.999999999Z' },
        { ip: '::ffff:10.0.0.1', time: '0001-01-01T00:00:00.000000001Z' },
        { ip: '999.1.1.1', time: '1969-12-31T23:59:59.999999999Z' },
      ];
      await run.writer.write(events(...odd));
      const { items } = await run.reader.find({ kind: 'events', where: [], order: 'asc', limit: 9 });
      expect(items.map(({ event }) => event.id)).toEqual(['e0002', 'e0003', 'e0000', 'e0001']);
      const { groups } = await run.reader.group({ where: [], by: [], collect: [], limit: 9 });
      expect(groups).toEqual([
        { by: [], n: 4, first: odd[2]?.time, last: odd[1]?.time, last_id: 'e0001', collected: [] },
      ]);
    });

    test('ids of any length and content name one row each', async () => {
      await using run = await openRun(create);
      const ids = [
        ...['a', 'A', 'a/b c%2F?#', '_doc', '.', '..', '-', ',', '*', '"\\', '\u{1F511}', '\uFFFF'],
        ...['sha256:x', `sha256:${'0'.repeat(64)}`, 'l\u0000', 'l\u0000m', 'x'.repeat(512), 'x'.repeat(513)],
        ...['x'.repeat(2000), `${'x'.repeat(2000)}y`, 'ä'.repeat(256), 'ä'.repeat(257)],
      ];
      const leases = ids.map((id, i): Lease => aLease({ id, with: { role: `role-${i}` } }));
      await run.writer.write(batchOf({ leases: leases.map((body) => ({ revision: 1, body })) }));
      for (const lease of leases) expect(await run.reader.get('leases', lease.id)).toEqual(lease);
      expect(await run.reader.get('leases', 'none')).toBeUndefined();
      const seen: string[] = [];
      let after: { time: string; id: string } | undefined;
      do {
        const page = await run.reader.find({
          ...{ kind: 'leases', where: [], order: 'desc', limit: 3 },
          ...(after && { after }),
        });
        seen.push(...page.items.map(({ id }) => id));
        after = page.next;
      } while (after !== undefined);
      expect(seen.map(shown)).toEqual(ids.map(shown).sort(byBytes).reverse());
    });
  });
}
