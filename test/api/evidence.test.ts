// CC6.1: the numbers add up, nothing falls between, limits are said, every access is recorded, CSV is safe to open.

import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Answer, answerSchema } from '../../api/evidence/schemas.ts';
import { canonicalJson } from '../../core/canonical.ts';
import type { AuditEvent } from '../../core/event.ts';
import type { EvidenceBatch } from '../../core/ports.ts';
import { aCoverageRow, anEvent, at, reached } from '../builders.ts';
import { eventsOf } from '../contract/evidence-store.ts';
import { Harness } from './harness.ts';

const url = `/v1/evidence/CC6.1?from=${at(0)}&to=${at(100)}`;

const closed = (...events: AuditEvent[]): EvidenceBatch => ({
  ...eventsOf(anEvent({ id: 'before', time: at(-10) }), ...events),
  coverage: [aCoverageRow({ hour: at(0), counts: { received: 20, paired: 10 } })],
  offsets: reached(at(100)),
});

async function ask(harness: Harness, more = ''): Promise<Answer> {
  const response = await harness.get(url + more, 'auditor');
  expect(response.statusCode).toBe(200);
  return answerSchema.parse(response.json());
}

const reads = [
  anEvent({ id: 'r1', time: at(1), ip: '10.0.0.1' }),
  anEvent({ id: 'r2', time: at(3), ip: '10.0.0.2', name: 'app-2' }),
  anEvent({ id: 'r3', time: at(2), secret: 'secret/other' }),
  anEvent({
    id: 'r4',
    time: at(4),
    user: 'root',
    kind: 'root',
    action: 'credential-issue',
    secret: 'database/app',
  }),
  anEvent({ id: 'r5', time: at(5), pair: 'response_only' }),
];
const others = [
  anEvent({ id: 'x1', time: at(6), outcome: 'failure', reason: 'policy_denied', user: 'eve' }),
  anEvent({ id: 'x2', time: at(7), outcome: 'unknown', pair: 'request_only', revision: 1 }),
  anEvent({ id: 'x3', time: at(8), outcome: 'failure', user: 'address:10.1.1.1', kind: 'anonymous' }),
  anEvent({ id: 'x4', time: at(9), user: 'token:abc', kind: 'unknown' }),
  anEvent({ id: 'x5', time: at(10), reason: 'no_data', secret: 'secret/gone' }),
];
const beside = [
  anEvent({ id: 'w1', time: at(1), action: 'secret-write' }),
  anEvent({ id: 'late', time: at(100) }),
];

test('one row per identity, secret and action, and the numbers add up', async () => {
  await using harness = await Harness.open(closed(...reads, ...others, ...beside));
  const answer = await ask(harness);
  expect(answer.population).toMatchObject([
    {
      who: { id: 'entity-1', name: 'app', names: ['app', 'app-2'], kind: 'workload', auth_method: 'approle' },
      secret: 'secret/app',
      action: 'secret-read',
      reads: 3,
      first_read: at(1),
      last_read: at(5),
      addresses: ['10.0.0.1', '10.0.0.2'],
      example_event_id: 'r5',
    },
    { who: { id: 'entity-1' }, secret: 'secret/other', reads: 1 },
    { who: { id: 'root', kind: 'root' }, secret: 'database/app', action: 'credential-issue', reads: 1 },
    { who: { id: 'token:abc', kind: 'unknown' }, reads: 1 },
  ]);
  expect(answer.totals).toEqual({ rows: 4, reads: 6, callers: 3, secrets: 3, exceptions: 7 });
  expect(answer.reconcile).toEqual({ sum_of_rows: 6, count_of_events: 6, equal: true });
  expect(answer.complete).toBe(true);
});

