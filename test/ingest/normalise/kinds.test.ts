// The operator's word on who is a person and who a program (config key `callers`).

import { describe, expect, it } from 'vitest';
import type { Config } from '../../../core/config.ts';
import type { AuditEvent } from '../../../core/event.ts';
import { fixtureLines, made, sampleLines } from './lines.ts';

type Callers = Config['callers'];
type Kind = Callers[number]['kind'];

const lines = sampleLines();
const plain = made(lines).events;
/** Events whose caller is of another kind than without the rules. */
const changed = (callers: Callers): [AuditEvent, Kind][] =>
  made(lines, callers).events.flatMap((event, i) => {
    const before = structuredClone(plain[i] as AuditEvent);
    const { kind } = event.vault.caller;
    if (kind === before.vault.caller.kind) return [];
    before.vault.caller.kind = kind;
    // Nothing but the kind is another one.
    expect(event).toEqual(before);
    return [[event, kind as Kind]];
  });
const alices = plain.filter(({ user, vault }) => user.name === 'alice' && vault.caller.kind === 'human');
const entity = alices[0]?.vault.caller.entity_id as string;

describe('a caller', () => {
  it.each<[string, Callers[number]]>([
    ['name', { name: 'alice', kind: 'workload' }],
    ['name with a star', { name: 'ali*', kind: 'workload' }],
    ['entity', { entity, kind: 'workload' }],
    ['mount and name', { mount: 'auth/userpass/', name: 'alice', kind: 'workload' }],
    ['mount without its slash', { mount: 'userpass', name: 'alice', kind: 'workload' }],
  ])('is told by %s, in her login and in every call after it', (_, rule) => {
    const found = changed([rule]);
    expect(found.map(([event]) => event.user.name)).toEqual(alices.map(() => 'alice'));
    expect(found.map(([event]) => event.event.action)).toContain('user-login');
    expect(found.every(([, kind]) => kind === 'workload')).toBe(true);
  });

  it('is told by role', () => {
    const [billing] = plain.filter(({ vault }) => vault.caller.role !== undefined);
    const role = billing?.vault.caller.role as string;
    const found = changed([{ role, kind: 'human' }]);
    expect(new Set(found.map(([event]) => event.vault.caller.role))).toEqual(new Set([role]));
  });

  it('must fit every part of a rule, and the first rule that fits holds', () => {
    expect(changed([{ mount: 'auth/ldap/', name: 'alice', kind: 'workload' }])).toEqual([]);
    expect(changed([{ role: 'none', name: 'alice', kind: 'workload' }])).toEqual([]);
    const rules: Callers = [
      { name: 'alice', kind: 'human' },
      { name: '*', kind: 'workload' },
    ];
    expect(changed(rules).some(([event]) => event.user.name === 'alice')).toBe(false);
  });

  it('is meant with its letters as they are, and an entity without wildcards', () => {
    expect(changed([{ name: 'Alice', kind: 'workload' }])).toEqual([]);
    expect(changed([{ entity: '*', kind: 'workload' }])).toEqual([]);
  });

  it('on a mount whose name has a dash is told by it after the login too, when its metadata say where the mount ends', () => {
    const login = fixtureLines('userpass-own-mount', 'auth');
    const mounts = new Set(made(login).events.map(({ vault }) => vault.request.mount_point));
    const [mount] = [...mounts].filter((path) => path?.startsWith('auth/') && path !== 'auth/token/');
    const rule = { mount: mount as string, kind: 'workload' as const };
    const before = made(login).events.filter(({ vault }) => vault.caller.kind === 'human');
    const after = made(login, [rule]).events.filter(({ vault }) => vault.caller.kind === 'workload');
    expect(before.length).toBeGreaterThan(1);
    expect(after.map(({ event }) => event.id)).toEqual(before.map(({ event }) => event.id));
  });
});

it('root, nobody and wrapping tokens stay what they are, whatever a rule says', () => {
  const callers: Callers = [
    { name: '*', kind: 'human' },
    { mount: '*', kind: 'human' },
  ];
  const scenes = ['furnish', 'token-invalid', 'login-failed', 'wrapping'].flatMap((scene) =>
    fixtureLines(scene),
  );
  const kinds = (events: AuditEvent[]) =>
    events
      .map(({ vault }) => vault.caller)
      .filter(({ credential, kind }) => /wrapping|root/.test(credential) || kind === 'anonymous');
  expect(kinds(made(scenes, callers).events)).toEqual(kinds(made(scenes).events));
  expect(new Set(kinds(made(scenes).events).map(({ kind }) => kind))).toEqual(
    new Set(['root', 'anonymous', 'unknown']),
  );
});
