// `sealwatch rules`: reads the rules that come with sealwatch and the user's own, lists them, runs their cases.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { canonicalJson } from '../core/canonical.ts';
import { SealwatchError } from '../core/errors.ts';
import { type CaseResult, type Normalise, parseCases, runCases } from '../detectors/engine/cases.ts';
import { compileRules } from '../detectors/engine/compile.ts';
import { lostLinesRule } from '../detectors/engine/lost.ts';
import { ownTrafficRule } from '../detectors/engine/own.ts';
import type { CompiledRules, RuleInfo } from '../detectors/engine/rule.ts';
import { type ParsedRule, parseRuleFile } from '../detectors/engine/sigma.ts';

/** Beside this file in the sources and in dist/ alike: the build copies the folder. */
const builtInDir = fileURLToPath(new URL('../detectors/rules/', import.meta.url));

export const loadBuiltInRules = (): CompiledRules => withBuiltIns(compileRules(readRules(builtInDir)));

/** The built-in rules and those in `dir`. Throws SealwatchError: RULE_INVALID, also for an id twice, or INPUT_UNREADABLE. */
export function loadRules(dir?: string): CompiledRules {
  return withBuiltIns(compileRules([...readRules(builtInDir), ...(dir === undefined ? [] : readRules(dir))]));
}

/** The rules that are no Sigma rules stand in the catalogue as well. */
const withBuiltIns = ({ alerting, catalogue }: CompiledRules): CompiledRules => ({
  alerting,
  catalogue: [...catalogue, lostLinesRule, ownTrafficRule].sort((a, b) => (a.id < b.id ? -1 : 1)),
});

function readRules(dir: string): ParsedRule[] {
  return ruleFiles(dir).flatMap((file) => parseRuleFile(read(file), file));
}

/** Paths of the rule files in `dir`, sorted; folders in it are not looked into. */
function ruleFiles(dir: string): string[] {
  try {
    const names = readdirSync(dir).filter((name) => /\.ya?ml$/.test(name));
    return names.sort().map((name) => join(dir, name));
  } catch (cause) {
    throw new SealwatchError(
      'INPUT_UNREADABLE',
      `cannot read the rules folder ${dir}`,
      'Check that it is there',
      { cause },
    );
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new SealwatchError('INPUT_UNREADABLE', `cannot read ${file}`, 'Check that it may be read', {
      cause,
    });
  }
}

/** The catalogue: a table for people, or with `json` an array of all that a rule says, sorted by id. */
export function listRules(rules: CompiledRules, { json = false }: { json?: boolean } = {}): string {
  if (json) return `${canonicalJson(rules.catalogue.map(publicInfo))}\n`;
  const rows = rules.alerting
    .map((rule) => [rule.level, rule.title, rule.techniques.join(' '), countingOf(rule)])
    .sort((a, b) => ((a[1] ?? '') < (b[1] ?? '') ? -1 : 1));
  return table([['LEVEL', 'RULE', 'ATT&CK', 'COUNTS'], ...rows]);
}

/** A rule without its closures. */
function publicInfo(rule: RuleInfo): Record<string, unknown> {
  return Object.fromEntries(Object.entries(rule).filter(([, value]) => typeof value !== 'function'));
}

const countingOf = ({ groupBy, threshold, timespanSeconds }: RuleInfo): string =>
  threshold === 1 ? 'each' : `${threshold} in ${timespanSeconds} s by ${groupBy.join(', ')}`;

function table(rows: string[][]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => (row[i] ?? '').length)));
  const line = (row: string[]) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd();
  return `${rows.map(line).join('\n')}\n`;
}

export interface RuleTestOutcome {
  failed: number;
  passed: number;
  report: string;
}

/** Runs the cases beside the rules in `dir`, else beside the built-in ones. `normalise` turns their lines into events. */
export function testRules(normalise: Normalise, dir?: string): RuleTestOutcome {
  const rules = loadRules(dir);
  const outcome = { failed: 0, passed: 0, report: '' };
  for (const file of ruleFiles(dir ?? builtInDir)) {
    const results = testFile(file, rules, normalise);
    const failed = results.filter((result) => !result.passed);
    outcome.failed += failed.length;
    outcome.passed += results.length - failed.length;
    outcome.report += `${failed.length === 0 ? 'ok    ' : 'FAILED'} ${file}: ${results.length} cases\n`;
    for (const { kind, title, why } of failed) outcome.report += `       ${kind}: ${title}: ${why}\n`;
  }
  outcome.report += `${outcome.passed} passed, ${outcome.failed} failed\n`;
  return outcome;
}

function testFile(file: string, rules: CompiledRules, normalise: Normalise): CaseResult[] {
  const own = rules.alerting.filter((rule) => rule.file === file);
  const casesFile = file.replace(/\.ya?ml$/, '.cases.json');
  if (!existsSync(casesFile)) {
    return [{ kind: 'fires', passed: false, title: casesFile, why: 'there is no such file' }];
  }
  return runCases(parseCases(read(casesFile), casesFile), own, { normalise, rules });
}
