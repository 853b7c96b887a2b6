// Which rule decides, and what a template becomes for whom. Each line was also asked of a real Vault (test/real/access.test.ts).

import { expect, it } from 'vitest';
import { type Known, PathCheck, type PolicyName } from '../../../api/access/decide.ts';
import { parsePolicy } from '../../../api/access/policy.ts';
import type { Identity } from '../../../api/access/template.ts';

const nobody: Identity = { entity: undefined };

/** Each argument after the path is a policy, in the root namespace when no other is given. */
function decide(path: string, texts: string[], identity: Identity = nobody, namespace = '') {
  const policies = texts.map((_, i): PolicyName => ({ namespace, name: `p${i}` }));
  const known = ({ name }: PolicyName): Known => parsePolicy(texts[Number(name.slice(1))] ?? '');
  return new PathCheck({ namespace, path }, known).decide(policies, identity);
}

const rule = (path: string, ...words: string[]) =>
  `path "${path}" { capabilities = ${JSON.stringify(words)} }`;

it.each<[string, string[], string[]]>([
  [
    'an exact path before a prefix',
    [rule('a/b', 'list'), rule('a/*', 'read'), rule('a/+', 'update')],
    ['list'],
  ],
  ['a longer prefix before a shorter one', [rule('a/*', 'read'), rule('a/b*', 'list')], ['list']],
  ['a later wildcard before an earlier one', [rule('a/+', 'read'), rule('+/b', 'list')], ['read']],
  ['a plus before a prefix of the same length', [rule('a/*', 'read'), rule('a/+', 'list')], ['list']],
  ['fewer pluses before more', [rule('+/b', 'read'), rule('+/+', 'list')], ['read']],
  [
    'what several policies give on one path is joined',
    [rule('a/b', 'read'), rule('a/b', 'list')],
    ['list', 'read'],
  ],
  ['a deny on the path wins', [rule('a/b', 'read'), rule('a/b', 'deny')], []],
  ['a deny on a less special path does not', [rule('a/b', 'read'), rule('a/*', 'deny')], ['read']],
  ['a slash in front is not there', [rule('/a/b', 'read')], ['read']],
  ['nothing is given by default', [rule('a/c', 'read')], []],
])('%s', (_, texts, capabilities) => {
  expect(decide('a/b', texts).capabilities).toEqual(capabilities);
});

it('a plus is one part of a path, an asterisk at the end any number', () => {
  const given = (path: string) => decide(path, [rule('+/b/c*', 'read')]).capabilities;
  expect(given('a/b/cd/e/f')).toEqual(['read']);
  expect(given('a/b/c')).toEqual(['read']);
  expect(given('a/b')).toEqual([]);
  expect(given('a/x/b/c')).toEqual([]);
});

it('policies of a namespace count below it only', () => {
  expect(decide('a/b', [rule('a/b', 'read')], nobody, 'team/').capabilities).toEqual(['read']);
  const check = new PathCheck({ namespace: '', path: 'a/b' }, () => parsePolicy(rule('a/b', 'read')));
  expect(check.decide([{ namespace: 'team/', name: 'p' }], nobody).capabilities).toEqual([]);
  expect(
    new PathCheck({ namespace: 'team/', path: 'a' }, () => 'none').decide(
      [{ namespace: 'team/', name: 'root' }],
      nobody,
    ).root,
  ).toBe(false);
});

const anna: Identity = {
  entity: {
    id: 'e1',
    name: 'anna',
    metadata: { team: 'red' },
    aliases: [{ name: 'a.n', mount_accessor: 'auth_x' }],
  },
  groups: [{ id: 'g1', namespace: '', name: 'platform', metadata: { floor: '4' } }],
};

it.each([
  ['{{identity.entity.id}}', 's/e1'],
  ['{{ identity.entity.name }}', 's/anna'],
  ['{{identity.entity.metadata.team}}', 's/red'],
  ['{{identity.entity.aliases.auth_x.name}}', 's/a.n'],
  ['{{identity.groups.names.platform.id}}', 's/g1'],
  ['{{identity.groups.ids.g1.metadata.floor}}', 's/4'],
])('%s becomes %s', (template, path) => {
  expect(decide(path, [rule(`s/${template}`, 'read')], anna)).toMatchObject({
    capabilities: ['read'],
    noted: [],
  });
  expect(decide('s/other', [rule(`s/${template}`, 'read')], anna).capabilities).toEqual([]);
});

it.each([
  '{{identity.entity.metadata.floor}}',
  '{{identity.entity.aliases.auth_y.name}}',
  '{{identity.groups.names.nobody.name}}',
  '{{identity.groups.names}}',
  '{{nonsense}}',
])('%s is nothing for anna, and known to be', (template) => {
  expect(decide('s/x', [rule(`s/${template}`, 'read')], anna)).toMatchObject({ capabilities: [], noted: [] });
});

it.each([
  ['{{identity.entity.aliases.auth_x.id}}', anna],
  ['{{identity.entity.name}}', { entity: { id: 'e1' } }],
  ['{{identity.entity.metadata.team}}', { entity: { id: 'e1' } }],
  ['{{identity.groups.names.platform.name}}', { entity: { id: 'e1' } }],
  ['{{time.now}}', anna],
] as [string, Identity][])('%s is named when it is not known', (template, identity) => {
  const decision = decide('s/x', [rule(`s/${template}`, 'read')], identity);
  expect(decision.noted).toMatchObject([{ doubt: 'template_unknown', detail: `s/${template}` }]);
  // Where it cannot match whatever it becomes, there is nothing to doubt.
  expect(decide('t/x', [rule(`s/${template}`, 'read')], identity).noted).toEqual([]);
});

it('a name with a wildcard makes a wildcard, as in Vault', () => {
  const star: Identity = { entity: { id: 'e', name: '*' } };
  expect(decide('s/anything', [rule('s/{{identity.entity.name}}', 'read')], star).capabilities).toEqual([
    'read',
  ]);
  const odd = decide('s/+/x', [rule('s/+{{identity.entity.name}}', 'read')], star);
  expect(odd.noted).toMatchObject([{ doubt: 'template_invalid' }]);
});

it('what is not known of a policy is named, what is known not to be is not', () => {
  const check = (known: Known) =>
    new PathCheck({ namespace: '', path: 'a' }, () => known).decide([{ namespace: '', name: 'p' }], nobody);
  expect(check('unknown').noted).toMatchObject([{ doubt: 'policy_unknown' }]);
  expect(check({ fault: 'line 1' }).noted).toMatchObject([
    { doubt: 'policy_not_understood', detail: 'line 1' },
  ]);
  expect(check('none').noted).toEqual([]);
});

it('conditions of the rules that decide stand beside the answer', () => {
  const texts = [
    'path "a" { capabilities = ["read"] min_wrapping_ttl = "1s" }',
    'path "a" { required_parameters = ["x"] }',
  ];
  expect(decide('a', texts).conditions).toEqual(['parameters', 'wrapping']);
});
