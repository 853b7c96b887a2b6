// An evidence store that cannot be written for a while: lines and alerts go on, and afterwards everything is indexed once.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import type { AuditEvent } from '../../core/event.ts';
import { openDatabase } from '../../storage/sqlite.ts';
import { freePort, Sealwatch, until } from './sealwatch.ts';
import { copyOfSample, VaultDevices, writtenAt } from './vault-devices.ts';

const folder = mkdtempSync(join(tmpdir(), 'sw-blocked-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('is waited for by the indexer alone', async () => {
  const [data, file, tcp] = [join(folder, 'data'), join(folder, 'audit.log'), await freePort()];
  await using product = new Sealwatch(data, {
    SEALWATCH_API_PORT: String(await freePort()),
    SEALWATCH_TCP_PORT: String(tcp),
    SEALWATCH_FILE_PATH: file,
  });
  using devices = new VaultDevices(file, { host: '127.0.0.1', port: tcp });
  product.start();
  await product.ready();
  const other = openDatabase(join(data, 'evidence.db'), { readOnly: false });
  other.exec('begin immediate');
  for (let copy = 0; copy < 12; copy++)
    for (const line of copyOfSample(copy)) await devices.write(writtenAt(line, Date.now(), devices.written));
  const delivered = () => readFileSync(join(data, 'alerts.jsonl'), 'utf8').split('\n').length - 1;
  await until('alerts, from the stream', async () => (delivered() > 10 ? true : undefined));
  await until('not ready', async () => {
    const answer = (await (await product.fetch('/readyz')).json()) as { reasons: string[] };
    return answer.reasons.includes('the evidence store cannot be written') ? true : undefined;
  });
  expect((await product.all('/v1/events')).length).toBe(0);
  other.exec('rollback');
  other.close();
  const written = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  const ids = [
    ...new Set(written.map((line) => (JSON.parse(line) as { request: { id: string } }).request.id)),
  ];
  const events = await until('all events', async () => {
    const found = await product.all<AuditEvent>('/v1/events');
    return found.length >= ids.length ? found : undefined;
  });
  expect(events.map(({ vault }) => vault.request.id ?? '').sort()).toEqual(ids.sort());
  const { devices: rows } = await product.get<{ devices: { device: string }[] }>('/v1/coverage');
  expect(rows.find(({ device }) => device === 'file')).toMatchObject({
    received: written.length,
    dropped: 0,
  });
  expect(devices.failed).toBe(0);
});
