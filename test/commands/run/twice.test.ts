// Records that lie on the stream twice, in stretches that were sent again at once or late, change nothing; and a process that has
// lost its partition changes nothing by what it had read before, under other settings even.

import { describe, expect, it } from 'vitest';
import { type CausesState, TakenCauses } from '../../../commands/run/causes.ts';
import { LedgerTask } from '../../../commands/run/ledger-task.ts';
import { LossTask } from '../../../commands/run/loss-task.ts';
import { NormaliseTask } from '../../../commands/run/normalise-task.ts';
import type { Config } from '../../../core/config.ts';
import { recordedDevice } from '../../../core/devices.ts';
import type { AuditEvent } from '../../../core/event.ts';
import type { Cause, NewRecord, StreamRecord } from '../../../core/ports.ts';
import { type Kind, type Topic, topics } from '../../../core/records.ts';
import { Framer } from '../../../ingest/collector/framer.ts';
import { Intake } from '../../../ingest/collector/intake.ts';
import { Redactor } from '../../../ingest/collector/redact.ts';
import { MapMemory } from '../../ingest/ledger/memory.ts';
import { sampleLines } from '../../ingest/normalise/lines.ts';
import { FakeStream } from '../../storage/fake-stream.ts';
import { numbers } from '../replay-run.ts';

const every = Number.MAX_SAFE_INTEGER;

/** The raw records of the sample's lines and a tick behind each few of them, as a spool has them. */
async function spooled(): Promise<NewRecord[]> {
  const stream = new FakeStream(1);
  const intake = new Intake(stream, new Redactor(Buffer.alloc(32)));
  const source = intake.source({ device: 'file' });
  const framer = new Framer({
    line: (bytes, from, to) => intake.line(source, bytes, from, to, every),
    lost: () => {},
  });
  for (const [i, line] of sampleLines().entries()) {
    framer.push(Buffer.from(`${line}\n`));
    await stream.flush();
    intake.settleAll();
    const { time } = JSON.parse(line) as { time: string };
    if (i % 5 === 4) stream.append(topics.raw, 0, [{ kind: 'tick', value: { devices: { file: time } } }]);
    if (i % 50 === 7)
      stream.append(topics.raw, 0, [
        { kind: 'loss', value: { bytes: 9, count: 1, device: 'file', reason: 'dropped' } },
      ]);
  }
  return (await all(stream, topics.raw)).map((record, offset) => ({
    ...again(record),
    cause: { spool: 'a', partition: 0, offset, index: 0 },
  }));
}

async function all(stream: FakeStream, topic: Topic, partition = 0): Promise<StreamRecord[]> {
  const records: StreamRecord[] = [];
  while (records.length < stream.end(topic, partition))
    records.push(...(await stream.read(topic, partition, records.length)));
  return records;
}

const again = ({ kind, cause, bytes, value }: StreamRecord): NewRecord => ({
  kind,
  ...(cause !== undefined && { cause }),
  ...(value === undefined ? { bytes } : { value }),
});

/** Stretches are sent again, at once or later. */
function doubled(records: readonly NewRecord[], random: () => number): NewRecord[] {
  const out: NewRecord[] = [];
  const late: NewRecord[][] = [];
  for (let at = 0; at < records.length; ) {
    const stretch = records.slice(at, at + 1 + Math.floor(random() * 20));
    out.push(...stretch);
    const dice = random();
    if (dice < 0.3) out.push(...stretch);
    else if (dice < 0.5) late.push(stretch);
    if (random() < 0.2) out.push(...(late.shift() ?? []));
    at += stretch.length;
  }
  return out;
}

async function normalised(raw: readonly NewRecord[], random?: () => number): Promise<FakeStream> {
  const stream = new FakeStream(1);
  stream.append(topics.raw, 0, raw);
  let task = await NormaliseTask.load(normaliseOptions(stream));
  while ((await task.step()) > 0) {
    if (random === undefined) continue;
    if (random() < 0.1) await task.save();
    // Killed: what was made since the snapshot is made again.
    if (random() < 0.1) task = await NormaliseTask.load(normaliseOptions(stream));
  }
  return stream;
}

const normaliseOptions = (stream: FakeStream, callers: Config['callers'] = []) => ({
  ...{ stream, callers, partition: 0, cluster: 'test', devices: [recordedDevice('file', 'test')] },
  time: { pairWaitSeconds: 6, allowedLatenessSeconds: 3, dedupeSeconds: 600 },
});

const texts = async (stream: FakeStream, topic: Topic, ...kinds: Kind[]) =>
  (await all(stream, topic)).filter(({ kind }) => kinds.includes(kind)).map(({ text }) => text);

