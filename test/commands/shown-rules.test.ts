// The rules that the API shows: all of them, behaviours among them, and what is switched off.

import { expect, test } from 'vitest';
import { load } from '../../commands/rules/load.ts';
import { shownRules, switchedOff, withStates } from '../../commands/run/shown-rules.ts';
import { labelled } from '../../core/telemetry.ts';
import { allBehaviours } from '../../detectors/behaviours/all.ts';

const { catalogue } = load({}).rules;

test('every rule and behaviour once, with its kind and without the folder of its file', () => {
  const rules = shownRules(catalogue);
  expect(new Set(rules.map(({ id }) => id)).size).toBe(rules.length);
  for (const { id } of [...catalogue, ...allBehaviours.map(({ info }) => info)])
    expect(rules.map((rule) => rule.id)).toContain(id);
  const types = new Set(rules.map(({ type }) => type));
  expect([...types].sort()).toEqual(['behaviour', 'correlation', 'event']);
  for (const { file } of rules) expect(file).not.toContain('/');
});

test('what the pipeline says is off is off, with the reason', () => {
  const rules = shownRules(catalogue);
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
