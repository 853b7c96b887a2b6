// Delivery brings each alert out once: over later versions, retries, refusals, and restarts at any point.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Alert, Level } from '../../core/alert.ts';
import { alertFilter } from '../../core/alert-filter.ts';
import { partitionOf } from '../../core/partition.ts';
import { topics } from '../../core/records.ts';
import type { Logger } from '../../core/telemetry.ts';
import { Delivery } from '../../outputs/alerts/deliver.ts';
import { fileOutput } from '../../outputs/alerts/file.ts';
import type { AlertOutput } from '../../outputs/alerts/output.ts';
import { webhookOutput } from '../../outputs/alerts/webhook.ts';
import { EmbeddedStream } from '../../storage/stream/embedded/stream.ts';
import { anAlert } from '../builders.ts';
import { startFakeWebhook } from './fake-webhook.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealwatch-deliver-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const logger = { error() {}, warn() {}, info() {}, debug() {} } as unknown as Logger;
const openStream = (dir = folder) =>
  EmbeddedStream.open({ dir: join(dir, 'stream'), partitions: 2, writes: [topics.alerts] });

async function put(stream: EmbeddedStream, ...ids: string[]): Promise<void> {
  for (const id of ids)
    stream.append(topics.alerts, partitionOf(id, stream.partitions), [
      { kind: 'alert', value: { revision: 1, body: anAlert({ id }) } },
    ]);
  await stream.flush();
}

/** An output that answers as it is told, then takes everything. */
function answering(...answers: ('done' | 'refused' | 'later')[]): AlertOutput & { taken: string[] } {
  const taken: string[] = [];
  return {
    name: 'test',
    known: new Set(),
    taken,
    async send(alert: Alert) {
      const result = answers.shift() ?? 'done';
      if (result === 'done') taken.push(alert.alert.id);
      return { result };
    },
  };
}

const running = () => new AbortController().signal;

test('each alert goes out once, though it has more versions', async () => {
  await using stream = await openStream();
  const output = answering();
  const delivery = await Delivery.load({ stream, output, logger, signal: running() });
  expect(await delivery.step()).toBe(0);
  await put(stream, 'a', 'b', 'a');
  expect(await delivery.step()).toBe(3);
  await put(stream, 'b', 'c');
  await delivery.step();
  expect(await delivery.step()).toBe(0);
  expect(output.taken.sort()).toEqual(['a', 'b', 'c']);
  expect(delivery.counters).toEqual({ sent: 3, refused: 0, retried: 0, missed: 0, filtered: 0 });
});

test('its place is kept at once when an alert went out, now and then when it only read on', async () => {
  await using stream = await openStream();
  const save = vi.spyOn(stream, 'saveSnapshot');
  const delivery = await Delivery.load({ stream, output: answering(), logger, signal: running() });
  const baseline = async () => {
    stream.append(topics.alerts, 0, [{ kind: 'baseline', value: {} }]);
    await stream.flush();
    expect(await delivery.step()).toBe(1);
  };
  for (let n = 0; n < 10; n++) await baseline();
  // The first is due, and no other within ten seconds.
  expect(save).toHaveBeenCalledTimes(1);
  for (const id of ['a', 'b', 'c']) {
    stream.append(topics.alerts, 0, [{ kind: 'alert', value: { revision: 1, body: anAlert({ id }) } }]);
    await stream.flush();
    await delivery.step();
  }
  expect(save).toHaveBeenCalledTimes(4);
});

test('an output takes what its filter lets through, a later version too, and the rest is counted', async () => {
  await using stream = await openStream();
  const accepts = alertFilter({ 'rule.level': ['high', 'critical'], 'alert.count|gte': 2 });
  const output = { ...answering(), accepts };
  const delivery = await Delivery.load({ stream, output, logger, signal: running() });
  const put = (id: string, level: Level, count: number) => {
    const body = anAlert({ id, level });
    stream.append(topics.alerts, 0, [
      { kind: 'alert', value: { revision: count, body: { ...body, alert: { ...body.alert, count } } } },
    ]);
  };
  put('low', 'low', 2);
  put('grows', 'high', 1);
  put('grows', 'high', 2);
  put('critical', 'critical', 3);
  await stream.flush();
  await delivery.step();
  expect(output.taken).toEqual(['grows', 'critical']);
  expect(delivery.counters).toMatchObject({ sent: 2, filtered: 2 });
});

test('an alert that is refused is counted and not sent again', async () => {
  await using stream = await openStream();
  const output = answering('refused');
  const delivery = await Delivery.load({ stream, output, logger, signal: running() });
  await put(stream, 'a', 'b');
  await delivery.step();
  await put(stream, 'a', 'b');
  await delivery.step();
  expect(output.taken).toEqual(['b']);
  expect(delivery.counters).toEqual({ sent: 1, refused: 1, retried: 0, missed: 0, filtered: 0 });
});

test('after a restart nothing goes out again, and what is new does', async () => {
  for (const [ids, expected] of [
    [
      ['a', 'b'],
      ['a', 'b'],
    ],
    [['b', 'c', 'a'], ['c']],
    [[], []],
  ] as const) {
    await using stream = await openStream();
    await put(stream, ...ids);
    const output = answering();
    await (await Delivery.load({ stream, output, logger, signal: running() })).step();
    expect(output.taken.sort()).toEqual(expected);
  }
});

