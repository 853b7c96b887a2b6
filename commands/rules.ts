// `sealwatch rules`: reads the rules that come with sealwatch and the user's own, lists them, runs their cases.

import { existsSync } from 'node:fs';
import { canonicalJson } from '../core/canonical.ts';
import { type CaseResult, type Normalise, parseCases, runCases } from '../detectors/engine/cases.ts';
import type { CompiledRules, RuleInfo } from '../detectors/engine/rule.ts';
import { load } from './rules/load.ts';
import { builtInDir, readText, ruleFiles } from './rules/read.ts';

export const loadBuiltInRules = (): CompiledRules => load({}).rules;

/** The built-in rules and those in `dir`. Throws SealwatchError: RULE_INVALID, also for an id twice, or INPUT_UNREADABLE. */
export const loadRules = (dir?: string): CompiledRules => load({ dir }).rules;

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
  return runCases(parseCases(readText(casesFile), casesFile), own, { normalise, rules });
}