test('exceptions are named by kind', async () => {
  await using harness = await Harness.open(closed(...reads, ...others));
  const { exceptions } = await ask(harness);
  const found = exceptions.map(({ kind, calls, rows }) => [kind, calls, rows.map((row) => row.who.id)]);
  expect(found).toEqual([
    ['denied', 2, ['address:10.1.1.1', 'eve']],
    ['root', 1, ['root']],
    ['anonymous', 1, ['address:10.1.1.1']],
    ['unknown_caller', 1, ['token:abc']],
    ['no_data', 1, ['entity-1']],
    ['half_pair', 2, ['entity-1']],
  ]);
  expect(exceptions[0]?.rows[1]).toMatchObject({ reasons: ['policy_denied'], example_event_id: 'x1' });
});

test('for any calls: reads are counted exactly, and no call that was asked for falls between', async () => {
  const part = fc.record({
    time: fc.integer({ min: 0, max: 99 }).map(at),
    user: fc.constantFrom('a', 'b'),
    secret: fc.constantFrom('s/1', 's/2', undefined),
    action: fc.constantFrom('secret-read', 'credential-issue', 'secret-write'),
    outcome: fc.constantFrom('success' as const, 'failure' as const, 'unknown' as const),
    pair: fc.constantFrom('both' as const, 'request_only' as const, 'response_only' as const),
    reason: fc.constantFrom('no_data', 'policy_denied'),
    kind: fc.constantFrom('workload' as const, 'root' as const, 'anonymous' as const),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 30 }), async (parts) => {
      const events = parts.map((fields, i) => anEvent({ ...fields, id: `e${i}` }));
      await using harness = await Harness.open(closed(...events));
      const answer = await ask(harness);
      const asked = events.filter((event) => event.event.action !== 'secret-write');
      const read = asked.filter(
        (event) =>
          event.event.outcome === 'success' &&
          event.vault.pair !== 'request_only' &&
          event.event.reason !== 'no_data',
      );
      expect(answer.totals.reads).toBe(read.length);
      expect(answer.reconcile.equal).toBe(true);
      const calls = answer.exceptions.reduce((sum, exception) => sum + exception.calls, 0);
      expect(answer.totals.reads + calls).toBeGreaterThanOrEqual(asked.length);
    }),
    { numRuns: 25 },
  );
}, 60_000);

test('who asked, when, for what: so that the list can be made again', async () => {
  await using harness = await Harness.open(closed(...reads));
  const answer = await ask(harness, '&secret_prefix=secret/');
  expect(answer).toMatchObject({
    period: { from: at(0), to: at(100) },
    generated_at: '2026-10-01T12:00:00.000000000Z',
    requested_by: { key: 'the-auditor', role: 'auditor' },
    source: { cluster: 'test', product: 'sealwatch', version: '0.0.0' },
    parameters: {
      secret_prefix: 'secret/',
      actions: expect.arrayContaining(['secret-read', 'credential-issue']),
    },
    totals: { secrets: 2, reads: 4 },
  });
  const { control, parameters } = answer;
  const query = canonicalJson({ control, version: answer.definition.version, parameters });
  expect(answer.query_sha256).toBe(createHash('sha256').update(query).digest('hex'));
  expect((await ask(harness)).query_sha256).not.toBe(answer.query_sha256);
});

test('what is known to be missing makes the answer incomplete, and is said', async () => {
  const batch = closed(...reads);
  await using harness = await Harness.open({
    ...batch,
    coverage: [
      ...batch.coverage,
      aCoverageRow({ device: 'socket', hour: at(0), counts: { rejected: 2, dropped: 3, gaps: 4, late: 4 } }),
      aCoverageRow({ device: 'socket', counts: { rejected: 7 } }),
    ],
  });
  const answer = await ask(harness);
  expect(answer.complete).toBe(false);
  const said = answer.limits.join('\n');
  for (const words of [
    '9 line(s) could not be read',
    '3 line(s) could not be kept',
    '1 call(s)',
    '4 line(s)',
  ])
    expect(said).toContain(words);
  expect(answer.coverage).toMatchObject({
    witness: 'unwitnessed',
    totals: { rejected: 9 },
    untimed: { rejected: 7 },
  });
  expect(answer.coverage.gap_hours).toMatchObject([{ device: 'socket', gaps: 4 }]);
});

