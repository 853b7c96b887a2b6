// A line's way into the spool: the partition that its request id says, no token in it, a count of what was dropped, ticks.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limits } from '../../../core/limits.ts';
import { topics } from '../../../core/records.ts';
import { Intake } from '../../../ingest/collector/intake.ts';
import { Redactor } from '../../../ingest/collector/redact.ts';
import { deviceLines, everyLine } from './real-lines.ts';
import { lineWith, shapes, spots } from './secrets.ts';
import { MemorySpool } from './spool.ts';

const nowMs = Date.parse('2026-11-23T03:00:00Z');
const redactor = new Redactor(Buffer.alloc(32, 1));

function withSpool(partitions = 3) {
  const spool = new MemorySpool(partitions);
  const intake = new Intake(spool, redactor);
  const put = (device: string, ...lines: string[]) => {
    const chunk = Buffer.from(lines.join('\n'));
    let from = 0;
    for (const line of lines) {
      const to = from + Buffer.byteLength(line);
      intake.line(intake.source({ device }), chunk, from, to, nowMs);
      from = to + 1;
    }
  };
  return { spool, intake, put };
}

const idOf = (text: string) => (JSON.parse(text) as { request?: { id?: string } }).request?.id;

describe('the partition', () => {
  test.each([1, 3, 8])(
    'of %i is the same for both halves of a call and all its copies, and all are used',
    (partitions) => {
      const { spool, put } = withSpool(partitions);
      put('file', ...deviceLines('default'));
      put('tcp', ...deviceLines('raw'));
      put('unix', ...deviceLines('plain-accessor'));
      const placesOf = new Map<string, Set<number>>();
      let lines = 0;
      for (const { text, partition } of spool.lines()) {
        const id = idOf(text);
        if (id === undefined) continue;
        lines++;
        placesOf.set(id, (placesOf.get(id) ?? new Set()).add(partition));
      }
      expect(lines).toBeGreaterThan(4 * placesOf.size);
      expect([...placesOf.values()].filter((places) => places.size !== 1)).toEqual([]);
      expect(new Set([...placesOf.values()].flatMap((places) => [...places])).size).toBe(partitions);
    },
  );

  test('of lines without an id is the same for the same line', () => {
    const { spool, put } = withSpool();
    for (const device of ['tcp', 'unix'])
      put(device, ...Array.from({ length: 20 }, (_, i) => `no JSON ${i}`));
    const seen = spool.lines().map(({ text, partition }) => `${text} ${partition}`);
    expect(new Set(seen).size).toBe(20);
    expect(new Set(spool.lines().map(({ partition }) => partition)).size).toBe(3);
  });
});

describe('a line in the spool', () => {
  test('is the line that came, byte for byte, with its device, order and the places of its parts', () => {
    const lines = deviceLines('default');
    const { spool, intake, put } = withSpool(1);
    put('tcp', ...lines);
    const spooled = spool.lines();
    expect(spooled.map(({ text }) => text)).toEqual(lines);
    for (const { text, bytes, head } of spooled) {
      const { request, time, type } = JSON.parse(text) as {
        request: { id?: string };
        time: string;
        type: string;
      };
      const { spans } = head;
      expect(bytes.toString('utf8', spans.idStart, spans.idEnd)).toBe(request.id ?? '');
      expect(bytes.toString('utf8', spans.timeStart, spans.timeEnd)).toBe(time);
      expect(bytes.toString('utf8', spans.typeStart, spans.typeEnd)).toBe(type);
      expect(head).toMatchObject({ device: 'tcp', scrub: undefined, file: undefined });
    }
    const bytes = lines.reduce((sum, line) => sum + Buffer.byteLength(line), 0);
    expect(intake.counters).toEqual({ lines: lines.length, bytes, scrubbed: 0, dropped: 0, future: 0 });
  });

  test('keeps its own bytes when the chunk is used again', () => {
    const { spool, intake } = withSpool(1);
    const chunk = Buffer.from(lineWith({}));
    intake.line(intake.source({ device: 'tcp' }), chunk, 0, chunk.length, nowMs);
    chunk.fill(0);
    expect(spool.lines()[0]?.text).toBe(lineWith({}));
  });

  test('that was scrubbed says so, and its spans fit what is left', () => {
    const { spool, intake, put } = withSpool(1);
    put('tcp', `prefix: ${lineWith({ id: 'call-1', path: `auth/token/lookup/${shapes[1]}` })}`);
    const [line] = spool.lines();
    expect(line?.head.scrub).toBe('token_in_plain');
    const { start, idStart, idEnd, timeStart, timeEnd } = line?.head.spans ?? fail();
    expect(line?.text.slice(start, start + 1)).toBe('{');
    expect(line?.text.slice(idStart, idEnd)).toBe('call-1');
    expect(line?.text.slice(timeStart, timeEnd)).toBe('2026-09-07T10:00:00.123456789Z');
    expect(intake.counters.scrubbed).toBe(1);
  });
});

function fail(): never {
  throw new Error('no line');
}

const undone = (text: string) =>
  text.replace(/\\u([0-9a-fA-F]{4})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));

