// Calls with a token that somebody keeps: a refusal may mean the path or the token, and only the second needs a new one.

import { expect, it } from 'vitest';
import type { VaultAnswer } from '../../vault/client.ts';
import { type TokenKeeper, VaultSession } from '../../vault/session.ts';
import { answered, away, ScriptedClient } from './scripted.ts';

const refused = answered(403, { errors: ['permission denied'] });

function sessionOf(script: (path: string) => VaultAnswer | undefined, token: string | undefined = 't') {
  const client = new ScriptedClient(({ path }) => script(path));
  const lost: string[] = [];
  let steps = 0;
  let ended = 0;
  const keeper: TokenKeeper = {
    token: async () => token,
    lost: (gone) => lost.push(gone),
    step: async () => {
      steps++;
      return Number.POSITIVE_INFINITY;
    },
    end: async () => void ended++,
  };
  const session = new VaultSession({ client, keeper, namespace: 'team/' });
  return { session, client, lost, steps: () => steps, ended: () => ended };
}

it('asks with the token, in the namespace of the token or in that of the call', async () => {
  const { session, client } = sessionOf(() => answered(200, {}));
  await session.read('auth/token/lookup-self');
  await session.post('sys/capabilities-self', { paths: [] });
  await session.call({ method: 'GET', path: 'identity/entity/id/x', namespace: 'other/' });
  await session.call({ method: 'GET', path: 'sys/mounts' });
  expect(client.asked.map(({ namespace, token }) => [namespace, token])).toEqual([
    ['team/', 't'],
    ['team/', 't'],
    ['other/', 't'],
    [undefined, 't'],
  ]);
});

it('without a token it asks nobody', async () => {
  const { session, client } = sessionOf(() => answered(200, {}), '');
  const none = new VaultSession({
    client,
    keeper: {
      token: async () => undefined,
      lost: () => {},
      step: async () => 0,
      end: async () => {},
    },
  });
  expect((await none.read('x')).fault).toBe('no_token');
  expect(client.asked).toEqual([]);
  await session.stop();
});

it('a path that is denied leaves the token alone', async () => {
  const { session, lost } = sessionOf((path) => (path === 'x' ? refused : answered(200, {})));
  expect((await session.read('x')).fault).toBe('status_403');
  expect(lost).toEqual([]);
});

it('a token that is refused is lost, and looked after at once', async () => {
  const { session, lost, steps } = sessionOf(() => refused);
  expect((await session.read('x')).fault).toBe('token_refused');
  expect([lost, steps()]).toEqual([['t'], 1]);
});

it('a Vault that is away in between says nothing about the token, nor about the path', async () => {
  const { session, lost } = sessionOf((path) => (path === 'x' ? refused : away));
  expect((await session.read('x')).fault).toBe('ECONNREFUSED');
  expect(lost).toEqual([]);
});

it.each([
  ['a rate limit', answered(429, { errors: [] }, 30_000), { fault: 'status_429', retryMs: 30_000 }],
  ['a proxy', answered(403), { fault: 'status_403' }],
])('%s in between leaves the question open', async (_, between, said) => {
  const { session, lost } = sessionOf((path) => (path === 'x' ? refused : between));
  expect(await session.read('x')).toMatchObject({ status: 0, ...said });
  expect(lost).toEqual([]);
});

it('an orderly stop ends with the last step of the keeper', async () => {
  const { session, steps, ended } = sessionOf(() => refused);
  session.start();
  await session.stop();
  expect([steps(), ended()]).toEqual([1, 1]);
});
