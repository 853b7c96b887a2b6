// What every memory of a detector must do, whatever it is built on. An adapter's test calls this with a way to open it.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DetectorMemory } from '../../core/ports.ts';

export interface DetectorMemoryFixture {
  open(): DetectorMemory | Promise<DetectorMemory>;
  remove(): void;
}

export function detectorMemoryContract(name: string, create: () => DetectorMemoryFixture): void {
  describe(`detector memory: ${name}`, () => {
    let fixture: DetectorMemoryFixture;
    let memory: DetectorMemory;
    beforeEach(async () => {
      fixture = create();
      memory = await fixture.open();
    });
    afterEach(() => {
      memory[Symbol.dispose]();
      fixture.remove();
    });

    test('a value comes back as it was set, frozen, and only in its space', () => {
      const value = { list: [1, null, 'x'], text: '\u{1F511}"\\' };
      memory.set('calls', 'a', value);
      value.list.push(2);
      expect(memory.get('calls', 'a')).toEqual({ list: [1, null, 'x'], text: '\u{1F511}"\\' });
      expect(Object.isFrozen(memory.get('calls', 'a'))).toBe(true);
      expect(memory.get('other', 'a')).toBeUndefined();
      memory.delete('calls', 'a');
      expect(memory.get('calls', 'a')).toBeUndefined();
    });

    test('lists by prefix in the order of keys, what was set last among them', async () => {
      for (const key of ['b2', 'a', 'b1', 'c']) memory.set('s', key, key);
      await memory.commit(1);
      memory.set('s', 'b1', 'new');
      memory.delete('s', 'b2');
      memory.set('s', 'b3', 3);
      expect(memory.list('s', 'b', 10)).toEqual([
        { key: 'b1', value: 'new' },
        { key: 'b3', value: 3 },
      ]);
      expect(memory.list('s', '', 2).map(({ key }) => key)).toEqual(['a', 'b1']);
    });

    test('has no place before its first commit, then that of the last', async () => {
      expect(memory.place()).toBeUndefined();
      await memory.commit({ next: 1 });
      await memory.commit({ next: 2 });
      expect(memory.place()).toEqual({ next: 2 });
    });
  });
}
