// /v1/coverage: pages, devices that are silent or blind, nodes that nobody collects, reasons, and sentences for all of it.

import { expect, test } from 'vitest';
import { z } from 'zod';
import { coveragePageSchema, type HourRow } from '../../api/coverage.ts';
import { hostOf, nodesOf } from '../../api/coverage-nodes.ts';
import { answerSchema } from '../../api/evidence/schemas.ts';
import type { Device } from '../../core/devices.ts';
import type { CoverageRow, NodeSeen } from '../../core/records.ts';
import { aCoverageRow, at, reached } from '../builders.ts';
import { eventsOf } from '../contract/evidence-store.ts';
import { Harness } from './harness.ts';

const devices: Device[] = [
  { name: 'file', cluster: 'test', origin: 'local', isFile: true },
  { name: 'tcp', cluster: 'test', origin: 'unverified', isFile: false },
];

const open = (coverage: CoverageRow[], nodes: NodeSeen[] = []) =>
  Harness.open(
    { ...eventsOf(), coverage, nodes, offsets: reached(at(100)) },
    { devices, nodes: { '10.0.0.3': 'node-c' } },
  );

const pageOf = async (harness: Harness, query = '') =>
  coveragePageSchema.parse((await harness.get(`/v1/coverage${query}`)).json());

const hour = (n: number) => at(n * 3600);

test('pages along a cursor, each row once, both ways', async () => {
  const rows = Array.from({ length: 23 }, (_, i) =>
    aCoverageRow({ hour: hour(i % 5), device: `d${i % 3}`, partition: i, counts: { received: 1 } }),
  );
  await using harness = await open([...rows, aCoverageRow({ counts: { received: 1 } })]);
  const whole = await pageOf(harness, '?limit=1000');
  expect(whole.items).toHaveLength(24);
  expect(whole.next_cursor).toBeNull();
  for (const order of ['asc', 'desc']) {
    const seen: HourRow[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page = await pageOf(
        harness,
        `?order=${order}&limit=5${cursor === '' ? '' : `&cursor=${cursor}`}`,
      );
      seen.push(...page.items);
      cursor = page.next_cursor;
      expect(page.totals.received).toBe(24);
    }
    expect(order === 'asc' ? seen : seen.reverse()).toEqual(whole.items);
  }
  const { next_cursor: cursor } = await pageOf(harness, '?limit=1');
  expect((await harness.get(`/v1/coverage?cursor=${cursor}&from=${hour(1)}`)).statusCode).toBe(400);
  expect((await harness.get('/v1/coverage?limit=1001')).statusCode).toBe(400);
});

test('a configured device that showed nothing is silent; one that is not configured is not', async () => {
  await using harness = await open([aCoverageRow({ hour: hour(0), device: 'old', counts: { received: 3 } })]);
  const { devices: rows, statement } = await pageOf(harness);
  expect(rows.map((row) => [row.device, row.cluster, row.silent, row.origin])).toEqual([
    ['file', 'test', true, 'local'],
    ['old', null, false, 'local'],
    ['tcp', 'test', true, 'unverified'],
  ]);
  expect(statement).toContain('silent in all of these hours: file, tcp.');
});

test('a device is as weak as in its weakest hour', async () => {
  await using harness = await open([
    aCoverageRow({ hour: hour(0), device: 'file', origin: 'local', counts: { received: 3 } }),
    aCoverageRow({ hour: hour(1), device: 'file', origin: 'unprovable', counts: { received: 3 } }),
    aCoverageRow({ hour: hour(1), device: 'tcp', origin: 'unverified', counts: { received: 3 } }),
    aCoverageRow({ hour: hour(2), device: 'tcp', origin: 'verified', counts: { received: 3 } }),
  ]);
  const { devices: rows, statement } = await pageOf(harness);
  expect(rows.map(({ origin }) => origin)).toEqual(['unprovable', 'unverified']);
  expect(statement).toContain('Origin unverified (tcp)');
  expect(statement).toContain('Origin unprovable (file)');
});

test('rejects by reason, gaps between devices apart from losses, and a sentence for each', async () => {
  const counts = {
    received: 20,
    rejected: 5,
    rejected_jsonx: 4,
    rejected_bad_time: 1,
    dropped: 2,
    unread: 1,
    gaps: 7,
    log_raw: 3,
    token_in_plain: 6,
    oversize: 1,
    lost_at_close: 8,
    unconfirmed: 9,
    refused: 10,
    by_design: 11,
  };
  await using harness = await open([aCoverageRow({ hour: hour(0), counts })]);
  const { totals, statement, sentences, items } = await pageOf(harness);
  expect(totals).toMatchObject({ gaps: 7, gaps_between_devices: 4, unread: 1 });
  expect(totals.rejected_by_reason).toEqual({ jsonx: 4, bad_time: 1 });
  expect(items[0]).not.toHaveProperty('rejected_jsonx');
  expect(sentences.join(' ')).toBe(statement);
  for (const words of [
    '4 line(s) were JSONx and were refused: set format=json',
    '1 line(s) have no usable time',
    '3 line(s) came from a device with log_raw=true',
    '6 line(s) held a token where Vault does not hash',
    '4 time(s) a device that was alive did not show a call',
    '1 time(s) a file went away',
    '1 line(s) were longer than',
    '8 time(s) a connection ended inside a line',
    '9 line(s) were answered',
    '10 connection(s) or datagram(s) were refused',
    'no other by design: 11',
  ])
    expect(statement).toContain(words);
});

