// Every value modifier, on events of a real Vault: one selection that fires and one that does not; and the docs' table of them.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { AuditEvent } from '../../core/event.ts';
import type { Expr } from '../../core/match/expr.ts';
import { keyOf } from '../../core/match/key.ts';
import { modifierNames } from '../../core/match/modifiers.ts';
import { predicateOf } from '../../core/match/predicate.ts';
import { readSelection } from '../../core/match/read.ts';
import { doubtOf, eventFields } from '../../detectors/engine/event-fields.ts';
import { realEvent } from './real-events.ts';

const denied = realEvent('denied');
const written = realEvent('kv-v2');
const login = realEvent('login-userpass');
const placeholders = { team: ['alice', 'bob'], prod: ['prod/', 'live/'], ttl: [1800], none: [] };

/** Letters that Vault would hash stand in the path, which it does not. */
function pathed(path: string): AuditEvent {
  return { ...denied, vault: { ...denied.vault, request: { ...denied.vault.request, path } } };
}

const wide = (text: string, order: 'le' | 'be'): string =>
  [...text].map((char) => (order === 'le' ? `${char}\0` : `\0${char}`)).join('');

const cases: [modifiers: string, event: AuditEvent, fires: unknown, quiet: unknown][] = [
  ['vault.request.path|contains', denied, 'PROD', 'stage'],
  ['vault.request.path|startswith', denied, ['secret/', 'kv/'], 'data/'],
  ['vault.request.path|endswith', denied, 'payments', 'prod'],
  ['vault.caller.policies|all', denied, ['team', 'default'], ['team', 'root']],
  ['vault.request.path|contains|all', denied, ['prod', 'pay'], ['prod', 'stage']],
  ['user.name|cased', denied, 'alice', 'Alice'],
  ['vault.request.path|contains|cased', denied, 'prod', 'PROD'],
  ['user.name|neq', denied, 'bob', 'alice'],
  ['user.name|neq', denied, ['bob', 'carl'], ['bob', 'alice']],
  ['vault.secret.version|neq', denied, 3, null],
  ['vault.caller.policies|neq', denied, 'root', 'team'],
  ['vault.request.path|contains|neq', denied, 'stage', 'prod'],
  ['vault.caller.token_ttl_s|gt|neq', denied, 3600, 3599],
  ['vault.request.path|re', denied, '^secret/data/(prod|live)/', '^SECRET/'],
  ['vault.request.path|re|startswith', denied, 'secret|kv', 'data'],
  ['vault.request.path|re|endswith', denied, 'pay|payments', 'pay|prod'],
  ['vault.request.path|re|i', denied, '^SECRET/', '^KV/'],
  ['vault.request.path|re|ignorecase', denied, '^SECRET/', '^KV/'],
  ['vault.request.path|re', denied, '(?i)^SECRET/', '(?i)^KV/'],
  ['vault.request.path|re|m', pathed('a\nsecret/x'), '^secret', '^x'],
  ['vault.request.path|re|multiline', pathed('a\nsecret/x'), '^secret', '^x'],
  ['vault.request.path|re|s', pathed('a\nb'), 'a.b', 'a.c'],
  ['vault.request.path|re|dotall', pathed('a\nb'), 'a.b', 'a.c'],
  ['source.ip|cidr', denied, '127.0.0.0/28', '127.0.0.16/28'],
  ['user.name|exists', denied, true, false],
  ['vault.secret.version|exists', denied, false, true],
  ['vault.caller.token_ttl_s|gt', denied, 3599, 3600],
  ['vault.caller.token_ttl_s|gte', denied, 3600, 3601],
  ['vault.caller.token_ttl_s|lt', denied, 3601, 3600],
  ['vault.caller.token_ttl_s|lte', denied, 3600, 3599],
  ['@timestamp|minute', denied, 1, 2],
  ['@timestamp|hour', denied, 2, 3],
  ['@timestamp|hour|gte', denied, 2, 3],
  ['@timestamp|day', denied, 23, 22],
  ['@timestamp|week', denied, 48, 47],
  ['@timestamp|month', denied, [11, 12], [1, 2]],
  ['@timestamp|year|lt', denied, 2027, 2026],
  ['user.name|fieldref', login, 'related.user', 'source.ip'],
  ['vault.request.path|fieldref|endswith', login, 'user.name', 'source.ip'],
  ['vault.request.path|fieldref|contains', login, 'user.name', 'source.ip'],
  ['user.name|fieldref|neq', login, 'source.ip', 'user.name'],
  ['user.name|expand', denied, '%team%', '%prod%'],
  ['vault.request.path|expand|contains', denied, 'data/%prod%pay', 'data/%team%'],
  ['vault.caller.token_ttl_s|expand|gt', denied, '%ttl%', 4000],
  ['user.name|expand', { ...denied, user: { id: 'x', name: '%team%' } }, '\\%team\\%', '%prod%'],
  ['vault.request.path|base64', pathed(Buffer.from('rm -rf').toString('base64')), 'rm -rf', 'rm -r'],
  [
    'vault.request.path|base64offset|contains',
    pathed(`x/${Buffer.from('ab/etc/shadow').toString('base64')}`),
    '/etc/shadow',
    '/etc/passwd',
  ],
  [
    'vault.request.path|wide|base64offset|contains',
    pathed(Buffer.from('a whoami', 'utf16le').toString('base64')),
    'whoami',
    'whoareyou',
  ],
  ['vault.request.path|utf16le|contains', pathed(`x${wide('cmd', 'le')}`), 'cmd', 'ls'],
  ['vault.request.path|utf16be|contains', pathed(`x${wide('cmd', 'be')}`), 'cmd', 'ls'],
  ['vault.request.path|utf16', pathed(`\ufeff${wide('cmd', 'le')}`), 'cmd', 'cm'],
  ['vault.request.path|wide', pathed(wide('cmd', 'le')), 'cmd', 'cm'],
  ['vault.request.path|windash|contains', pathed('x \u2013enc /f y-z'), ' -enc -f', ' -enc -f y/z'],
  ['vault.request.path|windash|contains|all', pathed('x /enc –f'), [' -enc', ' -f'], [' -enc', ' -g']],
];

