// Each reason of a reject stands in docs/operating/audit-lines.md with what to do, and no other.

import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { lineFaults, lossReasons } from '../../../core/records.ts';

it('the page has every reason, in order', () => {
  const [, table = ''] = readFileSync('docs/operating/audit-lines.md', 'utf8').split('## Rejects');
  const reasons = [...table.matchAll(/^\| `(\w+)` \| \S/gm)].map(([, reason]) => reason);
  expect(reasons).toEqual([...new Set([...lineFaults, ...lossReasons])]);
  expect(table).toMatch(/`jsonx` .*format=json/);
});
