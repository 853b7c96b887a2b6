// Sigma predicates: every modifier, wildcards with escapes, lists, keywords, and what is refused.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { limits } from '../../core/limits.ts';
import { linearTest } from '../../core/match/linear.ts';
import { predicateOf } from '../../core/match/predicate.ts';
import { readSelection, SelectionError } from '../../core/match/read.ts';
import { regexTest } from '../../core/match/regex.ts';

const compileSelection = (selection: unknown) => predicateOf(readSelection(selection));

const event = {
  '@timestamp': '2026-09-01T00:00:00.000000000Z',
  event: { action: 'secret-read', duration: 1500, type: ['access', 'denied'] },
  source: { ip: '10.1.2.3' },
  user: { id: 'u1', name: 'Frank' },
  vault: {
    authorization: { allowed: false },
    request: { data: { note: null, star: 'a*b?c\\d' }, path: 'secret/data/team/app', wrap_ttl_s: 0 },
    response: { data: { items: [{ n: 1 }, { n: 2 }], keys: [] } },
  },
};

describe('a field', () => {
  it.each<[key: string, value: unknown, matches: boolean]>([
    ['user.name', 'frank', true],
    ['user.name', 'FRANK', true],
    ['user.name', 'fran', false],
    ['user.name|cased', 'frank', false],
    ['user.name|cased', 'Frank', true],
    ['user.name', ['anna', 'frank'], true],
    ['user.name', ['anna', 'otto'], false],
    ['event.type', 'denied', true],
    ['event.type', 'deny', false],
    ['event.type|all', ['access', 'denied'], true],
    ['event.type|all', ['access', 'change'], false],
    ['event.type|contains', 'den', true],
    ['vault.response.data.items.n', 2, true],
    ['vault.response.data.items.n', 3, false],
    ['vault.request.path|startswith', 'SECRET/', true],
    ['vault.request.path|startswith', 'data/', false],
    ['vault.request.path|endswith', '/app', true],
    ['vault.request.path|endswith', '/ap', false],
    ['vault.request.path|contains', '/data/', true],
    ['vault.request.path|contains|all', ['data', 'team'], true],
    ['vault.request.path|contains|all', ['data', 'crew'], false],
    ['vault.request.path', 'secret/*/app', true],
    ['vault.request.path', 'secret/????/team/*', true],
    ['vault.request.path', 'secret/???/team/*', false],
    ['vault.request.path', '*team?app', true],
    ['vault.request.path', '*', true],
    ['vault.request.path', 'secret/*/*/*/app', false],
    ['vault.request.path', '*app*app', false],
    ['vault.request.data.star', 'a\\*b\\?c\\d', true],
    ['vault.request.data.star', 'a\\*b\\?c\\\\d', true],
    ['vault.request.data.star', 'a\\*c*', false],
    ['vault.request.data.star', 'a*b*', true],
    ['vault.request.data.star', '*\\\\*', true],
    ['event.duration', 1500, true],
    ['event.duration', '1500', true],
    ['event.duration|gt', 1499, true],
    ['event.duration|gt', 1500, false],
    ['event.duration|gte', 1500, true],
    ['event.duration|lt', 1500, false],
    ['event.duration|lte', 1500, true],
    ['user.name|gt', 0, false],
    ['vault.authorization.allowed', false, true],
    ['vault.authorization.allowed', true, false],
    ['vault.authorization.allowed', 'FALSE', true],
    ['vault.request.wrap_ttl_s', 0, true],
    ['source.port', null, true],
    ['vault.request.data.note', null, true],
    ['user.name', null, false],
    ['vault.response.data.keys', null, true],
    ['user.name', [null, 'frank'], true],
    ['source.port', '', false],
    ['source.port|exists', false, true],
    ['source.port|exists', true, false],
    ['source.ip|exists', true, true],
    ['vault.request.data.note|exists', true, true],
    ['vault.request.path.more|exists', true, false],
    ['source.ip|cidr', '10.0.0.0/8', true],
    ['source.ip|cidr', ['192.168.0.0/16', '10.1.0.0/16'], true],
    ['source.ip|cidr', '10.2.0.0/16', false],
    ['source.ip|cidr', '::/0', false],
    ['user.name|cidr', '10.0.0.0/8', false],
    ['user.name|re', '^F.*k$', true],
    ['user.name|re', '^f', false],
    ['user.name|re|i', '^f', true],
    ['user.name|re', 'ran', true],
    ['user.name|re', '^(Anna|Frank)$', true],
  ])('%s: %j is %s', (key, value, matches) => {
    expect(compileSelection({ [key]: value })(event)).toBe(matches);
  });

  it('holds base64 text', () => {
    const encoded = { user: { name: Buffer.from('x frank y').toString('base64') } };
    expect(compileSelection({ 'user.name|base64': 'x frank y' })(encoded)).toBe(true);
    expect(compileSelection({ 'user.name|base64|contains': 'x fran' })(encoded)).toBe(true);
    expect(compileSelection({ 'user.name|base64|contains': 'otto' })(encoded)).toBe(false);
  });

  it('reads an IPv4 address in IPv6 form, and IPv6 ranges', () => {
    const inRange = (ip: string, range: string) =>
      compileSelection({ 'source.ip|cidr': range })({ source: { ip } });
    expect(inRange('::ffff:10.1.2.3', '10.0.0.0/8')).toBe(true);
    expect(inRange('2001:db8::7', '2001:db8::/32')).toBe(true);
    expect(inRange('2001:db9::7', '2001:db8::/32')).toBe(false);
  });

  it('compares letters outside ASCII without their case', () => {
    const matches = (text: string, name: string) =>
      compileSelection({ 'user.name': text })({ user: { name } });
    expect(matches('jörg*', 'JÖRG K')).toBe(true);
    expect(matches('Ökonom', 'ökonom')).toBe(true);
    expect(matches('k', '\u212a')).toBe(true);
    expect(matches('jorg', 'JÖRG')).toBe(false);
  });

  it('takes flags of regular expressions', () => {
    const lines = { error: { message: 'one\ntwo' } };
    expect(compileSelection({ 'error.message|re': '^two$' })(lines)).toBe(false);
    expect(compileSelection({ 'error.message|re|m': '^two$' })(lines)).toBe(true);
    expect(compileSelection({ 'error.message|re': 'one.two' })(lines)).toBe(false);
    expect(compileSelection({ 'error.message|re|s': 'one.two' })(lines)).toBe(true);
  });

  it('shows a regular expression only the first characters', () => {
    const long = { user: { name: `${'a'.repeat(limits.regexCharsMax)}b` } };
    expect(compileSelection({ 'user.name|re': 'b' })(long)).toBe(false);
    expect(compileSelection({ 'user.name|contains': 'b' })(long)).toBe(true);
  });
});

