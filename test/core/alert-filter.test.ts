// Filters of outputs: they are refused where they could keep alerts back by a slip of the pen.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { alertFields, alertFilter } from '../../core/alert-filter.ts';
import { loadConfig } from '../../core/config.ts';
import { anAlert } from '../builders.ts';

test('a filter asks for the fields of an alert', () => {
  const high = alertFilter({ 'rule.level': ['high', 'critical'], 'user.name|startswith': 'ci-' });
  const alert = anAlert({ id: 'a', level: 'high' });
  expect(high({ ...alert, user: { id: 'u', name: 'ci-7' } })).toBe(true);
  expect(high({ ...alert, user: { id: 'u', name: 'alice' } })).toBe(false);
  expect(alertFilter({ 'evidence.facts.count|gte': 2 })(alert)).toBe(false);
});

test('every field of an alert that is built is one that can be asked for', () => {
  const names = (value: object, before = ''): string[] =>
    Object.entries(value).flatMap(([key, inner]: [string, unknown]) =>
      typeof inner === 'object' && inner !== null && !Array.isArray(inner)
        ? names(inner, `${before}${key}.`)
        : [`${before}${key}`],
    );
  const constants = ['ecs.version', 'event.dataset', 'event.kind'];
  for (const name of names(anAlert({ id: 'a' })))
    if (!constants.includes(name) && !name.startsWith('evidence.facts.')) expect(alertFields).toContain(name);
});

test.each([
  [
    'a field that no alert has',
    '{rule.levl: high}',
    /outputs\.webhook\.match: .*no field rule\.levl; did you mean rule\.level/,
  ],
  ['a modifier that is none', '{rule.level|startwith: high}', /outputs\.webhook\.match: .*startwith/],
  ['nothing', '{}', /outputs\.webhook\.match: .*empty/],
  ['no map', 'high', /outputs\.webhook\.match/],
])('a configuration whose filter is %s is refused', (_what, match, expected) => {
  const folder = mkdtempSync(join(tmpdir(), 'sealwatch-filter-'));
  const file = join(folder, 'sealwatch.yml');
  writeFileSync(file, `outputs: {webhook: {url: 'http://127.0.0.1:1/', secretFile: key, match: ${match}}}\n`);
  expect(() => loadConfig({}, file)).toThrow(expected);
  rmSync(folder, { recursive: true });
});
