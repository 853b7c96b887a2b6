// The pipeline: normalise, ledger, detect and index in turn, each from the stream; alerts delivered beside them.

import { type Config, dataFiles, secretRefsOf } from '../../core/config.ts';
import { auditDevices, type Device } from '../../core/devices.ts';
import { limits } from '../../core/limits.ts';
import type { Lists } from '../../core/lists.ts';
import type { DetectorMemory, EvidenceWriter, Stream } from '../../core/ports.ts';
import { type Question, type Topic, topics } from '../../core/records.ts';
import type { Logger, Metrics } from '../../core/telemetry.ts';
import { addSeconds, slowCallNanos } from '../../core/time.ts';
import { allBehaviours } from '../../detectors/behaviours/all.ts';
import type { RuleSet } from '../../detectors/engine/rule-set.ts';
import { createDelivery, type Delivery } from '../../outputs/alerts/deliver.ts';
import type { AlertOutput } from '../../outputs/alerts/output.ts';
import { createIndexer, type Indexer } from '../../storage/indexer.ts';
import { Detection, type Judges } from './detection.ts';
import { coverageMetrics } from './device-metrics.ts';
import { NormaliseTask } from './normalise-task.ts';
import { type LedgerFile, RunningLedger } from './running-ledger.ts';

export interface PipelineOptions {
  config: Config;
  stream: Stream;
  writer: EvidenceWriter;
  /** Opens the ledger's memory; again after its disk has refused something. */
  openLedger: () => LedgerFile;
  /** The same of a detector's memory, by its name: `events-0`. */
  openDetector: (name: string) => DetectorMemory;
  /** Without one nobody asks Vault. */
  ask?: (question: Question) => void;
  rules: RuleSet;
  lists: Lists;
  devices: Device[];
  outputs: AlertOutput[];
  logger: Logger;
  now: () => number;
}

/** A snapshot may cost this share of the time at most. */
const SNAPSHOT_SHARE = 20;
const IDLE_MS = 200;
const INDEX_MS = 500;
const RETRY_MS = 1_000;
const LATER_MS = 10_000;
const partNames = {
  stream: 'the stream cannot be written',
  store: 'the evidence store cannot be written',
  ledger: 'the ledger cannot be written',
  detectors: 'what a detector knows cannot be written',
  snapshots: 'a snapshot cannot be written',
  retention: 'old segments cannot be deleted',
};
const RETAIN_MS = 60_000;
/** What is deleted when it is old and nobody needs it. Changes never are: nowhere else is triage kept for a new evidence store. */
export const retained: readonly Topic[] = [
  topics.events,
  topics.groups,
  topics.leases,
  topics.coverage,
  topics.credentials,
  topics.alerts,
];

export class Pipeline {
  private readonly options: PipelineOptions;
  private readonly normalise: NormaliseTask[];
  private readonly ledger: RunningLedger;
  private readonly detect: Detection;
  private readonly indexer: Indexer;
  private readonly deliveries: Delivery[];
  private readonly stopping: AbortController;
  private wake: () => void = () => {};
  private reloading: { judges: Judges; taken: () => void } | undefined;
  /** What cannot be done now and is tried again. */
  private readonly failing = {
    stream: false,
    store: false,
    ledger: false,
    detectors: false,
    snapshots: false,
    retention: false,
  };
  private nextSaveMs = 0;
  private nextRetainMs = 0;
  private nextIndexMs = 0;
  private nextLedgerMs = 0;
  private nextDetectMs = 0;

  private constructor(
    options: PipelineOptions,
    parts: {
      normalise: NormaliseTask[];
      ledger: RunningLedger;
      detect: Detection;
      deliveries: Delivery[];
      stopping: AbortController;
    },
  ) {
    this.options = options;
    this.normalise = parts.normalise;
    this.ledger = parts.ledger;
    this.detect = parts.detect;
    this.deliveries = parts.deliveries;
    this.stopping = parts.stopping;
    this.indexer = createIndexer({ stream: options.stream, writer: options.writer });
  }

  static async load(options: PipelineOptions): Promise<Pipeline> {
    const { config, stream, rules, lists, devices, outputs, logger, openLedger, openDetector, now, ask } =
      options;
    const { cluster, time, callers } = config;
    const normalise: NormaliseTask[] = [];
    for (let partition = 0; partition < stream.partitions; partition++) {
      normalise.push(await NormaliseTask.load({ stream, partition, cluster, devices, time, callers }));
    }
    const ledger = await RunningLedger.load({
      stream,
      cluster,
      ...auditDevices(devices),
      open: openLedger,
      now,
      ...(ask !== undefined && { ask }),
    });
    const detect = await Detection.load({
      ...{ stream, rules, lists, behaviours: allBehaviours, cluster },
      slowCallNanos: slowCallNanos(time),
      ownSecrets: secretRefsOf(config).map(({ path }) => path),
      openMemory: openDetector,
    });
    const stopping = new AbortController();
    const deliveries: Delivery[] = [];
    for (const output of outputs)
      deliveries.push(await createDelivery({ stream, output, logger, signal: stopping.signal }));
    return new Pipeline(options, { normalise, ledger, detect, deliveries, stopping });
  }