describe('a selection', () => {
  it('joins a map by and, a list of maps by or', () => {
    const name = { 'user.name': 'frank' };
    const other = { 'user.id': 'u2' };
    expect(compileSelection({ ...name, 'user.id': 'u1' })(event)).toBe(true);
    expect(compileSelection({ ...name, ...other })(event)).toBe(false);
    expect(compileSelection([other, name])(event)).toBe(true);
    expect(compileSelection([other])(event)).toBe(false);
  });

  it('finds keywords in any text of the event', () => {
    expect(compileSelection(['nowhere', 'TEAM/'])(event)).toBe(true);
    expect(compileSelection(['nowhere'])(event)).toBe(false);
    expect(compileSelection({ '|all': ['team', 'frank'] })(event)).toBe(true);
    expect(compileSelection({ '|all': ['team', 'nowhere'] })(event)).toBe(false);
  });

  it.each<[selection: unknown, message: RegExp]>([
    [{ 'user.name|windsh': 'a' }, /there is no modifier windsh; did you mean windash\?/],
    [{ 'user.name|contains|startswith': 'a' }, /contains and startswith exclude each other/],
    [{ 'user.name|i': 'a' }, /i, m and s belong to re/],
    [{ 'user.name|re|cased': 'a' }, /cased does not go with re/],
    [{ 'user.name|contains|base64': 'a' }, /base64 must stand before contains/],
    [{ 'user.name|all': 'a' }, /needs a list of two/],
    [{ 'user.name|contains|contains': 'a' }, /stands twice/],
    [{ 'user.name|exists': 'yes' }, /must be true or false/],
    [{ 'user.name|gt': '5' }, /user.name\|gt: the value must be a number/],
    [{ 'source.ip|cidr': '10.0.0' }, /no address range/],
    [{ 'user.name|contains': null }, /null takes no modifier/],
    [{ 'user.name': { a: 1 } }, /must be text, a number/],
    [{ 'user.name': [] }, /list of values is empty/],
    [{}, /would match everything/],
    [[], /the list is empty/],
    ['text', /must be a map/],
    [{ '|gt': 1 }, /a keyword takes no modifier gt/],
    [[''], /keyword must be text/],
  ])('%j is refused', (selection, message) => {
    expect(() => compileSelection(selection)).toThrow(SelectionError);
    expect(() => compileSelection(selection)).toThrow(message);
  });
});

