// Lines into a stream that two pipelines share, whose partitions move meanwhile.

import { join } from 'node:path';
import { expect } from 'vitest';
import type { EvidenceWriter } from '../../../core/ports.ts';
import { topics } from '../../../core/records.ts';
import { Framer } from '../../../ingest/collector/framer.ts';
import { Intake } from '../../../ingest/collector/intake.ts';
import { Redactor } from '../../../ingest/collector/redact.ts';
import { openEvidenceWriter } from '../../../storage/evidence/embedded/writer.ts';
import { EmbeddedStream } from '../../../storage/stream/embedded/stream.ts';
import type { Written } from '../../permuter/inputs.ts';
import { device } from '../../permuter/permute.ts';
import { type Results, resultsOf } from '../../permuter/results.ts';
import { END_OF_PLAY } from '../../permuter/world.ts';
import { FakeReplicas, type Sharer, sharer } from './sharing.ts';

export const devices = [device('file', true), device('tcp')];
/** More than `limits.deviceIdleSeconds`, and what waits for a pair or is late. */
const LAST_TICKS = 100;
/** What a turn writes, in calls, about. */
const TURN_CALLS = 8;

export interface PlayOptions {
  dir: string;
  partitions: number;
  random: () => number;
  /** Partitions also move while one who has them stands still in the middle of a turn, and finds out after the next has begun. */
  freezes?: true;
  /** Retention deletes at once what it may. */
  deletes?: true;
}

export interface Played {
  results: Results;
  moves: number;
  deleted: number;
  /** Commits that were refused, because another had the memory. */
  refused: number;
}

export async function play(written: readonly Written[], options: PlayOptions): Promise<Played> {
  const { dir, partitions } = options;
  const streamDir = join(dir, 'stream');
  const evidence = join(dir, 'evidence.db');
  const stream = await EmbeddedStream.open({ dir: streamDir, partitions, writes: Object.values(topics) });
  const { deleted } = options.deletes ? strict(stream) : { deleted: () => 0 };
  const writer = openEvidenceWriter(evidence);
  const playing = new Play(stream, writer, options, written[0]?.ms ?? 0);
  await playing.play(written);
  await writer[Symbol.asyncDispose]();
  await stream[Symbol.asyncDispose]();
  const results = await resultsOf(streamDir, partitions, evidence);
  return { results, moves: playing.moves, deleted: deleted(), refused: playing.replicas.refused };
}

class Play {
  moves = 0;
  readonly replicas = new FakeReplicas();
  private readonly options: PlayOptions;
  private readonly stream: EmbeddedStream;
  private readonly feed: Feed;
  private readonly sharers: Sharer[];
  /** By pipeline, its last turn. */
  private readonly turning = new Map<Sharer, Promise<number>>();

  constructor(stream: EmbeddedStream, writer: EvidenceWriter, options: PlayOptions, startMs: number) {
    const feed = new Feed(stream, startMs);
    const { random } = options;
    const shared = { stream, random, writer, devices, replicas: this.replicas, now: () => feed.nowMs };
    this.options = options;
    this.stream = stream;
    this.feed = feed;
    this.sharers = [0, 1].map(() => sharer(shared));
  }

  private get stages(): number {
    return this.sharers[0]?.memberships.length ?? 0;
  }

  private get all(): number[] {
    return Array.from({ length: this.options.partitions }, (_, partition) => partition);
  }

  private happens = (chance: number) => this.options.random() < chance;
  private one = () => this.sharers[this.happens(0.5) ? 0 : 1] as Sharer;

  /** Turns of one never overlap. */
  private turn(of: Sharer): Promise<number> {
    const turned = (this.turning.get(of) ?? Promise.resolve(0)).then(() => of.pipeline.turn());
    this.turning.set(of, turned);
    return turned;
  }

  private take(stage: number): void {
    for (const { memberships } of this.sharers) memberships[stage]?.become(undefined);
  }

  /** To all of them by chance, or all to one. */
  private give(stage: number, to?: Sharer): void {
    const owners = this.all.map(() => to ?? this.one());
    for (const of of this.sharers)
      of.memberships[stage]?.become(this.all.filter((partition) => owners[partition] === of));
  }

  /** Everybody lets go before anybody takes over. */
  private async move(): Promise<void> {
    const stage = Math.floor(this.options.random() * this.stages);
    this.take(stage);
    for (const of of this.sharers) await this.turn(of);
    this.give(stage);
    this.moves++;
  }

  /** One stands still, also right before it keeps what it knows, and the other takes over what it has. */
  private async freeze(): Promise<void> {
    const frozen = this.one();
    const other = this.sharers.find((of) => of !== frozen);
    const isAtCommit = this.happens(0.5);
    const isFrozen = isAtCommit
      ? frozen.gate.freezeAfter(Math.floor(this.options.random() * 2), 'commit')
      : frozen.gate.freezeAfter(Math.floor(this.options.random() * TURN_CALLS), 'anything');
    const turned = this.turn(frozen);
    await Promise.race([isFrozen, turned]);
    for (let stage = 0; stage < this.stages; stage++) {
      this.take(stage);
      this.give(stage, isAtCommit ? other : undefined);
    }
    for (let turns = 0; turns < 2 && other !== undefined; turns++) await this.turn(other);
    frozen.gate.thaw();
    await turned;
    this.moves++;
  }

  async play(written: readonly Written[]): Promise<void> {
    const { stream, feed } = this;
    for (let stage = 0; stage < this.stages; stage++) this.give(stage);
    for (const line of written) {
      feed.line(line);
      if (this.happens(0.7)) continue;
      await stream.flush();
      if (this.happens(0.6)) await this.turn(this.one());
      else if (this.options.freezes) await this.freeze();
      else await this.move();
    }
    for (let tick = 0; tick < LAST_TICKS; tick++) feed.tick();
    await this.drain();
    for (const source of this.all)
      stream.append(topics.credentials, 0, [{ kind: 'watermark', value: { source, time: END_OF_PLAY } }]);
    await this.drain();
    for (const { pipeline } of this.sharers) {
      pipeline.stop();
      await pipeline.run();
    }
  }

  /** Until nobody finds anything any more, also once those who failed try again. */
  private async drain(): Promise<void> {
    await this.stream.flush();
    for (let quiet = 0; quiet < 3; quiet++) {
      for (const of of this.sharers) if ((await this.turn(of)) > 0) quiet = -1;
      this.feed.nowMs += 2_000;
    }
  }
}

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
