// What ends many at once: prefixes, force, mounts that are disabled or moved; and roles and mounts whose lifetimes change.

import type { Cast, Story } from './cast.ts';
import { addRole, password } from './stage.ts';

const times = { default_ttl: '1h', max_ttl: '2h' };

async function makeRole(cast: Cast, mount: string, name: string, change = times): Promise<string> {
  await addRole(cast.vault, mount, name, change);
  await cast.onlooker?.role(`${mount}/roles/${name}`);
  return `${mount}/creds/${name}`;
}

/** Ends what is under the prefix, and not the role whose name begins the same. */
const prefix: Story = async function* (cast, n) {
  const path = await makeRole(cast, 'database', `night${n}`);
  const other = await makeRole(cast, 'database', `night${n}-watch`);
  for (let i = 0; i < 4; i++) await cast.take(cast.parent(i), path);
  for (let i = 0; i < 2; i++) await cast.take(cast.parent(i), other);
  yield;
  const verb = n === 2 ? 'revoke-force' : 'revoke-prefix';
  await cast.must(cast.root, 'PUT', `sys/leases/${verb}/${path}`, n === 1 ? { sync: true } : {});
  yield;
  await cast.take(cast.parent(n), path);
};

/** The id of one lease as a prefix ends that lease. */
const prefixOfOne: Story = async function* (cast) {
  const id = await cast.take(cast.parent(0), 'hour');
  yield;
  await cast.must(cast.root, 'PUT', `sys/leases/revoke-prefix/${id}`);
};

/** The logins of a person, by the path they came from; their leases go with them. */
const prefixOfLogins: Story = async function* (cast) {
  for (let i = 0; i < 3; i++) {
    const bob = await cast.login('auth/userpass/login/bob', { password });
    await cast.take(bob, 'hour');
    const child = await cast.create(bob, { policies: ['app'], ttl: '10m' });
    await cast.take(child, 'hour');
  }
  yield;
  await cast.must(cast.root, 'PUT', 'sys/leases/revoke-prefix/auth/userpass/login/bob');
};

/** The database does not drop the user: revoking at once fails, by force Vault forgets the lease. */
const force: Story = async function* (cast) {
  const taken: string[] = [];
  for (let i = 0; i < 4; i++) taken.push(await cast.take(cast.parent(i), 'stuck-db/creds/hour'));
  yield;
  await cast.attempt(cast.root, 'PUT', 'sys/leases/revoke', { lease_id: taken[0], sync: true });
  yield;
  await cast.must(cast.root, 'PUT', 'sys/leases/revoke-force/stuck-db/creds/hour');
};

/** Expired, and Vault tries again and again to revoke it. */
const stuck: Story = async function* (cast, n) {
  cast.unusable.push(await cast.take(cast.parent(n), 'stuck-db/creds/short'));
  yield;
};

const mountDisabled: Story = async function* (cast) {
  for (let i = 0; i < 5; i++) await cast.take(cast.parent(i), 'gone-db/creds/hour');
  yield;
  yield;
  await cast.must(cast.root, 'DELETE', 'sys/mounts/gone-db');
  await cast.onlooker?.mounts();
};

const mountMoved: Story = async function* (cast) {
  for (let i = 0; i < 3; i++) await cast.take(cast.parent(i), 'moved-db/creds/hour');
  yield;
  await cast.must(cast.root, 'POST', 'sys/remount', { from: 'moved-db', to: 'settled-db' });
  await cast.onlooker?.mounts();
  yield;
  await cast.take(cast.parent(0), 'settled-db/creds/hour');
};

const loginsDisabled: Story = async function* (cast) {
  for (let i = 0; i < 3; i++) {
    const carol = await cast.login('auth/temp/login/carol', { password });
    await cast.take(carol, 'hour');
    const child = await cast.create(carol, { policies: ['app'], ttl: '10m' });
    await cast.take(child, 'hour');
  }
  yield;
  yield;
  await cast.must(cast.root, 'DELETE', 'sys/auth/temp');
  await cast.onlooker?.mounts();
};

/** Leases from before keep their lifetime until they are renewed. */
const roleChanges: Story = async function* (cast, n) {
  const path = await makeRole(cast, 'database', `changing${n}`);
  const lease_id = await cast.take(cast.parent(n), path);
  yield;
  await makeRole(cast, 'database', `changing${n}`, { default_ttl: '25m', max_ttl: '40m' });
  await cast.take(cast.parent(n), path);
  await cast.take(cast.parent(n), path);
  yield;
  await cast.renew(cast.parent(n), lease_id);
};

const mountTuned: Story = async function* (cast) {
  const lease_id = await cast.take(cast.parent(0), 'plain-db/creds/plain');
  await cast.take(cast.parent(1), 'plain-db/creds/plain');
  yield;
  await cast.must(cast.root, 'POST', 'sys/mounts/plain-db/tune', { default_lease_ttl: '10m' });
  await cast.onlooker?.mounts();
  await cast.take(cast.parent(1), 'plain-db/creds/plain');
  yield;
  await cast.renew(cast.parent(0), lease_id);
};

/** Each with how many copies of it are played. */
export const mountStories: [Story, number][] = [
  [prefix, 3],
  [prefixOfOne, 1],
  [prefixOfLogins, 1],
  [force, 1],
  [stuck, 2],
  [mountDisabled, 1],
  [mountMoved, 1],
  [loginsDisabled, 1],
  [roleChanges, 2],
  [mountTuned, 1],
];
