// Rule files: what is read, and that every fault is named with its place.

import { describe, expect, it } from 'vitest';
import { SealwatchError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { predicateOf } from '../../core/match/predicate.ts';
import { parseRuleFile } from '../../detectors/engine/sigma.ts';
import { compileTemplate } from '../../detectors/engine/template.ts';
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
    const { catalogue, events, roots } = rulesFrom(ruleText(more));
    expect(roots.map(({ top }) => top)).toEqual(events);
    expect(catalogue[0]).toMatchObject({
      alerts: true,
      groupBy: ['user.id'],
      id: baseId,
      references: ['https://example.org/a'],
      techniques: ['T1078', 'T1562.008'],
      threshold: 1,
      version: '3',
    });
    const [rule] = events;
    const test = predicateOf(rule?.expr ?? { kind: 'always', value: false });
    expect(test(anEvent({ id: 'e', action: 'bad' }))).toBe(true);
    expect(test(anEvent({ id: 'e', action: 'good' }))).toBe(false);
    const message = compileTemplate(rule?.messageTemplate ?? '');
    expect(message(anEvent({ id: 'e', path: 'sys/seal', name: undefined }))).toBe('unknown did sys/seal');
  });

  it('may hold several documents; a counted rule is silent unless generate says otherwise', () => {
    const ids = (text: string) => rulesFrom(text).roots.map(({ top }) => top.id);
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
    const rule = rulesFrom(ruleText(), text).roots[0]?.top;
    expect(rule).toMatchObject({ threshold: 4, timespanSeconds: seconds });
  });

  it.each<[what: string, text: string, message: string]>([
    ['no title', ruleText({ title: undefined }), '0.yml line 1: title is missing'],
    ['no detection', ruleText({ detection: undefined }), '0.yml line 1: detection is missing'],
    [
      'an unknown level',
      ruleText({ level: 'hihg' }),
      '0.yml line 4: level hihg is not one of informational, low, medium, high, critical; did you mean high?',
    ],
    ['a slip in a name', ruleText({ levle: 'low' }), 'levle is no attribute of a rule; did you mean level?'],
    ['an id that is no UUID', ruleText({ id: 'x1' }), '0.yml line 2: id must be a UUID'],
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
    ['{selection: {a: 1}, condition: []}', 'condition must be text, or a list of texts'],
    ['{selection: {a: 1}, condition: {b: 1}}', 'condition must be text, or a list of texts'],
    [
      '{selection: {a|contians: 1}, condition: selection}',
      'line 12: detection.selection a|contians: there is no modifier contians; did you mean contains?',
    ],
    [
      '{selection: {a|expand: "%team%"}, condition: selection}',
      'there is no placeholder %team%; none is defined',
    ],
    [
      '{selection: {a: 1}, timeframe: 5m, condition: selection}',
      '0.yml line 12: detection.timeframe is no longer Sigma: write a correlation with timespan',
    ],
    [
      '{selection: {a: 1}, condition: selection | count() by b > 5}',
      'counting after "|" is no longer Sigma: write a correlation of type event_count or value_count',
    ],
    [
      '{selection: {a: 1}, condition: selection | near b}',
      '"| near" is no longer Sigma: write a correlation of type temporal',
    ],
    ['{selection: {a|re: (?=a)b}, condition: selection}', 'look-around and named groups are not supported'],
    ['{selection: {a: 1}, condition: selektion}', 'there is no selection selektion; did you mean selection?'],
  ])('is refused for the detection %s', (detection, message) => {
    expect(faultOf(ruleText({ detection }))).toContain(message);
  });

  it.each<[change: [string, string], message: string]>([
    [['event_count', 'temporal'], 'correlation.rules temporal needs two rules or more'],
    [['event_count', 'value_count'], 'correlation.condition value_count needs field'],
    [['event_count', 'event_conut'], 'correlation.type event_conut is not one of event_count, value_count'],
    [['event_count', 'event_conut'], 'did you mean event_count?'],
    [
      ['event_count', 'value_median'],
      'value_median is not in Sigma 2.1: write value_percentile with percentile: 50',
    ],
    [['event_count', 'temporal_extended'], 'write temporal with names of rules joined by and, or, not'],
    [['[base]', '[bsae]'], '1.yml line 10: correlation.rules.0 there is no rule bsae; did you mean base?'],
    [['[base]', '[base, base]'], 'correlation.rules names a rule twice'],
    [['1m', '1w'], '1.yml line 10: correlation.timespan 1w is not in Sigma 2.1: write days, such as 7d'],
    [['1m', '0m'], 'correlation.timespan must be a number'],
    [['timespan: 1m', 'timeframe: 1m'], 'correlation.timeframe is called timespan'],
    [
      ['gte: 3', 'neq: 3'],
      'correlation.condition.neq is not supported: use eq, field, gt, gte, lt, lte, percentile',
    ],
    [['gte: 3', 'gte: 3, lt: 2'], 'correlation.condition can never hold'],
    [['gte: 3', 'lt: 1'], 'correlation.condition can never hold'],
    [['gte: 3', 'gte: three'], 'correlation.condition.gte must be a number'],
    [['gte: 3', 'gte: 2.5'], 'must be a whole number'],
    [['gte: 3', 'gte: 100000'], `must ask for 1 to ${limits.windowEventsMax} events`],
    [['gte: 3', 'field: user.id, gte: 3'], 'correlation.condition.field does not go with event_count'],
    [['gte: 3', 'percentile: 3, gte: 3'], 'correlation.condition.percentile does not go with event_count'],
    [['condition: {gte: 3}', 'condition: base'], 'event_count takes a map such as gte: 10'],
    [
      ['timespan', 'aliase: {}, timespan'],
      'correlation.aliase is no attribute of a correlation; did you mean aliases?',
    ],
    [
      ['timespan', 'aliases: {ip: {bsae: source.ip}}, timespan'],
      'aliases.ip.bsae is no rule; did you mean base?',
    ],
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
