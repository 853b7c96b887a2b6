// The rules that the API shows: all of them, behaviours among them, and what is switched off.

import { expect, test } from 'vitest';
import { load } from '../../commands/rules/load.ts';
import { shownRules, switchedOff, withStates } from '../../commands/run/shown-rules.ts';
import { labelled } from '../../core/telemetry.ts';
import { allBehaviours } from '../../detectors/behaviours/all.ts';

const loaded = load({});
const { catalogue } = loaded.rules;

test('every rule and behaviour once, with its kind and without the folder of its file', () => {
  const rules = shownRules(loaded);
  expect(new Set(rules.map(({ id }) => id)).size).toBe(rules.length);
  for (const { id } of [...catalogue, ...allBehaviours.map(({ info }) => info)])
    expect(rules.map((rule) => rule.id)).toContain(id);
  const types = new Set(rules.map(({ type }) => type));
  expect([...types]).toEqual(expect.arrayContaining(['behaviour', 'event_count', 'event']));
  expect(types).not.toContain('correlation');
  for (const { file } of rules) expect(file).not.toContain('/');
});

test('what the pipeline says is off is off, with the reason', () => {
  const rules = shownRules(loaded);
  const [first, second] = rules;
  const off = switchedOff({
    [labelled('sealwatch_detect_off', { rule: first?.id ?? '' })]: 1,
    [labelled('sealwatch_detect_off', { rule: second?.id ?? '' })]: 0,
    sealwatch_detect_late_total: 1,
  });
  const shown = withStates(rules, off);
  expect(shown.filter(({ enabled }) => !enabled)).toEqual([
    { ...first, enabled: false, why: expect.stringContaining('threw') },
  ]);
});

test('where no detector runs nobody knows what is off', () => {
  const rules = shownRules(loaded);
  expect(withStates(rules, new Set()).every(({ enabled }) => enabled === true)).toBe(true);
  expect(withStates(rules, undefined).every((rule) => !('enabled' in rule) && !('why' in rule))).toBe(true);
});

test('a behaviour says how long it learns, by the lists; a rule says nothing', () => {
  const lists = {
    ...loaded.lists,
    setting: (behaviour: string, name: string, _class: string, otherwise: number) =>
      behaviour === 'first-access' && name === 'learningDays' ? 9 : otherwise,
  };
  const of = (title: string) =>
    shownRules({ ...loaded, lists }).find((rule) => rule.title === title)?.learning;
  expect(of('First access to a secret or part of Vault')).toMatch(/for 9 days, with calls that count on 3/);
  expect(of('Canary path touched')).toBeUndefined();
  expect(of('Denied burst')).toBeUndefined();
  expect(shownRules(loaded).filter(({ learning }) => learning !== undefined).length).toBeGreaterThan(8);
});
