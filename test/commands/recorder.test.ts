// The recorder: what the API's thread asks is on the stream when it is answered; what the disk refuses is said.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import { afterEach, expect, test, vi } from 'vitest';
import { answerRecords, portRecorder, streamRecorder } from '../../commands/run/recorder.ts';
import { limits } from '../../core/limits.ts';
import type { Recorder } from '../../core/ports.ts';
import { topics } from '../../core/records.ts';
import { openEvidenceReader } from '../../storage/evidence/embedded/reader.ts';
import { openEvidenceWriter } from '../../storage/evidence/embedded/writer.ts';
import { createIndexer } from '../../storage/indexer.ts';
import { EmbeddedStream } from '../../storage/stream/embedded/stream.ts';
import { at } from '../builders.ts';

const triage = { id: 't', at: at(1), alert_id: 'a', incident_id: 'i', by: 'ann', status: 'closed' };
const change = { id: 'c', at: at(2), what: 'allow', key: 'backup' };
const baseline = { id: 'b', behaviour: 'x', subject: 'u', at: at(3), learning: true, text: 't', numbers: {} };

function joined(recorder: Recorder) {
  const { port1, port2 } = new MessageChannel();
  answerRecords(port2, recorder);
  return { asked: portRecorder(port1), [Symbol.dispose]: () => port1.close() };
}

afterEach(() => {
  vi.useRealTimers();
});

test('what was answered is durable: another stream finds it, and the indexer brings it to the store', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'sealwatch-recorder-'));
  const options = { dir: join(dir, 'stream'), partitions: 2, writes: [topics.changes, topics.alerts] };
  {
    await using stream = await EmbeddedStream.open(options);
    using port = joined(streamRecorder(stream));
    stream.append(topics.alerts, 1, [{ kind: 'baseline', value: baseline }]);
    await Promise.all([port.asked.record('triage', triage), port.asked.record('change', change)]);
    await using second = await EmbeddedStream.open({ ...options, writes: [] });
    second.follow(topics.changes, 0, 2);
    const records = await second.read(topics.changes, 0, 0, limits.readBytesMax);
    expect(records.map(({ kind, value }) => [kind, value])).toEqual([
      ['triage', triage],
      ['change', change],
    ]);
  }
  await using stream = await EmbeddedStream.open(options);
  await using writer = openEvidenceWriter(join(dir, 'evidence.db'));
  const indexer = createIndexer({ stream, writer });
  while ((await indexer.step()) > 0);
  await using reader = openEvidenceReader(join(dir, 'evidence.db'));
  expect(await reader.get('triage', 't')).toEqual(triage);
  expect(await reader.get('changes', 'c')).toEqual(change);
  expect(await reader.get('baselines', 'b')).toEqual(baseline);
  await rm(dir, { recursive: true });
});

test('each call gets its own answer, and a refusal its reason', async () => {
  using port = joined({
    record: async (_kind, value) => {
      if (value['id'] === 'bad') throw new Error('disk is full');
    },
  });
  const answers = ['good', 'bad', 'good'].map((id) => port.asked.record('triage', { id }));
  const settled = await Promise.allSettled(answers);
  expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  await expect(port.asked.record('triage', { id: 'bad' })).rejects.toThrow('disk is full');
});

test('an answer that does not come is a refusal in the end', async () => {
  vi.useFakeTimers();
  const { port1 } = new MessageChannel();
  const asked = portRecorder(port1).record('triage', {});
  const refused = expect(asked).rejects.toThrow('in time');
  await vi.advanceTimersByTimeAsync(limits.recordMs);
  await refused;
  port1.close();
});
