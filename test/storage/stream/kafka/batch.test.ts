// Record batches as bytes, held against kafkajs's own encoder and decoder, and against damage.

import { createRequire } from 'node:module';
import fc from 'fast-check';
import kafkajs from 'kafkajs';
import { compressFrame, decompressFrame } from 'lz4-napi';
import { expect, test } from 'vitest';
import { compressRecords, decodeBatches, frameBatch } from '../../../../storage/stream/kafka/client/batch.ts';
import type { Message } from '../../../../storage/stream/kafka/link.ts';

const inside = createRequire(import.meta.url);
const Decoder = inside('kafkajs/src/protocol/decoder') as new (bytes: Buffer) => object;
const decodeTheirs = inside('kafkajs/src/protocol/recordBatch/v0/decoder') as (
  decoder: object,
) => Promise<{ producerId: string; producerEpoch: number; firstSequence: number; records: Theirs[] }>;
const { RecordBatch } = inside('kafkajs/src/protocol/recordBatch/v0') as {
  RecordBatch: (options: object) => Promise<{ buffer: Buffer }>;
};
const Record = inside('kafkajs/src/protocol/recordBatch/record/v0') as (options: object) => object;

interface Theirs {
  offset: string;
  key: Buffer | null;
  value: Buffer | null;
  headers: Message['headers'];
}

kafkajs.CompressionCodecs[kafkajs.CompressionTypes.LZ4] = () => ({
  compress: (encoder: { buffer: Buffer }) => compressFrame(encoder.buffer),
  decompress: (bytes: Buffer) => decompressFrame(bytes),
});

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array)),
  fc.nat(100_000).map((length) => Buffer.alloc(length, 'line ')),
);
/** As text: buffers are compared byte by byte, which takes long. */
const text = (part: Buffer | null) => part?.toString('latin1') ?? null;
const plain = ({ key, value, headers: all }: Message, offset: number) => ({
  offset,
  key: text(key),
  value: text(value),
  headers: Object.fromEntries(Object.entries(all).map(([name, content]) => [name, text(content)])),
});
const maybe = fc.option(bytes, { nil: null });
const headers = fc.dictionary(fc.constantFrom('k', 'c', 'h', 'long name', 'é'), bytes, {
  noNullPrototype: true,
});
const messages: fc.Arbitrary<Message[]> = fc.array(fc.record({ key: maybe, value: maybe, headers }), {
  minLength: 1,
  maxLength: 20,
});
const producing = { producerId: 4_000_000_000_123n, epoch: 7, sequence: 2_147_483_000 };

async function encode(list: readonly Message[], at = 0): Promise<Buffer> {
  const batch = frameBatch(await compressRecords(list), list.length, producing, Date.now());
  // The broker gives a batch its place.
  batch.writeBigInt64BE(BigInt(at), 0);
  return batch;
}

test('kafkajs reads what is written here', async () => {
  await fc.assert(
    fc.asyncProperty(messages, fc.nat(2 ** 40), async (list, at) => {
      const read = await decodeTheirs(new Decoder(await encode(list, at)));
      expect(read).toMatchObject({
        producerId: String(producing.producerId),
        producerEpoch: producing.epoch,
        firstSequence: producing.sequence,
      });
      expect(read.records.map((record) => plain(record, Number(record.offset)))).toEqual(
        list.map((message, i) => plain(message, at + i)),
      );
    }),
    { numRuns: 50 },
  );
});

test.each([0, 1, 3])(
  'what kafkajs writes with codec %i is read here, from any offset',
  async (compression) => {
    await fc.assert(
      fc.asyncProperty(messages, fc.nat(25), async (list, from) => {
        const records = list.map((message, offsetDelta) =>
          Record({ ...message, offsetDelta, timestampDelta: 300 }),
        );
        const { buffer } = await RecordBatch({ compression, records, lastOffsetDelta: list.length - 1 });
        const { messages: read, next } = await decodeBatches(buffer, from, Number.MAX_SAFE_INTEGER);
        expect(read.map((one) => plain(one, one.offset))).toEqual(list.map(plain).slice(from));
        expect(next).toBe(list.length);
      }),
      { numRuns: 20 },
    );
  },
);

const message = (text: string): Message => ({ key: null, value: Buffer.from(text), headers: {} });

test('a batch that is cut off waits for the next answer, and what would be too much too', async () => {
  const [first, second] = [await encode([message('a'), message('b')], 5), await encode([message('c')], 7)];
  const both = Buffer.concat([first, second]);
  const texts = async (part: Buffer, bytesMax: number) => {
    const { messages: read, next } = await decodeBatches(part, 6, bytesMax);
    return [read.map(({ offset, value }) => `${offset}${value}`), next];
  };
  expect(await texts(both, 1_000)).toEqual([['6b', '7c'], 8]);
  expect(await texts(both.subarray(0, both.length - 1), 1_000)).toEqual([['6b'], 7]);
  expect(await texts(both, 1)).toEqual([['6b'], 7]);
  expect(await texts(both.subarray(0, 30), 1_000)).toEqual([[], undefined]);
});

test('one byte that is damaged costs its batch, which is told at its last offset, and no other', async () => {
  const batch = await encode([message('a'), message('b'), message('c')], 10);
  const after = await encode([message('d')], 13);
  for (let at = 21; at < batch.length; at += 3) {
    const broken = Buffer.concat([batch, after]);
    broken[at] = (broken[at] as number) ^ 1;
    const { messages: read, next } = await decodeBatches(broken, 10, 1_000);
    expect(next).toBe(14);
    expect(read.at(-1)?.value?.toString()).toBe('d');
    expect(read.slice(0, -1).map(({ key, value }) => [key, value])).toEqual([[null, null]]);
  }
});

test.each([
  ['a record that ends where it begins', [1, 0, 0, 0, 1, 1, 0]],
  // Length, attributes, time, offset, no key, no value, a number of headers, and a name that begins before its own length.
  ['a header that ends where it begins', [24, 0, 0, 0, 1, 1, 0xfe, 0xff, 0xff, 0xff, 0xff, 1, 3]],
])('%s is damage, not an endless loop', async (_, unpacked) => {
  const batch = frameBatch(await compressFrame(Buffer.from(unpacked)), 2 ** 31 - 1, producing, 0);
  const { messages: read } = await decodeBatches(batch, 0, 1_000);
  expect(read).toEqual([{ offset: 2 ** 31 - 2, key: null, value: null, headers: {} }]);
});