describe('a regular expression', () => {
  it.each<[source: string, message: RegExp]>([
    ['a{1,9999}b{1,9999}c', /too large/],
    ['(a*)*(((((){400}){400}){400}){400}){400}', /too large/],
    ['(a*)*\\01', /write \\xHH/],
    ['(a*)*\\c1', /write \\xHH/],
    ['(a)\\1', /back-references/],
    ['(?=a)a', /look-around/],
    ['a'.repeat(600), /over 512 characters/],
    ['(a', /\( is not closed/],
    ['a)', /\) closes nothing/],
    ['[a', /\[ is not closed/],
    ['a{2,1}', /out of order/],
  ])('%s is refused', (source, message) => {
    expect(() => compileSelection({ 'user.name|re': source })).toThrow(message);
  });

  it.each([
    '^secret/(dev|stage|prod)/[^/]+$',
    '^[a-z]{3}-\\d+',
    'team/.*',
    '(abc)+',
    '[(+*]x',
    '\\(a\\+\\)\\+',
  ])('%s is taken', (source) => {
    expect(() => compileSelection({ 'user.name|re': source })).not.toThrow();
  });
});

describe('a regular expression that could run away', () => {
  const evil = `${'a'.repeat(limits.regexCharsMax - 1)}!`;

  // From the collections of expressions that bring servers down; V8 would need between minutes and for ever.
  it.each([
    '^(a+)+$',
    '^(a*)*$',
    '^(a|a)*$',
    '(a|aa)+$',
    '((a+)?a)+$',
    '(a{1,3}){5,}$',
    '^([a-zA-Z]+)*$',
    '(.*)*x',
    '(.*a){12}x',
    '(a?){25}a{25}x',
    'a*a*a*a*a*a*x',
    '.*a.*a.*a.*a.*x',
    '^(([a-z])+.)+[A-Z]([a-z])+$',
    '(\\w+\\s?)*\\d$',
    '^([a-z0-9]+[._-]?)+@x$',
    '(x+x+)+y|(a+a+)+y',
  ])('%s is run in linear time and says what it should', (source) => {
    const test = regexTest(source, '');
    expect(test(evil)).toBe(false);
    expect(test(evil.repeat(3))).toBe(false);
  });

  it('agrees with V8 on every text, whichever way it is run', () => {
    const atom = fc.constantFrom(
      'a',
      'b',
      '.',
      '[ab]',
      '[^a]',
      '\\w',
      '\\s',
      '^',
      '$',
      '\\b',
      '\\B',
      '\\.',
      'A',
      '\\x61',
    );
    const again = fc.constantFrom('', '', '*', '+', '?', '{2}', '{0,2}', '{1,}', '*?', '{0}');
    const { source } = fc.letrec<{ source: string; item: string }>((tie) => ({
      item: fc.oneof(
        { maxDepth: 3 },
        fc.tuple(atom, again).map(([one, times]) => (/^(?:[$^]|\\[bB])/.test(one) ? one : one + times)),
        fc.tuple(tie('source'), again).map(([inner, times]) => `(${inner})${times}`),
        fc.tuple(tie('source'), tie('source')).map(([left, right]) => `(?:${left}|${right})`),
      ),
      source: fc.array(tie('item'), { maxLength: 4 }).map((items) => items.join('')),
    }));
    const text = fc.string({ maxLength: 10, unit: fc.constantFrom('a', 'b', 'A', '.', ' ', '\n', 'é') });
    const flags = fc.constantFrom('', 'i', 'm', 's', 'ims');
    fc.assert(
      fc.property(source, text, flags, (one, value, given) => {
        expect(linearTest(one, given)(value)).toBe(new RegExp(one, given).test(value));
      }),
      { numRuns: 3000 },
    );
  });
});

describe('wildcards', () => {
  it('agree with the same pattern as a regular expression', () => {
    const text = fc.string({ maxLength: 8, unit: fc.constantFrom('a', 'B', '/') });
    const pattern = fc.string({ maxLength: 6, unit: fc.constantFrom('a', 'b', '/', '*', '?') });
    fc.assert(
      fc.property(text, pattern, (name, value) => {
        const source = value.replaceAll('*', '.*').replaceAll('?', '.');
        expect(compileSelection({ 'user.name': value })({ user: { name } })).toBe(
          new RegExp(`^${source}$`, 'i').test(name),
        );
      }),
      { numRuns: 2000 },
    );
  });
});
