// What counters must find, said in the plainest way: at each match, look at all that came before.

import type { Bound, Correlation } from '../../../detectors/engine/rule-set.ts';

export interface Seen {
  rule: string;
  second: number;
  event: string;
  group: string;
  /** Of the field that is counted. */
  value?: string;
  /** First event of an inner alert. */
  begun?: string;
  /** An inner alert that went on. */
  again?: boolean;
  /** Judged at the end of a window. */
  closed?: boolean;
}

export interface Expected {
  first: string;
  last: number;
  count: number;
}

/** Which rules must, and must not, have matched. */
export interface Way {
  present: string[];
  absent: string[];
}

/** A correlation whose rules count when one of `ways` holds, or whose `bounds` hold. */
export interface Asked extends Pick<Correlation, 'type' | 'bounds' | 'timespanSeconds' | 'percentile'> {
  ways: Way[];
}

const compare = {
  gt: (a: number, b: number) => a > b,
  gte: (a: number, b: number) => a >= b,
  lt: (a: number, b: number) => a < b,
  lte: (a: number, b: number) => a <= b,
  eq: (a: number, b: number) => a === b,
};
const fulfils = (value: number, bounds: readonly Bound[]) =>
  bounds.every(({ op, value: bound }) => compare[op](value, bound));
const isTemporal = ({ type }: Asked) => type.startsWith('temporal');
const atEnd = ({ bounds, ways }: Asked) =>
  ways.some(({ absent }) => absent.length > 0) || bounds.some(({ op }) => !op.startsWith('g'));

/** Units that prove the window, or undefined. */
function proofOf(asked: Asked, window: Seen[], before: Seen[]): Seen[] | undefined {
  if (asked.type === 'temporal') {
    const there = new Set([...before, ...window].map(({ rule }) => rule));
    const holds = asked.ways.some(
      ({ present, absent }) =>
        present.every((rule) => there.has(rule)) && !absent.some((rule) => there.has(rule)),
    );
    const wanted = new Set(asked.ways.flatMap(({ present }) => present));
    const lasts = window.filter(({ rule }, i) => !window.slice(i + 1).some((later) => later.rule === rule));
    return holds ? lasts.filter(({ rule }) => wanted.has(rule)) : undefined;
  }
  if (asked.type === 'temporal_ordered') {
    for (const { present, absent } of asked.ways) {
      if ([...before, ...window].some(({ rule }) => absent.includes(rule))) continue;
      const chains = chainsOf(present, window);
      if (chains.length > 0)
        return chains.reduce((a, b) => ((b[0] as Seen).second >= (a[0] as Seen).second ? b : a));
    }
    return undefined;
  }
  if (asked.type === 'value_count') {
    const lasts = window.filter(
      ({ value }, i) => !window.slice(i + 1).some((later) => later.value === value),
    );
    return lasts.length > 0 && fulfils(lasts.length, asked.bounds) ? lasts : undefined;
  }
  const once = window.filter(
    ({ begun, event }, i) =>
      begun !== undefined || !window.slice(0, i).some((earlier) => earlier.event === event),
  );
  const values = once.map(({ value }) => Number(value));
  const sum = values.reduce((a, b) => a + b, 0);
  const sorted = values.toSorted((a, b) => a - b);
  const rank = Math.max(1, Math.ceil(((asked.percentile ?? 50) * values.length) / 100));
  const number = {
    event_count: values.length,
    value_sum: sum,
    value_avg: sum / values.length,
    value_percentile: sorted[rank - 1] as number,
  }[asked.type];
  return values.length > 0 && fulfils(number, asked.bounds) ? once : undefined;
}

/** All ways in which the rules match one after the other, never twice by one call. */
function chainsOf(rules: string[], window: Seen[]): Seen[][] {
  const [rule, ...rest] = rules;
  if (rule === undefined) return [[]];
  return window.flatMap((seen, i) => {
    if (seen.rule !== rule) return [];
    const later = window
      .slice(i + 1)
      .filter(({ event, second }) => event !== seen.event || second !== seen.second);
    return chainsOf(rest, later).map((chain) => [seen, ...chain]);
  });
}

interface Open extends Expected {
  until: number;
  event: string;
}

/** The alerts on one group's units, which are in order; `emit` gets each as it opens and grows. */
export function expected(
  asked: Asked,
  units: Seen[],
  emit: (seen: Seen) => void = () => undefined,
): Expected[] {
  const counted = units.filter(
    ({ again, value }) => (isTemporal(asked) || value !== undefined) && (again !== true || isTemporal(asked)),
  );
  return atEnd(asked) ? judged(asked, counted, emit) : sliding(asked, counted, emit);
}

/** A call that matches two rules counts once; each inner alert counts. */
const distinctEvents = (units: Seen[]) => {
  const calls = units.filter(({ begun }) => begun === undefined);
  return new Set(calls.map(({ event }) => event)).size + units.length - calls.length;
};

function opened(asked: Asked, proof: Seen[]): Open {
  const [first] = proof as [Seen];
  const last = (proof.at(-1) as Seen).second;
  const event = proof.findLast(({ begun }) => begun === undefined)?.event ?? '';
  const until = first.second + Math.max(900, asked.timespanSeconds);
  return { first: first.begun ?? first.event, last, count: distinctEvents(proof), until, event };
}

function sliding(asked: Asked, units: Seen[], emit: (seen: Seen) => void): Expected[] {
  const alerts: Open[] = [];
  let from = 0;
  for (const [i, unit] of units.entries()) {
    const open = alerts.at(-1);
    if (open !== undefined && unit.second <= open.until) {
      from = i + 1;
      if (open.event === unit.event && unit.begun === undefined) continue;
      open.count++;
      open.last = unit.second;
      if (unit.begun === undefined) open.event = unit.event;
      emit({ ...unit, again: true, begun: open.first });
      continue;
    }
    const window = units
      .slice(from, i + 1)
      .filter(({ second }) => second >= unit.second - asked.timespanSeconds);
    const proof = proofOf(asked, window, []);
    if (proof === undefined) continue;
    alerts.push(opened(asked, proof));
    from = i + 1;
    const { first: begun } = alerts.at(-1) as Open;
    emit({ ...unit, begun });
  }
  return alerts;
}

function judged(asked: Asked, units: Seen[], emit: (seen: Seen) => void): Expected[] {
  const alerts: Open[] = [];
  const marks = new Set(asked.ways.flatMap(({ absent }) => absent));
  for (const { present } of asked.ways) for (const rule of present) marks.delete(rule);
  let end = -1;
  for (const [i, { rule, second }] of units.entries()) {
    if (second <= end || marks.has(rule)) continue;
    end = second + asked.timespanSeconds;
    const window = units.slice(i).filter((unit) => unit.second <= end);
    const before = units
      .slice(0, i)
      .filter((unit) => marks.has(unit.rule) && unit.second >= second - asked.timespanSeconds);
    const proof = proofOf(asked, window, before);
    if (proof === undefined) continue;
    const open = alerts.at(-1);
    const again = open !== undefined && second <= open.until;
    if (again) {
      open.count += distinctEvents(proof);
      open.last = (proof.at(-1) as Seen).second;
    } else alerts.push(opened(asked, proof));
    const { first: begun } = alerts.at(-1) as Open;
    emit({ ...(proof.at(-1) as Seen), second: end, begun, closed: true, ...(again && { again }) });
  }
  return alerts;
}
