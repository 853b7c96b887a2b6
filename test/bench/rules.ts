// npm run bench -- rules: what rules cost an event. The program of all rules, a plain loop over closures, and sigma-rust, where
// cargo can build it, on the same rules and events in one run. CPU time, least of several runs.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { normaliseLines } from '../../commands/replay-lines.ts';
import type { AuditEvent } from '../../core/event.ts';
import { predicateOf } from '../../core/match/predicate.ts';
import { compileProgram } from '../../detectors/engine/program/program.ts';
import { ruleText } from '../real/sigma/corpus.ts';
import { rustBench } from '../real/sigma/engines.ts';
import { exprsOf } from '../real/sigma/ours.ts';
import { makeDetections } from './rules/maker.ts';

const { values } = parseArgs({
  options: {
    from: { type: 'string', default: 'deploy/sample/audit.jsonl' },
    runs: { type: 'string', default: '15' },
    seed: { type: 'string', default: '1' },
  },
});
const events = normaliseLines(readFileSync(values.from, 'utf8').trim().split('\n'));
/** Enough that a run takes some tens of milliseconds. */
const EVENTS_A_RUN = 20_000;
const sizes = [60, 1_000];
const aims = { perRule: 0.1, growth: 2 };

interface Cost {
  matched: number;
  /** Microseconds of CPU an event. */
  micros: number;
}

/** Our own rules first, made ones behind them: `count` texts. */
function ruleTexts(count: number): string[] {
  const folder = join('detectors', 'rules');
  const own = readdirSync(folder)
    .filter((name) => name.endsWith('.yml'))
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').split(/^---$/m))
    .filter((text) => !/^correlation:/m.test(text));
  const made = makeDetections(count - own.length, Number(values.seed)).map((detection) =>
    ruleText(detection),
  );
  return [...own, ...made];
}

/** Calls `match` with every event, again and again. */
function costOf(eventsARun: number, match: (event: AuditEvent) => number): Cost {
  const rounds = Math.max(1, Math.round(eventsARun / events.length));
  let least = Number.POSITIVE_INFINITY;
  let matched = 0;
  for (let run = 0; run < Number(values.runs); run++) {
    matched = 0;
    const before = process.cpuUsage();
    for (let round = 0; round < rounds; round++) for (const event of events) matched += match(event);
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / rounds / events.length);
  }
  return { matched: matched / rounds, micros: least };
}

/** Bytes that `match` allocates an event, measured without a collection between. */
function bytesOf(match: (event: AuditEvent) => number): number {
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  for (let round = 0; round < 5; round++) for (const event of events) match(event);
  return Math.max(0, (process.memoryUsage().heapUsed - before) / 5 / events.length);
}

function rust(texts: string[]): Cost | undefined {
  try {
    const { matched, nanos } = rustBench(texts, events);
    return { matched, micros: nanos / 1000 / events.length };
  } catch (error) {
    process.stderr.write(`  no sigma-rust: ${error instanceof Error ? error.message : error}\n`);
    return undefined;
  }
}

const rows: string[] = [];
const row = (what: string, rules: number, { matched, micros }: Cost, bytes = '') =>
  rows.push(
    `| ${what} | ${rules} | ${micros.toFixed(2)} | ${(micros / rules).toFixed(4)} | ${matched} | ${bytes} |`,
  );

const program: number[] = [];
for (const count of sizes) {
  process.stderr.write(`  ${count} rules ...\n`);
  const texts = ruleTexts(count);
  const exprs = texts.flatMap(exprsOf);
  const compiled = compileProgram(exprs, (_, error) => {
    throw error;
  });
  const hits: number[] = [];
  const run = (event: AuditEvent) => compiled.run(event, hits);
  const ours = costOf(EVENTS_A_RUN, run);
  const predicates = exprs.map(predicateOf);
  const plain = costOf(events.length, (event) => {
    let matched = 0;
    for (let i = 0; i < predicates.length; i++) if (predicates[i]?.(event)) matched++;
    return matched;
  });
  if (plain.matched !== ours.matched)
    throw new Error(`the program found ${ours.matched}, closures ${plain.matched}`);
  program.push(ours.micros);
  row('program', count, ours, bytesOf(run).toFixed(0));
  row('closures', count, plain);
  const theirs = rust(texts);
  if (theirs !== undefined) row('sigma-rust 0.7.0', count, theirs);
}

const [small = 0, large = 0] = program;
const verdict = (isMet: boolean) => (isMet ? 'met' : 'NOT met');
process.stdout.write(
  [
    `${events.length} events of ${values.from}, seed ${values.seed}, Node ${process.versions.node}`,
    '',
    '| what | rules | us an event | us a rule and event | matches | bytes allocated an event |',
    '| --- | ---: | ---: | ---: | ---: | ---: |',
    ...rows,
    '',
    `aim ${aims.perRule} us a rule and event: ${verdict(small / 60 <= aims.perRule)}; 1,000 rules cost ${(large / small).toFixed(2)} times 60, aim ${aims.growth}: ${verdict(large / small <= aims.growth)}`,
    '',
  ].join('\n'),
);