  /** Runs until `stop`; a stage that throws ends the process, and the next start goes on from its snapshot. */
  async run(): Promise<void> {
    const delivering = this.deliveries.map((delivery) => this.runDelivery(delivery));
    while (!this.stopping.signal.aborted) {
      await this.takeOver();
      const count = await this.step();
      await this.later('snapshots', () => this.saveWhenDue());
      await this.later('retention', () => this.retainWhenDue());
      if (count === 0) await this.idle();
    }
    // Nobody waits for what is not taken over any more.
    this.reloading?.taken();
    await Promise.all(delivering);
    await this.finish();
    this.ledger[Symbol.dispose]();
    this.detect[Symbol.dispose]();
  }

  /** On a full disk what is not kept now is made again at the next start. */
  private async finish(): Promise<void> {
    const { stream, logger } = this.options;
    try {
      await stream.flush();
      await this.ledger.commit();
      await this.save();
      await this.indexer.flush();
    } catch (error) {
      logger.warn({ error: String(error) }, 'the end could not be kept; the next start makes it again');
    }
  }

  stop(): void {
    this.stopping.abort();
    this.wake();
  }

  /** From the next step on these judge; resolves then. What is counted stays. */
  reload(judges: Judges): Promise<void> {
    return new Promise((taken) => {
      this.reloading = { judges, taken };
      this.wake();
    });
  }

  /** A disk that refuses a detector its commit begins it anew, and then with the new rules, too. */
  private async takeOver(): Promise<void> {
    if (this.reloading === undefined || !(await this.flush())) return;
    const { judges, taken } = this.reloading;
    this.reloading = undefined;
    await this.detect.reload(judges).catch((error: unknown) => this.fails('detectors', error));
    taken();
  }

  /** New records are there. */
  notify(): void {
    this.wake();
  }

  private async step(): Promise<number> {
    let count = 0;
    for (const task of this.normalise) count += await task.step();
    if (count > 0) await this.flush();
    const credentials = await this.stepLedger();
    const events = await this.stepDetectors();
    if (credentials + events > 0 && (await this.flush()) && credentials > 0) await this.commitLedger();
    const all = count + credentials + events;
    return all + (await this.index(all === 0));
  }

  /** A disk that refuses the ledger's memory holds up nothing else: what waits is on the stream. */
  private async stepLedger(): Promise<number> {
    if (this.options.now() < this.nextLedgerMs) return 0;
    try {
      return await this.ledger.step();
    } catch (error) {
      this.ledgerFails(error);
      return 0;
    }
  }

  private async stepDetectors(): Promise<number> {
    if (this.options.now() < this.nextDetectMs) return 0;
    try {
      const count = await this.detect.step();
      this.failing.detectors = false;
      return count;
    } catch (error) {
      this.fails('detectors', error);
      this.nextDetectMs = this.options.now() + RETRY_MS;
      return 0;
    }
  }

  private async commitLedger(): Promise<void> {
    try {
      await this.ledger.commit();
      this.failing.ledger = false;
    } catch (error) {
      this.ledgerFails(error);
    }
  }

  private ledgerFails(error: unknown): void {
    this.fails('ledger', error);
    this.nextLedgerMs = this.options.now() + RETRY_MS;
  }

  /**
   * A transaction costs as much for ten rows as for a thousand: under load they gather for `INDEX_MS`. A store that cannot be
   * written is tried again later, and holds up nothing else: alerts go out from the stream, which keeps what waits here.
   */
  private async index(isIdle: boolean): Promise<number> {
    const nowMs = this.options.now();
    if (nowMs < this.nextIndexMs && (!isIdle || this.failing.store)) return 0;
    this.nextIndexMs = nowMs + INDEX_MS;
    let rows = 0;
    try {
      for (let last = -1; last !== 0; rows += last) last = await this.indexer.step();
      this.failing.store = false;
    } catch (error) {
      this.fails('store', error);
      this.nextIndexMs = this.options.now() + RETRY_MS;
    }
    return rows;
  }

