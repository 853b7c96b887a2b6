// Rule files: what is read, and that every fault is named with its place.

import { describe, expect, it } from 'vitest';
import { SealwatchError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { parseRuleFile } from '../../detectors/engine/sigma.ts';
import { anEvent } from '../builders.ts';
import { baseId, correlationId, correlationText, rulesFrom, ruleText } from './rule-text.ts';

function faultOf(...texts: string[]): string {
  try {
    rulesFrom(...texts);
  } catch (error) {
    expect(error).toBeInstanceOf(SealwatchError);
    expect((error as SealwatchError).code).toBe('RULE_INVALID');
    return (error as SealwatchError).message;
  }
  throw new Error('the rule was taken');
}

describe('a rule file', () => {
  it('becomes rules', () => {
    const more = {
      version: "'3'",
      references: '[https://example.org/a]',
      tags: '[attack.t1562.008, attack.t1078]',
    };
    const { alerting, catalogue } = rulesFrom(ruleText(more));
    expect(alerting).toHaveLength(1);
    expect(catalogue[0]).toMatchObject({
      alerts: true,
      groupBy: ['user.id'],
      id: baseId,
      references: ['https://example.org/a'],
      techniques: ['T1078', 'T1562.008'],
      threshold: 1,
      version: '3',
    });
    expect(alerting[0]?.test(anEvent({ id: 'e', action: 'bad' }))).toBe(true);
    expect(alerting[0]?.test(anEvent({ id: 'e', action: 'good' }))).toBe(false);
    expect(alerting[0]?.message(anEvent({ id: 'e', path: 'sys/seal', name: undefined }))).toBe(
      'unknown did sys/seal',
    );
  });

  it('may hold several documents; a counted rule is silent unless generate says otherwise', () => {
    const ids = (text: string) => rulesFrom(text).alerting.map(({ id }) => id);
    expect(ids(`${ruleText()}---\n${correlationText()}---\n`)).toEqual([correlationId]);
    expect(ids(`${ruleText()}---\n${correlationText({ generate: 'true' })}`)).toEqual([
      baseId,
      correlationId,
    ]);
    const inside = correlationText().replace('timespan', 'generate: true, timespan');
    expect(ids(`${ruleText()}---\n${inside}`)).toEqual([baseId, correlationId]);
  });

  it.each([
    ['15s', 15],
    ['5m', 300],
    ['1h', 3600],
    ['1d', 86_400],
  ])('reads the timespan %s', (timespan, seconds) => {
    const text = correlationText().replace('1m', timespan).replace('gte: 3', 'gt: 3');
    const rule = rulesFrom(ruleText(), text).alerting[0];
    expect(rule).toMatchObject({ threshold: 4, timespanSeconds: seconds });
  });

  it.each<[what: string, text: string, message: string]>([
    ['a missing attribute', ruleText({ runbook: undefined }), '0.yml line 1: runbook is missing'],
    ['no level', ruleText({ level: undefined }), '0.yml line 1: level is missing'],
    ['an unknown level', ruleText({ level: 'huge' }), '0.yml line 4: level Invalid option'],
    ['a slip in a name', ruleText({ levle: 'low' }), 'levle is no attribute of a rule; did you mean level?'],
    ['a far name', ruleText({ zzzzzz: 'low' }), 'zzzzzz is no attribute of a rule'],
    ['an id that is no UUID', ruleText({ id: 'x1' }), '0.yml line 2: id must be a UUID'],
    [
      'no ATT&CK tag',
      ruleText({ tags: '[attack.persistence]' }),
      '0.yml line 8: tags needs an ATT&CK technique',
    ],
    ['another product', ruleText({ logsource: '{product: okta, service: audit}' }), 'logsource.product'],
    ['a brace left open', ruleText({ message: "'{user.name'" }), 'message a brace is not closed'],
    ['a placeholder that is no field', ruleText({ message: "'{a b}'" }), '{a b} is no field'],
    ['a second key', `${ruleText()}title: again\n`, 'Map keys must be unique'],
    ['broken YAML', 'title: [a\n', '0.yml:'],
    ['a list', '- a\n', 'a rule must be a map'],
    ['nothing', '---\n---\n', '0.yml: holds no rule'],
    ['an alias', ruleText({ scope: '&a [x]', fields: '*a' }), 'aliases (*name) are not supported'],
    ['a tag', ruleText({ author: '!!js/function x' }), 'Unresolved tag'],
    ['a big file', `# ${'x'.repeat(limits.ruleBytesMax)}\n${ruleText()}`, 'over 65536 bytes'],
    ['deep nesting', `a: ${'['.repeat(20_000)}`, '0.yml:'],
  ])('is refused for %s', (_, text, message) => {
    expect(faultOf(text)).toContain(message);
  });

  it.each<[detection: string, message: string]>([
    ['{selection: {a: 1}}', 'detection.condition is missing'],
    ['{selection: {a: 1}, condition: [selection]}', 'a list of conditions is not supported'],
    [
      '{selection: {a|windash: 1}, condition: selection}',
      'line 12: detection.selection a|windash: modifier windash',
    ],
    ['{selection: {a|re: (a+)+}, condition: selection}', 'can run away'],
    ['{selection: {a: 1}, condition: selektion}', 'there is no selection selektion; there are selection'],
  ])('is refused for the detection %s', (detection, message) => {
    expect(faultOf(ruleText({ detection }))).toContain(message);
  });

  it.each<[change: [string, string], message: string]>([
    [['event_count', 'temporal'], 'correlation.type only event_count is supported'],
    [['event_count', 'value_count'], 'correlation.type only event_count is supported'],
    [['[base]', '[bsae]'], 'there is no rule bsae that could be counted'],
    [['1m', '1w'], 'correlation.timespan must be a number and s, m, h or d'],
    [['1m', '0m'], 'correlation.timespan must be a number'],
    [['gte: 3', 'lte: 3'], 'correlation.condition.lte is not supported: use gte or gt'],
    [['gte: 3', 'eq: 3'], 'correlation.condition.eq is not supported'],
    [['gte: 3', 'gte: 3, gt: 2'], 'correlation.condition must be one of gte, gt'],
    [['gte: 3', 'gte: 2.5'], 'must be a whole number'],
    [['gte: 3', 'gte: 100000'], `must ask for 1 to ${limits.windowEventsMax} events`],
    [['group-by: [user.id], ', ''], 'correlation.group-by is missing'],
    [['timespan', 'aliases: {}, timespan'], 'Unrecognized key: "aliases"'],
  ])('is refused for the correlation with %j', ([from, to], message) => {
    expect(faultOf(ruleText(), correlationText().replace(from, to))).toContain(message);
  });

  it('is refused for an id or name that another file has', () => {
    expect(faultOf(ruleText(), ruleText({ name: 'other' }))).toContain(`id ${baseId} is also in 0.yml`);
    expect(faultOf(ruleText(), ruleText({ id: correlationId }))).toContain('name base is also in 0.yml');
  });

  it('may be hostile in any way and gives an error in time', () => {
    const bomb = `a: &a [x,x]\n${[...'bcdefghij'].map((c, i) => `${c}: &${c} [*${'abcdefghij'[i]},*${'abcdefghij'[i]}]`).join('\n')}\n`;
    expect(() => parseRuleFile(bomb, 'bomb.yml')).toThrow(SealwatchError);
  });
});
