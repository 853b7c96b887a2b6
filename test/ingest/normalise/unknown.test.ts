// Members that no version known to us writes are kept and never trusted (vault-audit.md 1 has all that are known).

import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../../core/canonical.ts';
import type { JsonObject } from '../../../core/event.ts';
import { limits } from '../../../core/limits.ts';
import { callOf, type EntryLine, fixtureLines, made, sampleLines, theEvent, withTop } from './lines.ts';

const setIn = (entry: EntryLine, path: string[], value: unknown): EntryLine => {
  const [key = '', ...rest] = path;
  const inner = (entry[key] ?? {}) as EntryLine;
  return { ...entry, [key]: rest.length === 0 ? value : setIn(inner, rest, value) } as EntryLine;
};
const [request, response] = callOf('login-approle');
const unknownIn = (entries: EntryLine[]) => theEvent(entries).vault.unknown;

describe('an unknown member', () => {
  it.each([
    'new_field',
    'auth.new_field',
    'auth.policy_results.new_field',
    'request.new_field',
    'request.namespace.new_field',
    'response.new_field',
    'response.auth.new_field',
    'response.secret.new_field',
    'response.wrap_info.new_field',
  ])('%s is kept by its path, as it is', (path) => {
    const value = { b: [1, 'x'], a: null };
    expect(unknownIn([request, setIn(response, path.split('.'), value)])).toEqual({ [path]: value });
  });

  it('of a granting policy is kept', () => {
    const policies = [{ type: '' }, { type: 'acl', name: 'a', weight: 3 }];
    const auth = { ...request.auth, policy_results: { allowed: true, granting_policies: policies } };
    expect(unknownIn([{ ...request, auth } as EntryLine, response])).toEqual({
      'auth.policy_results.granting_policies.weight': 3,
    });
  });

  it.each(['kv-v2', 'denied', 'login-userpass'])('of the request’s line alone is kept: %s', (scene) => {
    const [asked, answered] = callOf(scene, scene === 'kv-v2' ? 2 : 0);
    expect(unknownIn([asked, answered])).toBeUndefined();
    expect(unknownIn([setIn(asked, ['request', 'zz'], 1), answered])).toEqual({ 'request.zz': 1 });
    expect(unknownIn([setIn(asked, ['aa'], 'x'), answered])).toEqual({ aa: 'x' });
  });

  it('is used for nothing else', () => {
    const { unknown: _, ...plain } = theEvent([request, response]).vault;
    const odd = withTop([request, response], { user: 'root', entity_id: 'x', 'event.id': 'y', __proto: 1 });
    const { unknown, ...vault } = theEvent(odd).vault;
    expect(unknown).toEqual({ user: 'root', entity_id: 'x', 'event.id': 'y', __proto: 1 });
    expect(vault).toEqual(plain);
    expect(theEvent(odd).user).toEqual(theEvent([request, response]).user);
  });

  it('by the name of __proto__ is a member like any other', () => {
    const lines = [request, response].map((entry) =>
      JSON.stringify(entry).replace('{', '{"__proto__":{"a":1},'),
    );
    const { events, texts } = made(lines);
    expect(texts[0]).toContain('"unknown":{"__proto__":{"a":1}}');
    expect(texts[0]).toBe(canonicalJson(events[0]));
  });

  it('makes the text no less canonical', () => {
    const { texts, events } = made([
      setIn(request, ['z'], 1),
      setIn(response, ['a', '10'], { '2': 1, '1': 2 }),
    ]);
    expect(texts[0]).toBe(canonicalJson(events[0]));
    expect(Object.keys(events[0]?.vault.unknown as JsonObject)).toEqual(['a', 'z']);
  });
});

describe('bounds', () => {
  it('over the bound in all, what does not fit is left out and said', () => {
    const long = 'x'.repeat(limits.eventDataBytesMax - 100);
    const { vault } = theEvent([request, withTop([response], { a: long, b: long, c: 1 })[0] as EntryLine]);
    expect(vault.unknown).toEqual({ a: long, c: 1 });
    expect(vault.truncated).toEqual(['unknown']);
  });

  it('nested too deep it is left out and said, and the call is there', () => {
    const deep = `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`;
    const { vault } = theEvent(
      callOf('kv-v2', 2).map((entry) => JSON.stringify(entry).replace('{', `{"q":${deep},`)),
    );
    expect(vault.unknown).toEqual({});
    expect(vault.truncated).toEqual(['unknown']);
  });
});

it('a real Vault writes none', () => {
  const scenes = ['audit-device', 'database-lease', 'denied', 'kv-v2', 'token-life', 'wrapping', 'path-help'];
  const lines = [...sampleLines(), ...scenes.flatMap((scene) => fixtureLines(scene, 'plain-accessor'))];
  for (const { vault } of made(lines).versions) expect(vault.unknown).toBeUndefined();
});
