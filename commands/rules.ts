// `sealwatch rules`: reads the rules that come with sealwatch and the user's own, lists them, runs their cases.

import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { canonicalJson } from '../core/canonical.ts';
import { type CaseResult, type Normalise, parseCases, runCases } from '../detectors/engine/cases.ts';
import type { RuleInfo } from '../detectors/engine/rule.ts';
import { load, type Rules } from './rules/load.ts';
import { builtInDir, readText, ruleFiles } from './rules/read.ts';

export const loadBuiltInRules = (): Rules => load({}).rules;

/** The built-in rules and those in `dir`. Throws SealwatchError: RULE_INVALID, also for an id twice, or INPUT_UNREADABLE. */
export const loadRules = (dir?: string): Rules => load({ dir }).rules;

/**
 * The catalogue: a table for people, or with `json` an array of all that a rule says, sorted by id.
 * @param off why rules are off, by id; absent when nobody knows
 */
export function listRules(
  rules: Rules,
  { json = false, off }: { json?: boolean; off?: ReadonlyMap<string, string> | undefined } = {},
): string {
  const types = typesOf(rules);
  const typeOf = ({ id }: RuleInfo) => types.get(id) ?? 'behaviour';
  const stateOf = ({ id }: RuleInfo) =>
    off === undefined ? {} : { enabled: !off.has(id), ...(off.has(id) && { why: off.get(id) }) };
  if (json)
    return `${canonicalJson(rules.catalogue.map((rule) => ({ ...rule, type: typeOf(rule), ...stateOf(rule) })))}\n`;
  const rows = rules.catalogue
    .map((rule) => [
      rule.alerts ? rule.level : 'feeds others',
      rule.title,
      rule.version,
      typeOf(rule),
      rule.techniques.join(' '),
      countingOf(rule),
      basename(rule.file),
    ])
    .sort((a, b) => ((a[1] ?? '') < (b[1] ?? '') ? -1 : 1));
  const said = rules.catalogue.flatMap(({ id, title }) =>
    off?.has(id) ? `! ${title} is off: ${off.get(id)}\n` : [],
  );
  return table([['LEVEL', 'RULE', 'VERSION', 'TYPE', 'ATT&CK', 'COUNTS', 'FILE'], ...rows]) + said.join('');
}

/** By id: `event`, or the type of a correlation. What has none is a behaviour. */
export function typesOf({ events, roots }: Rules): Map<string, string> {
  const nodes = [...events, ...roots.flatMap((root) => [...root.nodes.values()])];
  return new Map(nodes.map((node) => [node.id, node.kind === 'event' ? 'event' : node.type]));
}

const countingOf = ({ groupBy, threshold, timespanSeconds }: RuleInfo): string =>
  timespanSeconds === 0
    ? `each, by ${groupBy.join(', ')}`
    : `${threshold === 1 ? '' : `${threshold} `}in ${timespanSeconds} s by ${groupBy.join(', ')}`;

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
  const { notes, rules } = load({ dir });
  const outcome = { failed: 0, passed: 0, report: '' };
  for (const file of ruleFiles(dir ?? builtInDir)) {
    const results = testFile(file, rules, normalise);
    const failed = results.filter((result) => !result.passed);
    outcome.failed += failed.length;
    outcome.passed += results.length - failed.length;
    outcome.report += `${failed.length === 0 ? 'ok    ' : 'FAILED'} ${file}: ${results.length} cases\n`;
    for (const { kind, title, why } of failed) outcome.report += `       ${kind}: ${title}: ${why}\n`;
  }
  for (const note of notes) outcome.report += `note   ${note}\n`;
  outcome.report += `${outcome.passed} passed, ${outcome.failed} failed\n`;
  return outcome;
}

function testFile(file: string, rules: Rules, normalise: Normalise): CaseResult[] {
  const own = rules.roots.map(({ top }) => top).filter((rule) => rule.file === file);
  const casesFile = file.replace(/\.ya?ml$/, '.cases.json');
  if (!existsSync(casesFile)) {
    return [{ kind: 'fires', passed: false, title: casesFile, why: 'there is no such file' }];
  }
  return runCases(parseCases(readText(casesFile), casesFile), own, { normalise, rules });
}
