// What Vault answered, onto raw from a process without a collector: as from one more spool, so that it is known when it is sent twice.

import { randomUUID } from 'node:crypto';
import { partitionOfAnswer } from '../../core/partition.ts';
import type { Stream } from '../../core/ports.ts';
import { type Answer, topics } from '../../core/records.ts';
import type { Logger } from '../../core/telemetry.ts';

export class Answers {
  private readonly stream: Stream;
  private readonly logger: Logger;
  /** Of this process alone: nothing is left of it to be sent again by the next. */
  private readonly spool = `answers-${randomUUID()}`;
  private offset = 0;

  constructor(stream: Stream, logger: Logger) {
    this.stream = stream;
    this.logger = logger;
  }

  /** A stream that refuses keeps it: it goes with what comes next. */
  take(value: Answer): void {
    const partition = partitionOfAnswer(value, this.stream.partitions);
    const cause = { spool: this.spool, partition, offset: this.offset++, index: 0 };
    this.stream.append(topics.raw, partition, [{ kind: 'answer', cause, value }]);
    this.stream.flush().catch((error: unknown) => {
      this.logger.warn({ error: String(error) }, 'an answer of Vault waits for the stream');
    });
  }
}
