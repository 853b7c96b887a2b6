// Lists files: what they silence and set, by event time alone; and what is wrong with one that cannot be read.

import { describe, expect, it } from 'vitest';
import { listEntries, listsOf, readLists } from '../../../core/lists/read.ts';
import type { Lists } from '../../../core/lists.ts';
import { anEvent } from '../../builders.ts';

const catalogue = [
  { id: 'id-root', name: 'root_used' },
  { id: 'id-denied', name: 'denied', title: 'Denied burst' },
  { id: 'id-lifetime', name: 'lease-lifetime', settings: ['maxSeconds'] },
];
const lists = (text: string): Lists => listsOf(readLists(text, 'lists.yml'), catalogue);
const faultOf = (text: string): string => {
  try {
    lists(text);
  } catch (error) {
    return (error as Error).message;
  }
  return 'no fault';
};

const allow = `allow:
  - name: backup
    rules: [root_used]
    match: {user.name: backup}
    owner: platform team
    reason: The nightly backup reads everything.
    until: 2026-09-30
`;
const backup = (time: string) => anEvent({ id: 'e', name: 'backup', time });

describe('what silences', () => {
  it('an entry of the allow-list silences its rules on what it matches, to the last moment of its day', () => {
    const { silencedBy } = lists(allow);
    const entry = { kind: 'allow', name: 'backup' };
    expect(silencedBy('id-root', backup('2026-09-01T00:00:00.000000000Z'))).toEqual(entry);
    expect(silencedBy('id-root', backup('2026-09-30T23:59:59.999999999Z'))).toEqual(entry);
    expect(silencedBy('id-root', backup('2026-10-01T00:00:00.000000000Z'))).toBeUndefined();
    expect(silencedBy('id-denied', backup('2026-09-01T00:00:00.000000000Z'))).toBeUndefined();
    expect(silencedBy('id-root', anEvent({ id: 'e', name: 'app' }))).toBeUndefined();
  });

  it('a window of maintenance silences every rule, or those it names, between two times', () => {
    const { silencedBy } = lists(`maintenance:
  - {name: upgrade, from: '2026-09-05T20:00:00+02:00', to: '2026-09-05T22:00:00Z', owner: me, reason: Upgrade.}
  - {name: move, from: 2026-09-06, to: 2026-09-07, owner: me, reason: Move., rules: [denied], match: {user.name: app}}
`);
    expect(silencedBy('id-root', backup('2026-09-05T17:59:59.000000000Z'))).toBeUndefined();
    expect(silencedBy('id-root', backup('2026-09-05T18:00:00.000000000Z'))?.name).toBe('upgrade');
    const app = anEvent({ id: 'e', name: 'app', time: '2026-09-07T23:00:00.000000000Z' });
    expect(silencedBy('id-denied', app)).toEqual({ kind: 'maintenance', name: 'move' });
    expect(silencedBy('id-root', app)).toBeUndefined();
    expect(silencedBy('id-denied', backup('2026-09-07T23:00:00.000000000Z'))).toBeUndefined();
  });

  it('an entry for all rules and one for a rule: the first that is written holds', () => {
    const all = allow.replace('[root_used]', "['*']").replace('name: backup', 'name: all');
    const both = lists(`${allow}${all.split('\n').slice(1).join('\n')}`);
    expect(both.silencedBy('id-root', backup('2026-09-01T00:00:00.000000000Z'))?.name).toBe('backup');
    expect(both.silencedBy('id-denied', backup('2026-09-01T00:00:00.000000000Z'))?.name).toBe('all');
  });
});

describe('what sets', () => {
  const set = lists(`classes:
  - {name: ci, match: {user.name|startswith: ci-}}
  - {name: batch, match: {user.name: [ci-slow, night]}}
thresholds:
  - {rule: Denied burst, class: ci, count: 50}
settings:
  - {behaviour: lease-lifetime, maxSeconds: 3600}
  - {behaviour: lease-lifetime, class: ci, maxSeconds: 600, reason: Runners are short.}
placeholders: {admins: [alice, bob]}
texts: {canaries: [secret/canary/*]}
`);

  it('the first class that matches is that of the caller, else its kind', () => {
    expect(set.classOf(anEvent({ id: 'e', name: 'ci-slow' }))).toBe('ci');
    expect(set.classOf(anEvent({ id: 'e', name: 'night' }))).toBe('batch');
    expect(set.classOf(anEvent({ id: 'e', name: 'alice', kind: 'human' }))).toBe('human');
  });

  it('thresholds, settings, placeholders and texts are found by rule, behaviour and class', () => {
    expect(set.threshold('id-denied', 'ci')).toBe(50);
    expect(set.threshold('id-denied', 'batch')).toBeUndefined();
    expect(set.setting('lease-lifetime', 'maxSeconds', 'ci', 1)).toBe(600);
    expect(set.setting('lease-lifetime', 'maxSeconds', 'batch', 1)).toBe(3600);
    expect(set.setting('lease-lifetime', 'days', 'ci', 7)).toBe(7);
    const byId = lists('settings: [{behaviour: id-lifetime, maxSeconds: 60}]');
    expect(byId.setting('lease-lifetime', 'maxSeconds', 'ci', 1)).toBe(60);
    expect(set.placeholders).toEqual({ admins: ['alice', 'bob'] });
    expect(set.texts('canaries')).toEqual(['secret/canary/*']);
    expect(set.texts('networks')).toEqual([]);
  });
});

