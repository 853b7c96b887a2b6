// A policy's text as rules, as Vault reads it. What is not understood makes the policy not understood: nothing is guessed.

import { type Block, type Item, isBlock, parseHcl, type Value } from './hcl.ts';
import { isPattern } from './pattern.ts';
import { type Template, templateOf } from './template.ts';

const capabilities = [
  'create',
  'read',
  'update',
  'delete',
  'list',
  'sudo',
  'patch',
  'subscribe',
  'recover',
] as const;
export type Capability = (typeof capabilities)[number];

/** What must hold beside the capability, and cannot be known beforehand: it is named beside the answer. */
export type Condition = 'parameters' | 'wrapping' | 'mfa' | 'control_group';

/** What one `path` block gives, on the path as it is written. */
export interface Rule {
  path: string;
  /** When the path has `{{...}}` in it. */
  template?: Template;
  deny: boolean;
  capabilities: readonly Capability[];
  conditions: readonly Condition[];
}

const oldPolicies: Record<string, readonly string[]> = {
  deny: ['deny'],
  read: ['read', 'list'],
  write: ['create', 'read', 'update', 'delete', 'list'],
  sudo: ['create', 'read', 'update', 'delete', 'list', 'sudo'],
};

/** Members of a `path` block, and the condition that each makes. */
const members: Record<string, Condition | undefined> = {
  comment: undefined,
  policy: undefined,
  capabilities: undefined,
  subscribe_event_types: undefined,
  allowed_parameters: 'parameters',
  denied_parameters: 'parameters',
  required_parameters: 'parameters',
  min_wrapping_ttl: 'wrapping',
  max_wrapping_ttl: 'wrapping',
  mfa_methods: 'mfa',
  control_group: 'control_group',
};

/** The rules of a policy, or why it cannot be understood. */
export function parsePolicy(text: string): { rules: Rule[] } | { fault: string } {
  const parsed = parseHcl(text);
  if ('fault' in parsed) return parsed;
  const rules: Rule[] = [];
  for (const item of parsed.block.items) {
    const [first, label = 'path'] = item.keys;
    if (first === 'name') continue;
    if (first !== 'path') return { fault: `${first} is not a member of a policy` };
    const rule = ruleOf(label, item.value);
    if (typeof rule === 'string') return { fault: `path "${label}": ${rule}` };
    rules.push(rule);
  }
  return { rules };
}

function ruleOf(path: string, value: Value): Rule | string {
  if (!isBlock(value)) return 'is not a block';
  for (const { keys } of value.items)
    if (!Object.hasOwn(members, keys[0] as string)) return `${keys[0]} is not a member of a path`;
  const template = templateOf(path);
  if (template === 'unbalanced') return 'unbalanced braces of a template';
  if (!isPattern(path)) return '+* is not a pattern';
  const words = wordsOf(value);
  if (typeof words === 'string') return words;
  const unknown = words.find((word) => word !== 'deny' && !isCapability(word));
  const deny = words.includes('deny');
  // Vault stops reading at the first `deny`.
  if (unknown !== undefined && !(deny && words.indexOf('deny') < words.indexOf(unknown)))
    return `${unknown} is not a capability`;
  return {
    path,
    ...(template !== undefined && { template }),
    deny,
    capabilities: deny ? [] : words.filter(isCapability),
    conditions: deny ? [] : conditionsOf(value),
  };
}

const isCapability = (word: string): word is Capability => (capabilities as readonly string[]).includes(word);

/** The words of `capabilities` and of the old `policy`; a text says what is wrong. */
function wordsOf({ items }: Block): string[] | string {
  const words: string[] = [];
  let old: Value = '';
  for (const item of items) {
    const [member, ...more] = item.keys;
    if (member === 'policy') old = item.value;
    if (member !== 'capabilities') continue;
    if (more.length > 0 || !isTexts(item.value)) return 'capabilities are not a list of texts';
    words.push(...item.value);
  }
  if (typeof old !== 'string') return 'policy is not a text';
  if (old === '') return words;
  const meant = oldPolicies[old];
  if (!Object.hasOwn(oldPolicies, old) || meant === undefined) return `${old} is not an old policy`;
  return old === 'deny' ? ['deny'] : [...words, ...meant];
}

const isTexts = (value: Value): value is string[] =>
  Array.isArray(value) && value.every((entry) => typeof entry === 'string');

function conditionsOf({ items }: Block): Condition[] {
  const found = items.filter((item) => !isEmpty(item)).map(({ keys }) => members[keys[0] as string]);
  return [...new Set(found.filter((condition) => condition !== undefined))];
}

/** `allowed_parameters = {}` asks for nothing. */
const isEmpty = ({ keys, value }: Item): boolean =>
  keys.length === 1 &&
  (Array.isArray(value) ? value.length === 0 : isBlock(value) ? value.items.length === 0 : value === '0');
