// The collector: listeners and the file tail in, the spool out, with group commits and a tick each second.

import { type Config, inputsOf } from '../../core/config.ts';
import { inputId } from '../../core/devices.ts';
import { limits } from '../../core/limits.ts';
import type { Stream } from '../../core/ports.ts';
import { type Tick, topics } from '../../core/records.ts';
import type { Logger } from '../../core/telemetry.ts';
import { Commits } from './commits.ts';
import { Intake } from './intake.ts';
import { listen } from './listeners.ts';
import type { Listener } from './listening.ts';
import { PartialBudget } from './partial.ts';
import { deletedOf } from './quota.ts';
import { type Recovered, recover } from './recover.ts';
import { Redactor } from './redact.ts';
import { FileTail } from './tail.ts';

export interface CollectorOptions {
  config: Config;
  stream: Stream;
  redactKey: Buffer;
  logger: Logger;
  now: () => number;
  /** Called after each group commit with the durable ends of the raw partitions. */
  onDurable: (ends: number[]) => void;
}

export class Collector implements AsyncDisposable {
  readonly intake: Intake;
  readonly listeners: Listener[] = [];
  /** The last group commit was refused by the disk. */
  isFailing = false;
  private readonly options: CollectorOptions;
  /** By `inputId`. */
  private readonly tails = new Map<string, FileTail>();
  private ticker: NodeJS.Timeout | undefined;
  private committing: Promise<void> | undefined;
  private commitTimer: NodeJS.Timeout | undefined;
  private isStopped = false;
  private quotaTimer: NodeJS.Timeout | undefined;
  private readonly commits = new Commits(() => this.commitSoon());

  private constructor(options: CollectorOptions) {
    this.options = options;
    this.intake = new Intake(options.stream, new Redactor(options.redactKey, options.config.scrub.plainKeys));
  }

  /** Starts reading. Throws PORT_TAKEN or LISTEN_FAILED before anything is read. */
  static async start(options: CollectorOptions): Promise<Collector> {
    const collector = new Collector(options);
    const inputs = inputsOf(options.config);
    const recovered = await recover(options.stream, new Set(inputs.map(inputId)));
    // What is there already can be worked on, though the disk may take nothing more.
    collector.tellEnds();
    for (const [id, time] of recovered.times) collector.intake.resume(id, time, options.now());
    for (const [id, spooled] of recovered.spooled) collector.intake.resumeSpooled(id, spooled);
    try {
      await collector.listen();
    } catch (error) {
      await collector[Symbol.asyncDispose]();
      throw error;
    }
    await collector.reckonQuotas();
    await collector.follow(recovered);
    // Only now: the first tick must know how far behind the file is.
    collector.ticker = setInterval(() => collector.tick(), 1000);
    return collector;
  }

  private async listen(): Promise<void> {
    const { config, now, logger } = this.options;
    const { intake, commits } = this;
    const warn = (text: string) => logger.warn({}, text);
    const options = { intake, budget: new PartialBudget(), now, commits, warn };
    for (const input of inputsOf(config)) {
      const listener = await listen(options, input);
      if (listener !== undefined) this.listeners.push(listener);
    }
    // Sockets feed the intake on their own; this notices that there is something to commit.
    this.commitTimer = setInterval(() => this.commitSoon(), limits.groupCommitMs);
  }

  /** What retention has deleted no longer counts; looked at only for inputs that have a quota. */
  private async reckonQuotas(): Promise<void> {
    const { config, stream, logger } = this.options;
    if (inputsOf(config).every(({ quotaMiB }) => quotaMiB === undefined)) return;
    try {
      this.intake.free(await deletedOf(stream));
    } catch (error) {
      // Retention deletes what is being read; the next look finds another start.
      logger.warn({ error: String(error) }, 'the parts of the spool cannot be reckoned; trying again');
    }
    if (!this.isStopped) this.quotaTimer = setTimeout(() => this.reckonQuotas(), limits.quotaReckonMs);
  }

  private async follow({ places }: Recovered): Promise<void> {
    const { config, now, logger } = this.options;
    for (const input of inputsOf(config)) {
      if (input.type !== 'file') continue;
      const { path } = input;
      const id = inputId(input);
      const source = this.intake.source(input);
      const tail = new FileTail({ source, path, intake: this.intake, now, place: places.get(id) });
      this.tails.set(id, tail);
      let said = '';
      await tail.start((error) => {
        // Said once per cause: an unreadable file is looked at five times a second.
        if (String(error) !== said)
          logger.error({ error: String(error), path }, 'the audit file cannot be read');
        said = String(error);
      });
    }
  }

  private tick(): void {
    const files: NonNullable<Tick['files']> = {};
    const behind = new Set<string>();
    for (const [id, tail] of this.tails) {
      if (tail.durablePlace !== undefined) files[id] = tail.durablePlace;
      if (tail.isBehind) behind.add(id);
    }
    this.intake.tick(this.options.now(), files, behind);
    this.commitSoon();
  }

  /** One commit at a time; what comes meanwhile is the next group. */
  private commitSoon(): void {
    if (this.committing !== undefined) return;
    this.committing = this.commit().finally(() => {
      this.committing = undefined;
    });
  }

  private async commit(): Promise<void> {
    const { stream, logger } = this.options;
    const mark = this.intake.mark();
    const end = this.commits.begin();
    const places = [...this.tails.values()].map((tail) => ({ tail, place: tail.place }));
    try {
      await stream.flush();
    } catch (error) {
      // Said once: a disk may stay full for hours.
      if (!this.isFailing)
        logger.error({ error: String(error) }, 'the spool cannot be written; trying again');
      this.isFailing = true;
      end(false);
      await new Promise((resolve) => setTimeout(resolve, SPOOL_RETRY_MS));
      return;
    }
    this.isFailing = false;
    end(true);
    this.intake.settle(mark);
    for (const { tail, place } of places) tail.setDurable(place);
    this.tellEnds();
  }

  private tellEnds(): void {
    const { stream, onDurable } = this.options;
    onDurable(Array.from({ length: stream.partitions }, (_, partition) => stream.end(topics.raw, partition)));
  }

  /** Stops listening, takes what has arrived, and makes it durable. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.isStopped = true;
    clearInterval(this.ticker);
    clearTimeout(this.quotaTimer);
    await Promise.all(this.listeners.map((listener) => listener[Symbol.asyncDispose]()));
    await Promise.all([...this.tails.values()].map((tail) => tail.stop()));
    clearInterval(this.commitTimer);
    await this.committing;
    // What was lost since the last tick is told by this one.
    this.tick();
    await this.committing;
    await this.commit();
  }
}

const SPOOL_RETRY_MS = 500;
