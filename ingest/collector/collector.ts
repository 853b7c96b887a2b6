// The collector: listeners and the file tail in, the spool out, with group commits and a tick each second.

import type { Config } from '../../core/config.ts';
import { limits } from '../../core/limits.ts';
import type { Stream } from '../../core/ports.ts';
import { topics } from '../../core/records.ts';
import type { Logger } from '../../core/telemetry.ts';
import { PartialBudget } from './framer.ts';
import { Intake } from './intake.ts';
import { type Listener, listenTcp, listenUnix } from './listener.ts';
import { type Recovered, recover } from './recover.ts';
import { Redactor } from './redact.ts';
import { FileTail } from './tail.ts';

/** Names of the devices that the configuration has; a call is whole when each of them has shown it. */
export const configuredDevices = (config: Config): string[] => [
  ...(config.file.path === undefined ? [] : ['file']),
  ...(config.unix.path === undefined ? [] : ['unix']),
  ...(config.tcp.enabled ? ['tcp'] : []),
];

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
  private tail: FileTail | undefined;
  private ticker: NodeJS.Timeout | undefined;
  private committing: Promise<void> | undefined;
  private commitTimer: NodeJS.Timeout | undefined;

  private constructor(options: CollectorOptions) {
    this.options = options;
    this.intake = new Intake(options.stream, new Redactor(options.redactKey));
  }

  /** Starts reading. Throws PORT_TAKEN or LISTEN_FAILED before anything is read. */
  static async start(options: CollectorOptions): Promise<Collector> {
    const collector = new Collector(options);
    const recovered = await recover(options.stream);
    for (const [device, time] of recovered.times) collector.intake.resume(device, time, options.now());
    try {
      await collector.listen();
    } catch (error) {
      await collector[Symbol.asyncDispose]();
      throw error;
    }
    await collector.follow(recovered);
    // Only now: the first tick must know how far behind the file is.
    collector.ticker = setInterval(() => collector.tick(), 1000);
    return collector;
  }

  private async listen(): Promise<void> {
    const { config, now } = this.options;
    const { intake } = this;
    const budget = new PartialBudget();
    if (config.tcp.enabled) {
      this.listeners.push(
        await listenTcp({ device: 'tcp', intake, budget, now }, config.tcp.host, config.tcp.port),
      );
    }
    if (config.unix.path !== undefined) {
      this.listeners.push(await listenUnix({ device: 'unix', intake, budget, now }, config.unix.path));
    }
    // Sockets feed the intake on their own; this notices that there is something to commit.
    this.commitTimer = setInterval(() => this.commitSoon(), limits.groupCommitMs);
  }

  private async follow({ places }: Recovered): Promise<void> {
    const { config, now, logger } = this.options;
    if (config.file.path === undefined) return;
    const place = places.get('file');
    this.tail = new FileTail({ device: 'file', path: config.file.path, intake: this.intake, now, place });
    let said = '';
    await this.tail.start((error) => {
      // Said once per cause: an unreadable file is looked at five times a second.
      if (String(error) !== said)
        logger.error({ error: String(error), path: config.file.path }, 'the audit file cannot be read');
      said = String(error);
    });
  }

  private tick(): void {
    const place = this.tail?.durablePlace;
    const behind = this.tail?.isBehind === true ? new Set(['file']) : new Set<string>();
    this.intake.tick(this.options.now(), place === undefined ? {} : { file: place }, behind);
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
    const { stream, onDurable, logger } = this.options;
    const queued = this.intake.queued;
    const place = this.tail?.place;
    try {
      await stream.flush();
    } catch (error) {
      this.isFailing = true;
      logger.error({ error: String(error) }, 'the spool cannot be written; trying again');
      await new Promise((resolve) => setTimeout(resolve, SPOOL_RETRY_MS));
      return;
    }
    this.isFailing = false;
    this.intake.queued -= queued;
    if (place !== undefined) this.tail?.setDurable(place);
    onDurable(Array.from({ length: stream.partitions }, (_, partition) => stream.end(topics.raw, partition)));
  }

  /** Stops listening, takes what has arrived, and makes it durable. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.ticker);
    await Promise.all(this.listeners.map((listener) => listener[Symbol.asyncDispose]()));
    await this.tail?.stop();
    clearInterval(this.commitTimer);
    await this.committing;
    if (this.tail !== undefined) this.tick();
    await this.committing;
    await this.commit();
  }
}

const SPOOL_RETRY_MS = 500;