test('no token survives on its way, whatever the line and whatever lines come with it', () => {
  const clean = deviceLines('default').filter((line) => !line.includes('hvs.'));
  const spot = fc.constantFrom(
    ...spots.filter(({ name }) => !/before the object|key that comes twice/.test(name)),
  );
  const carrying = fc
    .tuple(spot, fc.constantFrom(...shapes), fc.boolean())
    .map(([at, token, session]) => at.put(token, session));
  const line = fc.oneof(carrying, fc.constantFrom(...clean));
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 8 }), (lines) => {
      const { spool, put } = withSpool(2);
      put('tcp', ...lines);
      const texts = spool.lines().map(({ text }) => undone(text));
      expect(texts).toHaveLength(lines.length);
      for (const text of texts) for (const token of shapes) expect(text).not.toContain(token.slice(0, 22));
    }),
    { numRuns: 300 },
  );
});

describe('a full spool', () => {
  test('drops and counts what sockets bring, takes what the file brings, and tells the loss at the next tick', () => {
    const { spool, intake, put } = withSpool();
    intake.queued = limits.spoolQueueBytesMax + 1;
    expect(intake.mustWait(intake.source({ device: 'file' }).feed)).toBe(true);
    put('tcp', 'one', 'three');
    put('unix', 'x');
    const file = { inode: 1, generation: 1, start: 0, end: 5, durable: 0, mark: 0, writtenMs: 0 };
    intake.line(intake.source({ device: 'file' }), Buffer.from('kept'), 0, 4, nowMs, file);
    intake.lost({ device: 'tcp' }, 'truncated', 100);
    expect(spool.lines().map(({ text }) => text)).toEqual(['kept']);
    expect(spool.losses()).toEqual([]);
    intake.tick(nowMs, {});
    expect(spool.losses()).toEqual([
      { device: 'tcp', reason: 'dropped', count: 2, bytes: 8 },
      { device: 'unix', reason: 'dropped', count: 1, bytes: 1 },
      { device: 'tcp', reason: 'truncated', count: 1, bytes: 100 },
    ]);
    intake.tick(nowMs, {});
    expect(spool.losses()).toHaveLength(3);
    expect(intake.counters.dropped).toBe(4);
  });

  test('is full at limits.spoolQueueBytesMax of appended bytes, and takes lines again when they are durable', () => {
    const { spool, intake, put } = withSpool(1);
    put('tcp', 'a');
    const [record] = spool.of('line');
    expect(record).toBeDefined();
    expect(intake.queued).toBeGreaterThan(0);
    expect(intake.mustWait(intake.source({ device: 'tcp' }).feed)).toBe(false);
    intake.queued = limits.spoolQueueBytesMax;
    put('tcp', 'b');
    put('tcp', 'c');
    intake.queued = 0;
    put('tcp', 'd');
    expect(spool.lines().map(({ text }) => text)).toEqual(['a', 'b', 'd']);
  });
});

describe('a tick', () => {
  test('goes to every partition with the time of each device and the places of the files', () => {
    const { spool, intake, put } = withSpool(3);
    put('tcp', JSON.stringify({ request: { id: '1' }, time: '2026-11-23T02:59:00Z', type: 'request' }));
    put('unix', JSON.stringify({ request: { id: '2' }, time: '2026-11-23T02:58:00.5Z', type: 'request' }));
    const files = { file: { inode: 7, generation: 2, durable: 99, mark: 7, writtenMs: 8 } };
    intake.tick(nowMs + 1000, files);
    const ticks = spool.of('tick');
    expect(ticks.map(({ partition }) => partition)).toEqual([0, 1, 2]);
    for (const { value } of ticks)
      expect(value).toEqual({
        devices: { tcp: '2026-11-23T02:59:01.000000000Z', unix: '2026-11-23T02:58:01.500000000Z' },
        files,
        spooled: { tcp: expect.any(Number), unix: expect.any(Number) },
        at: nowMs + 1000,
      });
    expect(intake.devices(nowMs + 1000)).toEqual({
      tcp: '2026-11-23T02:59:01.000000000Z',
      unix: '2026-11-23T02:58:01.500000000Z',
    });
  });

  test('is not written while no device has shown a time and no file is followed', () => {
    const { spool, intake, put } = withSpool();
    put('tcp', 'no JSON', '{"time":"soon","type":"x"}');
    intake.tick(nowMs, {});
    expect(spool.ticks()).toEqual([]);
    intake.tick(nowMs, { file: { inode: 7, generation: 2, durable: 99, mark: 7, writtenMs: 8 } });
    expect(spool.ticks()).toHaveLength(3);
  });
});

test('every real line gets into the spool once', async () => {
  const { spool, put } = withSpool();
  const lines = everyLine();
  put('tcp', ...lines);
  await spool.flush();
  expect(spool.lines()).toHaveLength(lines.length);
  const ends = [0, 1, 2].map((partition) => spool.end(topics.raw, partition));
  expect(ends.reduce((sum, end) => sum + end)).toBe(lines.length);
});
