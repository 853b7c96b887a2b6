// From parsed documents to a set of rules: correlations find the rules they count, ids and names are unique.

import { conditionExpr, readCondition } from '../../core/match/condition.ts';
import type { Expr } from '../../core/match/expr.ts';
import { type Placeholders, readSelection } from '../../core/match/read.ts';
import { type Node, readCorrelation } from './correlation.ts';
import { doubtOf, fieldsIn } from './event-fields.ts';
import { type Filter, filtered, readFilters } from './filters.ts';
import { infoOf, messageOf } from './info.ts';
import type { RuleInfo } from './rule.ts';
import type { Correlation, EventRule, RuleSet } from './rule-set.ts';
import type { ParsedRule } from './sigma.ts';
import { compileTemplate } from './template.ts';
import { rootOf } from './trees.ts';

type Parsed<K extends ParsedRule['kind']> = Extract<ParsedRule, { kind: K }>;

export interface CompileOptions {
  /** What `%name%` stands for (core/lists). */
  placeholders?: Placeholders;
  /** Told of fields that events do not have. */
  note?: (text: string) => void;
}

/** Compiles all documents together, so that a correlation may count rules of another file. Throws SealwatchError. */
export function compileRules(parsed: ParsedRule[], options: CompileOptions = {}): RuleSet {
  refuseDuplicates(parsed);
  const filters = readFilters(parsed, options.placeholders);
  const nodes = new Map<string, Node>();
  for (const rule of parsed)
    if (rule.kind === 'rule') nodes.set(rule.document.id, readEventRule(rule, filters, options));
  for (const correlation of readCorrelations(parsed)) {
    const { aliases, fields, file, groupBy, title } = correlation;
    const named = [...groupBy, ...fields].flatMap((name) => Object.values(aliases[name] ?? { name }));
    noteDoubts(`${file}: ${title}`, named, options);
    nodes.set(correlation.id, correlation);
  }
  const silent = silencedIds(parsed, nodes);
  for (const id of silent) (nodes.get(id) as Node).alerts = false;
  const sorted = [...nodes.values()].sort(byId);
  const roots = sorted.filter(({ alerts }) => alerts).map((top) => rootOf(top, nodes));
  const events = sorted.filter((node) => node.kind === 'event');
  return { catalogue: sorted.map(catalogued), events, roots };
}

/** What people read of a rule, without what the engine runs. */
function catalogued(node: Node): RuleInfo {
  const hidden = ['aliases', 'bounds', 'expr', 'fields', 'kind', 'messageTemplate', 'percentile', 'presence'];
  const shown = Object.entries(node).filter(([key]) => ![...hidden, 'rules', 'type'].includes(key));
  return Object.fromEntries(shown) as unknown as RuleInfo;
}

const byId = (a: Node, b: Node): number => (a.id < b.id ? -1 : 1);

function refuseDuplicates(parsed: ParsedRule[]): void {
  const seen = new Map<string, string>();
  for (const { document, fault, file } of parsed) {
    for (const [key, value] of [
      ['id', document.id],
      ['name', document.name],
    ] as const) {
      if (value === undefined) continue;
      const before = seen.get(value);
      if (before !== undefined) throw fault([key], `${value} is also in ${before}`);
      seen.set(value, file);
    }
  }
}

function readEventRule(parsed: Parsed<'rule'>, filters: Filter[], options: CompileOptions): EventRule {
  const { document, fault, file } = parsed;
  const groupBy = document['group-by'] ?? ['user.id'];
  const messageTemplate = messageOf(document);
  blamed(fault, ['message'], () => compileTemplate(messageTemplate));
  const info = infoOf(document, file, { alerts: true, groupBy, threshold: 1, timespanSeconds: 0 });
  const expr = filtered(detectionExpr(parsed, options), document, filters);
  noteDoubts(`${file}: ${document.title}`, [...fieldsIn(expr), ...groupBy], options);
  return { ...info, expr, kind: 'event', messageTemplate };
}

