// A token of sealwatch's own over its life: when it is renewed, when a new one is fetched, and how a Vault that is away is asked.

import { expect, it } from 'vitest';
import { limits } from '../../core/limits.ts';
import type { Answer } from '../../core/records.ts';
import { type Login, LoginKeeper } from '../../vault/login-keeper.ts';
import { answered, given, inTurn, logOf, ScriptedClient } from './scripted.ts';

const login: Login = { path: 'auth/approle/login', body: async () => ({ body: { role_id: 'r' } }) };
const second = 1000;

function keeperOf(client: ScriptedClient, more: { login?: Login; random?: () => number } = {}) {
  const clock = { now: Date.parse('2026-09-14T10:00:00.250Z') };
  const logins: Answer[] = [];
  const { lines, logger } = logOf();
  const keeper = new LoginKeeper({
    client,
    login,
    namespace: 'team/',
    logger,
    now: () => clock.now,
    random: () => 0,
    onLogin: (answer) => logins.push(answer),
    ...more,
  });
  /** Waits as long as the last step said. */
  const steps = async (count: number): Promise<number[]> => {
    const waits: number[] = [];
    for (let i = 0; i < count; i++) {
      waits.push(await keeper.step());
      clock.now += waits.at(-1) ?? 0;
    }
    return waits;
  };
  return { keeper, clock, logins, lines, steps };
}

const pathsOf = (client: ScriptedClient) => client.asked.map(({ path, token }) => [path, token]);

it('logs in, renews at two thirds, and tells the stream the id of the login and nothing else', async () => {
  const client = inTurn(given('t1', 3600), given('t1', 3600), given('t1', 3600));
  const { steps, logins, keeper, lines } = keeperOf(client);
  expect(await steps(3)).toEqual([2400 * second, 2400 * second, 2400 * second]);
  expect(pathsOf(client)).toEqual([
    ['auth/approle/login', undefined],
    ['auth/token/renew-self', 't1'],
    ['auth/token/renew-self', 't1'],
  ]);
  expect(client.asked.map(({ namespace }) => namespace)).toEqual(['team/', 'team/', 'team/']);
  expect(logins).toEqual([
    {
      at: '2026-09-14T10:00:00.250000000Z',
      method: 'POST',
      path: 'auth/approle/login',
      purpose: 'login',
      status: 200,
      response: { request_id: 'id-of-t1' },
    },
  ]);
  expect(await keeper.token()).toBe('t1');
  expect([keeper.counters, lines]).toEqual([{ logins: 1, renewals: 2, refused: 0 }, []]);
});

it('logs in again when renewals come to their end, before the token does', async () => {
  const client = inTurn(given('t1', 3600), given('t1', 1200), given('t2', 3600));
  const { steps, keeper, logins } = keeperOf(client);
  expect(await steps(3)).toEqual([2400 * second, 800 * second, 2400 * second]);
  expect(await keeper.token()).toBe('t2');
  expect(logins).toHaveLength(2);
});

it.each([
  ['refused', answered(403, { errors: ['permission denied'] })],
  ['not renewable', answered(400, { errors: ['lease is not renewable'] })],
])('logs in again when the renewal is %s', async (_, refusal) => {
  const client = inTurn(given('t1', 3600), refusal, given('t2', 3600));
  const { steps, keeper } = keeperOf(client);
  await steps(2);
  expect(await keeper.token()).toBe('t2');
});

it('a batch token is never renewed', async () => {
  const client = inTurn(given('t1', 3600, false), given('t2', 3600, false));
  await keeperOf(client).steps(2);
  expect(pathsOf(client).map(([path]) => path)).toEqual(['auth/approle/login', 'auth/approle/login']);
});

it('a token without an end is looked at once an hour, and left alone', async () => {
  const client = inTurn(given('t1', 0));
  const { steps } = keeperOf(client);
  expect(await steps(3)).toEqual([3600 * second, 3600 * second, 3600 * second]);
  expect(client.asked).toHaveLength(1);
});

