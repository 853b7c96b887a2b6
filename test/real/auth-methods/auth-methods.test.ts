// Every auth-method scene on a live Vault: its callers are the ones that were reviewed, so the fakes stay honest.

import { readdirSync, readFileSync } from 'node:fs';
import { beforeAll, expect, it } from 'vitest';
import { playAuthScenes } from './capture.ts';
import { factsOf } from './facts.ts';

const goldens = 'test/fixtures/golden/auth-facts';
const scenes = readdirSync(goldens).map((file) => file.replace('.txt', ''));
const lines = new Map<string, string[]>();

beforeAll(() =>
  playAuthScenes('vault-auth-test', (device, scene, written) => {
    if (device === 'auth') lines.set(scene, written);
  }),
);

it.each(scenes)('%s', (scene) => {
  const facts = readFileSync(`${goldens}/${scene}.txt`, 'utf8').trim().split('\n');
  expect(factsOf(lines.get(scene) ?? [])).toEqual(facts);
});

it('no scene is missing', () => {
  expect([...lines.keys()].sort()).toEqual(scenes.sort());
});