  /** A full disk is waited out here; the collector goes on reading meanwhile. False when it is time to stop first. */
  private async flush(): Promise<boolean> {
    for (;;) {
      try {
        await this.options.stream.flush();
        this.failing.stream = false;
        return true;
      } catch (error) {
        this.fails('stream', error);
        if (this.stopping.signal.aborted) return false;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  /** Said at the first time only: a disk may stay full for hours. */
  private fails(part: keyof typeof this.failing, error: unknown): void {
    if (!this.failing[part])
      this.options.logger.error({ error: String(error) }, `${partNames[part]}; trying again`);
    this.failing[part] = true;
  }

  /** What may fail now and be done later: the state stays, and the next turn tries again. */
  private async later(part: 'snapshots' | 'retention', work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.fails(part, error);
      this.nextSaveMs = this.nextRetainMs = this.options.now() + LATER_MS;
    }
  }

  private async saveWhenDue(): Promise<void> {
    const startMs = this.options.now();
    // A snapshot stands for what is on disk.
    if (startMs < this.nextSaveMs || this.failing.stream) return;
    await this.save();
    const endMs = this.options.now();
    this.nextSaveMs = endMs + Math.max(limits.snapshotMs, (endMs - startMs) * SNAPSHOT_SHARE);
  }

  private async save(): Promise<void> {
    for (const task of this.normalise) await task.save();
    await this.ledger.save();
    await this.detect.save();
    this.failing.snapshots = false;
  }

  private async retainWhenDue(): Promise<void> {
    const { stream, writer, config, now } = this.options;
    if (now() < this.nextRetainMs) return;
    this.nextRetainMs = now() + RETAIN_MS;
    const beforeMs = now() - config.retention.streamHours * 3_600_000;
    const indexed = new Map(
      (await writer.offsets()).map(({ topic, partition, next }) => [`${topic}/${partition}`, next]),
    );
    for (let partition = 0; partition < stream.partitions; partition++) {
      await stream.retain(topics.raw, partition, beforeMs, (this.normalise[partition] as NormaliseTask).keep);
      for (const topic of retained) {
        const keep = Math.min(
          // Nothing of the groups is indexed.
          topic === topics.groups ? Number.POSITIVE_INFINITY : (indexed.get(`${topic}/${partition}`) ?? 0),
          this.detect.keep(topic, partition),
          topic === topics.credentials && partition === 0 ? this.ledger.keep : Number.POSITIVE_INFINITY,
        );
        await stream.retain(topic, partition, beforeMs, keep);
      }
    }
    const watermark = this.detect.watermark;
    if (watermark !== '') await writer.retain(addSeconds(watermark, -config.retention.eventDays * 86_400));
    this.failing.retention = false;
  }

  private idle(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, IDLE_MS);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private async runDelivery(delivery: Delivery): Promise<void> {
    while (!this.stopping.signal.aborted) {
      const count = await delivery.step().catch((error: unknown) => {
        this.options.logger.error({ error: String(error) }, 'alerts cannot be delivered; trying again');
        return 0;
      });
      if (count === 0) await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
    }
  }

  metrics(): Metrics {
    const sum = (key: keyof NormaliseTask['normaliser']['counters']) =>
      this.normalise.reduce((total, task) => total + task.normaliser.counters[key], 0);
    const { stream } = this.options;
    const lag = this.normalise.reduce(
      (total, task, partition) => total + stream.end(topics.raw, partition) - task.next,
      0,
    );
    const alerts = (key: keyof Delivery['counters']) =>
      this.deliveries.reduce((total, delivery) => total + delivery.counters[key], 0);
    return {
      sealwatch_normalise_lines_total: sum('lines'),
      sealwatch_normalise_events_total: sum('events'),
      sealwatch_normalise_rejects_total: sum('rejects'),
      sealwatch_normalise_late_total: sum('late'),
      sealwatch_normalise_duplicates_total: sum('duplicates'),
      sealwatch_normalise_evicted_total: sum('evicted'),
      sealwatch_normalise_lag_records: lag,
      ...this.detect.metrics(),
      sealwatch_alerts_sent_total: alerts('sent'),
      sealwatch_alerts_filtered_total: alerts('filtered'),
      sealwatch_alerts_missed_total: alerts('missed'),
      sealwatch_pipeline_stream_failing: this.failing.stream ? 1 : 0,
      sealwatch_pipeline_store_failing: this.failing.store ? 1 : 0,
      sealwatch_pipeline_detectors_failing: this.failing.detectors ? 1 : 0,
      sealwatch_pipeline_snapshots_failing: this.failing.snapshots ? 1 : 0,
      sealwatch_watermark_seconds:
        this.detect.watermark === '' ? 0 : Date.parse(`${this.detect.watermark.slice(0, 19)}Z`) / 1000,
      ...this.ledger.metrics(),
      ...coverageMetrics(this.normalise.map((task) => task.normaliser)),
    };
  }
}

export const alertsPath = (config: Config): string =>
  config.outputs.file.path ?? dataFiles(config.dataDir).alerts;
