// The stream of an API without a pipeline beside it: for what people do, and for the answers of Vault. Opened when it is first needed:
// evidence is read though Kafka is away.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../../core/config.ts';
import { limits } from '../../core/limits.ts';
import type { Recorder, Stream } from '../../core/ports.ts';
import type { Answer } from '../../core/records.ts';
import type { Logger } from '../../core/telemetry.ts';
import { Answers } from './answers.ts';
import { openStream } from './open.ts';
import { streamRecorder } from './recorder.ts';

interface Opened {
  stream: Stream;
  recorder: Recorder;
  answers: Answers;
}

const RETRY_MS = 1_000;

export class OwnStream implements Recorder, AsyncDisposable {
  private readonly config: Config;
  private readonly logger: Logger;
  private opened: Promise<Opened> | undefined;
  private isClosed = false;

  constructor(config: Config, logger: Logger) {
    this.config = config;
    this.logger = logger;
  }

  /** Rejects when the stream refuses, or does not take it within `limits.recordMs`. */
  async record(...what: Parameters<Recorder['record']>): Promise<void> {
    const timeout = AbortSignal.timeout(limits.recordMs);
    await Promise.race([
      this.open().then(({ recorder }) => recorder.record(...what)),
      new Promise<never>((_, reject) => {
        timeout.onabort = () => reject(new Error('the stream did not take it in time'));
      }),
    ]);
  }

  /** As soon as the stream can be opened. */
  async take(answer: Answer): Promise<void> {
    while (!this.isClosed) {
      try {
        (await this.open()).answers.take(answer);
        return;
      } catch {
        await sleep(RETRY_MS);
      }
    }
  }

  private open(): Promise<Opened> {
    this.opened ??= openStream(this.config, this.logger).then(
      (stream) => ({
        stream,
        recorder: streamRecorder(stream),
        answers: new Answers(stream, this.logger),
      }),
      (error: unknown) => {
        this.opened = undefined;
        throw error;
      },
    );
    return this.opened;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.isClosed = true;
    const opened = await this.opened?.catch(() => undefined);
    await opened?.stream[Symbol.asyncDispose]();
  }
}
