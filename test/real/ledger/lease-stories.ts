// What happens to leases: they expire, are renewed to their end, and are revoked one by one in every way that Vault has.

import type { Cast, Story } from './cast.ts';
import { roles } from './stage.ts';

/** Nobody does anything with it any more. */
const expires: Story = async function* (cast, n) {
  await cast.take(cast.parent(n), roles[n % roles.length] as string);
  yield;
};

/** Renewed each round for as long as its last term, until its greatest lifetime ends it; the later renewals fail. */
const renewed: Story = async function* (cast, n) {
  const role = roles[n % roles.length] as string;
  const lease_id = await cast.take(cast.parent(n), role);
  for (;;) {
    yield;
    await cast.renew(cast.parent(n), lease_id);
  }
};

const renewedByUrl: Story = async function* (cast, n) {
  const id = await cast.take(cast.parent(n), n % 2 === 0 ? 'minute' : 'hour');
  yield;
  await cast.renew(cast.parent(n), id, {}, true);
  yield;
  await cast.renew(cast.parent(n), id, { increment: 100 }, true);
};

/** Longer than the role gives at first: once within its greatest lifetime, then past it. */
const renewedLonger: Story = async function* (cast, n) {
  const lease_id = await cast.take(cast.parent(n), 'minute');
  yield;
  await cast.renew(cast.parent(n), lease_id, { increment: 80 });
  yield;
  await cast.renew(cast.parent(n), lease_id, { increment: n % 2 ? '10m' : 600 });
};

/** An increment may also take time away. */
const renewedShorter: Story = async function* (cast, n) {
  const lease_id = await cast.take(cast.parent(n), 'hour');
  yield;
  await cast.renew(cast.parent(n), lease_id, { increment: n % 2 ? 11 : '17s' });
};

const revokedByHolder: Story = async function* (cast, n) {
  const lease_id = await cast.take(cast.parent(n), roles[3 + (n % 2)] as string);
  yield;
  await cast.must(
    cast.parent(n),
    'PUT',
    'sys/leases/revoke',
    n % 3 ? { lease_id } : { lease_id, sync: true },
  );
  yield;
  // Vault takes it once more without complaint.
  await cast.attempt(cast.parent(n), 'PUT', 'sys/leases/revoke', { lease_id });
};

const revokedByOperator: Story = async function* (cast, n) {
  const lease_id = await cast.take(cast.parent(n), 'hour');
  yield;
  yield;
  await cast.must(cast.root, 'PUT', 'sys/leases/revoke', { lease_id });
};

const revokedByUrl: Story = async function* (cast, n) {
  const id = await cast.take(cast.parent(n), 'hour');
  if (n % 2) yield;
  await cast.must(n % 3 ? cast.parent(n) : cast.root, 'PUT', `sys/leases/revoke/${id}`);
};

/** The paths of before Vault 0.8, which it still has. */
const legacyPaths: Story = async function* (cast, n) {
  const lease_id = await cast.take(cast.parent(n), 'hour');
  yield;
  await cast.must(cast.parent(n), 'PUT', 'sys/renew', { lease_id, increment: 70 });
  await cast.onlooker?.renewed(lease_id);
  yield;
  await cast.must(cast.parent(n), 'PUT', 'sys/revoke', { lease_id });
};

/** Its holder looks it up: the log shows the lifetime. */
const lookedUp: Story = async function* (cast, n) {
  const lease_id = await cast.take(cast.parent(n), 'hour');
  yield;
  await cast.renew(cast.parent(n), lease_id, { increment: 1234 });
  await cast.must(cast.parent(n), 'PUT', 'sys/leases/lookup', { lease_id });
};

/** Who may not revoke it tries to: nothing happens. */
const refused: Story = async function* (cast, n) {
  const lease_id = await cast.take(cast.parent(n), 'hour');
  const stranger = await cast.create(cast.root, { policies: ['default'], ttl: '10m' });
  yield;
  await cast.vault.refused('PUT', `sys/leases/revoke/${lease_id}`, { token: stranger.token });
  await cast.vault.refused('PUT', 'sys/leases/revoke', { token: stranger.token, body: { lease_id } });
  await cast.vault.refused('PUT', 'sys/leases/revoke-prefix/database/creds/hour', { token: stranger.token });
};

/** Many of one role by one holder: which one a hash means is not told by whose it is. */
const many: Story = async function* (cast, n) {
  const holder = cast.parent(n);
  const taken: string[] = [];
  for (let i = 0; i < 12; i++) taken.push(await cast.take(holder, roles[i % roles.length] as string));
  yield;
  for (const lease_id of taken.filter((_, i) => i % 5 === 4))
    await cast.must(holder, 'PUT', 'sys/leases/revoke', { lease_id });
  for (const lease_id of taken.filter((_, i) => i % 5 === 3))
    await cast.renew(holder, lease_id, { increment: 45 });
};

/** Handed over in a wrapped answer: opened by another host, a round later for every second. */
const wrapped: Story = async function* (cast, n) {
  const wrapping = await cast.wrapped(cast.parent(n), 'GET', 'database/creds/hour');
  if (n % 2) yield;
  const lease_id = await cast.leaseOf(await cast.must(wrapping, 'POST', 'sys/wrapping/unwrap'));
  yield;
  await cast.renew(cast.parent(n), lease_id);
  if (n % 3 === 0) await cast.must(cast.parent(n), 'PUT', 'sys/leases/revoke', { lease_id });
};

/** Nobody opens it: Vault has a lease that no audit line names. */
const wrappedUnopened: Story = async function* (cast: Cast, n) {
  await cast.wrapped(cast.parent(n), 'GET', 'database/creds/hour');
  yield;
};

/** Each with how many copies of it are played. */
export const leaseStories: [Story, number][] = [
  [expires, 30],
  [renewed, 20],
  [renewedByUrl, 4],
  [renewedLonger, 6],
  [renewedShorter, 6],
  [revokedByHolder, 12],
  [revokedByOperator, 6],
  [revokedByUrl, 8],
  [legacyPaths, 4],
  [lookedUp, 4],
  [refused, 2],
  [many, 6],
  [wrapped, 4],
  [wrappedUnopened, 2],
];
