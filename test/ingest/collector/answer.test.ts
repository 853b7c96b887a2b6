// What Vault answered to sealwatch goes where the lines of that call go.

import { expect, test } from 'vitest';
import type { Answer } from '../../../core/records.ts';
import { Intake } from '../../../ingest/collector/intake.ts';
import { Redactor } from '../../../ingest/collector/redact.ts';
import { deviceLines } from './real-lines.ts';
import { MemorySpool } from './spool.ts';

const answerOf = (id?: string): Answer => ({
  at: '2026-11-23T03:00:00.000000000Z',
  method: 'GET',
  path: 'auth/token/lookup-self',
  purpose: 'heartbeat',
  status: id === undefined ? 0 : 200,
  ...(id !== undefined && { response: { request_id: id } }),
});

test('an answer lies on the partition of its lines; one that names no call on the first', () => {
  const spool = new MemorySpool(8);
  const intake = new Intake(spool, new Redactor(Buffer.alloc(32)));
  const source = intake.source({ device: 'file' });
  for (const line of deviceLines('default')) {
    const bytes = Buffer.from(line);
    intake.line(source, bytes, 0, bytes.length, 0);
  }
  const idOf = (text: string) => (JSON.parse(text) as { request: { id?: string } }).request.id;
  const placeOf = new Map(spool.lines().map(({ text, partition }) => [idOf(text), partition]));
  placeOf.delete(undefined);
  for (const id of placeOf.keys()) intake.answer(answerOf(id));
  intake.answer(answerOf());
  const found = spool
    .of('answer')
    .map(({ partition, value }) => [(value as Answer).response?.['request_id'], partition] as const);
  expect(new Map(found)).toEqual(new Map([...placeOf, [undefined, 0]]));
  expect(new Set(placeOf.values()).size).toBeGreaterThan(4);
});
