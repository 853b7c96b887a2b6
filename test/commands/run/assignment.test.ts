// Partitions that move between two pipelines at any moment, also in the middle of a step: every record once in effect, and what
// comes out is that of an uninterrupted run. ASSIGNMENT_SEED plays a run again.

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { topics } from '../../../core/records.ts';
import { Framer } from '../../../ingest/collector/framer.ts';
import { Intake } from '../../../ingest/collector/intake.ts';
import { Redactor } from '../../../ingest/collector/redact.ts';
import { openEvidenceWriter } from '../../../storage/evidence/embedded/writer.ts';
import { EmbeddedStream } from '../../../storage/stream/embedded/stream.ts';
import { generated, type Written } from '../../permuter/inputs.ts';
import { device, permute } from '../../permuter/permute.ts';
import { plain } from '../../permuter/play.ts';
import { compared, firstDifference, type Results, resultsOf } from '../../permuter/results.ts';
import { END_OF_PLAY } from '../../permuter/world.ts';
import { numbers } from '../replay-run.ts';
import { FakeReplicas, type Sharer, sharer } from './sharing.ts';

const base = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
const seeds = (process.env['ASSIGNMENT_SEED'] ?? '1,2,3,4').split(',').map(Number);
const devices = [device('file', true), device('tcp')];
/** More than `limits.deviceIdleSeconds`, and what waits for a pair or is late. */
const LAST_TICKS = 100;

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(base, 'sealwatch-assignment-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

/** The collector: lines at their times, with a tick each second. */
class Feed {
  nowMs: number;
  private readonly intake: Intake;
  private readonly framers = new Map<string, Framer>();

  constructor(stream: EmbeddedStream, startMs: number) {
    this.nowMs = startMs;
    this.intake = new Intake(stream, new Redactor(Buffer.alloc(32)));
  }

  line({ sender, line, ms }: Written): void {
    while (this.nowMs + 1000 <= ms) this.tick();
    this.nowMs = Math.max(this.nowMs, ms);
    const key = `${sender.device}@${sender.node ?? ''}`;
    let framer = this.framers.get(key);
    if (framer === undefined) {
      const source = this.intake.source({ device: sender.device }, sender.node);
      framer = new Framer({
        line: (bytes, from, to) => this.intake.line(source, bytes, from, to, this.nowMs),
        lost: (reason, bytes) => this.intake.lost(source.feed, reason, bytes),
      });
      this.framers.set(key, framer);
    }
    framer.push(Buffer.from(`${line}\n`));
  }

  tick(): void {
    this.nowMs += 1000;
    this.intake.tick(this.nowMs, {}, new Set());
  }
}

/** Deletes at once what may be deleted, and fails when anybody reads behind it. */
function strict(stream: EmbeddedStream): { deleted: () => number } {
  const floors = new Map<string, number>();
  const retain = stream.retain.bind(stream);
  const read = stream.read.bind(stream);
  const start = stream.start.bind(stream);
  const floorOf = (topic: string, partition: number) => floors.get(`${topic}/${partition}`) ?? 0;
  stream.start = (topic, partition) => Math.max(start(topic, partition), floorOf(topic, partition));
  stream.retain = async (topic, partition, beforeMs, keep) => {
    floors.set(`${topic}/${partition}`, Math.max(floorOf(topic, partition), keep));
    return retain(topic, partition, beforeMs, 0);
  };
  stream.read = async (topic, partition, offset, bytesMax) => {
    expect(offset, `${topic}/${partition} is gone`).toBeGreaterThanOrEqual(floorOf(topic, partition));
    return read(topic, partition, offset, bytesMax);
  };
  return { deleted: () => [...floors.values()].reduce((sum, floor) => sum + floor, 0) };
}

interface Played {
  results: Results;
  moves: number;
  deleted: number;
  refused: number;
}

/**
 * @param inFlight partitions also move while a step of whoever had them goes on, who then finds out after the next has begun
 * @param deletes retention deletes at once what it may
 */
async function play(
  written: readonly Written[],
  options: { partitions: number; random: () => number; inFlight: boolean; deletes: boolean },
): Promise<Played> {
  const { partitions, random, inFlight, deletes } = options;
  const streamDir = join(dir, 'stream');
  const stream = await EmbeddedStream.open({ dir: streamDir, partitions, writes: Object.values(topics) });
  const { deleted } = deletes ? strict(stream) : { deleted: () => 0 };
  const feed = new Feed(stream, written[0]?.ms ?? 0);
  const writer = openEvidenceWriter(join(dir, 'evidence.db'));
  const replicas = new FakeReplicas();
  const shared = { stream, random, writer, replicas, devices, now: () => feed.nowMs };
  const sharers = [0, 1].map(() => sharer(shared));
  const turning = new Map<Sharer, Promise<unknown>>();
  const settled = () => Promise.all(turning.values());
  const turn = (of: Sharer) => {
    const turned = (turning.get(of) ?? Promise.resolve()).then(() => of.pipeline.turn());
    turning.set(of, turned);
    return turned;
  };
  const all = Array.from({ length: partitions }, (_, partition) => partition);
  const give = (stage: number) => {
    const owner = all.map(() => Math.floor(random() * sharers.length));
    for (const [n, { memberships }] of sharers.entries())
      memberships[stage]?.become(all.filter((partition) => owner[partition] === n));
  };
  let moves = 0;
  const move = async (stage: number) => {
    moves++;
    for (const { memberships } of sharers) memberships[stage]?.become(undefined);
    if (!inFlight) {
      await settled();
      // Everybody lets go before anybody takes over.
      for (const of of sharers) await turn(of);
    }
    give(stage);
  };
  const stages = sharers[0]?.memberships.length ?? 0;
  for (let stage = 0; stage < stages; stage++) give(stage);
  const one = () => sharers[Math.floor(random() * sharers.length)] as Sharer;
  const work = async () => {
    const moves = random() < 0.2;
    const worker = one();
    const working = turn(worker);
    if (moves && inFlight) {
      for (let turns = Math.floor(random() * 20); turns > 0; turns--) await setImmediate();
      worker.gate.freeze();
    }
    // A process that was frozen has lost all that it had.
    for (let stage = 0; stage < stages && moves; stage++) if (inFlight || random() < 0.3) await move(stage);
    if (moves && inFlight) {
      // The others take over and go on, before it finds out.
      for (const other of sharers) if (other !== worker) await turn(other);
      worker.gate.thaw();
    } else if (random() < 0.5) await turn(one());
    await working;
  };
  for (const line of written) {
    feed.line(line);
    if (random() < 0.3) continue;
    await stream.flush();
    await work();
  }
  for (let tick = 0; tick < LAST_TICKS; tick++) feed.tick();
  await stream.flush();
  const drain = async () => {
    await settled();
    for (let quiet = 0; quiet < 3; quiet++) {
      for (const of of sharers) if ((await turn(of)) > 0) quiet = -1;
      feed.nowMs += 2_000;
    }
  };
  await drain();
  for (const source of all)
    stream.append(topics.credentials, 0, [{ kind: 'watermark', value: { source, time: END_OF_PLAY } }]);
  await stream.flush();
  await drain();
  for (const { pipeline } of sharers) {
    pipeline.stop();
    await pipeline.run();
  }
  await writer[Symbol.asyncDispose]();
  await stream[Symbol.asyncDispose]();
  const results = await resultsOf(streamDir, partitions, join(dir, 'evidence.db'));
  return { results, moves, deleted: deleted(), refused: replicas.refused };
}

function same(results: Results, expected: Results): void {
  expect(expected.alerts.size).toBeGreaterThan(3);
  expect([results.rejects, results.coverage]).toEqual([expected.rejects, expected.coverage]);
  for (const kind of compared) expect(firstDifference(results[kind], expected[kind]), kind).toBeUndefined();
}

describe.each(seeds)('partitions that move (seed %i)', (seed) => {
  const partitions = [1, 3, 8][seed % 3] as number;
  const written = generated(numbers(seed), 40);
  let expected: Results;
  beforeAll(async () => {
    expected = await permute({ written, devices, partitions: 1, trouble: plain, random: numbers(1) });
  });

  it('from one that has let go: nothing is written twice', { timeout: 60_000 }, async () => {
    const random = numbers(seed);
    const { results, moves } = await play(written, { partitions, random, inFlight: false, deletes: false });
    same(results, expected);
    expect([results.twice, results.toldTwice]).toEqual([[], []]);
    expect(moves).toBeGreaterThan(5);
  });

  it('from one that still works: nothing counts twice, and nothing is lost', {
    timeout: 60_000,
  }, async () => {
    const random = numbers(seed);
    const { results, refused } = await play(written, { partitions, random, inFlight: true, deletes: false });
    same(results, expected);
    console.log('XX', refused, results.twice.length, results.toldTwice.length);
  });

  it('while retention deletes what all have read', { timeout: 60_000 }, async () => {
    const random = numbers(seed);
    const played = await play(written, { partitions, random, inFlight: false, deletes: true });
    same(played.results, expected);
    expect(played.deleted).toBeGreaterThan(100);
  });
});