describe('what lies on the stream twice is taken once', () => {
  it('by a normaliser, over restarts', async () => {
    const raw = await spooled();
    const once = await normalised(raw);
    const lastOf = (rows: string[]) =>
      new Map(rows.map((text) => [(JSON.parse(text) as { id: string }).id.replace(/[0-9]+$/, ''), text]));
    for (let seed = 1; seed <= 5; seed++) {
      const random = numbers(seed);
      const twice = await normalised(doubled(raw, random), random);
      expect(twice.end(topics.raw, 0)).toBeGreaterThan(raw.length);
      expect(await texts(twice, topics.events, 'event', 'watermark')).toEqual(
        await texts(once, topics.events, 'event', 'watermark'),
      );
      const counted = [...lastOf(await texts(twice, topics.coverage, 'coverage')).values()];
      const expected = [...lastOf(await texts(once, topics.coverage, 'coverage')).values()];
      const countsOf = (rows: string[]) =>
        rows.map((text) => (JSON.parse(text) as { counts: unknown }).counts);
      expect(countsOf(counted)).toEqual(countsOf(expected));
    }
  });

  it('by the ledger and by the count of lost lines, over restarts', async () => {
    const from = await normalised(await spooled());
    const played = async (random?: () => number) => {
      const stream = new FakeStream(1);
      for (const topic of [topics.credentials, topics.coverage]) {
        const records = (await all(from, topic)).map(again);
        stream.append(topic, 0, random === undefined ? records : doubled(records, random));
      }
      const memory = new MapMemory();
      const options = { stream, memory, cluster: 'test', auditPaths: [] } as unknown as Parameters<
        typeof LedgerTask.load
      >[0];
      let ledger = await LedgerTask.load(options);
      let losses = new LossTask(stream, 'test');
      while ((await ledger.step()) > 0) {
        await ledger.commit();
        if ((random?.() ?? 1) < 0.1) ledger = await LedgerTask.load(options);
      }
      while ((await losses.step()) > 0)
        if ((random?.() ?? 1) < 0.2) losses = new LossTask(stream, 'test', losses.state());
      return [
        await texts(stream, topics.leases, 'lease', 'fact', 'watermark'),
        (await texts(stream, topics.alerts, 'alert')).at(-1),
      ];
    };
    const expected = await played();
    expect(expected[0]?.length).toBeGreaterThan(20);
    expect(expected[1]).toContain('audit line(s)');
    for (let seed = 1; seed <= 5; seed++) expect(await played(numbers(seed))).toEqual(expected);
  });

  it('a spool that was silent for long is forgotten first, and a JSON value brings all of it back', () => {
    const cause = (spool: string, offset: number): Cause => ({ spool, partition: 0, offset, index: 0 });
    let taken = new TakenCauses([], 2);
    expect([taken.take(cause('a', 5)), taken.take(cause('b', 1)), taken.take(cause('a', 6))]).toEqual([
      true,
      true,
      true,
    ]);
    expect(taken.take(cause('c', 1))).toBe(true);
    taken = new TakenCauses(JSON.parse(JSON.stringify(taken.state())) as CausesState, 2);
    expect([taken.take(cause('a', 6)), taken.take(cause('c', 1)), taken.take(cause('b', 1))]).toEqual([
      false,
      false,
      true,
    ]);
    expect(taken.take(undefined)).toBe(true);
  });
});

/** A process's view of the stream: what it appends waits until it lands. */
class Slow extends FakeStream {
  private readonly to: FakeStream;
  private readonly waiting: [Topic, number, readonly NewRecord[]][] = [];

  constructor(to: FakeStream) {
    super(to.partitions);
    this.to = to;
  }
  override append(...appended: [Topic, number, readonly NewRecord[]]): void {
    this.waiting.push(appended);
  }
  land(): void {
    for (const appended of this.waiting.splice(0)) this.to.append(...appended);
  }
  override read = (topic: Topic, partition: number, offset: number) => this.to.read(topic, partition, offset);
  override end = (topic: Topic, partition: number) => this.to.end(topic, partition);
  override loadSnapshot = (group: string, member: string) => this.to.loadSnapshot(group, member);
  override saveSnapshot = (...saved: Parameters<FakeStream['saveSnapshot']>) =>
    this.to.saveSnapshot(...saved);
}

describe('another process takes the partition, with other settings', () => {
  const person: Config['callers'] = [{ name: 'alice', kind: 'human' }];
  const program: Config['callers'] = [{ name: 'alice', kind: 'workload' }];

  it.each([0, 1, 2])(
    'what the one before had read lands at any time (%i): each event is taken once, as its stretch has it',
    async (when) => {
      const raw = (await spooled()).slice(0, 300);
      const stream = new FakeStream(1);
      stream.append(topics.raw, 0, raw.slice(0, 150));
      const slow = new Slow(stream);
      let isOurs = true;
      // It waits longer for halves: under the settings of the other the same call comes at another cause.
      const before = await NormaliseTask.load({
        ...normaliseOptions(stream, person),
        ...{ stream: slow, isOurs: () => isOurs },
        time: { pairWaitSeconds: 60, allowedLatenessSeconds: 3, dedupeSeconds: 600 },
      });
      while ((await before.step()) > 0);
      const last = stream.end(topics.raw, 0) - 1;
      if (when === 0) slow.land();
      const after = await NormaliseTask.load({ ...normaliseOptions(stream, program), isOurs: () => true });
      isOurs = false;
      stream.append(topics.raw, 0, raw.slice(150));
      // It wakes up: what it reads now it does not append.
      expect(await before.step()).toBe(0);
      if (when === 1) slow.land();
      const takeAll = async () => {
        while ((await after.step()) > 0);
        await after.save();
      };
      await takeAll();
      if (when === 2) slow.land();
      await takeAll();
      const taken = new TakenCauses();
      const events = (await all(stream, topics.events)).filter(({ cause }) => taken.take(cause));
      const kindsOf = (from: number, to: number) =>
        new Set(
          events.flatMap(({ kind, value, cause }) => {
            if (kind !== 'event' || cause === undefined || cause.offset < from || cause.offset > to)
              return [];
            const { user, vault } = value as AuditEvent;
            return user.name === 'alice' && vault.caller.kind !== 'anonymous' ? vault.caller.kind : [];
          }),
        );
      expect([...kindsOf(0, last)]).toEqual(['human']);
      expect([...kindsOf(last + 1, every)]).toEqual(['workload']);
      const ids = new Set(
        events.flatMap(({ kind, value }) => (kind === 'event' ? (value as AuditEvent).event.id : [])),
      );
      const alone = await normalised(raw);
      const expected = (await all(alone, topics.events)).flatMap(({ kind, value }) =>
        kind === 'event' ? (value as AuditEvent).event.id : [],
      );
      for (const id of expected) expect(ids).toContain(id);
    },
  );
});
