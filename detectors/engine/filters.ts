// Sigma filters: documents that narrow rules of other files. Source: Sigma filters specification 2.1.

import { conditionExpr, readCondition } from '../../core/match/condition.ts';
import type { Expr } from '../../core/match/expr.ts';
import { type Placeholders, readSelection } from '../../core/match/read.ts';
import { nearest } from '../../core/nearest.ts';
import type { ParsedRule } from './sigma.ts';

type ParsedFilter = Extract<ParsedRule, { kind: 'filter' }>;

/** A filter ready to be laid on rules. */
export interface Filter {
  /** Ids and names of the rules it narrows; `any` for all. */
  rules: readonly string[];
  /** What must hold besides the rule's own condition. */
  expr: Expr;
}

/**
 * The filters of `parsed`. As the specification and pySigma have it, a filter's condition is joined to the rule's by `and`:
 * `not selection` leaves calls out. Throws SealwatchError.
 */
export function readFilters(parsed: ParsedRule[], placeholders: Placeholders | undefined): Filter[] {
  const rules = parsed.filter(({ kind }) => kind === 'rule');
  const known = rules.flatMap(({ document }) => [
    document.id,
    ...(document.name === undefined ? [] : [document.name]),
  ]);
  return parsed.filter((one) => one.kind === 'filter').map((one) => readFilter(one, known, placeholders));
}

function readFilter(
  { document, fault }: ParsedFilter,
  known: string[],
  placeholders: Placeholders | undefined,
): Filter {
  const { condition, rules, ...selections } = document.filter;
  for (const [i, rule] of rules.entries()) {
    if (known.includes(rule) || rule === 'any') continue;
    const near = nearest(rule, known);
    throw fault(
      ['filter', 'rules', i],
      `there is no rule ${rule}${near === undefined ? '' : `; did you mean ${near}?`}`,
    );
  }
  const exprs = new Map<string, Expr>();
  let path = ['filter', 'condition'];
  try {
    for (const [name, selection] of Object.entries(selections)) {
      path = ['filter', name];
      exprs.set(name, readSelection(selection, placeholders === undefined ? {} : { placeholders }));
    }
    path = ['filter', 'condition'];
    const texts = typeof condition === 'string' ? [condition] : condition;
    return { expr: conditionExpr(readCondition(texts, [...exprs.keys()]), exprs), rules };
  } catch (error) {
    throw fault(path, error instanceof Error ? error.message : String(error));
  }
}

/** `expr` of the rule with this id and name, with every filter that names it. */
export function filtered(
  expr: Expr,
  rule: { id: string; name?: string | undefined },
  filters: Filter[],
): Expr {
  const own = filters.filter(
    ({ rules }) =>
      rules.includes('any') ||
      rules.includes(rule.id) ||
      (rule.name !== undefined && rules.includes(rule.name)),
  );
  return own.length === 0 ? expr : { kind: 'all', parts: [expr, ...own.map((filter) => filter.expr)] };
}
