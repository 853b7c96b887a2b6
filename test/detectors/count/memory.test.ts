// What counters hold is bounded, in each rule and in all; who floods one rule pushes out nobody else's; what was forgotten is told.

import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../../core/canonical.ts';
import { limits } from '../../../core/limits.ts';
import { CountBudget } from '../../../detectors/engine/count/budget.ts';
import { RootCounter } from '../../../detectors/engine/count/counter.ts';
import { Evictions } from '../../../detectors/engine/count/evictions.ts';
import type { Correlation } from '../../../detectors/engine/rule-set.ts';
import { at } from '../../builders.ts';
import { aMatch, correlation, leaf, treeOf } from './tree.ts';

const threshold = () => undefined;
const counter = (parts: Partial<Correlation>, budget?: CountBudget) =>
  new RootCounter(treeOf(correlation('top', ['a'], parts), leaf('a')), {
    threshold,
    ...(budget && { budget }),
  });
const ten = { bounds: [{ op: 'gte', value: 10 }] } satisfies Partial<Correlation>;

describe('one rule', () => {
  it('holds no more groups than the bound, the last ones, through many more', () => {
    const flooded = counter(ten);
    const of = (i: number) =>
      aMatch({ second: Math.floor(i / 100_000), leaf: 'a', group: `g${i}`, id: `${i}` });
    const groups = 3 * limits.ruleGroupsMax;
    for (let i = 0; i < groups; i++) flooded.count(of(i));
    expect(flooded.size).toBe(limits.ruleGroupsMax);
    expect(flooded.evicted).toBe(groups - limits.ruleGroupsMax);
    const [[, node] = []] = flooded.snapshot().nodes;
    expect(node?.pending[0]?.[0]).toBe(`g${groups - limits.ruleGroupsMax}`);
    flooded.expire(at(100_000));
    expect(flooded.size).toBe(0);
  });

  it('keeps no more than the bound of one group, and goes on counting', () => {
    const many = limits.windowEventsMax * 5;
    const flooded = counter({ bounds: [{ op: 'gte', value: many }] });
    let alerts = 0;
    for (let i = 0; i < many; i++) {
      alerts += flooded.count(aMatch({ second: 0, id: `${i}`, leaf: 'a' })).length;
      expect(flooded.size).toBeLessThanOrEqual(limits.windowEventsMax + limits.windowBuckets + 1);
      expect(alerts).toBe(i + 1 < many ? 0 : 1);
    }
    expect(flooded.size).toBe(1);
  });

  it('says how many groups it forgot after a restart, too', () => {
    const flooded = counter(ten);
    for (let i = 0; i < limits.ruleGroupsMax + 5; i++)
      flooded.count(aMatch({ second: 0, leaf: 'a', group: `${i}`, id: `${i}` }));
    expect(new RootCounter(flooded.root, { threshold }, flooded.snapshot()).evicted).toBe(5);
  });

  it('leaves out state of another logic', () => {
    const before = counter(ten);
    before.count(aMatch({ second: 0, leaf: 'a' }));
    const snapshot = before.snapshot();
    expect(new RootCounter(before.root, { threshold }, snapshot).size).toBe(1);
    expect(new RootCounter({ ...before.root, logic: 'other' }, { threshold }, snapshot).size).toBe(0);
  });
});

describe('all rules together', () => {
  it('give back from the one that holds most', () => {
    const budget = new CountBudget(100);
    const quiet = counter(ten, budget);
    const loud = counter(ten, budget);
    for (let i = 0; i < 20; i++) quiet.count(aMatch({ second: 0, leaf: 'a', group: `q${i}`, id: `q${i}` }));
    for (let i = 0; i < 1000; i++) {
      loud.count(aMatch({ second: 1, leaf: 'a', group: `l${i}`, id: `l${i}` }));
      expect(quiet.size + loud.size).toBeLessThanOrEqual(100);
    }
    expect(quiet.evicted).toBe(0);
    expect(loud.evicted).toBeGreaterThan(800);
    expect(loud.size).toBeGreaterThan(60);
    loud.expire(at(100_000));
    budget.leave(loud);
    for (let i = 0; i < 70; i++) quiet.count(aMatch({ second: 1, leaf: 'a', group: `p${i}`, id: `p${i}` }));
    expect([quiet.size, quiet.evicted]).toEqual([90, 0]);
  });

  it('count what a restored counter holds', () => {
    const budget = new CountBudget(15);
    const first = counter(ten);
    for (let i = 0; i < 10; i++) first.count(aMatch({ second: 0, leaf: 'a', group: `${i}`, id: `${i}` }));
    const restored = new RootCounter(first.root, { threshold, budget }, first.snapshot());
    const other = counter(ten, budget);
    for (let i = 0; i < 6; i++) other.count(aMatch({ second: 0, leaf: 'a', group: `${i}`, id: `${i}` }));
    expect(restored.evicted).toBeGreaterThan(0);
    expect(restored.size + other.size).toBeLessThanOrEqual(15);
  });
});

describe('what was forgotten', () => {
  const rule = { id: 'many', title: 'Many' };

  it('is an alert that grows for a quarter of an hour', () => {
    let evictions = new Evictions('test', 'events/0');
    evictions.tell(rule, 0, at(0));
    expect(evictions.take()).toEqual([]);
    evictions.tell(rule, 3, at(1));
    evictions = new Evictions('test', 'events/0', JSON.parse(JSON.stringify(evictions.snapshot())));
    evictions.tell(rule, 5, at(2));
    const [first] = evictions.take();
    expect(first).toMatchObject({
      revision: 5,
      body: { '@timestamp': at(2), alert: { first_seen: at(1) }, rule: { name: 'Detection state evicted' } },
    });
    expect(first?.body.message).toContain('"Many" forgot 5 group(s)');
    expect(JSON.stringify(first?.body)).toBe(canonicalJson(first?.body));
    evictions.tell(rule, 5, at(3));
    expect(evictions.take()).toEqual([]);
    evictions.tell(rule, 6, at(900));
    const [second] = evictions.take();
    expect(second?.revision).toBe(1);
    expect(second?.body.alert.id).not.toBe(first?.body.alert.id);
  });
});
