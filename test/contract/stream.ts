// What every stream must do, whatever it is built on. An adapter's test calls this with a way to open it.

import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../core/errors.ts';
import type { Cause, NewRecord, Stream, StreamRecord } from '../../core/ports.ts';
import { type Topic, topics } from '../../core/records.ts';

/** One stream, empty at first. `open` again after a dispose must find what was flushed. */
export interface StreamFixture {
  open(partitions: number): Promise<Stream>;
  /** Of the refusal of another number of partitions. */
  otherPartitions: ErrorCode;
  /** Another instance that reads only and is told of durable ends; undefined when the adapter needs no telling. */
  openFollower?(
    partitions: number,
  ): Promise<Stream & { follow(topic: Topic, partition: number, end: number): void }>;
  remove(): Promise<void>;
}

const PARTITIONS = 3;
const MiB = 1024 * 1024;

/** All records from `offset` on, read in answers of about `bytesMax`. */
export async function readAll(
  stream: Stream,
  topic: Topic,
  partition: number,
  offset = 0,
  bytesMax = 4096,
): Promise<StreamRecord[]> {
  const all: StreamRecord[] = [];
  for (let next = offset; next < stream.end(topic, partition); ) {
    const records = await stream.read(topic, partition, next, bytesMax);
    expect(records.length).toBeGreaterThan(0);
    // The bytes of an answer hold until the next read only.
    all.push(...records.map((record) => ({ ...record, bytes: Buffer.from(record.bytes) })));
    next = (records.at(-1)?.offset ?? 0) + 1;
  }
  return all;
}

/** What of a record must come back; a line has bytes, all else a value and its JSON text. */
function expected(record: NewRecord, offset: number): StreamRecord {
  const { kind, cause, head = Buffer.alloc(0), bytes, value } = record;
  if (bytes !== undefined)
    return { kind, offset, cause, bytes: Buffer.concat([head, bytes]), value: undefined, text: '' };
  const text = record.text ?? JSON.stringify(value);
  return { kind, offset, cause, bytes: Buffer.alloc(0), value: JSON.parse(text), text };
}

const cause: fc.Arbitrary<Cause> = fc.record({
  partition: fc.nat(65_535),
  offset: fc.maxSafeNat(),
  index: fc.nat(0xffffffff),
});
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 100 }).map((array) => Buffer.from(array)),
  fc.nat(60_000).map((length) => Buffer.alloc(length, 'x')),
);
const withCause = (record: NewRecord, why: Cause | undefined): NewRecord =>
  why === undefined ? record : { ...record, cause: why };
const maybeCause = fc.option(cause, { nil: undefined });
const aLine = fc
  .tuple(bytes, fc.option(bytes, { nil: undefined }), maybeCause)
  .map(([body, head, why]) =>
    withCause({ kind: 'line', bytes: body, ...(head !== undefined && { head }) }, why),
  );
const aValue = (...kinds: NewRecord['kind'][]) =>
  fc
    .tuple(fc.constantFrom(...kinds), fc.jsonValue({ maxDepth: 2, stringUnit: 'binary' }), maybeCause)
    // JSON knows no negative zero.
    .map(([kind, value, why]) =>
      withCause({ kind, value: JSON.parse(JSON.stringify(value)) as unknown }, why),
    );
/** Lines, ticks and losses stand on raw; events and alerts on their own topics. */
const recordOf: Record<string, fc.Arbitrary<NewRecord>> = {
  [topics.raw]: fc.oneof(aLine, aValue('tick', 'loss', 'answer')),
  [topics.events]: aValue('event', 'reject', 'watermark', 'coverage'),
  [topics.alerts]: aValue('alert', 'lease'),
};
const place = fc.record({
  topic: fc.constantFrom(topics.raw, topics.events, topics.alerts),
  partition: fc.nat(PARTITIONS - 1),
});
const command = fc.oneof(
  {
    weight: 4,
    arbitrary: place.chain(({ topic, partition }) =>
      fc.record({
        run: fc.constant('append' as const),
        topic: fc.constant(topic),
        partition: fc.constant(partition),
        records: fc.array(recordOf[topic] ?? aLine, { maxLength: 6 }),
      }),
    ),
  },
  { weight: 2, arbitrary: fc.record({ run: fc.constant('flush' as const) }) },
  { weight: 1, arbitrary: fc.record({ run: fc.constant('reopen' as const) }) },
  {
    weight: 3,
    arbitrary: place.chain((at) =>
      fc.record({
        run: fc.constant('read' as const),
        topic: fc.constant(at.topic),
        partition: fc.constant(at.partition),
        from: fc.nat(40),
        bytesMax: fc.constantFrom(1, 100, 4096, MiB),
      }),
    ),
  },
);
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never;

