// The real stages in one process over the real stream on disk, joined as `run` joins them, under a virtual clock; and the
// ways in which they end: in order, or dead in the middle of a write.

import { mkdirSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DetectStage } from '../../commands/run/stages/detect.ts';
import { LedgerStage } from '../../commands/run/stages/ledger.ts';
import { NormaliseStage } from '../../commands/run/stages/normalise.ts';
import { auditDevices, type Device } from '../../core/devices.ts';
import { noLists } from '../../core/lists.ts';
import type { EvidenceWriter } from '../../core/ports.ts';
import { topics } from '../../core/records.ts';
import { slowCallNanos } from '../../core/time.ts';
import { allBehaviours } from '../../detectors/behaviours/all.ts';
import type { RuleSet } from '../../detectors/engine/rule-set.ts';
import { Framer } from '../../ingest/collector/framer.ts';
import { Intake } from '../../ingest/collector/intake.ts';
import { recover } from '../../ingest/collector/recover.ts';
import { Redactor } from '../../ingest/collector/redact.ts';
import { openDetectorMemory } from '../../storage/detectors/memory.ts';
import { openEvidenceWriter } from '../../storage/evidence/embedded/writer.ts';
import { createIndexer, type Indexer } from '../../storage/indexer.ts';
import { openLedgerMemory } from '../../storage/ledger/memory.ts';
import { EmbeddedStream } from '../../storage/stream/embedded/stream.ts';

export const time = { pairWaitSeconds: 6, allowedLatenessSeconds: 3, dedupeSeconds: 600 };

/** Later than every line that is played. */
export const END_OF_PLAY = '2040-01-01T00:00:00.000000000Z';

export interface WorldOptions {
  dir: string;
  partitions: number;
  devices: Device[];
  rules: RuleSet;
  /** Numbers from 0 to 1. */
  random: () => number;
}

/** A device on a node: what writes lines over one connection. */
export interface Sender {
  device: string;
  node?: string;
}
const keyOf = ({ device, node }: Sender) => `${device}@${node ?? ''}`;

/** One life of the process, from its start to its end. */
interface Life {
  spool: EmbeddedStream;
  stream: EmbeddedStream;
  intake: Intake;
  framers: Map<string, Framer>;
  normalise: NormaliseStage;
  ledger: LedgerStage;
  detect: DetectStage;
  writer: EvidenceWriter;
  indexer: Indexer;
}

export class World {
  readonly evidence: string;
  readonly streamDir: string;
  private readonly options: WorldOptions;
  private life: Life | undefined;
  nowMs = 0;

  constructor(options: WorldOptions) {
    this.options = options;
    this.evidence = join(options.dir, 'evidence.db');
    this.streamDir = join(options.dir, 'stream');
  }

  /** As the threads of `run` start: first the collector recovers the spool, then the pipeline its snapshots. */
  async start(): Promise<void> {
    const { partitions, devices, rules } = this.options;
    const { raw, ...written } = topics;
    const dir = this.streamDir;
    const spool = await EmbeddedStream.open({ dir, partitions, writes: [raw] });
    const intake = new Intake(spool, new Redactor(Buffer.alloc(32)));
    const { times } = await recover(spool, new Set(devices.map(({ name }) => name)));
    for (const [id, reached] of times) intake.resume(id, reached, this.nowMs);
    const stream = await EmbeddedStream.open({ dir, partitions, writes: Object.values(written) });
    this.follow(spool, stream);
    const all = Array.from({ length: partitions }, (_, partition) => partition);
    const normalise = new NormaliseStage({ stream, cluster: 'test', devices, time });
    await normalise.assign(all);
    const ledger = new LedgerStage({
      stream,
      cluster: 'test',
      ...auditDevices(devices),
      openLedger: async () => openLedgerMemory(join(this.options.dir, 'ledger.db')),
      now: () => this.nowMs,
    });
    await ledger.assign(all);
    const memories = join(this.options.dir, 'detectors');
    mkdirSync(memories, { recursive: true });
    const detect = new DetectStage({
      ...{ stream, rules, lists: noLists, behaviours: allBehaviours, cluster: 'test' },
      slowCallNanos: slowCallNanos(time),
      openDetector: async (name) => openDetectorMemory(join(memories, `${name}.db`)),
    });
    await detect.assign(all);
    const writer = openEvidenceWriter(this.evidence);
    const indexer = createIndexer({ stream, writer });
    this.life = { spool, stream, intake, framers: new Map(), normalise, ledger, detect, writer, indexer };
  }

  private follow(spool: EmbeddedStream, stream: EmbeddedStream): void {
    for (let partition = 0; partition < spool.partitions; partition++)
      stream.follow(topics.raw, partition, spool.end(topics.raw, partition));
  }

  get alive(): Life {
    if (this.life === undefined) throw new Error('not started');
    return this.life;
  }

