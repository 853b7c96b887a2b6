// Other people's rules: what they may leave out, collections, filters, other log sources; and what ours must have.

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { predicateOf } from '../../core/match/predicate.ts';
import { compileRules } from '../../detectors/engine/compile.ts';
import { parseRuleFile } from '../../detectors/engine/sigma.ts';
import { realEvent } from './real-events.ts';
import { baseId, rulesFrom, ruleText } from './rule-text.ts';

const denied = realEvent('denied');
const login = realEvent('login-userpass');

const foreign = `title: Secret of production read {x}
logsource: {product: vault}
detection:
  sel: {vault.request.path|contains: prod}
  keywords: [permission denied]
  condition: [sel and keywords, keywords]
author: somebody
related: [{id: ${baseId}, type: similar}]
taxonomy: ecs
scope: [server]
falsepositives: Admins
my_team: blue
`;

describe("somebody else's rule", () => {
  it('needs title, logsource and detection alone', () => {
    const notes: string[] = [];
    const parsed = parseRuleFile(foreign, 'theirs.yml', { note: (note) => notes.push(note) });
    const { events } = compileRules(parsed, { note: (note) => notes.push(note) });
    expect(events[0]).toMatchObject({
      falsePositives: ['Admins'],
      level: 'medium',
      messageTemplate:
        'Secret of production read x: {user.name}, {vault.request.operation} on {vault.request.path}',
      status: 'experimental',
      techniques: [],
      version: '1',
    });
    expect(events[0]?.id).toMatch(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/);
    const test = predicateOf(events[0]?.expr ?? { kind: 'always', value: false });
    expect([test(denied), test(login)]).toEqual([true, false]);
    expect(notes).toEqual(["theirs.yml: attribute my_team is none of Sigma's and says nothing to sealwatch"]);
    expect(compileRules(parseRuleFile(foreign, 'again.yml')).events[0]?.id).toBe(events[0]?.id);
  });

  it('is left out with a note when it is for another log', () => {
    const notes: string[] = [];
    const read = (logsource: string) =>
      parseRuleFile(ruleText({ logsource }), 'a.yml', { note: (note) => notes.push(note) });
    expect(read('{product: windows, service: security}')).toEqual([]);
    expect(read('{category: process_creation}')).toEqual([]);
    expect(notes[0]).toBe('a.yml: Base is for another log source and was left out');
    expect(read('{product: openbao, service: audit}')).toHaveLength(1);
  });

  it('is told of fields that events do not have', () => {
    const notes: string[] = [];
    const detection = '{selection: {user.nmae: a, vault.request.data.x: 1}, condition: selection}';
    compileRules(parseRuleFile(ruleText({ detection }), 'a.yml'), { note: (note) => notes.push(note) });
    expect(notes).toEqual(['a.yml: Base: user.nmae is no field of an event; did you mean user.name?']);
  });
});

describe('the pack', () => {
  it.each(readdirSync('detectors/rules').filter((file) => file.endsWith('.yml')))(
    '%s has all that is asked',
    (file) => {
      const text = readFileSync(`detectors/rules/${file}`, 'utf8');
      expect(parseRuleFile(text, file, { strictPack: true }).length).toBeGreaterThan(0);
    },
  );

  it.each<[change: Record<string, string | undefined>, message: string]>([
    [{ runbook: undefined }, 'runbook is missing'],
    [{ level: undefined }, 'level is missing'],
    [{ message: undefined }, 'message is missing'],
    [{ version: undefined }, 'version is missing'],
    [{ falsepositives: '[]' }, 'falsepositives is empty'],
    [{ tags: '[attack.persistence]' }, 'tags needs an ATT&CK technique'],
    [{ my_team: 'blue' }, 'my_team is no attribute of a rule of sealwatch'],
  ])('is refused without %j', (change, message) => {
    const text = ruleText({ version: "'1'", ...change });
    expect(() => parseRuleFile(text, 'a.yml', { strictPack: true })).toThrow(message);
  });
});

describe('a collection', () => {
  const one = (title: string, action: string) =>
    `title: ${title}\ndetection: {selection: {event.action: ${action}}, condition: selection}\n`;
  const shared = 'action: global\nlevel: high\nlogsource: {product: vault, service: audit}\n';

  it('gives what is global to the documents that follow, and repeats', () => {
    const repeat = 'action: repeat\ntitle: C\ndetection: {selection: {event.outcome: failure}}\n';
    const { events } = rulesFrom(
      [shared, one('A', 'secret-read'), one('B', 'user-login'), repeat].join('---\n'),
    );
    expect(events.map(({ level }) => level)).toEqual(['high', 'high', 'high']);
    const holds = (title: string) => {
      const rule = events.find((event) => event.title === title);
      return [denied, login].map((event) => rule !== undefined && predicateOf(rule.expr)(event));
    };
    expect([holds('A'), holds('B'), holds('C')]).toEqual([
      [true, false],
      [false, true],
      [false, false],
    ]);
  });

  it('ends with reset, and says what is wrong', () => {
    expect(() => rulesFrom([shared, 'action: reset\n', one('A', 'a')].join('---\n'))).toThrow(
      'logsource is missing',
    );
    expect(() => rulesFrom(`action: repeat\n${one('A', 'a')}`)).toThrow('repeat needs a rule before it');
    expect(() => rulesFrom('action: gobal\n')).toThrow('action must be global, reset or repeat');
    expect(() => rulesFrom(shared)).toThrow('holds no rule, only what rules share');
  });
});

describe('a filter', () => {
  const filter = (rules: string, condition = 'not admin') => `title: Not the admins
logsource: {product: vault, service: audit}
filter: {rules: ${rules}, admin: {user.name: alice}, condition: ${condition}}
`;
  const rule = ruleText({ detection: '{selection: {event.outcome: failure}, condition: selection}' });
  const fires = (...texts: string[]) => {
    const rule = rulesFrom(...texts).events.find(({ id }) => id === baseId);
    return rule && predicateOf(rule.expr)(denied);
  };

  it('narrows the rules that it names, by id, by name or all', () => {
    expect(fires(rule)).toBe(true);
    expect(fires(filter('[base]'), rule)).toBe(false);
    expect(fires(rule, filter(`[${baseId}]`))).toBe(false);
    expect(fires(rule, filter('any'))).toBe(false);
    expect(fires(rule, filter('[base]', 'admin'))).toBe(true);
    const other = ruleText({ id: baseId.replace('1', '2'), name: 'other' });
    expect(fires(rule, other, filter('[other]'))).toBe(true);
  });

  it.each<[filter: string, message: string]>([
    [filter('[bsae]'), 'filter.rules.0 there is no rule bsae; did you mean base?'],
    [filter('[base]', 'not amdin'), 'filter.condition there is no selection amdin; did you mean admin?'],
    [
      filter('[base]').replace('user.name', 'user.name|gt'),
      'filter.admin user.name|gt: the value must be a number',
    ],
    [filter('[base]').replace('rules: [base], ', ''), 'filter.rules is missing'],
  ])('%j is refused', (text, message) => {
    expect(() => rulesFrom(rule, text)).toThrow(message);
  });
});