test('a period that is not closed, and one that begins before the first event, are said', async () => {
  await using harness = await Harness.open({ ...eventsOf(...reads), offsets: reached(at(50)) });
  const answer = await ask(harness);
  expect(answer.complete).toBe(false);
  expect(answer.limits.join('\n')).toContain(`event time has come to ${at(50)}`);
  expect(answer.limits.join('\n')).toContain(`The first event held is of ${at(1)}`);
  await using empty = await Harness.open();
  expect((await ask(empty)).limits.join('\n')).toContain('No events are held');
});

test('CSV: RFC 4180, and no cell is a formula', async () => {
  const nasty = ['=cmd|calc', '+1', '-1', '@sum', '\tx', '\rx', 'a,"b"\r\nc', 'plain'];
  const events = nasty.map((secret, i) => anEvent({ id: `n${i}`, time: at(i), secret, user: `u${i}` }));
  await using harness = await Harness.open(closed(...events));
  const response = await harness.get(`${url}&format=csv`, 'auditor');
  expect(response.headers['content-type']).toContain('text/csv');
  expect(response.headers['content-disposition']).toBe(
    'attachment; filename="CC6.1_2026-09-01_2026-09-01.csv"',
  );
  expect(response.headers['sealwatch-complete']).toBe('true');
  const [names = [], ...rows] = parseCsv(response.body);
  const column = rows.map((row) => row[names.indexOf('secret')]);
  expect(column).toEqual(["'=cmd|calc", "'+1", "'-1", "'@sum", "'\tx", "'\rx", 'a,"b"\r\nc', 'plain']);
  for (const row of rows) {
    expect(row.length).toBe(names.length);
    for (const cell of row) expect(cell).not.toMatch(/^[=+\-@\t\r]/);
  }
});

/** A strict little reader of RFC 4180, to hold the writer against. */
function parseCsv(text: string): string[][] {
  expect(text.endsWith('\r\n')).toBe(true);
  const rows: string[][] = [[]];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    rows.at(-1)?.push(quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'));
    if (end === '\r\n') rows.push([]);
  }
  return rows.slice(0, -1);
}

test('JSON lines: a header, then one row a line', async () => {
  await using harness = await Harness.open(closed(...reads));
  const [header, ...rows] = (await harness.get(`${url}&format=jsonl`)).body
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(answerSchema.parse({ ...header, population: rows }).totals.rows).toBe(rows.length);
});

test('every access is recorded, refused ones too', async () => {
  await using harness = await Harness.open(closed(...reads));
  await harness.get(`${url}&format=csv`, 'auditor');
  await harness.get('/v1/evidence', 'admin');
  await harness.app.inject('/v1/evidence/CC6.1?from=x');
  await harness.get('/v1/evidence/CC6.1?from=x', 'analyst');
  await harness.get('/v1/events');
  const common = { at: '2026-10-01T12:00:00.000000000Z', ip: '127.0.0.1' };
  expect(harness.accesses).toEqual([
    {
      ...common,
      key: 'the-auditor',
      role: 'auditor',
      control: 'CC6.1',
      query: { from: at(0), to: at(100), format: 'csv' },
      status: 200,
      rows: 3,
    },
    { ...common, key: 'the-admin', role: 'admin', control: null, query: {}, status: 200, rows: 0 },
    { ...common, key: null, role: null, control: 'CC6.1', query: { from: 'x' }, status: 401, rows: 0 },
    {
      ...common,
      key: 'the-analyst',
      role: 'analyst',
      control: 'CC6.1',
      query: { from: 'x' },
      status: 400,
      rows: 0,
    },
  ]);
});

test('evidence that cannot be recorded is not given out', async () => {
  const recordAccess = () => {
    throw new Error('disk full');
  };
  await using harness = await Harness.open(closed(...reads), { recordAccess });
  for (const format of ['json', 'csv', 'jsonl']) {
    const response = await harness.get(`${url}&format=${format}`);
    expect(response.statusCode).toBe(503);
    expect(response.body).not.toContain('secret/app');
  }
});
