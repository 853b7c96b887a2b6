// What happens to tokens, and with them to their leases and children: revoked in every way, used up, expired, renewed, wrapped.

import type { Cast, Story, Token } from './cast.ts';
import { password } from './stage.ts';

/** A login with two leases, a child with one and a grandchild with one. */
async function family(cast: Cast, n: number): Promise<Token> {
  const body = n % 2 ? cast.stage.orders : { password };
  const head = await cast.login(n % 2 ? 'auth/approle/login' : 'auth/userpass/login/alice', body);
  await cast.take(head, 'hour');
  await cast.take(head, 'minute');
  const child = await cast.create(head, { policies: ['app'], ttl: '20m' });
  await cast.take(child, 'hour');
  const grandchild = await cast.create(child, { policies: ['app'], ttl: '10m' });
  await cast.take(grandchild, 'hour');
  return head;
}

/** How the head of a family ends: by a call with its token or accessor, of its own or of an operator. */
const waysToEnd: ((cast: Cast, head: Token) => Promise<unknown>)[] = [
  (cast, { token }) => cast.must(cast.root, 'POST', 'auth/token/revoke', { token }),
  (cast, { accessor }) => cast.must(cast.root, 'POST', 'auth/token/revoke-accessor', { accessor }),
  (cast, head) => cast.must(head, 'POST', 'auth/token/revoke-self'),
  (cast, { token }) => cast.must(cast.root, 'POST', 'auth/token/revoke-orphan', { token }),
];

const familyEnds: Story = async function* (cast, n) {
  const head = await family(cast, n >> 2);
  yield;
  await waysToEnd[n % waysToEnd.length]?.(cast, head);
  yield;
  await cast.vault.refused('GET', 'auth/token/lookup-self', { token: head.token });
};

/** Children that are nobody's: by path and by `no_parent`. They live on. */
const orphans: Story = async function* (cast, n) {
  const head = await family(cast, n);
  const first = await cast.create(head, { policies: ['app'], ttl: '20m' }, 'auth/token/create-orphan');
  const second = await cast.create(head, { policies: ['app'], ttl: '20m', no_parent: true });
  for (const orphan of [first, second]) await cast.take(orphan, 'hour');
  yield;
  await cast.must(cast.root, 'POST', 'auth/token/revoke', { token: head.token });
};

/** A login of twelve seconds takes leases of an hour. Every third is renewed up to its greatest lifetime. */
const briefLogin: Story = async function* (cast, n) {
  const login = await cast.login('auth/approle/login', cast.stage.brief);
  await cast.take(login, 'hour');
  const child = await cast.create(login, { policies: ['app'], ttl: '10m' });
  await cast.take(child, 'minute');
  if (n % 3 === 0)
    for (;;) {
      yield;
      await cast.attempt(login, 'POST', 'auth/token/renew-self', {});
    }
};

/** The last use ends it, whatever that was. */
const useLimited: Story = async function* (cast, n) {
  const token = await cast.create(cast.parent(n), { policies: ['app'], ttl: '10m', num_uses: 3 });
  await cast.take(token, 'hour');
  if (n % 2) yield;
  await cast.must(token, 'GET', 'auth/token/lookup-self');
  yield;
  await cast.must(token, 'GET', 'auth/token/lookup-self');
  yield;
  await cast.vault.refused('GET', 'auth/token/lookup-self', { token: token.token });
};

/** With its only use it asks for a lease: Vault makes it and ends it at once (vault-audit.md 7.13). */
const onlyUse: Story = async function* (cast, n) {
  const token = await cast.create(cast.parent(n), { policies: ['app'], ttl: '10m', num_uses: 1 });
  await cast.attempt(token, 'GET', 'database/creds/hour');
  yield;
};

/** Uses left over: it lives. */
const usesLeft: Story = async function* (cast, n) {
  const token = await cast.create(cast.parent(n), { policies: ['app'], ttl: '10m', num_uses: 5 });
  await cast.take(token, 'hour');
  await cast.must(token, 'GET', 'auth/token/lookup-self');
  yield;
};

/** A batch token's lease ends with it, at the latest with the token that made it. */
const batch: Story = async function* (cast, n) {
  const maker = await cast.login('auth/approle/login', cast.stage.orders);
  const token = await cast.create(maker, { type: 'batch', policies: ['app'], ttl: n % 2 ? '10m' : '15s' });
  await cast.take(token, 'hour');
  await cast.take(token, 'fast');
  yield;
  yield;
  if (n % 2) await cast.must(maker, 'POST', 'auth/token/revoke-self');
};

