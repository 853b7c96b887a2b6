// Our own reading of a Sigma rule, for the comparisons.

import type { Expr } from '../../../core/match/expr.ts';
import { compileRules } from '../../../detectors/engine/compile.ts';
import { parseRuleFile } from '../../../detectors/engine/sigma.ts';

/** The expression of the event rules in `text`. Throws SealwatchError. */
export function exprsOf(text: string): Expr[] {
  return compileRules(parseRuleFile(text, 'rule')).events.map(({ expr }) => expr);
}

/** The expression of the one rule in `text`. */
export const exprOf = (text: string): Expr => exprsOf(text)[0] as Expr;
