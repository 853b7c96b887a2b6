// Rule files as text for tests: a plain rule and a correlation over it, each changed by a few lines.

import { compileRules } from '../../detectors/engine/compile.ts';
import type { RuleSet } from '../../detectors/engine/rule-set.ts';
import { parseRuleFile } from '../../detectors/engine/sigma.ts';

export const baseId = '11111111-2222-4333-8444-555555555555';
export const correlationId = '11111111-2222-4333-8444-666666666666';

const common = `status: test
description: For tests.
falsepositives: [none]
tags: [attack.t1078]
message: '{user.name} did {vault.request.path}'
runbook: Nothing.
`;

/** A plain rule that matches `event.action: bad`; `more` adds or, by the same key, replaces lines. */
export function ruleText(more: Record<string, string | undefined> = {}): string {
  const text = `title: Base
id: ${baseId}
name: base
level: low
${common}logsource: {product: vault, service: audit}
detection: {selection: {event.action: bad}, condition: selection}
`;
  return changed(text, more);
}

/** A correlation: three matches of the plain rule in a minute by user. */
export function correlationText(more: Record<string, string | undefined> = {}): string {
  const text = `title: Many
id: ${correlationId}
level: high
${common}correlation: {type: event_count, rules: [base], group-by: [user.id], timespan: 1m, condition: {gte: 3}}
`;
  return changed(text, more);
}

function changed(text: string, more: Record<string, string | undefined>): string {
  const lines = new Map(
    text
      .trimEnd()
      .split('\n')
      .map((line) => [line.split(':')[0] ?? '', line]),
  );
  for (const [key, value] of Object.entries(more)) {
    if (value === undefined) lines.delete(key);
    else lines.set(key, `${key}: ${value}`);
  }
  return `${[...lines.values()].join('\n')}\n`;
}

export const rulesFrom = (...texts: string[]): RuleSet =>
  compileRules(texts.flatMap((text, i) => parseRuleFile(text, `${i}.yml`)));
