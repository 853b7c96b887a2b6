// Cases of a rule file: lines of a real Vault that must make it fire, or leave it quiet.

import { z } from 'zod';
import { SealwatchError } from '../../core/errors.ts';
import type { AuditEvent } from '../../core/event.ts';
import type { RuleInfo } from './rule.ts';
import type { RuleSet } from './rule-set.ts';
import { WholeDetector } from './whole.ts';

const caseSchema = z.strictObject({
  lines: z.array(z.string().min(1)).min(1),
  /** Lines of a second device, a socket; those above are then the whole of a file device. */
  socket: z.array(z.string().min(1)).min(1).optional(),
  /** Title of the rule that is meant; needed only where a file holds several. */
  rule: z.string().optional(),
  title: z.string().min(1),
});
const casesSchema = z.strictObject({ fires: z.array(caseSchema).min(1), quiet: z.array(caseSchema).min(1) });

export type Case = z.infer<typeof caseSchema>;
export type Cases = z.infer<typeof casesSchema>;
/** Raw audit lines to events, as the normaliser makes them. */
export type Normalise = (lines: string[], socket?: string[]) => AuditEvent[];

/** The cases in `text`, the content of `file`. Throws SealwatchError RULE_INVALID. */
export function parseCases(text: string, file: string): Cases {
  const advice =
    'A case file is {"fires": [{"title", "lines"}], "quiet": [...]}, with one case of each at least';
  try {
    return casesSchema.parse(JSON.parse(text));
  } catch (error) {
    const [issue] = error instanceof z.ZodError ? error.issues : [];
    const what = issue === undefined ? 'is not JSON' : `${issue.path.join('.')} ${issue.message}`;
    throw new SealwatchError('RULE_INVALID', `${file}: ${what}`, advice, { cause: error });
  }
}

export interface CaseResult {
  kind: 'fires' | 'quiet';
  passed: boolean;
  title: string;
  /** What came instead; absent when it passed. */
  why?: string;
}

/** Runs the cases of one file. `own` are the file's rules that alert; each needs a case that fires and one that is quiet. */
export function runCases(
  cases: Cases,
  own: RuleInfo[],
  { normalise, rules }: { normalise: Normalise; rules: RuleSet },
): CaseResult[] {
  const run = (kind: CaseResult['kind']) => (one: Case) =>
    runCase(kind, one, own, firedBy(one, rules, normalise));
  return [...cases.fires.map(run('fires')), ...cases.quiet.map(run('quiet')), ...missingCases(cases, own)];
}

/** Ids of the rules that alert on the lines of `one`. */
function firedBy({ lines, socket }: Case, rules: RuleSet, normalise: Normalise): Set<string> {
  const detector = new WholeDetector({ cluster: 'case', rules, slowCallNanos: Number.POSITIVE_INFINITY });
  for (const event of normalise(lines, socket)) detector.event(event);
  detector.advance('9999-12-31T23:59:59.999999999Z');
  return new Set(detector.take().alerts.map(({ body }) => body.rule.id));
}

function runCase(kind: CaseResult['kind'], one: Case, own: RuleInfo[], fired: Set<string>): CaseResult {
  const result = { kind, title: one.title };
  const meant = meantRules(one, own);
  if (meant.length === 0)
    return { ...result, passed: false, why: `there is no rule "${one.rule}" in the file` };
  if (kind === 'fires' && meant.length > 1) {
    return { ...result, passed: false, why: 'the file holds several rules: say which by "rule"' };
  }
  const wrong = meant.find(({ id }) => fired.has(id) !== (kind === 'fires'));
  if (wrong === undefined) return { ...result, passed: true };
  return { ...result, passed: false, why: `"${wrong.title}" ${kind === 'fires' ? 'did not fire' : 'fired'}` };
}

/** The rules a case is about: the one it names, else all of the file. */
const meantRules = (one: Case, own: RuleInfo[]): RuleInfo[] =>
  one.rule === undefined ? own : own.filter(({ title }) => title === one.rule);

function missingCases(cases: Cases, own: RuleInfo[]): CaseResult[] {
  const missing: CaseResult[] = [];
  for (const rule of own) {
    for (const kind of ['fires', 'quiet'] as const) {
      if (cases[kind].some((one) => meantRules(one, own).includes(rule))) continue;
      missing.push({ kind, passed: false, title: rule.title, why: 'there is no case' });
    }
  }
  return missing;
}