/** Runs the commands on the stream and on plain lists beside it. */
class Run {
  stream: Stream;
  private readonly fixture: StreamFixture;
  private readonly written = new Map<string, NewRecord[]>();
  private readonly durable = new Map<string, number>();

  constructor(fixture: StreamFixture, stream: Stream) {
    this.fixture = fixture;
    this.stream = stream;
  }

  private log(topic: Topic, partition: number): NewRecord[] {
    const name = `${topic}/${partition}`;
    const log = this.written.get(name) ?? [];
    this.written.set(name, log);
    return log;
  }

  async step(command: Command): Promise<void> {
    if (command.run === 'append') {
      const { topic, partition, records } = command;
      this.stream.append(topic, partition, records);
      this.log(topic, partition).push(...records);
    } else if (command.run === 'flush') await this.flush();
    else if (command.run === 'reopen') {
      await this.flush();
      await this.stream[Symbol.asyncDispose]();
      this.stream = await this.fixture.open(PARTITIONS);
    } else await this.read(command.topic, command.partition, command.from, command.bytesMax);
  }

  private async flush(): Promise<void> {
    await this.stream.flush();
    for (const [name, log] of this.written) this.durable.set(name, log.length);
  }

  private async read(topic: Topic, partition: number, from: number, bytesMax: number): Promise<void> {
    const durable = this.durable.get(`${topic}/${partition}`) ?? 0;
    expect(this.stream.end(topic, partition)).toBe(durable);
    const records = await this.stream.read(topic, partition, Math.min(from, durable), bytesMax);
    const wanted = this.log(topic, partition).slice(0, durable).map(expected);
    expect(records).toEqual(wanted.slice(from, from + records.length));
    if (from < durable) expect(records.length).toBeGreaterThan(0);
    else expect(records).toEqual([]);
  }

  async readEverything(): Promise<void> {
    await this.flush();
    for (const [name, log] of this.written) {
      const [topic = '', partition = ''] = name.split('/');
      expect(await readAll(this.stream, topic as Topic, Number(partition))).toEqual(log.map(expected));
    }
  }
}

