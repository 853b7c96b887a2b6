// Correlations of every type read into trees: bounds, presence, aliases, groups, and what of a tree decides its state.

import { describe, expect, it } from 'vitest';
import type { Correlation } from '../../detectors/engine/rule-set.ts';
import { fieldOf, groupOf } from '../../detectors/engine/trees.ts';
import { realEvent } from './real-events.ts';
import { baseId, correlationId, correlationText, rulesFrom, ruleText } from './rule-text.ts';

const otherId = '11111111-2222-4333-8444-777777777777';
const outerId = '11111111-2222-4333-8444-888888888888';
const other = ruleText({ id: otherId, name: 'other' });
const denied = realEvent('denied');

function correlationOf(body: string, ...more: string[]): Correlation {
  const { roots } = rulesFrom(ruleText(), other, correlationText({ correlation: `{${body}}` }), ...more);
  const top = roots.find((root) => root.top.id === correlationId)?.top;
  if (top?.kind !== 'correlation') throw new Error('there is no correlation');
  return top;
}

describe('a correlation', () => {
  it.each<[body: string, expected: Partial<Correlation>]>([
    [
      'type: event_count, rules: [base, other], timespan: 1m, condition: {gt: 2, lte: 9}',
      {
        bounds: [
          { op: 'gt', value: 2 },
          { op: 'lte', value: 9 },
        ],
        groupBy: [],
        threshold: 3,
      },
    ],
    [
      'type: event_count, rules: base, group-by: user.id, timespan: 1h, condition: {eq: 4}',
      { bounds: [{ op: 'eq', value: 4 }], groupBy: ['user.id'], threshold: 4, timespanSeconds: 3600 },
    ],
    [
      'type: value_count, rules: [base], timespan: 1d, condition: {field: source.ip, gte: 5}',
      { fields: ['source.ip'], threshold: 5 },
    ],
    [
      'type: value_count, rules: [base], timespan: 1d, condition: {field: [source.ip, user.id], gte: 5}',
      { fields: ['source.ip', 'user.id'] },
    ],
    [
      'type: value_sum, rules: [base], timespan: 1d, condition: {field: vault.issued.ttl_s, gt: 0.5}',
      { bounds: [{ op: 'gt', value: 0.5 }] },
    ],
    [
      'type: value_avg, rules: [base], timespan: 1d, condition: {field: event.duration, lt: 5}',
      { type: 'value_avg' },
    ],
    [
      'type: value_percentile, rules: [base], timespan: 1d, condition: {field: event.duration, percentile: 95, gte: 5}',
      { percentile: 95 },
    ],
    [
      'type: temporal, rules: [base, other], timespan: 1m',
      {
        presence: {
          kind: 'all',
          parts: [
            { kind: 'rule', id: baseId },
            { kind: 'rule', id: otherId },
          ],
        },
        threshold: 2,
      },
    ],
    ['type: temporal_ordered, rules: [other, base], timespan: 1m', { rules: [otherId, baseId] }],
    [
      'type: temporal, rules: [base, other], timespan: 1m, condition: base and not other',
      {
        presence: {
          kind: 'all',
          parts: [
            { kind: 'rule', id: baseId },
            { kind: 'not', part: { kind: 'rule', id: otherId } },
          ],
        },
      },
    ],
    [
      'type: temporal, timespan: 1m, condition: base OR other',
      {
        rules: [baseId, otherId],
        presence: {
          kind: 'any',
          parts: [
            { kind: 'rule', id: baseId },
            { kind: 'rule', id: otherId },
          ],
        },
        threshold: 1,
      },
    ],
  ])('%s', (body, expected) => {
    expect(correlationOf(body)).toMatchObject(expected);
  });

  it('may ask for a number of its rules', () => {
    const third = ruleText({ id: outerId, name: 'third' });
    const { presence, threshold } = correlationOf(
      'type: temporal, rules: [base, other, third], timespan: 1m, condition: {gte: 2}',
      third,
    );
    expect(JSON.stringify(presence).match(/rule/g)).toHaveLength(6);
    expect(threshold).toBe(2);
  });

  it.each<[body: string, message: string]>([
    [
      'type: temporal, rules: [base, other], timespan: 1m, condition: base and othre',
      'there is no rule othre; did you mean other?',
    ],
    ['type: temporal, rules: [base, other], timespan: 1m, condition: base', 'rule other is never used'],
    [
      'type: temporal, rules: [base, other], timespan: 1m, condition: not base and not other',
      'holds when nothing happened',
    ],
    ['type: temporal, rules: [base, other], timespan: 1m, condition: {lt: 2}', 'holds when nothing happened'],
    [
      'type: temporal, rules: [base, other], timespan: 1m, condition: {gte: 3}',
      'must be a number of the 2 rules',
    ],
    [
      'type: temporal, rules: [base, other], timespan: 1m, condition: {field: a, gte: 1}',
      'of a temporal correlation is gte',
    ],
    [
      'type: value_percentile, rules: [base], timespan: 1m, condition: {field: a, gte: 1}',
      'percentile is missing (0 to 100)',
    ],
    [
      'type: value_percentile, rules: [base], timespan: 1m, condition: {field: a, percentile: 101, gte: 1}',
      'must be 0 to 100',
    ],
    [
      'type: value_sum, rules: [base], timespan: 1m, condition: {field: [a, b], gte: 1}',
      'value_sum takes one field',
    ],
    ['type: event_count, rules: [base], timespan: 1m', 'correlation.condition is missing'],
    ['type: event_count, timespan: 1m, condition: {gte: 1}', 'correlation.rules is missing'],
    [`type: event_count, rules: [${correlationId}], timespan: 1m, condition: {gte: 1}`, 'goes in a circle'],
    [
      'type: event_count, rules: [base], timespan: 1m, aliases: {ip: {other: a}}, condition: {gte: 1}',
      'is not among the rules of the correlation',
    ],
  ])('%s is refused', (body, message) => {
    expect(() => correlationOf(body)).toThrow(message);
  });
});

