// What every memory of the ledger must do, whatever it is built on. An adapter's test calls this with a way to open it.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Lease } from '../../core/lease.ts';
import type { Held, LedgerMemory } from '../../core/ports.ts';
import { aLease, at } from '../builders.ts';

export interface LedgerMemoryFixture {
  open(): LedgerMemory | Promise<LedgerMemory>;
  remove(): void;
}

export const aHeld = (lease: Partial<Lease> & { id: string }, revision = 1): Held => ({
  lease: { ...aLease({ id: lease.id }), ...lease },
  revision,
  notes: { seen: [1, null, 'x'] },
});

const idsOf = (rows: Held[]) => rows.map(({ lease }) => lease.id);

export function ledgerMemoryContract(name: string, create: () => LedgerMemoryFixture): void {
  describe(`ledger memory: ${name}`, () => {
    let fixture: LedgerMemoryFixture;
    let memory: LedgerMemory;
    beforeEach(async () => {
      fixture = create();
      memory = await fixture.open();
    });
    afterEach(() => {
      memory[Symbol.dispose]();
      fixture.remove();
    });
    const put = (...leases: (Partial<Lease> & { id: string })[]) => {
      for (const lease of leases) memory.put(aHeld(lease));
    };

    test('a row comes back as it was put, and is nobody else’s object', () => {
      const held = aHeld({ id: 'database/creds/app/\u{1F511}"\\' }, 7);
      memory.put(held);
      const found = memory.held(held.lease.id) as Held;
      expect(found).toEqual(held);
      found.lease.renewals = 99;
      found.notes['more'] = true;
      held.lease.holder_id = 'other';
      expect(memory.held(held.lease.id)?.lease.renewals).toBe(0);
      expect(memory.held(held.lease.id)?.notes).toEqual({ seen: [1, null, 'x'] });
      expect(memory.held(held.lease.id)?.lease.holder_id).toBe('entity-1');
      expect(memory.held('database/creds/app/no')).toBeUndefined();
    });

    test('what was put last holds', () => {
      put({ id: 'a' });
      memory.put(aHeld({ id: 'a', state: 'revoked', ended_at: at(5) }, 2));
      expect(memory.held('a')?.revision).toBe(2);
      expect(memory.newestOpen(undefined, 10)).toEqual([]);
      memory.put(aHeld({ id: 'a' }, 3));
      expect(idsOf(memory.newestOpen(undefined, 10))).toEqual(['a']);
    });

    test('rows of a token that lived at a time: leases and tokens, by id, page by page', () => {
      put(
        { id: 'c', holder_token: 'token:t' },
        { id: 'token:b', kind: 'token', holder_token: 'token:t' },
        { id: 'a', holder_token: 'token:t' },
        { id: 'd', holder_token: 'token:t', ended_at: at(9), state: 'expired' },
        { id: 'e', holder_token: 'token:other' },
        { id: 'f' },
      );
      expect(idsOf(memory.aliveOf('token:t', at(10), '', 10))).toEqual(['a', 'c', 'token:b']);
      expect(idsOf(memory.aliveOf('token:t', at(9), '', 10))).toEqual(['a', 'c', 'd', 'token:b']);
      expect(idsOf(memory.aliveOf('token:t', at(9), '', 3))).toEqual(['a', 'c', 'd']);
      expect(idsOf(memory.aliveOf('token:t', at(9), 'a', 2))).toEqual(['c', 'd']);
      expect(idsOf(memory.aliveOf('token:t', at(9), 'd', 2))).toEqual(['token:b']);
      expect(memory.aliveOf('token:none', at(1), '', 10)).toEqual([]);
    });

    test('what a prefix had given out and lived at a time, of one namespace', () => {
      put(
        { id: 'database/creds/app/2' },
        { id: 'database/creds/app/1' },
        { id: 'database/creds/apple/1' },
        { id: 'database/creds/ap\u{ffff}' },
        { id: 'database/creds/app/3', ended_at: at(9) },
        { id: 'database/creds/app/4', namespace: 'team/' },
        { id: 'token:2', kind: 'token', path: 'auth/approle/login' },
        { id: 'token:1', kind: 'token', path: 'auth/approle/login' },
        { id: 'token:0', kind: 'token', path: 'auth/approle/login', ended_at: at(9) },
        { id: 'token:3', kind: 'token', path: 'auth/userpass/login/bob' },
        { id: 'token:4', kind: 'token', path: 'auth/approle/login', namespace: 'team/' },
      );
      const under = (namespace: string, prefix: string, time = 10, after = '', limit = 10) =>
        idsOf(memory.aliveUnder(namespace, prefix, at(time), after, limit));
      expect(under('', 'database/creds/app/')).toEqual(['database/creds/app/1', 'database/creds/app/2']);
      expect(under('', 'database/creds/app/', 9)).toHaveLength(3);
      expect(under('', 'database/creds/app')).toHaveLength(3);
      expect(under('team/', '')).toEqual(['database/creds/app/4', 'token:4']);
      expect(under('', 'auth/approle/login/')).toEqual(['token:1', 'token:2']);
      expect(under('', 'auth/approle/', 9)).toEqual(['token:0', 'token:1', 'token:2']);
      expect(under('', 'auth/approle/', 9, 'token:0', 1)).toEqual(['token:1']);
      expect(under('', 'auth/')).toEqual(['token:1', 'token:2', 'token:3']);
      expect(under('', '', 9, 'database/creds/app/2', 4)).toEqual([
        'database/creds/app/3',
        'database/creds/apple/1',
        'database/creds/ap\u{ffff}',
        'token:0',
      ]);
      expect(under('', 'd%')).toEqual([]);
    });

    test('what has ended, the first to end first, and what is forgotten', () => {
      put(
        { id: 'b', ended_at: at(3) },
        { id: 'a', ended_at: at(3) },
        { id: 'c', ended_at: at(2) },
        { id: 'd', ended_at: at(9) },
        { id: 'e', holder_token: 'token:t' },
      );
      expect(memory.ended(at(1), 10)).toEqual([]);
      expect(idsOf(memory.ended(at(3), 10))).toEqual(['c', 'a', 'b']);
      expect(idsOf(memory.ended(at(3), 1))).toEqual(['c']);
      for (const id of ['c', 'a', 'b', 'e', 'none']) memory.forget(id);
      expect(memory.held('c')).toBeUndefined();
      expect(memory.aliveOf('token:t', at(1), '', 10)).toEqual([]);
      expect(memory.ended(at(8), 10)).toEqual([]);
      put({ id: 'c', ended_at: at(4) });
      expect(idsOf(memory.ended(at(8), 10))).toEqual(['c']);
      expect(idsOf(memory.ended(at(9), 10))).toEqual(['c', 'd']);
    });

    test('what expires, the first to expire first, then by id', () => {
      put(
        { id: 'later', expires_at: at(30) },
        { id: 'b', expires_at: at(10) },
        { id: 'a', expires_at: at(10) },
        { id: 'first', kind: 'token', expires_at: at(5) },
        { id: 'over', expires_at: at(1), ended_at: at(1) },
        { id: 'never' },
      );
      expect(memory.expired(at(4), 10)).toEqual([]);
      expect(idsOf(memory.expired(at(10), 10))).toEqual(['first', 'a', 'b']);
      expect(idsOf(memory.expired(at(10), 2))).toEqual(['first', 'a']);
      for (const { lease } of memory.expired(at(10), 10)) put({ ...lease, ended_at: at(10) });
      expect(memory.expired(at(29), 10)).toEqual([]);
      put({ id: 'new', expires_at: at(20) });
      expect(idsOf(memory.expired(at(29), 10))).toEqual(['new']);
      put({ id: 'new', expires_at: at(40) });
      expect(idsOf(memory.expired(at(39), 10))).toEqual(['later']);
    });

    test('the newest open leases, of one holder and of anybody', () => {
      put(
        { id: 'a', issued_at: at(1), holder_id: 'one' },
        { id: 'b', issued_at: at(3), holder_id: 'one' },
        { id: 'c', issued_at: at(2), holder_id: 'two' },
        { id: 'd', issued_at: at(4), holder_id: 'one', ended_at: at(5) },
        { id: 'token:e', issued_at: at(9), holder_id: 'one', kind: 'token' },
      );
      expect(idsOf(memory.newestOpen('one', 10))).toEqual(['b', 'a']);
      expect(idsOf(memory.newestOpen(undefined, 2))).toEqual(['b', 'c']);
    });

    test('small values by space and key', () => {
      memory.set('read/x', 'k', { a: [1] });
      memory.set('read/y', 'k', null);
      expect(memory.get('read/x', 'k')).toEqual({ a: [1] });
      expect(memory.get('read/y', 'k')).toBeNull();
      expect(memory.get('read/x', 'none')).toBeUndefined();
      memory.set('read/x', 'k', 2);
      expect(memory.get('read/x', 'k')).toBe(2);
      memory.delete('read/x', 'k');
      memory.delete('read/x', 'none');
      expect(memory.get('read/x', 'k')).toBeUndefined();
      memory.set('read/x', 'k', 'again');
      expect(memory.get('read/x', 'k')).toBe('again');
    });

    test('a list of a space by key, by prefix, bounded', () => {
      for (const key of ['b/2', 'a/1', 'b/1', 'b', 'c', 'b/3']) memory.set('dir/s', key, key);
      memory.set('dir/other', 'b/0', 0);
      memory.delete('dir/s', 'b/3');
      const keys = (prefix: string, limit: number) =>
        memory.list('dir/s', prefix, limit).map(({ key }) => key);
      expect(keys('', 10)).toEqual(['a/1', 'b', 'b/1', 'b/2', 'c']);
      expect(keys('b/', 10)).toEqual(['b/1', 'b/2']);
      expect(keys('b', 2)).toEqual(['b', 'b/1']);
      expect(memory.list('dir/s', 'a', 1)).toEqual([{ key: 'a/1', value: 'a/1' }]);
    });

    test('a place is what the last commit gave', async () => {
      expect(memory.place()).toBeUndefined();
      await memory.commit({ next: 5, text: '\u{1F511}' });
      put({ id: 'a' });
      expect(memory.place()).toEqual({ next: 5, text: '\u{1F511}' });
      await memory.commit(6);
      expect(memory.place()).toBe(6);
    });

    test('more rows than are kept in memory', async () => {
      const ids = Array.from({ length: 3_000 }, (_, n) => `database/creds/app/${String(n).padStart(5, '0')}`);
      for (const [n, id] of ids.entries()) {
        put({ id, expires_at: at(n) });
        memory.set('read/n', id, n);
      }
      await memory.commit(1);
      expect(idsOf(memory.aliveUnder('', 'database/creds/app/', at(0), '', 10_000))).toEqual(ids);
      expect(idsOf(memory.expired(at(2_999), 10_000))).toEqual(ids);
      expect(memory.get('read/n', ids[17] as string)).toBe(17);
    });
  });
}