function noteDoubts(rule: string, fields: string[], { note }: CompileOptions): void {
  if (note === undefined) return;
  for (const field of new Set(fields)) {
    const doubt = doubtOf(field);
    if (doubt !== undefined) note(`${rule}: ${doubt}`);
  }
}

function detectionExpr({ document, fault }: Parsed<'rule'>, options: CompileOptions): Expr {
  const { condition, ...selections } = document.detection;
  const texts = Array.isArray(condition) ? condition : [condition];
  const path = ['detection', 'condition'];
  if (condition === undefined) throw fault(path, 'is missing');
  if (texts.length === 0 || !texts.every((text) => typeof text === 'string'))
    throw fault(path, 'must be text, or a list of texts of which one must hold');
  const exprs = new Map<string, Expr>();
  for (const [name, selection] of Object.entries(selections)) {
    exprs.set(
      name,
      blamed(fault, ['detection', name], () => readSelection(selection, options)),
    );
  }
  return blamed(fault, path, () => conditionExpr(readCondition(texts, [...exprs.keys()]), exprs));
}

function readCorrelations(parsed: ParsedRule[]): Correlation[] {
  const known = new Map<string, { id: string; kind: Node['kind'] }>();
  const names: string[] = [];
  for (const { document, kind } of parsed) {
    if (kind === 'filter') continue;
    const rule = {
      id: document.id,
      kind: kind === 'rule' ? ('event' as const) : ('correlation' as const),
    };
    known.set(rule.id, rule);
    if (document.name === undefined) continue;
    known.set(document.name, rule);
    names.push(document.name);
  }
  const found = parsed
    .filter((one) => one.kind === 'correlation')
    .map((one) => ({ correlation: readCorrelation(one, (reference) => known.get(reference), names), one }));
  const byId = new Map(found.map(({ correlation }) => [correlation.id, correlation]));
  for (const { correlation, one } of found) {
    blamed(one.fault, ['message'], () => compileTemplate(correlation.messageTemplate));
    if (reachesItself(correlation.id, byId))
      throw one.fault(['correlation', 'rules'], 'goes in a circle: the correlation counts itself');
    refuseHalfAliases(correlation, one.fault, byId);
  }
  return found.map(({ correlation }) => correlation);
}

/** An alias is no field: each rule must say what it stands for, or be a correlation that knows the name itself. */
function refuseHalfAliases(
  { aliases, fields, groupBy, rules }: Correlation,
  fault: ParsedRule['fault'],
  correlations: ReadonlyMap<string, Correlation>,
): void {
  for (const name of [...groupBy, ...fields]) {
    const alias = aliases[name];
    if (alias === undefined || doubtOf(name) === undefined) continue;
    const half = rules.find((id) => {
      const inner = correlations.get(id);
      return alias[id] === undefined && !inner?.groupBy.includes(name) && inner?.aliases[name] === undefined;
    });
    if (half === undefined) continue;
    const rule = correlations.get(half)?.name ?? half;
    throw fault(['correlation', 'aliases', name], `does not say which field it is in ${rule}`);
  }
}

function reachesItself(id: string, correlations: ReadonlyMap<string, Correlation>): boolean {
  const seen = new Set<string>();
  const todo = [...(correlations.get(id)?.rules ?? [])];
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    if (next === id) return true;
    if (seen.has(next)) continue;
    seen.add(next);
    todo.push(...(correlations.get(next)?.rules ?? []));
  }
  return false;
}

/** Rules that only feed correlations: one that does not say `generate` takes their own alerts from those it counts. */
function silencedIds(parsed: ParsedRule[], nodes: ReadonlyMap<string, Node>): Set<string> {
  const silent = new Set<string>();
  for (const one of parsed) {
    if (one.kind !== 'correlation') continue;
    const { document } = one;
    if (document.generate ?? document.correlation.generate ?? false) continue;
    const node = nodes.get(document.id);
    if (node?.kind === 'correlation') for (const id of node.rules) silent.add(id);
  }
  return silent;
}

function blamed<T>(fault: ParsedRule['fault'], path: string[], compile: () => T): T {
  try {
    return compile();
  } catch (error) {
    throw fault(path, error instanceof Error ? error.message : String(error));
  }
}
