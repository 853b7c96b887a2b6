// Texts of policies: what is read of them, what is refused and why, and that no text is expensive. The real test asks Vault the same.

import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parsePolicy } from '../../../api/access/policy.ts';
import { limits } from '../../../core/limits.ts';

const faultOf = (text: string): string => {
  const parsed = parsePolicy(text);
  return 'fault' in parsed ? parsed.fault : 'understood';
};

const rulesOf = (text: string) => {
  const parsed = parsePolicy(text);
  if ('fault' in parsed) throw new Error(parsed.fault);
  return parsed.rules;
};

it('reads HCL with comments, heredocs, escapes and old words', () => {
  const text = String.raw`# a { comment
path "secret/data/\u0061*" { capabilities = ["read", "list",] } // and
/* path "x" {} */ path "old" { policy = "write" }
path "heredoc" {
  comment = <<-EOT
    path "*" { capabilities = ["sudo"] }
    EOT
  required_parameters = ["a"] allowed_parameters = {}
  min_wrapping_ttl = "1m"
}`;
  expect(rulesOf(text)).toEqual([
    { path: 'secret/data/a*', deny: false, capabilities: ['read', 'list'], conditions: [] },
    {
      path: 'old',
      deny: false,
      capabilities: ['create', 'read', 'update', 'delete', 'list'],
      conditions: [],
    },
    { path: 'heredoc', deny: false, capabilities: [], conditions: ['parameters', 'wrapping'] },
  ]);
});

it('reads JSON, also where a name stands twice', () => {
  const text =
    '{"path": {"a": {"capabilities": ["read"]}, "b": {"policy": "deny"}}, "path": [{"a": {"capabilities": ["list"]}}]}';
  expect(rulesOf(text).map(({ path, deny, capabilities }) => [path, deny, capabilities])).toEqual([
    ['a', false, ['read']],
    ['b', true, []],
    ['a', false, ['list']],
  ]);
});

it('understands the policies that sealwatch itself asks for', () => {
  const folder = 'deploy/vault';
  const files = readdirSync(folder).filter((name) => /^sealwatch.*\.hcl$/.test(name));
  expect(files.length).toBeGreaterThan(1);
  for (const file of files)
    expect(rulesOf(readFileSync(`${folder}/${file}`, 'utf8')).length).toBeGreaterThan(0);
});

it('a deny is all that counts in its block', () => {
  expect(rulesOf('path "a" { capabilities = ["read", "deny"] mfa_methods = ["x"] }')).toEqual([
    { path: 'a', deny: true, capabilities: [], conditions: [] },
  ]);
});

it.each([
  ['path "a" { capabilities = ["reed"] }', 'path "a": reed is not a capability'],
  ['path "a" { capabilities = ["read"] capabilities = ["list"] }', 'line 1: capabilities is set twice'],
  ['\npath "a" {\n capabilities = "read"\n}', 'path "a": capabilities are not a list of texts'],
  ['path "a" { capability = ["read"] }', 'path "a": capability is not a member of a path'],
  ['path "a" { policy = "toString" }', 'path "a": toString is not an old policy'],
  ['path "a" { __proto__ = 1 }', 'path "a": __proto__ is not a member of a path'],
  ['rule "a" {}', 'rule is not a member of a policy'],
  ['path "a/+*" {}', 'path "a/+*": +* is not a pattern'],
  ['path "{{identity.entity.id" {}', 'path "{{identity.entity.id": unbalanced braces of a template'],
  ['path "a" {\n\n', 'line 3: end is not expected here'],
  ['path "a', 'line 1: a text that does not end'],
  ['{"path": {"a": {}}} {', 'line 1: { is not expected here'],
  ['path "a" { x = <<E\nE }', 'line 1: a heredoc that does not end'],
  [String.raw`path "\xff" {}`, 'line 1: an escape that is no character'],
])('%s: %s', (text, fault) => {
  expect(faultOf(text)).toBe(fault);
});

it('what is too long or too deep is refused', () => {
  expect(faultOf(`# ${'x'.repeat(limits.policyCharsMax)}`)).toBe(
    `longer than ${limits.policyCharsMax} characters`,
  );
  const deep = `line 1: nested deeper than ${limits.nestingMax}`;
  expect(faultOf(`path "a" { x = ${'['.repeat(200)} }`)).toBe(deep);
  expect(faultOf(`{"path": ${'{"a": '.repeat(200)}1`)).toBe(deep);
});

it('takes no NUL, which Vault refuses', () => {
  expect(faultOf('path "a\0" {}')).toBe('a NUL character');
});

it('never throws, whatever is written', () => {
  const words = [
    'path',
    '"a"',
    '{',
    '}',
    '[',
    ']',
    '=',
    ',',
    ':',
    'capabilities',
    '"read"',
    '<<E\n',
    'E\n',
    '/*',
    '*/',
  ];
  const text = fc.array(fc.oneof(fc.constantFrom(...words), fc.string())).map((parts) => parts.join(' '));
  fc.assert(
    fc.property(text, (one) => void parsePolicy(one)),
    { numRuns: 2000 },
  );
});

it('what a generator writes is read back, in HCL and in JSON', () => {
  const path = fc
    .string({ minLength: 1, unit: 'grapheme-ascii' })
    .filter((text) => !/\{\{|\}\}|\$\{|\+\*/.test(text));
  const words = fc.subarray(['create', 'read', 'update', 'delete', 'list', 'sudo', 'patch'], {
    minLength: 1,
  });
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(path, words), { selector: ([name]) => name, minLength: 1 }),
      (given) => {
        const blocks = given.map(
          ([name, list]) => `path ${JSON.stringify(name)} { capabilities = ${JSON.stringify(list)} }`,
        );
        const json = {
          path: Object.fromEntries(given.map(([name, list]) => [name, { capabilities: list }])),
        };
        const plain = (text: string) =>
          rulesOf(text).map((rule): [string, readonly string[]] => [rule.path, rule.capabilities]);
        expect(plain(blocks.join('\n'))).toEqual(given);
        const sorted = (list: [string, readonly string[]][]) => list.sort(([a], [b]) => (a < b ? -1 : 1));
        expect(sorted(plain(JSON.stringify(json)))).toEqual(sorted(given));
      },
    ),
    { numRuns: 300 },
  );
});
