// Our verdicts and those of sigma-rust, an engine that is not ours, on rules made from a seed over real events.

import { expect, it } from 'vitest';
import { compileProgram } from '../../../detectors/engine/program/program.ts';
import type { Detection } from '../../bench/rules/maker.ts';
import { leavesOf, makeCorpus, ruleText } from './corpus.ts';
import { type Difference, differences, find } from './differences.ts';
import { rustVerdicts } from './engines.ts';
import { comparisonEvents } from './events.ts';
import { exprOf } from './ours.ts';

const RULES = 1_500;
const PAIRS_MIN = 5_000;

const events = comparisonEvents();
const corpus = [...differences.map(({ example }) => example), ...makeCorpus(events, RULES, 20261123)];

interface Pair {
  concerned: Difference[];
  event: number;
  isEqual: boolean;
  ours: boolean;
  rule: Detection;
}

function compare(): { pairs: Pair[]; refused: string[] } {
  const texts = corpus.map((rule) => ruleText(rule));
  const refused: string[] = [];
  const theirs = rustVerdicts(texts, events);
  const program = compileProgram(
    corpus.map((rule, number) => {
      try {
        return exprOf(texts[number] as string);
      } catch (error) {
        refused.push(`${(error as Error).message}: ${JSON.stringify(rule)}`);
        return { kind: 'always', value: false };
      }
    }),
    (_, error) => {
      throw error;
    },
  );
  const ours = events.map((event) => {
    const hits: number[] = [];
    return new Set(hits.slice(0, program.run(event, hits)));
  });
  const pairs = corpus.flatMap((rule, number): Pair[] => {
    const verdict = theirs[number];
    if (!Array.isArray(verdict)) {
      refused.push(`${verdict}: ${JSON.stringify(rule)}`);
      return [];
    }
    const matched = new Set(verdict);
    return events.map((event, at) => {
      const held = ours[at]?.has(number) === true;
      return {
        concerned: concernedBy(rule, event),
        event: at,
        isEqual: held === matched.has(at),
        ours: held,
        rule,
      };
    });
  });
  return { pairs, refused };
}

function concernedBy(rule: Detection, event: object): Difference[] {
  const found = leavesOf(rule).map((leaf) => ({ leaf, found: find(event, leaf) }));
  return differences.filter(({ concerns }) => found.some((one) => concerns(one.leaf, one.found)));
}

/** One line for a person: the rule, what its fields hold, and what we say. */
const told = ({ event, ours, rule }: Pair): string =>
  JSON.stringify({
    ours,
    rule,
    found: leavesOf(rule).map((leaf) => [leaf.field, ...find(events[event] as object, leaf).values]),
  });

it('agree, but for the listed differences, each of which occurs', () => {
  const { pairs, refused } = compare();
  expect(refused).toEqual([]);
  const clear = pairs.filter(({ concerned }) => concerned.length === 0);
  const unlisted = clear.filter(({ isEqual }) => !isEqual);
  expect(unlisted.slice(0, 10).map(told)).toEqual([]);
  expect(clear.length).toBeGreaterThan(PAIRS_MIN);
  expect(clear.filter(({ ours }) => ours).length).toBeGreaterThan(PAIRS_MIN / 5);
  const shown = pairs.filter(
    ({ isEqual, rule }) => !isEqual && differences.some(({ example }) => example === rule),
  );
  for (const one of differences) {
    const own = shown.filter(({ rule }) => rule === one.example);
    expect(own.length, one.name).toBeGreaterThan(0);
    expect(
      own.every(({ concerned }) => concerned.length === 1 && concerned[0] === one),
      one.name,
    ).toBe(true);
  }
});
