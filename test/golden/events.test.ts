// The events of every fixture line of a real Vault, as reviewed against the audit schema. See golden.ts.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { normaliseLines } from '../../commands/replay-lines.ts';
import { canonicalJson } from '../../core/canonical.ts';
import { expectGolden } from './golden.ts';

const fixtures = 'test/fixtures/vault-1.21.1';
const goldens = 'test/fixtures/golden';

describe.each([
  ['default', 15],
  ['plain-accessor', 15],
  ['auth', 20],
  ['auth-plain-accessor', 2],
])('the events of %s', (device, scenesMin) => {
  const scenes = readdirSync(join(fixtures, device));

  it.each(scenes)('%s', (scene) => {
    const lines = readFileSync(join(fixtures, device, scene), 'utf8')
      .trim()
      .split('\n');
    expectGolden(join(goldens, device, scene), normaliseLines(lines).map(canonicalJson));
  });

  it('were all looked at', () => {
    expect(scenes.length).toBeGreaterThan(scenesMin);
    expect(readdirSync(join(goldens, device)).sort()).toEqual(scenes.sort());
  });
});
