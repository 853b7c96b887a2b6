// Questions that the API asks of every evidence store, beyond those of the model: very many values, times to the nanosecond, hashes.

import { describe, expect, test } from 'vitest';
import { limits } from '../../core/limits.ts';
import type { Clause, Page } from '../../core/query.ts';
import type { HashPair, NodeSeen } from '../../core/records.ts';
import { aLease, anEvent, aToken, at } from '../builders.ts';
import { batchOf, type EvidenceStoreFixture, eventsOf, openRun } from './evidence-store.ts';

export function evidenceQuestionsContract(name: string, create: () => Promise<EvidenceStoreFixture>): void {
  describe(`evidence store, questions: ${name}`, () => {
    test('one of very many values', async () => {
      await using run = await openRun(create);
      await run.writer.write(eventsOf(...['u1', 'u69999', 'x'].map((user) => anEvent({ id: user, user }))));
      const among = (count: number): Clause<'events'>[] => [
        { field: 'user.id', op: 'in', value: Array.from({ length: count }, (_, i) => `u${i}`) },
      ];
      const counts = [];
      for (const count of [0, 1, 2, 1_025, 33_000, 70_000])
        counts.push(await run.reader.count('events', { where: among(count) }));
      expect(counts).toEqual([0, 0, 1, 1, 1, 2]);
    });

    test('a number is found by its own text alone', async () => {
      await using run = await openRun(create);
      await run.writer.write(
        eventsOf(...[1, 2, 10].map((version) => anEvent({ id: `e${version}`, version }))),
      );
      const count = (value: string) =>
        run.reader.count('events', { where: [{ field: 'vault.secret.version', op: 'eq', value }] });
      const texts = ['1', '10', '1.0', '01', ' 1', '1e0', '0x1', '', 'one', '1e999', 'NaN'];
      const counts = [];
      for (const text of texts) counts.push(await count(text));
      expect(counts).toEqual([1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
      const asked = { where: [], collect: [], limit: 9 };
      const { groups } = await run.reader.group({ ...asked, by: ['vault.secret.version'] });
      expect(groups.map(({ by }) => by[0])).toEqual(['1', '2', '10']);
    });

    test('first and last of a group to the nanosecond, over any time; at one time the last by id', async () => {
      await using run = await openRun(create);
      const times = [
        '2026-09-01T00:00:00.123456789Z',
        '2026-09-01T00:00:00.123456788Z',
        '2025-02-03T04:05:06.000000001Z',
        '2025-02-03T04:05:06.000000002Z',
        '2027-12-31T23:59:59.999999999Z',
      ];
      const rows = times.map((time, i) => anEvent({ id: `e${i}`, time }));
      const same = ['b', 'a', '\uFFFF', '\u{1F511}', 'c'].map((id) => anEvent({ id, user: 'same' }));
      await run.writer.write(eventsOf(...rows, ...same));
      const asked = { by: ['user.id' as const], collect: ['event.action' as const], limit: 9 };
      const group = async (period: { from?: string; to?: string }) =>
        (await run.reader.group({ ...asked, ...period, where: [] })).groups.map(
          ({ by, n, first, last, last_id: id }) => [by[0], n, first, last, id],
        );
      const shared = ['same', 5, at(0), at(0), '\u{1F511}'];
      expect(await group({})).toEqual([['entity-1', 5, times[2], times[4], 'e4'], shared]);
      expect(await group({ from: '2026-09-01T00:00:00.000000000Z', to: times[0] as string })).toEqual([
        ['entity-1', 1, times[1], times[1], 'e1'],
        shared,
      ]);
      expect(await group({ to: times[3] as string })).toEqual([['entity-1', 1, times[2], times[2], 'e2']]);
    });

    test('more rows and more fine groups than one page holds', async () => {
      await using run = await openRun(create);
      const events = Array.from({ length: 24_000 }, (_, i) =>
        anEvent({ id: `e${i}`, user: `u${String(i % 8_000).padStart(5, '0')}`, path: `p${i}`, time: at(i) }),
      );
      for (let i = 0; i < events.length; i += 5_000)
        await run.writer.write(eventsOf(...events.slice(i, i + 5_000)));
      let [read, after]: [number, { time: string; id: string } | undefined] = [0, undefined];
      do {
        const page: Page<'events'> = await run.reader.find({
          ...{ kind: 'events', where: [], order: 'asc', limit: 20_000 },
          ...(after && { after }),
        });
        read += page.items.length;
        after = page.next;
      } while (after !== undefined);
      expect(read).toBe(24_000);
      const asked = { where: [], by: ['user.id' as const], collect: ['vault.request.path' as const] };
      const whole = await run.reader.group({ ...asked, limit: 100_000 });
      expect(whole).toMatchObject({ complete: true, groups: { length: 8_000 } });
      expect(whole.groups[7_999]).toEqual({
        ...{ by: ['u07999'], n: 3, first: at(7_999), last: at(23_999), last_id: 'e23999' },
        collected: [['p15999', 'p23999', 'p7999']],
      });
      expect(whole.groups.every(({ n, last_id: id }) => n === 3 && id !== '')).toBe(true);
      const cut = await run.reader.group({ ...asked, limit: 7_999 });
      expect(cut).toEqual({ groups: whole.groups.slice(0, 7_999), complete: false });
    }, 120_000);

    test('a call that is told again with a time of another day is one call', async () => {
      await using run = await openRun(create);
      const midnight = 86_400;
      const half = anEvent({ id: 'a', revision: 1, pair: 'request_only', time: at(midnight) });
      const whole = anEvent({ id: 'a', revision: 2, time: at(midnight - 1) });
      for (const order of [
        [half, whole],
        [whole, half],
      ])
        for (const event of order) await run.writer.write(eventsOf(event));
      expect(await run.reader.get('events', 'a')).toEqual(whole);
      expect(await run.reader.count('events', { where: [] })).toBe(1);
      const days = async (from: number, to: number) =>
        (
          await run.reader.find({
            kind: 'events',
            from: at(from),
            to: at(to),
            where: [],
            order: 'asc',
            limit: 9,
          })
        ).items.length;
      expect([await days(0, midnight), await days(midnight, 2 * midnight)]).toEqual([1, 0]);
    });

    test('a hash leads to all that pairs lead to, over any number of devices, to a bound', async () => {
      await using run = await openRun(create);
      const pair = (ranked: string, other: string): HashPair => ({
        ...{ id: `${ranked}-${other}`, what: 'token', at: at(0) },
        ...{ ranked: { device: 'd1', hash: ranked }, other: { device: 'd2', hash: other } },
      });
      const star = Array.from({ length: limits.sameHashesMax + 20 }, (_, i) => pair('s', `s${1000 + i}`));
      await run.writer.write(
        batchOf({ hashes: [pair('a', 'b'), pair('c', 'b'), pair('c', 'd'), pair('x', 'y'), ...star] }),
      );
      for (const hash of ['a', 'b', 'c', 'd'])
        expect(await run.reader.sameHashes(hash)).toEqual(['a', 'b', 'c', 'd']);
      expect(await run.reader.sameHashes('none')).toEqual(['none']);
      const nearest = star.slice(0, limits.sameHashesMax - 1).map(({ other }) => other.hash);
      expect(await run.reader.sameHashes('s')).toEqual(['s', ...nearest]);
      const around = await run.reader.sameHashes('s1100');
      expect(around).toEqual(['s', 's1100', ...nearest.slice(0, limits.sameHashesMax - 2)].sort());
    });

    test('nodes of the hours that a period touches, by name', async () => {
      await using run = await openRun(create);
      const seen = (node: string, hour: number, how: NodeSeen['how']): NodeSeen => {
        const text = at(hour * 3600);
        return { id: `${node}-${how}-${hour}`, node, cluster: 'test', how, hour: text };
      };
      const nodes = [
        seen('v2', 1, 'collected'),
        seen('v1', 1, 'forwarded_from'),
        seen('v1', 1, 'collected'),
        seen('v1', 0, 'collected'),
        seen('v0', 2, 'collected'),
      ];
      await run.writer.write(batchOf({ nodes }));
      await run.writer.write(batchOf({ nodes }));
      expect(await run.reader.nodes(at(3600), at(7200))).toEqual([nodes[2], nodes[1], nodes[0]]);
      expect(await run.reader.nodes(at(0), at(1))).toEqual([nodes[3]]);
      expect((await run.reader.nodes(at(0), at(7201))).length).toBe(5);
    });

    test('leases by token, by list of policies, by text that is later, and by what is absent', async () => {
      await using run = await openRun(create);
      const rows = [
        aToken({ id: 'a', token: { policies: ['b', 'a'], periodic: 'told' } }),
        aToken({ id: 'b', token: { policies: ['a', 'b'] }, with: { expires_at: at(60) } }),
        aLease({ id: 'c', with: { holder_token: 'token:a', role: 'r' } }),
      ];
      await run.writer.write(batchOf({ leases: rows.map((body) => ({ revision: 1, body })) }));
      const of = async (...where: Clause<'leases'>[]) =>
        (await run.reader.find({ kind: 'leases', where, order: 'asc', limit: 9 })).items.map(({ id }) => id);
      expect(await of({ field: 'token.accessor', op: 'in', value: ['a', 'c'] })).toEqual(['token:a']);
      expect(await of({ field: 'expires_at', op: 'after', value: at(59) })).toEqual(['token:b']);
      expect(await of({ field: 'expires_at', op: 'after', value: at(60) })).toEqual([]);
      expect(await of({ field: 'token.periodic', op: 'exists', value: false })).toEqual(['c', 'token:b']);
      expect(await of({ field: 'holder_token', op: 'eq', value: 'token:a' })).toEqual(['c']);
      const asked = { where: [], by: ['token.policies' as const], limit: 9 };
      const { groups } = await run.reader.group({ kind: 'leases', ...asked, collect: ['token.accessor'] });
      expect(groups.map(({ by, n, collected }) => [by[0], n, collected[0]])).toEqual([
        [undefined, 1, []],
        ['["a","b"]', 2, ['a', 'b']],
      ]);
    });
  });
}
