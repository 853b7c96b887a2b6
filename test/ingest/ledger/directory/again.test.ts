// What is seen again tells nothing new; what differs from what was known was changed unseen.

import { describe, expect, it } from 'vitest';
import type { AuditEvent, JsonObject } from '../../../../core/event.ts';
import { recordedEvents, World } from './world.ts';

const events = recordedEvents();

/** The first call of a path, made once more at `time`, with other members in its answer. */
function again(path: string, operation: string, time: string, members: JsonObject = {}): AuditEvent {
  const found = events.find(
    ({ vault }) => vault.request.path === path && vault.request.operation === operation,
  );
  const event = structuredClone(found as AuditEvent);
  event['@timestamp'] = `2099-01-0${time}T00:00:00.000000000Z`;
  event.event.id = `again-${time}`;
  Object.assign(event.vault.response?.data ?? {}, members);
  return event;
}

describe('a role that is read', () => {
  const key = 'auth/userpass/users/alice';
  const known = { token_ttl_s: 3600, token_policies: ['orders', 'team'] };

  it('and is as it was makes no fact, and takes nothing from what Vault told', () => {
    const world = World.recorded();
    const { length } = world.facts;
    world.play([again(key, 'read', '1')]);
    expect(world.facts).toHaveLength(length);
    expect(world.directory.current('role', '', key)?.value).toMatchObject(known);
  });

  it('and is not as it was holds nothing older', () => {
    const world = World.recorded().play([again(key, 'read', '1', { token_ttl: 60 })]);
    const fact = world.directory.current('role', '', key);
    expect(fact).toMatchObject({ source: 'audit', proof: 'again-1', value: { token_ttl_s: 60 } });
    expect(fact?.value).not.toHaveProperty('token_policies');
  });

  it('and is not there was removed', () => {
    const event = again('database/roles/old', 'read', '1');
    expect(event.event.reason).toBe('no_data');
    Object.assign(event.vault.request, { path: 'database/roles/readonly' });
    const world = World.recorded().play([event]);
    expect(world.directory.current('role', '', 'database/roles/readonly')?.value).toBeNull();
  });
});

it('a tune ends what was known to hold in effect, also of a mount whose own settings nobody had read', () => {
  const tune = again('sys/mounts/database/tune', 'update', '2');
  const world = new World().play([again('sys/mounts/database/tune', 'read', '1')]);
  const value = () => world.directory.current('mount', '', 'database/')?.value;
  expect(value()).toEqual({ default_lease_ttl_s: 600, max_lease_ttl_s: 2_764_800 });
  expect(world.play([tune]) && value()).toEqual({ default_lease_ttl_s: 600 });
  const list = again('sys/mounts', 'read', '3');
  expect(world.play([list]) && value()).toEqual({ default_lease_ttl_s: 600 });
});

it('a mount of another type under the same path is another mount', () => {
  const world = World.recorded();
  const call = again('database/roles/readonly', 'read', '1');
  Object.assign(call.vault.request, { mount_type: 'aws' });
  world.play([call]);
  expect(world.directory.current('mount', '', 'database/')?.value).toEqual({ type: 'aws' });
  expect(world.questions.at(-1)?.path).toBe('sys/auth');
});

it('a write that comes late does not hide for good what Vault answered after it: it is asked again', () => {
  const key = 'auth/userpass/users/alice';
  const world = World.recorded();
  const late = again(key, 'create', '1');
  late['@timestamp'] = events[0]?.['@timestamp'] as string;
  const before = world.questions.length;
  world.play([late]);
  expect(world.of('role', key).at(-1)?.value).toEqual({
    mount: 'auth/userpass/',
    role: 'alice',
    mount_type: 'userpass',
  });
  expect(world.questions.slice(before).map(({ path }) => path)).toEqual([key]);
});

it('policies have names in lower case, however they are written', () => {
  const write = again('sys/policies/acl/orders', 'update', '1');
  Object.assign(write.vault.request, { path: 'sys/policies/acl/Orders' });
  const world = World.recorded().play([write]);
  expect(world.directory.current('policy', '', 'orders')).toMatchObject({ value: {}, proof: 'again-1' });
});
