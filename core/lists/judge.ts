// Lists that were read, asked by the engine: for each match and each call, so they are indexed once.

import type { AuditEvent } from '../event.ts';
import type { Lists, Silence } from '../lists.ts';
import type { Predicate } from '../match/predicate.ts';

interface SilenceEntry extends Silence {
  /** Ids of rules, or `*`. */
  rules: string[];
  /** First and last moment at which it holds. */
  from: string;
  to: string;
  matches: Predicate;
}

export interface ListParts {
  version: string;
  silences: SilenceEntry[];
  classes: { name: string; matches: Predicate }[];
  thresholds: { rule: string; class: string; count: number }[];
  settings: ({ behaviour: string; class?: string | undefined } & Record<string, unknown>)[];
  placeholders: Lists['placeholders'];
  texts: Readonly<Record<string, readonly string[]>>;
}

export function judge(parts: ListParts): Lists {
  const byRule = silencesByRule(parts.silences);
  const forAll = byRule.get('*') ?? [];
  const thresholds = new Map(parts.thresholds.map((one) => [`${one.rule} ${one.class}`, one.count]));
  const settings = settingsByKey(parts.settings);
  return {
    version: parts.version,
    silencedBy: (rule, event) => firstOf(byRule.get(rule) ?? forAll, event),
    classOf: (event) => parts.classes.find(({ matches }) => matches(event))?.name ?? event.vault.caller.kind,
    threshold: (rule, className) => thresholds.get(`${rule} ${className}`),
    setting: (behaviour, name, className, fallback) => {
      // Each behaviour asks at each call, and few are set.
      const set = settings.get(behaviour);
      if (set === undefined) return fallback;
      return set.get(`${className} ${name}`) ?? set.get(` ${name}`) ?? fallback;
    },
    placeholders: parts.placeholders,
    texts: (name) => parts.texts[name] ?? [],
  };
}

function firstOf(entries: SilenceEntry[], event: AuditEvent): Silence | undefined {
  const time = event['@timestamp'];
  for (const { kind, name, from, to, matches } of entries)
    if (time >= from && time <= to && matches(event)) return { kind, name };
  return undefined;
}

/** The entries of each rule that one names, with those of all rules, in the order written; `*` for every other rule. */
function silencesByRule(entries: SilenceEntry[]): Map<string, SilenceEntry[]> {
  const named = new Set(['*', ...entries.flatMap(({ rules }) => rules)]);
  return new Map(
    [...named].map((rule) => [
      rule,
      entries.filter(({ rules }) => rules.includes(rule) || rules.includes('*')),
    ]),
  );
}

/** By behaviour, then by class (empty for all) and name. */
function settingsByKey(entries: ListParts['settings']): Map<string, Map<string, number>> {
  const settings = new Map<string, Map<string, number>>();
  for (const { behaviour, class: className = '', ...values } of entries) {
    const set = settings.get(behaviour) ?? new Map<string, number>();
    settings.set(behaviour, set);
    for (const [name, value] of Object.entries(values))
      if (typeof value === 'number') set.set(`${className} ${name}`, value);
  }
  return settings;
}