/** `runs`: how often chance tries; fewer where a stream takes long to make. */
export function streamContract(name: string, create: () => Promise<StreamFixture>, runs = 40): void {
  describe(`stream: ${name}`, () => {
    let fixture: StreamFixture;
    let stream: Stream;

    beforeEach(async () => {
      fixture = await create();
      stream = await fixture.open(PARTITIONS);
    });
    afterEach(async () => {
      await stream[Symbol.asyncDispose]();
      await fixture.remove();
    });

    const event = (value: unknown): NewRecord => ({ kind: 'event', value });

    test('gives back what was appended, in order, from any offset, also after it was opened again', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(command, { minLength: 1, maxLength: 25 }), async (commands) => {
          await stream[Symbol.asyncDispose]();
          await fixture.remove();
          fixture = await create();
          const run = new Run(fixture, await fixture.open(PARTITIONS));
          try {
            for (const next of commands) await run.step(next);
            await run.readEverything();
          } finally {
            stream = run.stream;
          }
        }),
        { numRuns: runs },
      );
    });

    test('is empty at first: nothing to read, begin and end at 0', async () => {
      for (const topic of Object.values(topics)) {
        expect([stream.start(topic, 2), stream.end(topic, 2)]).toEqual([0, 0]);
        expect(await stream.read(topic, 2, 0, MiB)).toEqual([]);
      }
    });

    test('shows nothing that is not flushed', async () => {
      stream.append(topics.events, 0, [event(1)]);
      expect(stream.end(topics.events, 0)).toBe(0);
      expect(await stream.read(topics.events, 0, 0, MiB)).toEqual([]);
      await stream.flush();
      expect(stream.end(topics.events, 0)).toBe(1);
      expect(await stream.read(topics.events, 0, 0, MiB)).toHaveLength(1);
    });

    test('keeps the line that was appended when the buffer it came in is used again', async () => {
      const buffer = Buffer.from('the line');
      stream.append(topics.raw, 0, [{ kind: 'line', head: Buffer.from('head:'), bytes: buffer }]);
      buffer.fill('x');
      await stream.flush();
      expect((await readAll(stream, topics.raw, 0))[0]?.bytes.toString()).toBe('head:the line');
    });

    test('takes a text that the producer has already', async () => {
      stream.append(topics.events, 0, [
        { kind: 'event', value: { b: 1, a: 'é\u{1F511}' }, text: '{"a":"é\u{1F511}","b":1}' },
      ]);
      await stream.flush();
      for (const record of [...(await readAll(stream, topics.events, 0)), ...(await again())])
        expect(record).toMatchObject({ text: '{"a":"é\u{1F511}","b":1}', value: { a: 'é\u{1F511}', b: 1 } });

      async function again(): Promise<StreamRecord[]> {
        await stream[Symbol.asyncDispose]();
        stream = await fixture.open(PARTITIONS);
        return readAll(stream, topics.events, 0);
      }
    });

    test('an answer is about as long as was asked, and has one record at least', async () => {
      const lines = Array.from(
        { length: 50 },
        (_, i): NewRecord => ({ kind: 'line', bytes: Buffer.alloc(1000 + i) }),
      );
      stream.append(topics.raw, 1, [...lines, { kind: 'line', bytes: Buffer.alloc(3 * MiB, 'y') }]);
      await stream.flush();
      expect(await stream.read(topics.raw, 1, 0, 1)).toHaveLength(1);
      const some = await stream.read(topics.raw, 1, 3, 10_000);
      expect(some.length).toBeGreaterThan(5);
      expect(some.length).toBeLessThan(15);
      const [long] = await stream.read(topics.raw, 1, 50, 1);
      expect(long?.bytes.length).toBe(3 * MiB);
      expect((await readAll(stream, topics.raw, 1, 0, MiB)).map(({ offset }) => offset)).toEqual(
        lines.concat(lines[0] ?? []).map((_, i) => i),
      );
    });

    test('consumers at many places do not disturb each other, also at the same time', async () => {
      const count = 200;
      for (let i = 0; i < count; i++)
        stream.append(topics.raw, 0, [{ kind: 'line', bytes: Buffer.from(`line ${i}`) }]);
      await stream.flush();
      const consumers = Array.from({ length: 25 }, (_, i) => ({ next: i * 7 }));
      for (let round = 0; round < 3; round++) {
        const answers = await Promise.all(
          consumers.map(async ({ next }) =>
            (await stream.read(topics.raw, 0, next, 40 + round)).map(({ offset }) => offset),
          ),
        );
        for (const [i, offsets] of answers.entries()) {
          const consumer = consumers[i] ?? { next: 0 };
          if (consumer.next < count) expect(offsets.length).toBeGreaterThan(0);
          expect(offsets).toEqual(offsets.map((_, at) => consumer.next + at));
          consumer.next += offsets.length;
        }
      }
    });

    test('a snapshot is replaced as a whole, per group and member, and lasts', async () => {
      expect(await stream.loadSnapshot('g', 'all')).toBeUndefined();
      const snapshot = {
        inputs: { 0: 5, 2: 7 },
        outputs: { 'vault.audit.events/0': 9 },
        state: { a: ['é', null] },
      };
      await stream.saveSnapshot('g', 'all', { inputs: { 1: 1 }, outputs: {}, state: { old: true } });
      await stream.saveSnapshot('g', 'all', snapshot);
      await stream.saveSnapshot('g', '1', { inputs: {}, outputs: {}, state: 1 });
      await stream.saveSnapshot('h', 'all', { inputs: {}, outputs: {}, state: 2 });
      await stream[Symbol.asyncDispose]();
      stream = await fixture.open(PARTITIONS);
      expect(await stream.loadSnapshot('g', 'all')).toEqual(snapshot);
      expect((await stream.loadSnapshot('g', '1'))?.state).toBe(1);
      expect((await stream.loadSnapshot('h', 'all'))?.state).toBe(2);
    });

    test('retention leaves what is young, what is still read, and the newest', async () => {
      stream.append(topics.raw, 0, [{ kind: 'line', bytes: Buffer.from('only') }]);
      await stream.flush();
      expect(await stream.retain(topics.raw, 0, Number.MAX_SAFE_INTEGER, 1)).toBe(0);
      expect(await readAll(stream, topics.raw, 0)).toHaveLength(1);
    });

    test('another number of partitions is refused', async () => {
      await stream[Symbol.asyncDispose]();
      await expect(fixture.open(PARTITIONS + 1)).rejects.toMatchObject({ code: fixture.otherPartitions });
      stream = await fixture.open(PARTITIONS);
    });

    test('another instance reads what this one writes, as far as it was told', async () => {
      const follower = await fixture.openFollower?.(PARTITIONS);
      if (follower === undefined) return;
      for (let i = 0; i < 30; i++) {
        stream.append(topics.raw, 1, [{ kind: 'line', bytes: Buffer.from(`line ${i}`) }]);
        stream.append(topics.events, 1, [event({ i })]);
        await stream.flush();
        expect(await follower.read(topics.raw, 1, i, MiB)).toEqual([]);
        for (const topic of [topics.raw, topics.events]) follower.follow(topic, 1, stream.end(topic, 1));
        expect((await follower.read(topics.raw, 1, i, MiB)).map((record) => record.bytes.toString())).toEqual(
          [`line ${i}`],
        );
        expect((await follower.read(topics.events, 1, i, MiB)).map(({ value }) => value)).toEqual([{ i }]);
      }
      expect(await readAll(follower, topics.raw, 1)).toHaveLength(30);
      expect(() => follower.append(topics.raw, 1, [])).toThrow('not written here');
      await follower[Symbol.asyncDispose]();
    });
  });
}