describe('a modifier', () => {
  it.each(cases)('%s', (key, event, fires, quiet) => {
    const holds = (value: unknown) => predicateOf(readSelection({ [key]: value }, { placeholders }))(event);
    expect(holds(fires)).toBe(true);
    expect(holds(quiet)).toBe(false);
  });

  it('has a case here', () => {
    const used = new Set(cases.flatMap(([key]) => key.split('|').slice(1)));
    expect(modifierNames.filter((name) => !used.has(name))).toEqual([]);
  });

  it('stands in the table of docs/detections/sigma.md', () => {
    const page = readFileSync(new URL('../../docs/detections/sigma.md', import.meta.url), 'utf8');
    const rows = [...page.matchAll(/^\| `([^|]+)` \| (?:yes|yes, .*?) \|/gm)];
    const listed = rows.flatMap(([, names = '']) => names.split('`, `'));
    expect([...listed].sort()).toEqual([...modifierNames].sort());
  });

  it.each<[key: string, value: unknown, message: string]>([
    ['user.name|contians', 'a', 'user.name|contians: there is no modifier contians; did you mean contains?'],
    ['user.name|contains|contains', 'a', 'a modifier stands twice'],
    ['user.name|re|gt', 'a', 're and gt exclude each other'],
    ['user.name|base64', 'a*b', 'wildcards cannot be encoded: put base64 before |contains'],
    ['user.name|base64offset|contains', 'a', 'base64offset of so short a value would match everything'],
    ['user.name|base64offset|contains', '', 'write two characters or more'],
    ['user.name|base64|contains', '', 'base64 of so short a value would match everything'],
    ['user.name|base64offset', 'abc', 'write |base64offset|contains'],
    ['user.name|base64offset|startswith', 'abc', 'write |base64offset|contains'],
    ['user.name|contains|base64', 'a', 'base64 must stand before contains'],
    ['user.name|contains|fieldref', 'a', 'fieldref must stand before contains'],
    ['user.name|wide', 'é', 'wide of this value is no text: put base64 or base64offset behind it'],
    [
      'user.name|expand',
      '%taem%',
      'there is no placeholder %taem%; did you mean %team%?; there are team, prod, ttl, none',
    ],
    ['user.name|expand', '%none%', 'placeholder %none% has no value'],
    ['@timestamp|hour', 24, 'hour must be a whole number from 0 to 23'],
    ['@timestamp|month', '5', 'the value must be a number'],
    ['user.name|exists|all', true, 'exists stands alone'],
    ['user.name|windash', ' -a -b -c -d -e', 'windash stands for too many values: at most four dashes'],
    ['user name', 'a', 'is no field name such as user.id'],
  ])('%s: %j is refused', (key, value, message) => {
    expect(() => readSelection({ [key]: value }, { placeholders })).toThrow(message);
  });
});