const beats = (n: number, device: string, heartbeat_seen: number, heartbeat_missed: number) =>
  aCoverageRow({ hour: hour(n), device, counts: { received: 9, heartbeat_seen, heartbeat_missed } });

test('quiet and blind: what each device missed, and the hours in which all did', async () => {
  await using harness = await open([
    beats(0, 'file', 60, 0),
    beats(0, 'tcp', 50, 10),
    beats(1, 'file', 59, 1),
    beats(1, 'tcp', 58, 2),
    aCoverageRow({ hour: hour(2), counts: { heartbeat_unanswered: 3 } }),
  ]);
  const page = await pageOf(harness);
  expect(page.blind_hours.map((row) => [row.device, row.hour])).toEqual([
    ['tcp', hour(0)],
    ['file', hour(1)],
    ['tcp', hour(1)],
  ]);
  expect(page.all_blind_hours).toEqual([hour(1)]);
  expect(page.statement).toContain('tcp was blind: 12 of 120 look-ups');
  expect(page.statement).toContain('In 1 hour(s) every device missed one');
  expect(page.statement).toContain('3 look-up(s) were not answered by Vault');
  await using well = await open([beats(0, 'file', 60, 0), beats(0, 'tcp', 60, 0)]);
  expect((await pageOf(well)).statement).toContain('came back on every device');
  await using none = await open([aCoverageRow({ hour: hour(0), counts: { received: 1 } })]);
  expect((await pageOf(none)).statement).toContain('a quiet device cannot be told from a blind one');
});

const answerOf = async (harness: Harness) =>
  answerSchema.parse((await harness.get(`/v1/evidence/CC6.1?from=${at(0)}&to=${at(100)}`)).json());

test('evidence carries it, and is not complete while every device was blind', async () => {
  await using one = await open([beats(0, 'file', 60, 0), beats(0, 'tcp', 59, 1)]);
  const answer = await answerOf(one);
  expect(answer.limits.join(' ')).toContain('tcp was blind');
  expect(answer).toMatchObject({ complete: true, coverage: { blind_hours: [{ device: 'tcp' }] } });
  await using both = await open([beats(0, 'file', 59, 1), beats(0, 'tcp', 59, 1)]);
  expect((await answerOf(both)).complete).toBe(false);
  await using unread = await open([aCoverageRow({ hour: hour(0), counts: { unread: 1, gaps: 1 } })]);
  expect((await answerOf(unread)).complete).toBe(false);
});

const seen = (node: string, how: NodeSeen['how'], n = 0): NodeSeen => ({
  id: `${how}/${node}/${n}`,
  node,
  cluster: 'test',
  how,
  hour: hour(n),
});

test('nodes: who wrote, who forwarded, and who forwarded without being collected', async () => {
  await using harness = await open(
    [aCoverageRow({ hour: hour(0), counts: { received: 1 } })],
    [
      seen('node-a', 'collected', 1),
      seen('node-a', 'collected', 3),
      seen('node-c', 'collected'),
      seen('node-a.vault.example:8201', 'forwarded_from'),
      seen('10.0.0.3:8201', 'forwarded_from'),
      seen('10.0.0.4:8201', 'forwarded_from'),
      seen('unwrap-deferred', 'forwarded_from'),
    ],
  );
  const { nodes, statement } = await pageOf(harness);
  expect(nodes.map((row) => [row.node, row.collected])).toEqual([
    ['10.0.0.3:8201', true],
    ['10.0.0.4:8201', false],
    ['node-a', true],
    ['node-a.vault.example:8201', true],
    ['node-c', true],
  ]);
  expect(nodes[2]).toMatchObject({ first_hour: hour(1), last_hour: hour(3), how: 'collected' });
  expect(statement).toContain('not known to be collected: 10.0.0.4:8201.');
});

test('many nodes are named up to a bound', () => {
  const many = Array.from({ length: 2000 }, (_, i) => seen(`10.1.${i >> 8}.${i & 255}:1`, 'forwarded_from'));
  expect(nodesOf(many, {})).toHaveLength(1000);
});

test.each([
  ['node:8201', 'node'],
  ['10.0.0.1:8201', '10.0.0.1'],
  ['[fe80::1]:8201', 'fe80::1'],
  ['node', 'node'],
  ['', ''],
])('the host of %s', (node, host) => expect(hostOf(node)).toBe(host));

test('the description names the counters', async () => {
  await using harness = await open([]);
  const text = JSON.stringify(
    z.looseObject({ paths: z.looseObject({}) }).parse((await harness.app.inject('/openapi.json')).json())
      .paths['/v1/coverage'],
  );
  for (const name of [
    'heartbeat_missed',
    'rejected_by_reason',
    'gaps_between_devices',
    'cursor',
    'all_blind_hours',
  ])
    expect(text).toContain(name);
});