  private framer(sender: Sender): Framer {
    const { framers, intake } = this.alive;
    const known = framers.get(keyOf(sender));
    if (known !== undefined) return known;
    const source = intake.source({ device: sender.device }, sender.node);
    const framer = new Framer({
      line: (bytes, from, to) => intake.line(source, bytes, from, to, this.nowMs),
      lost: (reason, bytes) => intake.lost(source.feed, reason, bytes),
    });
    framers.set(keyOf(sender), framer);
    return framer;
  }

  /** Bytes of the sender's connection, in any chunks. */
  push(sender: Sender, chunk: Buffer): void {
    const own = Buffer.from(chunk);
    this.framer(sender).push(own);
    // The socket's buffer is used again: what is kept must be a copy.
    own.fill(0);
  }

  /** The connection ends; what comes next of this sender is a new one. */
  cut(sender: Sender): void {
    this.framer(sender).end();
    this.alive.framers.delete(keyOf(sender));
  }

  tick(behind: ReadonlySet<string> = new Set()): void {
    this.alive.intake.tick(this.nowMs, {}, behind);
  }

  /** The collector's group commit. */
  async commit(): Promise<void> {
    const { spool, stream, intake } = this.alive;
    await spool.flush();
    intake.settleAll();
    this.follow(spool, stream);
  }

  /** What the pipeline does in one turn and as snapshots, in parts: it may die between any two. */
  async *turn(snapshots: boolean): AsyncGenerator<void> {
    const { normalise, ledger, stream, detect, indexer } = this.alive;
    for (const task of normalise.tasks.values()) {
      await task.step();
      yield;
    }
    await stream.flush();
    yield;
    await ledger.step();
    yield;
    await detect.step();
    yield;
    await stream.flush();
    yield;
    await ledger.commit();
    yield;
    await indexer.step();
    yield;
    if (!snapshots) return;
    for (const task of normalise.tasks.values()) {
      await task.save();
      yield;
    }
    await ledger.save();
    yield;
    await detect.save();
  }

  /** Everything that is on the stream is worked off. */
  async drain(): Promise<void> {
    const { normalise, ledger, stream, detect, indexer } = this.alive;
    for (let count = 1; count > 0; ) {
      count = await normalise.step();
      await stream.flush();
      count += (await ledger.step()) + (await detect.step());
      await stream.flush();
      await ledger.commit();
      count += await indexer.step();
    }
  }

  /** The ledger's time comes to the same end, whenever the last line came: what has expired must not hang on it. */
  async end(): Promise<void> {
    const { stream } = this.alive;
    for (let source = 0; source < stream.partitions; source++)
      stream.append(topics.credentials, 0, [{ kind: 'watermark', value: { source, time: END_OF_PLAY } }]);
    await stream.flush();
    await this.drain();
  }

  /** How much the stages remember: characters of a partition's state, and of the detector's. */
  held(): { normaliser: number; detector: number; inputs: number } {
    const { normalise, detect, intake } = this.alive;
    const tasks = [...normalise.tasks.values()];
    const states = tasks.map(({ normaliser }) => JSON.stringify(normaliser.snapshot(0).state).length);
    return {
      normaliser: Math.max(...states),
      detector: JSON.stringify(detect['withMemory'].map(({ task }) => task.detector.snapshot())).length,
      inputs: Object.keys(intake.devices(this.nowMs)).length,
    };
  }

  /** SIGTERM. */
  async stop(): Promise<void> {
    const { spool, stream, normalise, ledger, detect, indexer, writer } = this.alive;
    await this.commit();
    await stream.flush();
    await normalise.save();
    await ledger.commit();
    await ledger.save();
    await ledger[Symbol.asyncDispose]();
    await detect.save();
    await detect[Symbol.asyncDispose]();
    await indexer.flush();
    await writer[Symbol.asyncDispose]();
    await stream[Symbol.asyncDispose]();
    await spool[Symbol.asyncDispose]();
    this.life = undefined;
  }

  /** kill -9: nothing is flushed; of each write that had begun, any part may have reached the disk. */
  async kill(): Promise<void> {
    const { spool, stream, ledger, detect, writer } = this.alive;
    for (const half of [spool, stream]) {
      for (const partition of [...half['all'].values()].flat()) {
        if (partition.writer !== undefined) await this.tear(partition.writer);
        await partition.reader.close();
      }
    }
    await ledger[Symbol.asyncDispose]();
    await detect[Symbol.asyncDispose]();
    await writer[Symbol.asyncDispose]();
    this.life = undefined;
  }

  private async tear(writer: NonNullable<EmbeddedPartition['writer']>): Promise<void> {
    const { random } = this.options;
    const slab = writer['slab'].subarray(writer['slabCut'], writer['slabUsed']);
    const waiting = Buffer.concat([...writer['full'], slab]);
    const torn = random() < 0.3 ? 0 : Math.floor(random() * (waiting.length + 1));
    const file = writer['file'];
    if (torn > 0) writeSync(file.fd, waiting, 0, torn, writer['fileBytes']);
    await file.close();
  }
}

type EmbeddedPartition = EmbeddedStream['all'] extends Map<string, (infer P)[]> ? P : never;
