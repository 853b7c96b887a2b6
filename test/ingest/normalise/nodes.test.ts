// A recorded cluster whose active node was killed: a file a node and one socket that all nodes write to.

import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AuditEvent } from '../../../core/event.ts';
import type { CoverageRow } from '../../../core/records.ts';
import { Intake, type Source } from '../../../ingest/collector/intake.ts';
import { Redactor } from '../../../ingest/collector/redact.ts';
import { Normaliser } from '../../../ingest/normalise/normaliser.ts';
import { MemorySpool } from '../collector/spool.ts';
import { totalsOf } from './lines.ts';

const inputs = [
  { log: 'file-n1', device: 'file', node: 'n1' },
  { log: 'file-n2', device: 'file', node: 'n2' },
  { log: 'socket', device: 'unix', node: undefined },
].map(({ log, ...input }) => ({
  ...input,
  lines: readFileSync(`test/fixtures/vault-1.21.1/nodes/${log}.jsonl`, 'utf8').trim().split('\n'),
}));

interface Written {
  request: { id: string };
  type: string;
}

/** Events and counts of the lines when `order` says whose line comes next: an index of `inputs` per line. */
function normalised(order: number[]) {
  const spool = new MemorySpool(1);
  const intake = new Intake(spool, new Redactor(Buffer.alloc(32)));
  const sources = inputs.map((input) => intake.source(input));
  const next = inputs.map(() => 0);
  for (const i of order) {
    const line = Buffer.from(inputs[i]?.lines[next[i] as number] ?? '');
    next[i] = (next[i] as number) + 1;
    intake.line(sources[i] as Source, line, 0, line.length, Number.MAX_SAFE_INTEGER);
  }
  const events = new Map<string, AuditEvent>();
  const texts = new Map<string, string>();
  const rows = new Map<string, CoverageRow>();
  const normaliser = new Normaliser({
    partition: 0,
    cluster: 'test',
    devices: [
      { name: 'file', cluster: 'test', origin: 'local', isFile: true },
      { name: 'unix', cluster: 'test', origin: 'local', isFile: false },
    ],
    pairWaitSeconds: 6,
    allowedLatenessSeconds: 3,
    dedupeSeconds: 600,
    sink: {
      event: (event, text) => {
        events.set(event.event.id, event);
        texts.set(event.event.id, text);
      },
      reject: ({ reason }) => expect.fail(reason),
      coverage: (row) => rows.set(row.id, row),
      credential: () => {},
      answer: () => {},
      hashes: () => {},
      node: () => {},
      watermark: () => {},
    },
  });
  for (const record of spool.all(0)) normaliser.record(record);
  normaliser.finish();
  return { events, texts, counts: totalsOf(rows.values()) };
}

const inTurn = inputs.flatMap(({ lines }, i) => lines.map(() => i));

test('each call is one event, with the node whose file shows it and both devices', () => {
  const { events } = normalised(inTurn);
  const shown = new Map<string, Set<string>>();
  for (const { device, node, lines } of inputs) {
    for (const { request } of lines.map((line) => JSON.parse(line) as Written)) {
      const names = shown.get(request.id) ?? new Set();
      names.add(node ?? device);
      shown.set(request.id, names);
    }
  }
  expect(events.size).toBe(shown.size);
  for (const [id, names] of shown) {
    const { vault } = events.get(id) as AuditEvent;
    expect(vault.nodes ?? []).toEqual([...names].filter((name) => name !== 'unix'));
    expect(vault.devices.includes('unix')).toBe(names.has('unix'));
  }
  const nodes = new Set([...events.values()].flatMap(({ vault }) => vault.nodes ?? []));
  expect([...nodes].sort()).toEqual(['n1', 'n2']);
});

test('only the probe of a device stands on one of them alone, and nothing is missing in the files', () => {
  const { events } = normalised(inTurn);
  const alone = [...events.values()].filter(({ vault }) => vault.devices.length === 1);
  // The file was enabled first: its probe and its enabling came before there was a socket.
  expect(alone.map(({ vault }) => [vault.request.path, ...vault.devices]).sort()).toEqual([
    ['sys/audit/file', 'file'],
    ['sys/audit/test', 'file'],
    ['sys/audit/test', 'unix'],
  ]);
  expect([...events.values()].filter(({ vault }) => vault.flags !== undefined)).toEqual([]);
});

test('the order in which the logs are read makes no difference', () => {
  const plain = normalised(inTurn);
  fc.assert(
    fc.property(fc.shuffledSubarray(inTurn, { minLength: inTurn.length }), (order) => {
      const { texts, counts } = normalised(order);
      expect(texts).toEqual(plain.texts);
      expect(counts).toEqual(plain.counts);
    }),
    { numRuns: 10 },
  );
});
