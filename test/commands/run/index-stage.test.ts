// The stage that indexes beside others: a store that stalls holds none of them up, and still counts as failing while it does.

import { pino } from 'pino';
import { expect, test } from 'vitest';
import { IndexStage } from '../../../commands/run/stages/index.ts';
import type { EvidenceWriter, IndexOffset, Stream } from '../../../core/ports.ts';

const stream = {
  partitions: 1,
  start: () => 0,
  end: () => 0,
  sync: async () => {},
  needed: async () => 0,
  retain: async () => 0,
} as unknown as Stream;

/** Its first question is answered when a test says so. */
function stalled() {
  const asked: { resolve(offsets: IndexOffset[]): void; reject(error: Error): void }[] = [];
  const offsets = () => new Promise<IndexOffset[]>((resolve, reject) => asked.push({ resolve, reject }));
  return { asked, writer: { offsets } as unknown as EvidenceWriter };
}

const stageOf = (writer: EvidenceWriter, holdMs?: number) =>
  new IndexStage({
    ...{ stream, writer, holdMs, now: () => 0, logger: pino({ enabled: false }) },
    retention: { streamHours: 1, eventDays: 1 },
  });

test('the others go on, one step is under way at a time, and a failure stays one until the store answers', async () => {
  const { asked, writer } = stalled();
  await using stage = stageOf(writer, 1);
  await stage.assign([0]);
  expect(await stage.step()).toBe(1);
  expect(await stage.step()).toBe(1);
  await stage.save();
  expect(asked.length).toBe(1);
  asked[0]?.reject(new Error('no answer'));
  await expect(stage.step()).rejects.toThrow('no answer');
  await expect(stage.step()).rejects.toThrow('no answer');
  expect(asked.length).toBe(2);
  // The stage's own question, then the one of retention.
  asked[1]?.resolve([]);
  await expect.poll(() => asked.length).toBe(3);
  asked[2]?.resolve([]);
  await expect.poll(() => stage.step().catch(() => -1)).toBe(0);
});

test('a store that cannot stall is waited for', async () => {
  const { asked, writer } = stalled();
  await using stage = stageOf(writer);
  await stage.assign([0]);
  let isDone = false;
  const step = stage.step().then(() => {
    isDone = true;
  });
  await expect.poll(() => asked.length).toBe(1);
  expect(isDone).toBe(false);
  asked[0]?.resolve([]);
  await expect.poll(() => asked.length).toBe(2);
  asked[1]?.resolve([]);
  await step;
});