describe('keywords', () => {
  const holds = (selection: unknown) => predicateOf(readSelection(selection))(denied);

  it('are sought in every text, with modifiers of text', () => {
    expect(holds(['nothing', 'PERMISSION denied'])).toBe(true);
    expect(holds({ '|cased': ['PERMISSION denied'] })).toBe(false);
    expect(holds({ '|re': '^secret/.*/payments$' })).toBe(true);
    expect(holds({ '|startswith': 'payments' })).toBe(false);
    expect(holds({ '|all': ['alice', 'payments'] })).toBe(true);
    expect(holds(['nothing', { 'user.name': 'alice' }])).toBe(true);
  });
});

describe('absent fields, lists and null', () => {
  const holds = (selection: unknown, event: object = denied) => predicateOf(readSelection(selection))(event);

  it('hold for neq and null, and for no comparison', () => {
    expect(holds({ 'vault.secret.version|neq': 1 })).toBe(true);
    expect(holds({ 'vault.secret.version|gte': 0 })).toBe(false);
    expect(holds({ 'vault.secret.version|lt': 5 })).toBe(false);
    expect(holds({ 'user.domain|fieldref': 'user.name' })).toBe(false);
    expect(holds({ 'user.domain|fieldref': 'vault.lease.id' })).toBe(false);
    expect(holds({ 'user.domain': '*' })).toBe(false);
    expect(holds({ 'user.domain': null })).toBe(true);
  });

  it('take any element of a list, and neq all of them', () => {
    expect(holds({ 'vault.caller.policies': 'team' })).toBe(true);
    expect(holds({ 'vault.caller.policies|neq': 'team' })).toBe(false);
    expect(holds({ 'list.n|exists': false }, { list: [{ n: 1 }, {}] })).toBe(false);
  });

  it('compare text that is written as a number', () => {
    const asked = (ttl: unknown) =>
      holds({ 'vault.request.data.ttl|gt': 3600 }, { vault: { request: { data: { ttl } } } });
    expect([asked('7200'), asked(7200), asked('3600'), asked('7200s'), asked(''), asked(null)]).toEqual([
      ...[true, true, false, false, false, false],
    ]);
  });
});

describe('the key of an expression', () => {
  it('is the same for what means the same', () => {
    const key = (selection: unknown) => keyOf(readSelection(selection));
    expect(key({ a: 'X', b: 1 })).toBe(key({ b: 1, a: 'x' }));
    expect(key({ a: ['x', 'y', 'x'] })).toBe(key({ a: ['y', 'x'] }));
    const different = [
      { a: 'x' },
      { 'a|cased': 'x' },
      { 'a|contains': 'x' },
      { b: 'x' },
      { a: '?' },
      { a: '\\?' },
    ];
    expect(new Set([...different, { 'a|neq': 'x' }, ['x'], { 'a|re': 'x' }].map(key)).size).toBe(9);
  });
});

describe('the key of a test', () => {
  it('does not hang on the order of its members', () => {
    const one: Expr = { kind: 'field', field: 'a', test: { kind: 'regex', source: 'x', flags: 'i' } };
    const other: Expr = { kind: 'field', field: 'a', test: { flags: 'i', source: 'x', kind: 'regex' } };
    expect(keyOf(one)).toBe(keyOf(other));
    const compared = (comparison: 'gt' | 'lt'): Expr => ({
      ...{ kind: 'field', field: 'a' },
      test: { kind: 'number', comparison, value: 1 },
    });
    expect(keyOf(compared('gt'))).not.toBe(keyOf(compared('lt')));
  });
});

describe('the fields of an event', () => {
  const fieldsOf = (value: unknown, name: string): string[] =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.entries(value).flatMap(([key, one]) =>
          one === undefined ? [] : fieldsOf(one, name === '' ? key : `${name}.${key}`),
        )
      : [name];

  it('are known, so that a slip is told', () => {
    for (const event of [denied, written, login, realEvent('database-lease'), realEvent('wrapping', 1)])
      expect(fieldsOf(event, '').filter((field) => doubtOf(field) !== undefined)).toEqual([]);
    expect(eventFields.length).toBe(new Set(eventFields).size);
    expect(doubtOf('vault.request.pth')).toBe(
      'vault.request.pth is no field of an event; did you mean vault.request.path?',
    );
  });
});