const batchLogin: Story = async function* (cast) {
  const token = await cast.login('auth/approle/login', cast.stage.nightly);
  await cast.take(token, 'hour');
  yield;
};

/** A token in a wrapped answer, opened or not, once wrapped again on its way. */
const wrappedToken: Story = async function* (cast, n) {
  const body = { policies: ['app'], ttl: '10m' };
  let wrapping =
    n % 2
      ? await cast.wrapped(cast.parent(n), 'POST', 'auth/token/create', body)
      : await cast.wrapped(
          { token: '', from: cast.address() },
          'POST',
          'auth/approle/login',
          cast.stage.orders,
        );
  yield;
  if (n % 4 === 3) return;
  if (n % 4 === 2) {
    const again = await cast.must(cast.root, 'POST', 'sys/wrapping/rewrap', { token: wrapping.token });
    // Vault goes on listing the token that was in use before.
    await cast.vault.refused('POST', 'sys/wrapping/unwrap', { token: wrapping.token });
    cast.unusable.push(wrapping.accessor ?? '');
    wrapping = { ...wrapping, token: again.wrap_info?.token ?? '' };
  }
  const token = await cast.tokenOf(await cast.must(wrapping, 'POST', 'sys/wrapping/unwrap'), wrapping.from);
  await cast.take(token, 'hour');
  yield;
  if (n % 2) await cast.must(token, 'POST', 'auth/token/revoke-self');
};

/** Renewed within its period it lives for ever; every third is forgotten. */
const periodic: Story = async function* (cast, n) {
  const token = await cast.create(cast.root, { policies: ['app'], period: '15s' });
  await cast.take(token, 'hour');
  if (n % 3 === 2) return;
  for (;;) {
    yield;
    await cast.attempt(token, 'POST', 'auth/token/renew-self', {});
  }
};

/** Renewed by itself, by its token, by its accessor, with and without increment. */
const renewedToken: Story = async function* (cast, n) {
  const token = await cast.create(cast.parent(n), { policies: ['app'], ttl: '40s' });
  await cast.take(token, 'hour');
  yield;
  if (n % 4 === 0) await cast.attempt(token, 'POST', 'auth/token/renew-self', {});
  if (n % 4 === 1) await cast.attempt(token, 'POST', 'auth/token/renew-self', { increment: '70s' });
  if (n % 4 === 2)
    await cast.attempt(cast.root, 'POST', 'auth/token/renew', { token: token.token, increment: 75 });
  if (n % 4 === 3)
    await cast.attempt(cast.root, 'POST', 'auth/token/renew-accessor', { accessor: token.accessor });
};

/** However often it is renewed, its explicit greatest lifetime ends it. */
const explicitMax: Story = async function* (cast, n) {
  const body = { policies: ['app'], ttl: '12s', explicit_max_ttl: '25s' };
  const token =
    n % 2
      ? await cast.create(cast.root, { policies: ['app'], ttl: '12s' }, 'auth/token/create/capped')
      : await cast.create(cast.parent(n), body);
  await cast.take(token, 'minute');
  for (;;) {
    yield;
    await cast.attempt(token, 'POST', 'auth/token/renew-self', {});
  }
};

/** A token role makes orphans with a period. */
const tokenRole: Story = async function* (cast, n) {
  const maker = await cast.login('auth/userpass/login/alice', { password });
  const token = await cast.create(maker, { policies: ['app'] }, 'auth/token/create/deploy');
  await cast.take(token, 'hour');
  yield;
  if (n % 2) await cast.must(maker, 'POST', 'auth/token/revoke-self');
};

/** A root token without an end, which an operator ends. */
const secondRoot: Story = async function* (cast) {
  const token = await cast.create(cast.root, { policies: ['root'] });
  await cast.take(token, 'hour');
  yield;
  yield;
  await cast.must(cast.root, 'POST', 'auth/token/revoke-accessor', { accessor: token.accessor });
};

/** Each with how many copies of it are played. */
export const tokenStories: [Story, number][] = [
  [familyEnds, 16],
  [orphans, 3],
  [briefLogin, 6],
  [useLimited, 4],
  [onlyUse, 2],
  [usesLeft, 2],
  [batch, 4],
  [batchLogin, 2],
  [wrappedToken, 8],
  [periodic, 3],
  [renewedToken, 8],
  [explicitMax, 4],
  [tokenRole, 4],
  [secondRoot, 1],
];
