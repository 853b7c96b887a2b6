// Odd policies for the comparison with Vault: what it takes, and texts that it refuses or that only look right.

import fc from 'fast-check';

const read = 'capabilities = ["read"]';

/** Policies by name. `ACCESSOR` stands for the accessor of the userpass mount, `GROUP_ID` for the id of the group platform. */
export const policies: Record<string, string> = {
  exact: `path "secret/data/app" { ${read} }`,
  prefix: `path "secret/data/app*" { capabilities = ["read", "list"] }`,
  'prefix-longer': `path "secret/data/app/team*" { capabilities = ["update"] }`,
  plus: `path "secret/data/+/config" { ${read} }`,
  'plus-twice': `path "secret/data/+/+" { capabilities = ["list"] }`,
  'plus-end': `path "secret/data/app/+" { capabilities = ["delete"] }`,
  'plus-glob': `path "secret/+/app/c*" { capabilities = ["create", "update"] }`,
  'plus-first': `path "+/data/app" { capabilities = ["patch"] }`,
  'plus-in-a-word': `path "secret/data/a+p/+" { ${read} }\npath "secret/data/+x" { capabilities = ["list"] }`,
  everything: 'path "*" { capabilities = ["create", "read", "update", "delete", "list", "sudo"] }',
  nothing: '# no path',
  'deny-prefix': 'path "secret/data/app/prod*" { capabilities = ["deny"] }',
  'deny-exact': 'path "secret/data/app" { capabilities = ["read", "deny", "list"] }',
  'deny-plus': 'path "secret/data/+/prod" { policy = "deny" }',
  'old-read': 'path "secret/data/old*" { policy = "read" }',
  'old-write': 'path "secret/data/old/x" { policy = "write" capabilities = ["sudo"] }',
  'old-sudo': 'path "secret/data/old/+" { policy = "sudo" }',
  twice: `path "secret/data/app" { ${read} }\npath "secret/data/app" { capabilities = ["update"] }`,
  slash: `path "/secret/data/app" { capabilities = ["delete"] }\npath "secret/data/app/" { ${read} }`,
  comments: `# a hash { } "
// slashes
/* a block
   path "secret/data/*" { capabilities = ["deny"] } */
path /* here */ "secret/data/comments" { # and here
  capabilities = [ # in a list
    "read", // one
    /* none */ "list",
  ],
}`,
  escapes: String.raw`path "secret/data/\x61\u0070\160" { capabilities = ["re\u0061d"] }
path "secret/data/q\"uote" { capabilities = ["list"] }
path "secret/data/${'$'}{a "b" c}" { capabilities = ["update"] }`,
  heredoc: `path "secret/data/heredoc" {
  comment = <<EOT
path "secret/data/*" { capabilities = ["deny"] }
  EOT
  capabilities = ["read"]
  allowed_parameters = { "note" = ["a", "b"] "*" = [] }
}`,
  conditions: `path "secret/data/conditions" {
  capabilities = ["read", "update"]
  min_wrapping_ttl = "1s"
  max_wrapping_ttl = 90
  required_parameters = ["a"]
  denied_parameters { "b" = [] }
}`,
  json: '{"path": {"secret/data/json": {"capabilities": ["read"]}, "secret/data/json/*": {"policy": "write"}}}',
  'json-list':
    '{"path": [{"secret/data/json": {"capabilities": ["list"],}}, {"secret/data/+": {"capabilities": ["patch"]}}]}',
  'json-twice':
    '{"path": {"secret/data/twice": {"capabilities": ["read"]}}, "path": {"secret/data/twice": {"capabilities": ["list"], "capabilities": ["update"]}}}',
  'without-a-label': `path { ${read} }\npath "secret/data/two" "labels" { capabilities = ["list"] }`,
  'by-entity': `path "secret/data/people/{{identity.entity.name}}" { ${read} }
path "secret/data/ids/{{ identity.entity.id }}/*" { capabilities = ["read", "update"] }
path "secret/data/teams/{{identity.entity.metadata.team}}/+" { ${read} }`,
  'by-alias': `path "secret/data/users/{{identity.entity.aliases.ACCESSOR.name}}" { capabilities = ["read", "list"] }
path "secret/data/users/{{identity.entity.aliases.auth_none_1.name}}x" { capabilities = ["delete"] }`,
  'by-group': `path "secret/data/groups/{{identity.groups.names.platform.name}}" { ${read} }
path "secret/data/groups/{{identity.groups.ids.GROUP_ID.metadata.floor}}" { capabilities = ["list"] }
path "secret/data/groups/{{identity.groups.names.nobody.id}}" { capabilities = ["delete"] }`,
  'deny-by-entity': 'path "secret/data/people/{{identity.entity.name}}" { capabilities = ["deny"] }',
  unicode: `path "secret/data/schlüssel*" { ${read} }\npath "secret/data/+/ключ" { capabilities = ["list"] }`,
};

