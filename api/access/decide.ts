// What a set of policies gives on one path, as Vault's ACL decides it, and what of it could not be evaluated.

import { bytesOf, compare, isPattern, matches, type Pattern, patternOf } from './pattern.ts';
import type { Capability, Condition, Rule } from './policy.ts';
import { fill, type Identity } from './template.ts';

/** Policies of two namespaces may have one name. */
export interface PolicyName {
  /** With its closing slash; empty for the root. */
  namespace: string;
  /** As Vault keeps it: lower case, without spaces around it. */
  name: string;
}
export const policyKey = ({ namespace, name }: PolicyName): string => `${namespace}\n${name}`;

/** Why something could not be evaluated. */
export type Doubt =
  /** Its text was never seen, or it was changed and nobody could see to what. */
  | 'policy_unknown'
  | 'policy_not_understood'
  /** A template asks for what is not known of the identity. */
  | 'template_unknown'
  /** Filled in, a template is no pattern: Vault answers with an error. */
  | 'template_invalid';

export interface Noted {
  doubt: Doubt;
  policy: PolicyName;
  detail?: string;
}

/** What is known of a policy at the time asked for. `none`: there is no such policy, which gives nothing. */
export type Known = { rules: readonly Rule[] } | { fault: string } | 'unknown' | 'none';

interface Match {
  pattern: Pattern;
  rule: Rule;
  policy: PolicyName;
}

export interface Decision {
  root: boolean;
  capabilities: readonly Capability[];
  /** The rules that decide: all on one pattern. */
  matches: readonly Match[];
  conditions: readonly Condition[];
  noted: readonly Noted[];
}

/** The policies' view of one path: what does not depend on an identity is looked up once. */
export class PathCheck {
  /** The path with its namespace, as bytes. */
  private readonly path: string;
  private readonly known: (policy: PolicyName) => Known;
  private readonly seen = new Map<string, Seen>();

  constructor(path: { namespace: string; path: string }, known: (policy: PolicyName) => Known) {
    this.path = bytesOf(path.namespace + path.path.replace(/^\/+/, ''));
    this.known = known;
  }

  /** What an identity with these policies may do. */
  decide(policies: readonly PolicyName[], identity: Identity): Decision {
    if (policies.some(isRoot))
      return { root: true, capabilities: [], matches: [], conditions: [], noted: [] };
    const found: Match[] = [];
    const noted: Noted[] = [];
    for (const policy of policies) {
      const seen = this.look(policy);
      found.push(...seen.matches);
      noted.push(...seen.noted);
      for (const rule of seen.templates) this.fillIn(rule, policy, identity, found, noted);
    }
    return { root: false, ...deciding(found), noted };
  }

  /** Whether what these policies give on the path depends on who has them. */
  isPersonal(policies: readonly PolicyName[]): boolean {
    return policies.some((policy) => this.look(policy).templates.length > 0);
  }

  private look(policy: PolicyName): Seen {
    const key = policyKey(policy);
    const cached = this.seen.get(key);
    if (cached !== undefined) return cached;
    const seen = this.lookAnew(policy);
    this.seen.set(key, seen);
    return seen;
  }

  private lookAnew(policy: PolicyName): Seen {
    const known = this.known(policy);
    if (known === 'none') return nothing;
    if (known === 'unknown') return { ...nothing, noted: [{ doubt: 'policy_unknown', policy }] };
    if ('fault' in known)
      return { ...nothing, noted: [{ doubt: 'policy_not_understood', policy, detail: known.fault }] };
    const matched: Match[] = [];
    const templates: Rule[] = [];
    for (const rule of known.rules) {
      if (rule.template !== undefined) {
        if (this.mayMatch(rule, policy)) templates.push(rule);
        continue;
      }
      const pattern = patternOf(policy.namespace, rule.path);
      if (matches(pattern, this.path)) matched.push({ pattern, rule, policy });
    }
    return { matches: matched, templates, noted: [] };
  }

  /** Whether a template can match for somebody: what stands before its first brace or wildcard is the same in the path. */
  private mayMatch({ path }: Rule, { namespace }: PolicyName): boolean {
    const fixed = path.replace(/^\//, '').split(/\{\{|[+*]/, 1)[0] as string;
    return this.path.startsWith(bytesOf(namespace + fixed));
  }

  private fillIn(rule: Rule, policy: PolicyName, identity: Identity, found: Match[], noted: Noted[]): void {
    const filled = fill(rule.template ?? [], identity, policy.namespace);
    if (filled === 'none') return;
    const detail = rule.path;
    if (filled === 'unknown') noted.push({ doubt: 'template_unknown', policy, detail });
    else if (!isPattern(filled.text)) noted.push({ doubt: 'template_invalid', policy, detail });
    else {
      const pattern = patternOf(policy.namespace, filled.text);
      if (matches(pattern, this.path)) found.push({ pattern, rule, policy });
    }
  }
}

interface Seen {
  matches: Match[];
  templates: Rule[];
  noted: Noted[];
}
const nothing: Seen = { matches: [], templates: [], noted: [] };

const isRoot = ({ namespace, name }: PolicyName) => name === 'root' && namespace === '';

/** The most specific pattern decides alone; on it a deny wins, else all that its rules give is joined. */
function deciding(found: Match[]): Pick<Decision, 'capabilities' | 'matches' | 'conditions'> {
  let best: Pattern | undefined;
  for (const { pattern } of found) if (best === undefined || compare(pattern, best) > 0) best = pattern;
  const deciders = found.filter(({ pattern }) => best !== undefined && compare(pattern, best) === 0);
  if (deciders.some(({ rule }) => rule.deny)) return { capabilities: [], matches: deciders, conditions: [] };
  return {
    capabilities: [...new Set(deciders.flatMap(({ rule }) => rule.capabilities))].sort(),
    matches: deciders,
    conditions: [...new Set(deciders.flatMap(({ rule }) => rule.conditions))].sort(),
  };
}
