// Every rule that comes with sealwatch: its cases, its name, and what it must say.

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { normaliseLines } from '../../commands/replay-lines.ts';
import { load } from '../../commands/rules/load.ts';
import { listRules, loadBuiltInRules, loadRules, testRules } from '../../commands/rules.ts';
import { correlationId, ruleText } from './rule-text.ts';

const rules = loadBuiltInRules();
const alerting = rules.roots.map(({ top }) => top);
const files = readdirSync(new URL('../../detectors/rules/', import.meta.url));
const named = (ending: string) =>
  files.filter((file) => file.endsWith(ending)).map((file) => basename(file, ending));
const slug = (title: string) => title.toLowerCase().replace(/[^a-z\d]+/g, '_');

const made: string[] = [];
afterAll(() => {
  for (const dir of made) rmSync(dir, { force: true, recursive: true });
});

function folderWith(content: Record<string, string>): string {
  const dir = mkdtempSync(join(tmpdir(), 'sealwatch-rules-'));
  made.push(dir);
  for (const [name, text] of Object.entries(content)) writeFileSync(join(dir, name), text);
  return dir;
}

describe('the built-in rules', () => {
  it('pass their cases', () => {
    const { failed, passed, report } = testRules(normaliseLines);
    expect(report).not.toContain('FAILED');
    expect(failed).toBe(0);
    expect(passed).toBeGreaterThanOrEqual(30);
  });

  it('are eight files at least, each with cases and rules that alert', () => {
    expect(named('.yml').length).toBeGreaterThanOrEqual(8);
    expect(named('.cases.json')).toEqual(named('.yml'));
    const withAlerts = new Set(alerting.map(({ file }) => basename(file, '.yml')));
    expect([...withAlerts].sort()).toEqual(named('.yml'));
  });

  it.each(alerting)('$title lies in a file of its name and names its fields', (rule) => {
    expect(slug(rule.title).startsWith(basename(rule.file, '.yml'))).toBe(true);
    expect(rule.runbook.length).toBeGreaterThan(40);
    expect(rule.techniques.length).toBeGreaterThan(0);
  });

  it('are listed for people and as JSON', () => {
    const table = listRules(rules).trimEnd().split('\n');
    expect(table).toHaveLength(rules.catalogue.length + 1);
    expect(table.join('\n')).toMatch(
      /^critical +Audit device removed +1 +event +T1562\.008 +each, by user\.id /m,
    );
    expect(table.join('\n')).toMatch(/^medium +Denied burst .* event_count .* 10 in 300 s by user\.id /m);
    expect(table.join('\n')).toMatch(/^critical +Canary path touched +1 +behaviour /m);
    expect(table.join('\n')).toMatch(/^feeds others +Denied call /m);
    const off = new Map([[rules.catalogue[0]?.id ?? '', 'it threw']]);
    expect(table.join('\n')).not.toContain('is off');
    expect(listRules(rules, { off })).toContain(`! ${rules.catalogue[0]?.title} is off: it threw\n`);
    expect(JSON.parse(listRules(rules, { off, json: true }))[0]).toMatchObject({
      enabled: false,
      why: 'it threw',
    });
    const listed: unknown[] = JSON.parse(listRules(rules, { json: true }));
    expect(listed).toHaveLength(rules.catalogue.length);
    expect(listed[0]).toMatchObject({ id: rules.catalogue[0]?.id, runbook: rules.catalogue[0]?.runbook });
  });
});

describe("a user's folder of rules", () => {
  it('is added to the built-in ones, and an id may not come twice', () => {
    const dir = folderWith({ 'mine.yml': ruleText(), 'notes.txt': 'x' });
    expect(loadRules(dir).roots).toHaveLength(alerting.length + 1);
    const id = alerting[0]?.id;
    expect(() => loadRules(folderWith({ 'mine.yml': ruleText({ id }) }))).toThrow(`id ${id} is also in`);
    expect(() => loadRules('/no/such/folder')).toThrow('cannot read the rules folder /no/such/folder');
  });

  it('is told what it holds that was most likely not meant; ours hold none of it', () => {
    expect(load({}).notes).toEqual([]);
    const dir = folderWith({
      'a.yml': ruleText({ logsource: '{product: windows}' }),
      'b.yml': ruleText({ my_team: 'blue', detection: '{sel: {user.nam: x}, condition: sel}' }),
    });
    const notes = [
      `${join(dir, 'a.yml')}: Base is for another log source and was left out`,
      `${join(dir, 'b.yml')}: attribute my_team is none of Sigma's and says nothing to sealwatch`,
      `${join(dir, 'b.yml')}: Base: user.nam is no field of an event; did you mean user.name?`,
    ];
    expect(load({ dir }).notes).toEqual(notes);
    const { report } = testRules(normaliseLines, dir);
    for (const note of notes) expect(report).toContain(`note   ${note}\n`);
  });

  it('may count a built-in rule', () => {
    const mine = `title: Mine\nid: ${correlationId}\n${ruleText().split('\n').slice(3, -3).join('\n')}
correlation: {type: event_count, rules: [denied_call], group-by: [source.ip], timespan: 1h, condition: {gte: 50}}\n`;
    expect(loadRules(folderWith({ 'mine.yml': mine })).roots).toHaveLength(alerting.length + 1);
  });

  it('fails its test without cases, and by a case that does not hold', () => {
    expect(testRules(normaliseLines, folderWith({ 'mine.yml': ruleText() }))).toMatchObject({
      failed: 1,
      passed: 0,
    });
    const line = JSON.stringify({
      request: { id: 'r1', operation: 'update', path: 'sys/seal' },
      time: '2026-09-01T00:00:00Z',
      type: 'request',
    });
    const cases = {
      fires: [
        { lines: [line], title: 'a seal' },
        { lines: [line], rule: 'Other', title: 'of another rule' },
      ],
      quiet: [{ lines: [line], title: 'not bad' }],
    };
    const dir = folderWith({ 'mine.cases.json': JSON.stringify(cases), 'mine.yml': ruleText() });
    const { failed, passed, report } = testRules(normaliseLines, dir);
    expect([failed, passed]).toEqual([2, 1]);
    expect(report).toContain('fires: a seal: "Base" did not fire');
    expect(report).toContain('there is no rule "Other" in the file');
    const found = {
      'mine.yml': ruleText({
        detection: '{selection: {vault.request.path: sys/seal}, condition: selection}',
      }),
    };
    const wrong = folderWith({
      ...found,
      'mine.cases.json': JSON.stringify({ ...cases, fires: cases.fires.slice(0, 1) }),
    });
    expect(testRules(normaliseLines, wrong).report).toContain('quiet: not bad: "Base" fired');
  });

  it('is refused for a case file of another shape', () => {
    const dir = folderWith({ 'mine.cases.json': '{"fires": []}', 'mine.yml': ruleText() });
    expect(() => testRules(normaliseLines, dir)).toThrow(/mine\.cases\.json: fires/);
  });
});