const inner = correlationText({ name: 'burst' }).replace('[user.id]', '[source.ip]');
const outer = (body: string) => correlationText({ id: outerId, correlation: `{${body}}` });

describe('a tree', () => {
  const chain = outer(
    'type: temporal_ordered, rules: [burst, other], group-by: [who], timespan: 1h, aliases: {who: {burst: user.name, other: user.id}}',
  );

  it('holds everything below its top, wherever it stands, and widens inner groups', () => {
    const { events, roots } = rulesFrom(chain, inner, other, ruleText());
    expect(roots).toHaveLength(1);
    const [root] = roots;
    expect(root?.top.id).toBe(outerId);
    expect([...(root?.nodes.keys() ?? [])].sort()).toEqual([baseId, correlationId, otherId, outerId].sort());
    expect(root?.leaves.toSorted()).toEqual([baseId, otherId]);
    expect(root?.nodes.get(correlationId)?.groupBy).toEqual(['source.ip', 'user.name']);
    expect(root?.needs[baseId]).toEqual(['source.ip', 'user.name']);
    expect(root?.needs[otherId]).toEqual([]);
    expect(events.map(({ id }) => id)).toEqual([baseId, otherId]);
  });

  it.each([
    ['aliases: {who: {base: user.name, other: user.id}}', 'is not among the rules of the correlation'],
    ['aliases: {who: {other: user.id}}', 'aliases.who does not say which field it is in burst'],
  ])('is refused with %s, which leaves a rule without a field to group by', (aliases, message) => {
    const body = `type: temporal, rules: [burst, other], group-by: [who], timespan: 1h, ${aliases}`;
    expect(() => rulesFrom(outer(body), inner, other, ruleText())).toThrow(message);
  });

  it('takes an alias of an inner correlation by its name, and a field that only some rules rename', () => {
    const aliased = correlationText({ name: 'burst' })
      .replace('[user.id]', '[who]')
      .replace('timespan', 'aliases: {who: {base: user.name}}, timespan');
    const body = 'type: temporal, rules: [burst, other], group-by: [who], timespan: 1h';
    const [root] = rulesFrom(
      outer(`${body}, aliases: {who: {other: user.id}}`),
      aliased,
      other,
      ruleText(),
    ).roots;
    expect(root && groupOf(root, baseId, denied)).toBe('["alice"]');
    const renamed = body.replace('who', 'user.name');
    const [part] = rulesFrom(
      outer(`${renamed}, aliases: {user.name: {other: user.id}}`),
      inner,
      other,
      ruleText(),
    ).roots;
    expect(part && groupOf(part, baseId, denied)).toBe('["alice"]');
    expect(part && groupOf(part, otherId, denied)).toBe(JSON.stringify([denied.user.id]));
  });

  it('has the group of its top, by aliases, in each leaf', () => {
    const [root] = rulesFrom(chain, inner, other, ruleText()).roots;
    if (root === undefined) throw new Error('no root');
    expect(fieldOf(root.nodes, outerId, 'who', baseId)).toBe('user.name');
    expect(groupOf(root, baseId, denied)).toBe('["alice"]');
    expect(groupOf(root, otherId, denied)).toBe(JSON.stringify([denied.user.id]));
    const nameless = { ...denied, user: { id: denied.user.id } };
    expect(groupOf(root, baseId, nameless)).toBeUndefined();
    expect(root.isLocal).toBe(false);
  });

  it('of a single rule takes what is absent as null', () => {
    const [root] = rulesFrom(ruleText({ 'group-by': '[user.domain, user.name]' })).roots;
    expect(root && groupOf(root, baseId, denied)).toBe('[null,"alice"]');
    expect(root?.isLocal).toBe(false);
  });

  it('without group-by counts all together, elsewhere', () => {
    const [root] = rulesFrom(ruleText(), correlationText().replace('group-by: [user.id], ', '')).roots;
    expect(root && groupOf(root, baseId, denied)).toBe('[]');
    expect(root?.isLocal).toBe(false);
  });

  it('is local when every leaf is grouped by the user', () => {
    expect(rulesFrom(ruleText(), correlationText()).roots[0]?.isLocal).toBe(true);
    const more = correlationText().replace('[user.id]', '[source.ip, user.id]');
    expect(rulesFrom(ruleText(), more).roots[0]?.isLocal).toBe(true);
  });

  it('keeps its state while only words change', () => {
    const logic = (rule: string, count: string) => rulesFrom(rule, count).roots[0]?.logic;
    const now = logic(ruleText(), correlationText());
    expect(logic(ruleText({ title: 'Other' }), correlationText({ level: 'low', message: "'x'" }))).toBe(now);
    expect(logic(ruleText(), correlationText().replace('gte: 3', 'gte: 4'))).not.toBe(now);
    expect(logic(ruleText(), correlationText().replace('1m', '2m'))).not.toBe(now);
    const detection = '{selection: {event.action: worse}, condition: selection}';
    expect(logic(ruleText({ detection }), correlationText())).not.toBe(now);
  });
});