describe('what is wrong', () => {
  it.each([
    ['an unknown section', 'alow: []', /^lists\.yml line 1: alow is not known; did you mean allow\?/],
    [
      'an unknown key',
      allow.replace('owner:', 'ower:'),
      /line 5: allow\.0\.ower is not known; did you mean owner/,
    ],
    ['no reason', allow.replace(/ {4}reason.*\n/, ''), /line 2: allow\.0\.reason is missing/],
    ['no end', allow.replace(/ {4}until.*\n/, ''), /line 2: allow\.0\.until is missing/],
    ['no day', allow.replace('2026-09-30', '2026-02-30'), /line 7: allow\.0\.until must be a day/],
    ['no match', allow.replace(/ {4}match.*\n/, ''), /line 2: allow\.0\.match is missing/],
    [
      'a modifier that is none',
      allow.replace('user.name:', 'user.name|stratswith:'),
      /line 4: allow\.0\.match .*stratswith/,
    ],
    ['a match of everything', allow.replace('{user.name: backup}', '{}'), /line 4: allow\.0\.match .*empty/],
    [
      'an unknown rule',
      allow.replace('root_used', 'rot_used'),
      /line 3: allow\.0\.rules\.0 .*mean root_used\?/,
    ],
    ['an unknown class', 'thresholds: [{rule: denied, class: humen, count: 3}]', /mean human\?/],
    [
      'a setting that is no number',
      'settings: [{behaviour: lease-lifetime, days: many}]',
      /settings\.0\.days must be/,
    ],
    [
      'a setting that the behaviour has not',
      'settings: [{behaviour: lease-lifetime, maxSecond: 60}]',
      /line 1: settings\.0\.maxSecond lease-lifetime has the settings maxSeconds; did you mean maxSeconds\?/,
    ],
    [
      'a setting of a rule',
      'settings: [{behaviour: denied, count: 3}]',
      /denied has nothing that could be set/,
    ],
    [
      'an entry twice',
      `${allow}${allow.split('\n').slice(1).join('\n')}`,
      /line 8: allow\.1\.name stands twice/,
    ],
    ['an alias', 'texts: {canaries: &a [x], networks: *a}', /aliases/],
    [
      'a window that ends before it begins',
      'maintenance: [{name: m, from: 2026-09-02, to: 2026-09-01, owner: o, reason: r}]',
      /must be after from/,
    ],
    ['not YAML', 'allow: [', /^lists\.yml/],
    ['a key twice', 'allow: []\nallow: []', /unique/],
    ['too large', `# ${'x'.repeat(1024 * 1024)}`, /over 1048576 bytes/],
  ])('%s is named with its line', (_what, text, expected) => {
    expect(faultOf(text)).toMatch(expected);
  });

  it('an empty file is a file without lists', () => {
    expect(lists('# nothing yet\n').silencedBy('id-root', anEvent({ id: 'e' }))).toBeUndefined();
  });
});

it('entries stand by themselves in the record of changes, with their reason', () => {
  const entries = listEntries(
    readLists(`${allow}classes: [{name: a, match: {user.name: a}}, {name: b, match: {user.name: b}}]`, 'f'),
  );
  expect(entries.map(({ what, key, why }) => [what, key, why])).toEqual([
    ['allow', 'backup', 'The nightly backup reads everything.'],
    ['class', 'a', undefined],
    ['class', 'b', undefined],
  ]);
  expect(entries[2]?.body).toMatchObject({ name: 'b', after: 'a' });
});

it('is not taken for empty because an empty document stands before it', () => {
  expect(() => readLists('---\n---\nalow: []\n', 'lists.yml')).toThrow(
    'alow is not known; did you mean allow?',
  );
  expect(() => readLists('allow: []\n---\nallow: []\n', 'lists.yml')).toThrow('is a second document');
});
