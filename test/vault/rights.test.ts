// What the token may do, asked in one call and shown as metrics.

import { expect, it } from 'vitest';
import { probed, Rights } from '../../vault/rights.ts';
import { answered, away, ScriptedClient } from './scripted.ts';

const rightsOf = (answer: ReturnType<typeof answered>) => {
  const client = new ScriptedClient(() => answer);
  const post = (path: string, body: Parameters<typeof answered>[1]) =>
    client.call({ method: 'POST', path, ...(body !== undefined && { body }) });
  return { client, rights: new Rights({ post }) };
};
const named = (path: string) => path.replaceAll('+', 'sealwatch-example');

it('asks once for all paths, each with a name that stands for any', async () => {
  const data = Object.fromEntries(probed.map(({ path }) => [named(path), ['deny']]));
  data['sys/mounts'] = ['read'];
  data['sys/auth'] = ['update', 'list'];
  const { client, rights } = rightsOf(answered(200, { data }));
  expect(await rights.look()).toBeUndefined();
  expect(client.asked).toHaveLength(1);
  expect(client.asked[0]?.body?.['paths']).toContain('sys/audit-hash/sealwatch-example');
  const metrics = rights.metrics();
  expect(metrics['sealwatch_vault_allowed{path="sys/mounts"}']).toBe(1);
  expect(metrics['sealwatch_vault_allowed{path="sys/auth"}']).toBe(0);
  expect(metrics['sealwatch_vault_token_is_root']).toBe(0);
});

it('a token that may do anything is known as that', async () => {
  const data = Object.fromEntries(probed.map(({ path }) => [named(path), ['root']]));
  const { rights } = rightsOf(answered(200, { data }));
  await rights.look();
  expect(rights.metrics()['sealwatch_vault_token_is_root']).toBe(1);
  expect(rights.metrics()['sealwatch_vault_allowed{path="sys/auth"}']).toBe(1);
});

it('a Vault that does not say leaves no metrics', async () => {
  const { rights } = rightsOf(away);
  expect(await rights.look()).toBe('ECONNREFUSED');
  expect(rights.metrics()).toEqual({});
  expect(await rightsOf(answered(200, { data: 7 as never })).rights.look()).toBe('not_json');
});
