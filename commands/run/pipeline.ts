// The pipeline: the stages of this process in turn over one stream, each with the partitions that its membership gives it.

import type { Stream } from '../../core/ports.ts';
import type { StageName } from '../../core/records.ts';
import { type Logger, labelled, type Metrics } from '../../core/telemetry.ts';
import { Failing } from './failing.ts';
import { ASSIGNED_METRIC, PARTITIONS_METRIC } from './report.ts';
import { type Member, Turns } from './stages/turns.ts';

export interface PipelineOptions {
  stream: Stream;
  /** In the order of the data. */
  members: readonly Member[];
  logger: Logger;
  now: () => number;
}

const IDLE_MS = 200;
const RETRY_MS = 1_000;
/** 1 while the stage fails. */
const failingMetrics: Partial<Record<StageName, string>> = {
  ledger: 'sealwatch_ledger_failing',
  detect: 'sealwatch_pipeline_detectors_failing',
  index: 'sealwatch_pipeline_store_failing',
};

export class Pipeline {
  private readonly options: PipelineOptions;
  private readonly turns: Turns[];
  private readonly failing: Failing;
  private readonly stopping = new AbortController();
  private isWoken = false;
  private wake: () => void = () => {};
  private between: { stage: StageName; work: () => Promise<void>; done: () => void } | undefined;

  constructor(options: PipelineOptions) {
    this.options = options;
    const { members, stream, logger, now } = options;
    this.failing = new Failing(logger);
    const shared = { stream, now, failing: this.failing, flush: () => this.flush() };
    this.turns = members.map((member) => new Turns({ ...member, ...shared }));
    for (const { membership } of members) membership.onChange(() => this.notify());
    stream.onRecords?.(() => this.notify());
  }

  /** Loads what is assigned already: whatever is wrong with it is wrong with the start. */
  async load(): Promise<void> {
    for (const turns of this.turns) await turns.look();
  }

  /** Runs until `stop`; a stage that throws ends the process, and the next start goes on from its snapshot. */
  async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      if ((await this.turn()) === 0) await this.idle();
    }
    // Nobody waits for what is not done any more.
    this.between?.done();
    await this.finish();
  }

  /** One turn of each stage; returns the number of records. */
  async turn(): Promise<number> {
    await this.doBetween();
    let count = 0;
    for (const turns of this.turns) count += await turns.turn();
    return count;
  }

  stop(): void {
    this.stopping.abort();
    this.wake();
  }

  /** New records are there, or another assignment. */
  notify(): void {
    this.isWoken = true;
    this.wake();
  }

  /** Does `work` between two turns, when everything is flushed; resolves then. What it throws is a failure of `stage`. */
  betweenTurns(stage: StageName, work: () => Promise<void>): Promise<void> {
    return new Promise((done) => {
      this.between = { stage, work, done };
      this.notify();
    });
  }

  private async doBetween(): Promise<void> {
    if (this.between === undefined || !(await this.flush())) return;
    const { stage, work, done } = this.between;
    this.between = undefined;
    await this.turns.find((turns) => turns.stage.name === stage)?.between(work);
    done();
  }

  /** A full disk, or a Kafka that is away, is waited out here; the collector goes on reading meanwhile. */
  private async flush(): Promise<boolean> {
    for (;;) {
      try {
        await this.options.stream.flush();
        this.failing.mended('stream');
        return true;
      } catch (error) {
        this.failing.fails('stream', 'the stream cannot be written', error);
        if (this.stopping.signal.aborted) return false;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  /** On a full disk what is not kept now is made again at the next start. */
  private async finish(): Promise<void> {
    const { logger, members } = this.options;
    try {
      for (const turns of this.turns) await turns.finish();
    } catch (error) {
      logger.warn({ error: String(error) }, 'the end could not be kept; the next start makes it again');
    }
    for (const { stage } of members) await stage[Symbol.asyncDispose]();
    for (const { membership } of members) await membership[Symbol.asyncDispose]();
  }

  private async idle(): Promise<void> {
    if (!this.isWoken)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, IDLE_MS);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    this.isWoken = false;
  }

  metrics(): Metrics {
    const { failing } = this;
    const metrics: Metrics = {
      sealwatch_pipeline_stream_failing: failing.gauge('stream'),
      sealwatch_pipeline_snapshots_failing: failing.gauge('snapshots'),
      sealwatch_pipeline_loading_failing: failing.gauge('assignment'),
    };
    for (const { stage, partitions, isOurs } of this.turns) {
      Object.assign(metrics, stage.metrics());
      metrics[labelled(PARTITIONS_METRIC, { stage: stage.name })] = partitions;
      metrics[labelled(ASSIGNED_METRIC, { stage: stage.name })] = isOurs ? 1 : 0;
      const name = failingMetrics[stage.name];
      if (name !== undefined) metrics[name] = Math.max(metrics[name] ?? 0, failing.gauge(stage.name));
    }
    return metrics;
  }
}