export const paths = [
  ...[
    'app',
    'apple',
    'app/x',
    'app/config',
    'app/prod',
    'app/prod/db',
    'app/team',
    'app/team-a',
    'app/team/x/y',
  ],
  ...[
    'axp/y',
    'a+p/y',
    '+x',
    'other',
    'other/config',
    'other/prod',
    'other/prod/config',
    'old',
    'old/x',
    'old/y',
  ],
  ...[
    'old/y/z',
    'comments',
    'q"uote',
    '\u0024{a "b" c}',
    'heredoc',
    'conditions',
    'json',
    'json/a',
    'json/a/b',
  ],
  ...[
    'twice',
    'two',
    'people/anna',
    'people/bert',
    'people/*',
    'teams/red/x',
    'teams/blue/x',
    'teams/red/x/y',
  ],
  ...['users/anna', 'users/bert', 'users/x', 'groups/platform', 'groups/4', 'schlüsselbund', 'x/ключ'],
].map((name) => `secret/data/${name}`);

/** More paths, whole. */
export const otherPaths = [
  'path',
  'sys/policies/acl/exact',
  'auth/token/lookup-self',
  'secret/config',
  'cubbyhole/a',
  '+',
];

/** Policies over few letters, the same ones each time, so that their rules meet often. */
export const randomPolicies = (): string[] => {
  const segment = fc.constantFrom('a', 'b', 'ab', '+', 'a+');
  const path = fc
    .tuple(fc.array(segment, { minLength: 1, maxLength: 4 }), fc.constantFrom('', '', '*', '/*', '/', 'a*'))
    .map(([segments, end]) => segments.join('/') + end)
    .filter((text) => !text.includes('+*'));
  const given = fc.subarray(['create', 'read', 'update', 'delete', 'list', 'patch'], { minLength: 1 });
  const rule = fc
    .tuple(path, fc.oneof({ weight: 6, arbitrary: given }, { weight: 1, arbitrary: fc.constant(['deny']) }))
    .map(([text, words]) => `path "${text}" { capabilities = ${JSON.stringify(words)} }`);
  const policy = fc.array(rule, { minLength: 1, maxLength: 8 }).map((rules) => rules.join('\n'));
  return fc.sample(policy, { seed: 20260901, numRuns: 120 });
};

/** Every path of one to four of the same letters. */
export const randomPaths = (): string[] => {
  const one = ['a', 'b', 'ab'];
  const longer = (shorter: string[]) => shorter.flatMap((path) => one.map((letter) => `${path}/${letter}`));
  const [two, three] = [longer(one), longer(longer(one))];
  return [...one, ...two, ...three, ...longer(three), 'aba', 'a/aba', 'a+/b'];
};

/** Texts that are no policy, or one that only looks odd: Vault says which. */
export const oddTexts: string[] = [
  'path "a" { capabilities = ["read"] capabilities = ["list"] }',
  'path "a" { capabilities = ["reed"] }',
  'path "a" { capabilities = ["deny", "reed"] }',
  'path "a" { capabilities = ["reed", "deny"] }',
  'path "a" { capabilities = "read" }',
  'path "a" { capabilities = [read] }',
  'path "a" { capabilities = [1] }',
  'path "a" { capability = ["read"] }',
  'path "a" { Capabilities = ["read"] }',
  'paths "a" { capabilities = ["read"] }',
  'path "a+*" { capabilities = ["read"] }',
  'path "a" = { capabilities = ["read"] }',
  'path = { capabilities = ["read"] }',
  'path "a" { policy = "reader" }',
  'path "a" { policy = "" }',
  'path "a" { policy = <<X\nX\n}',
  'path "a" { comment = <<-X\n  a\nX\n capabilities = ["read"] }',
  'path "a" { comment = <<-X\n  a\n  X\n capabilities = ["read"] }',
  'path "a" { comment = <<X\n  a\nX \nX\n capabilities = ["read"] }',
  'path "{{identity.entity.id" { capabilities = ["read"] }',
  'path "}}{{" { capabilities = ["read"] }',
  'path "{{nonsense}}" { capabilities = ["read"] }',
  'path "a" { capabilities = ["read"] } }',
  'path "a" { capabilities = ["read"]',
  'path "a" { capabilities = ["read" "list"] }',
  'path "a" { capabilities = [,"read",,"list"] }',
  'path "a" { capabilities = ["read"], },',
  'path "a\nb" { capabilities = ["read"] }',
  String.raw`path "a\q" { capabilities = ["read"] }`,
  String.raw`path "a\/b" { capabilities = ["read"] }`,
  'path "a" { min_wrapping_ttl = 0x10 max_wrapping_ttl = 1e3 capabilities = ["read"] }',
  'name = "x"\npath "a" {}',
  "path 'a' {}",
  '/* never ends',
  '/ path "a" {}',
  'path "\u0024{" {}',
  'path "a" { "capabilities" = ["read"] }',
  'path a { capabilities = ["read"] }',
  '{"path": {"a": {"capabilities": ["read"]}, "b": 1}}',
  '{"path": {"a": {"capabilities": ["read"]}}, "other": 1}',
  '{"path": {"a": {"capabilities": ["read"], "allowed_parameters": {"x": [true, null]}}}}',
  '{"path": {"a": {"allowed_parameters": {"x": ["1"]}}}}',
  '{"path": {"a": {"capabilities": null}}}',
  '{"path": {}}',
  '{"path": []}',
  '{}',
  '[]',
  ' \n\t{"path": {"a": {"policy": "read"}}}',
];
