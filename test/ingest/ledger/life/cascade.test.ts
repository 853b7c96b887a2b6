// Tokens whose end has still to cross their rows: none is lost, and only so many are kept in memory.

import { expect, it } from 'vitest';
import { limits } from '../../../../core/limits.ts';
import { Crossings } from '../../../../ingest/ledger/life/cascade.ts';
import { MapMemory } from '../memory.ts';

it('more crossings than are kept in memory wait on disk', () => {
  const memory = new MapMemory();
  const crossings = new Crossings(memory);
  const tokens = Array.from({ length: limits.cascadeTokensMax + 3 }, (_, n) => `token:${n}`);
  for (const token of tokens) crossings.add({ token, from: '', after: '' });
  expect(memory.list('life/crossing', '', 10)).toHaveLength(3);
  const seen: string[] = [];
  for (let next = crossings.next(); next !== undefined; next = crossings.next()) seen.push(next.token);
  expect(seen.sort()).toEqual(tokens.sort());
  expect(memory.list('life/crossing', '', 10)).toEqual([]);
});
