// Behaviours are held against what the configuration says, as the numbers of posture are, unless the lists set something else.

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { load } from '../../commands/rules/load.ts';

const posture = { leaseMinutes: 5, tokenMinutes: 30, staticTokenDays: 2, rotationDays: 7 };
const bounds = [
  ['lease-lifetime', 'maxSeconds', 300],
  ['token-lifetime', 'maxSeconds', 1800],
  ['standing-token', 'staticDays', 2],
  ['rotation-overdue', 'days', 7],
] as const;

test.each(bounds)('%s %s is %d', (behaviour, name, bound) => {
  expect(load({ posture }).lists.setting(behaviour, name, 'workload', 1)).toBe(bound);
});

test('the lists go first; what is no bound of posture stays as it is', () => {
  const lists = join(mkdtempSync(join(tmpdir(), 'sealwatch-lists-')), 'lists.yml');
  writeFileSync(lists, 'settings: [{behaviour: lease-lifetime, class: workload, maxSeconds: 60}]\n');
  const { setting } = load({ lists, posture }).lists;
  expect(setting('lease-lifetime', 'maxSeconds', 'workload', 1)).toBe(60);
  expect(setting('lease-lifetime', 'maxSeconds', 'human', 1)).toBe(300);
  expect(setting('secret-sweep', 'secrets', 'human', 8)).toBe(8);
});
