// Who called, by auth method, as a real Vault showed it: the reviewed facts of each scene of test/real/auth-methods.

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { expectGolden } from '../../golden/golden.ts';
import { factsOf } from '../../real/auth-methods/facts.ts';

const goldens = 'test/fixtures/golden/auth-facts';
const scenes = readdirSync('test/fixtures/vault-1.21.1/auth').map((file) => file.replace('.jsonl', ''));
const linesOf = (scene: string, device: string) =>
  readFileSync(`test/fixtures/vault-1.21.1/${device}/${scene}.jsonl`, 'utf8').trim().split('\n');

describe('the callers of a real Vault', () => {
  it.each(scenes)('%s', (scene) => {
    expectGolden(`${goldens}/${scene}.txt`, factsOf(linesOf(scene, 'auth')));
  });

  it.each(readdirSync('test/fixtures/vault-1.21.1/auth-plain-accessor'))(
    '%s with plain accessors',
    (file) => {
      const scene = file.replace('.jsonl', '');
      expect(factsOf(linesOf(scene, 'auth-plain-accessor'))).toEqual(factsOf(linesOf(scene, 'auth')));
    },
  );

  it('were all looked at', () => {
    expect(scenes.length).toBeGreaterThan(20);
    expect(readdirSync(goldens).sort()).toEqual(scenes.map((scene) => `${scene}.txt`).sort());
  });
});