it('a token of a second does not make it spin', async () => {
  const client = inTurn(given('t1', 1), given('t1', 1));
  expect(await keeperOf(client).steps(1)).toEqual([limits.vaultTokenStepMsMin]);
});

it('a token that is lost is asked for anew', async () => {
  const client = inTurn(given('t1', 3600), given('t2', 3600));
  const { keeper, clock } = keeperOf(client);
  await keeper.step();
  clock.now += limits.vaultBackoffMsMax + 1;
  keeper.lost('another');
  expect(await keeper.token()).toBe('t1');
  keeper.lost('t1');
  expect(await keeper.token()).toBeUndefined();
  await keeper.step();
  expect(await keeper.token()).toBe('t2');
});

it('tokens that Vault refuses as soon as it gave them are asked for less and less often', async () => {
  const client = new ScriptedClient(() => given('t', 3600));
  const { keeper, clock } = keeperOf(client);
  for (const until = clock.now + 600 * second; clock.now < until; ) {
    clock.now += Math.min(await keeper.step(), 100);
    keeper.lost('t');
  }
  expect(client.asked.length).toBeLessThan(30);
  clock.now -= 86_400 * second;
  await keeper.step();
  expect(await keeper.token()).toBe('t');
});

it('keeps the token while Vault is away, to its end and not longer', async () => {
  const client = inTurn(given('t1', 30));
  const { keeper, steps } = keeperOf(client);
  // Renewals at 20, 20.5, 21.5, 23.5 and 27.5 s, in vain.
  expect(await steps(6)).toEqual([20_000, 500, 1000, 2000, 4000, 8000]);
  expect(await keeper.token()).toBeUndefined();
  await steps(1);
  expect(client.asked.at(-1)?.path).toBe('auth/approle/login');
});

it('waits longer and longer, to a bound, for as long as Vault is away; says so once', async () => {
  const client = inTurn();
  const { steps, lines } = keeperOf(client);
  expect((await steps(10)).slice(0, 8)).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('ECONNREFUSED');
  const late = keeperOf(inTurn(), { random: () => 0.999 });
  expect((await late.steps(8)).at(-1)).toBe(59_970);
  // Two hours of it.
  expect(client.asked).toHaveLength(10);
});

it.each([
  ['a rate limit', answered(429, {}, 7000), 7250],
  ['a sealed Vault', answered(503, {}), 500],
  ['a node that is not active', answered(472, {}), 500],
  ['a performance standby', answered(473, {}), 500],
  ['an answer without a token', answered(200, { request_id: 'r' }), 500],
  ['a token that no header can hold', given('a\r\nb', 60), 500],
  ['a wrong type', answered(200, { auth: { client_token: 7 } }), 500],
])('%s is waited for', async (_, answer, wait) => {
  const { keeper } = keeperOf(inTurn(answer));
  expect(await keeper.step()).toBe(wait);
  expect(await keeper.token()).toBeUndefined();
});

it('a login that Vault refuses is counted, and tried again', async () => {
  const { keeper, steps, lines } = keeperOf(inTurn(answered(400, {}), answered(400, {}), given('t', 60)));
  await steps(3);
  expect(keeper.counters).toEqual({ logins: 1, renewals: 0, refused: 2 });
  // The refusal, and that it is over.
  expect(lines).toHaveLength(2);
});

it('a login that cannot be made asks nobody', async () => {
  const client = inTurn();
  const none: Login = { path: 'auth/jwt/login', body: async () => ({ fault: 'jwt_file_ENOENT' }) };
  const { keeper, lines } = keeperOf(client, { login: none });
  expect(await keeper.step()).toBe(500);
  expect(client.asked).toEqual([]);
  expect(lines[0]).toContain('jwt_file_ENOENT');
});

it('gives back the token that it logged in for, and nothing when it has none', async () => {
  const client = inTurn(given('t1', 3600), answered(204));
  const { keeper } = keeperOf(client);
  await keeper.end();
  expect(client.asked).toEqual([]);
  await keeper.step();
  await keeper.end();
  expect(pathsOf(client).at(-1)).toEqual(['auth/token/revoke-self', 't1']);
  expect(await keeper.token()).toBeUndefined();
});
