// A token that Vault Agent keeps in a file: the new one is told to the stream before it is used, and never given back.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { limits } from '../../core/limits.ts';
import type { Answer } from '../../core/records.ts';
import { FileKeeper } from '../../vault/file-keeper.ts';
import { answered, away, logOf, ScriptedClient } from './scripted.ts';

let folder: string;
let tokenFile: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealwatch-token-'));
  tokenFile = join(folder, 'token');
});
afterAll(() => rmSync(folder, { recursive: true }));

function keeperOf(client: ScriptedClient) {
  const logins: Answer[] = [];
  const { lines, logger } = logOf();
  const keeper = new FileKeeper({
    client,
    tokenFile,
    logger,
    now: () => 0,
    random: () => 0,
    onLogin: (answer) => logins.push(answer),
  });
  return { keeper, logins, lines };
}

const good = () => new ScriptedClient(({ token }) => answered(200, { request_id: `id-of-${token}` }));

it('each new token is looked up once, and then used', async () => {
  const client = good();
  const { keeper, logins } = keeperOf(client);
  for (const token of ['first', 'first', 'second']) {
    writeFileSync(tokenFile, `${token}\n`);
    expect(await Promise.all([keeper.token(), keeper.token()])).toEqual([token, token]);
  }
  expect(client.asked.map(({ path, token }) => [path, token])).toEqual([
    ['auth/token/lookup-self', 'first'],
    ['auth/token/lookup-self', 'second'],
  ]);
  expect(logins.map(({ purpose, method, response }) => [purpose, method, response])).toEqual([
    ['login', 'GET', { request_id: 'id-of-first' }],
    ['login', 'GET', { request_id: 'id-of-second' }],
  ]);
  expect(await keeper.step()).toBe(limits.vaultTokenFileMs);
});

it('one that Vault does not know is not used, and tried again at each step only', async () => {
  writeFileSync(tokenFile, 'dead');
  const client = new ScriptedClient(() => answered(403, {}));
  const { keeper, logins, lines } = keeperOf(client);
  for (let i = 0; i < 5; i++) expect(await keeper.token()).toBeUndefined();
  expect(client.asked).toHaveLength(1);
  expect(await keeper.step()).toBe(limits.vaultTokenFileMs);
  await keeper.step();
  expect(client.asked).toHaveLength(3);
  expect(logins).toEqual([]);
  expect(lines).toHaveLength(1);
});

it('one that was lost is told again when Vault knows it after all', async () => {
  writeFileSync(tokenFile, 'token');
  const { keeper, logins } = keeperOf(good());
  await keeper.token();
  keeper.lost('token');
  expect(await keeper.token()).toBeUndefined();
  await keeper.step();
  expect(await keeper.token()).toBe('token');
  expect(logins).toHaveLength(2);
});

it('a Vault that is away is said, by its fault', async () => {
  writeFileSync(tokenFile, 'token');
  const { keeper, lines } = keeperOf(new ScriptedClient(() => away));
  await keeper.step();
  expect(lines[0]).toContain('ECONNREFUSED');
});

it.each(['', 'two tokens', 'a\r\nx-evil: 1'])('a file that holds %j is of no use', async (text) => {
  writeFileSync(tokenFile, text);
  const client = good();
  const { keeper, lines } = keeperOf(client);
  expect(await keeper.token()).toBeUndefined();
  await keeper.step();
  expect(lines[0]).toContain('token_file_empty_or_odd');
  expect(client.asked).toEqual([]);
});

it('a file that is not there is of no use', async () => {
  rmSync(tokenFile);
  const { keeper, lines } = keeperOf(good());
  await keeper.step();
  expect(lines[0]).toContain('ENOENT');
});

it('it is not ours to revoke', async () => {
  writeFileSync(tokenFile, 'token');
  const client = good();
  const { keeper } = keeperOf(client);
  await keeper.token();
  await keeper.end();
  expect(client.asked).toHaveLength(1);
});