test('goes on where an older version stopped that had one place for all partitions', async () => {
  await using stream = await openStream();
  await put(stream, 'a', 'b', 'c');
  const inputs = { 0: stream.end(topics.alerts, 0), 1: 0 };
  await stream.saveSnapshot('deliver-test', 'all', { inputs, outputs: {}, state: ['a'] });
  const output = answering();
  await (await Delivery.load({ stream, output, logger, signal: running() })).step();
  const rest = ['b', 'c'].filter((id) => partitionOf(id, 2) === 1);
  expect(output.taken.sort()).toEqual(rest);
  expect(rest.length).toBeGreaterThan(0);
});

test('of two that share the partitions each delivers its own; who has lost one saves nothing over the next', async () => {
  await using stream = await openStream();
  await put(stream, 'a', 'b', 'c', 'd');
  const losing = new AbortController();
  const late = answering();
  const next = answering();
  const overtaken: AlertOutput = {
    ...late,
    async send(alert) {
      losing.abort();
      await (
        await Delivery.load({ stream, output: next, logger, signal: running(), partitions: [0] })
      ).step();
      return late.send(alert);
    },
  };
  const options = { stream, logger, partitions: [0] };
  await (await Delivery.load({ ...options, output: overtaken, signal: losing.signal })).step();
  const all = ['a', 'b', 'c', 'd'].filter((id) => partitionOf(id, 2) === 0);
  expect(next.taken.sort()).toEqual(all);
  expect((await stream.loadSnapshot('deliver-test', '0'))?.inputs).toEqual({
    0: stream.end(topics.alerts, 0),
  });
  const others = answering();
  await (await Delivery.load({ stream, output: others, logger, signal: running(), partitions: [1] })).step();
  expect([...others.taken, ...next.taken].sort()).toEqual(['a', 'b', 'c', 'd']);
});

test('over HTTP: 500 is tried again, 400 is final, each alert arrives once', async () => {
  await using hook = await startFakeWebhook();
  await using stream = await openStream();
  hook.answers.push(500, 200, 400);
  await put(stream, 'a', 'unused', 'b');
  const output = webhookOutput({ url: hook.url, secret: () => 's', now: Date.now });
  const delivery = await Delivery.load({ stream, output, logger, signal: running() });
  await delivery.step();
  expect(hook.calls.map(({ headers }) => headers['idempotency-key'])).toEqual(['a', 'a', 'unused', 'b']);
  expect(delivery.counters).toEqual({ sent: 2, refused: 1, retried: 1, missed: 0, filtered: 0 });
});

test('an end while the output does not answer gives up at once, and the alert goes out after the restart', async () => {
  await using stream = await openStream();
  await put(stream, 'a', 'b', 'c');
  const stopping = new AbortController();
  const stuck: AlertOutput = {
    name: 'test',
    known: new Set(),
    async send() {
      stopping.abort();
      return { result: 'later' };
    },
  };
  const timers = vi.spyOn(globalThis, 'setTimeout');
  await (await Delivery.load({ stream, output: stuck, logger, signal: stopping.signal })).step();
  expect(timers.mock.calls.filter(([, ms = 0]) => ms >= 1000)).toEqual([]);
  timers.mockRestore();
  const output = answering();
  await (await Delivery.load({ stream, output, logger, signal: running() })).step();
  expect(output.taken.sort()).toEqual(['a', 'b', 'c']);
});

test('over restarts at any point each alert is in the file once, also when the snapshot was lost', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          ids: fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { minLength: 1, maxLength: 5 }),
          stopAfter: fc.nat(4),
          saved: fc.boolean(),
        }),
        { minLength: 1, maxLength: 5 },
      ),
      async (lives) => {
        const dir = mkdtempSync(join(folder, 'life-'));
        const path = join(dir, 'alerts.jsonl');
        const seen = new Set<string>();
        for (const { ids, stopAfter, saved } of [...lives, { ids: ['last'], stopAfter: 99, saved: true }]) {
          await using stream = await openStream(dir);
          await put(stream, ...ids);
          for (const id of ids) seen.add(id);
          await oneLife(stream, path, stopAfter, saved);
        }
        const found = readFileSync(path, 'utf8').split('\n').slice(0, -1);
        expect(found.map((line) => (JSON.parse(line) as Alert).alert.id).sort()).toEqual([...seen].sort());
      },
    ),
    { numRuns: 25 },
  );
});

/** Delivers to a file until `stopAfter` alerts are out; a kill before the snapshot is one that was not saved. */
async function oneLife(
  stream: EmbeddedStream,
  path: string,
  stopAfter: number,
  saved: boolean,
): Promise<void> {
  using file = fileOutput(path);
  const stopping = new AbortController();
  let count = 0;
  const output: AlertOutput = {
    name: file.name,
    known: file.known,
    async send(alert) {
      const answer = await file.send(alert);
      if (++count > stopAfter) stopping.abort();
      return answer;
    },
  };
  if (!saved) stream.saveSnapshot = async () => {};
  await (await Delivery.load({ stream, output, logger, signal: stopping.signal })).step();
}
