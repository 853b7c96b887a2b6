// Secrets of sealwatch's own in KV v2: read when they are new, kept when they cannot be read, and said once.

import { expect, it } from 'vitest';
import type { JsonObject } from '../../core/event.ts';
import { secretRef } from '../../core/secret-ref.ts';
import type { VaultAnswer } from '../../vault/client.ts';
import { OwnSecrets } from '../../vault/secrets.ts';
import { answered, away, logOf } from './scripted.ts';

const PATH = 'secret/data/sealwatch/webhook';
const refOf = (ref: string) => ({ ref, ...(secretRef(ref) ?? { path: '', field: '' }) });

/** A KV v2 that holds one secret; `down` answers instead of it. */
function kv() {
  const store = { version: 1, data: { key: 'one', api: 'x' } as JsonObject, reads: 0 };
  const state: { store: typeof store; down: VaultAnswer | undefined } = { store, down: undefined };
  const read = async (path: string): Promise<VaultAnswer> => {
    if (state.down !== undefined) return state.down;
    const { version, data } = store;
    if (path === PATH.replace('/data/', '/metadata/'))
      return answered(200, { data: { current_version: version, versions: {} } });
    if (path !== PATH) return answered(403, {});
    store.reads++;
    return answered(200, { data: { data, metadata: { version } } });
  };
  return { state, session: { read } };
}

function secretsOf(session: { read: (path: string) => Promise<VaultAnswer> }, fields = ['key']) {
  const values: [string, string][] = [];
  const { lines, logger } = logOf();
  const secrets = new OwnSecrets({
    session,
    refs: fields.map((field) => refOf(`vault:${PATH}#${field}`)),
    pollMs: 60_000,
    logger,
    random: () => 0,
    onValue: (ref, value) => values.push([ref, value]),
  });
  return { secrets, values, lines };
}

it('is read once, and again when it has a new version', async () => {
  const { state, session } = kv();
  const { secrets, values, lines } = secretsOf(session);
  expect(secrets.missing).toBe(1);
  for (let i = 0; i < 3; i++) expect(await secrets.step()).toBe(60_000);
  state.store.version = 2;
  state.store.data = { key: 'two\n' };
  await secrets.step();
  await secrets.step();
  expect(values.map(([, value]) => value)).toEqual(['one', 'two']);
  expect([state.store.reads, secrets.missing, lines]).toEqual([2, 0, []]);
});

it('two fields of one secret are of one version, or not taken', async () => {
  const { state, session } = kv();
  const { secrets, values } = secretsOf(session, ['key', 'api']);
  await secrets.step();
  expect(values).toEqual([
    [`vault:${PATH}#key`, 'one'],
    [`vault:${PATH}#api`, 'x'],
  ]);
  state.store.version = 2;
  state.store.data = { key: 'two' };
  await secrets.step();
  expect(values).toHaveLength(2);
});

it.each([
  ['is away', away, 500],
  ['is sealed', answered(503, {}), 500],
  ['has a rate limit', answered(429, {}, 5000), 5250],
  ['denies it', answered(403, {}), 60_000],
  ['has deleted it', answered(404, {}), 60_000],
  ['has no metadata of it', answered(200, { data: {} }), 60_000],
  ['is a KV version 1', answered(200, { data: { current_version: 7 } }), 60_000],
])('a Vault that %s: what was read stays, and it is said once', async (_, down, wait) => {
  const { state, session } = kv();
  const { secrets, values, lines } = secretsOf(session);
  await secrets.step();
  state.down = down;
  expect(await secrets.step()).toBe(wait);
  await secrets.step();
  expect([values.length, lines.length]).toEqual([1, 1]);
  expect(lines[0]).toContain('what was read before stays in use');
  state.down = undefined;
  await secrets.step();
  expect(lines).toHaveLength(2);
});

it('while the first token is on its way nothing is said, and it is asked for again soon', async () => {
  const { state, session } = kv();
  const { secrets, values, lines } = secretsOf(session);
  state.down = { ...away, fault: 'no_token' };
  expect(await secrets.step()).toBe(500);
  state.down = undefined;
  await secrets.step();
  expect([values.length, lines]).toEqual([1, []]);
});

it.each([[{}], [{ key: '' }], [{ key: 7 }], [{ key: { a: 1 } }]])(
  'a field that is %j is none',
  async (data) => {
    const { state, session } = kv();
    state.store.data = data as JsonObject;
    const { secrets, values, lines } = secretsOf(session);
    await secrets.step();
    expect(values).toEqual([]);
    expect(lines[0]).toContain('field_missing_or_empty');
  },
);

it('no log line holds a value', async () => {
  const { state, session } = kv();
  state.store.data = { key: 'top-secret', api: 7 };
  const { secrets, lines } = secretsOf(session, ['key', 'api']);
  await secrets.step();
  expect(lines).toHaveLength(1);
  expect(lines.join()).not.toContain('top-secret');
});

it('one that was deleted for good and written again is another, though its version is the same', async () => {
  let created = '2026-09-14T10:00:00Z';
  let value = 'one';
  const read = async (path: string): Promise<VaultAnswer> =>
    path === PATH
      ? answered(200, { data: { data: { key: value }, metadata: { version: 1, created_time: created } } })
      : answered(200, { data: { current_version: 1, versions: { '1': { created_time: created } } } });
  const { secrets, values } = secretsOf({ read });
  await secrets.step();
  await secrets.step();
  [created, value] = ['2026-09-14T11:00:00Z', 'two'];
  await secrets.step();
  expect(values.map(([, now]) => now)).toEqual(['one', 'two']);
});
