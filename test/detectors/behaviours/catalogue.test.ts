// Every behaviour has what a rule has, and stands in the handbook with its name, level and settings.

import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { levels } from '../../../core/alert.ts';
import { type Lists, noLists } from '../../../core/lists.ts';
import { allBehaviours } from '../../../detectors/behaviours/all.ts';
import { run } from './run.ts';
import { eventful } from './weeks.ts';

const handbook = readFileSync('docs/operating/behaviours.md', 'utf8');
const rows = new Map(
  [...handbook.matchAll(/^\| `([a-z-]+)` \| (\w+) \|/gm)].map(([, name, level]) => [name, level]),
);
const infos = allBehaviours.map(({ info }) => info);

describe('the catalogue of behaviours', () => {
  it.each(infos)('$name', (info) => {
    expect(info.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(levels).toContain(info.level);
    expect(existsSync(info.file)).toBe(true);
    expect(info.techniques.every((technique) => /^T\d{4}(\.\d{3})?$/.test(technique))).toBe(true);
    for (const text of [info.title, info.description, info.runbook, ...info.falsePositives])
      expect(text.length).toBeGreaterThan(10);
    expect(info.falsePositives.length).toBeGreaterThan(0);
  });

  it('names and ids are single, and the handbook has each of them, and no other', () => {
    expect(infos.length).toBeGreaterThan(10);
    expect(new Set(infos.map(({ id }) => id)).size).toBe(infos.length);
    const told = [...rows].sort().map(([name, level]) => `${name} ${level}`);
    expect(told).toEqual(infos.map(({ name, level }) => `${name} ${level}`).sort());
  });

  it('the handbook names the settings that a behaviour asks for', () => {
    const asked = new Set<string>();
    const setting: Lists['setting'] = (behaviour, name, _class, fallback) => {
      asked.add(`${behaviour} ${name}`);
      return fallback;
    };
    run(eventful(7).events, { lists: { ...noLists, setting } });
    expect(asked.size).toBeGreaterThan(15);
    const declared = infos.flatMap(({ name, settings = [] }) => settings.map((one) => `${name} ${one}`));
    expect([...asked].filter((pair) => !declared.includes(pair))).toEqual([]);
    const lines = handbook.split('\n');
    const isTold = (behaviour = '', name = '') =>
      lines.some((line) => line.startsWith(`| \`${behaviour}\` |`) && line.includes(`\`${name}\``));
    expect(declared.filter((pair) => !isTold(...pair.split(' ')))).toEqual([]);
  });
});
