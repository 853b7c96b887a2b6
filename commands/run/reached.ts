// A start while Kafka or Elasticsearch is away, in a process that also listens for Vault: it is waited for. To end would close the
// sockets that Vault writes to, again and again for as long as the outage lasts.

import { setTimeout as sleep } from 'node:timers/promises';
import { type ErrorCode, SealwatchError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import type { Logger } from '../../core/telemetry.ts';

const away: readonly ErrorCode[] = ['KAFKA_UNREACHABLE', 'ELASTICSEARCH_UNREACHABLE'];

/** Opens what cannot be reached now as soon as it can; what waiting does not mend is thrown. */
export async function untilReached<T>(open: () => Promise<T>, logger: Logger): Promise<T> {
  for (let waitMs = 0; ; ) {
    try {
      return await open();
    } catch (error) {
      if (!(error instanceof SealwatchError && away.includes(error.code))) throw error;
      if (waitMs === 0)
        logger.error({ error: error.line }, 'the start waits; lines are taken into the spool meanwhile');
    }
    waitMs = Math.min(Math.max(2 * waitMs, limits.drainRetryMsMin), limits.drainRetryMsMax);
    await sleep(waitMs);
  }
}
