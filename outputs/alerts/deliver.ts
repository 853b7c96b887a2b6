// Takes alerts from the stream to one output, each alert once: its first version that the output wants goes out, later ones are in the API.

import type { Alert } from '../../core/alert.ts';
import { limits } from '../../core/limits.ts';
import type { Stream } from '../../core/ports.ts';
import { type Loss, topics } from '../../core/records.ts';
import type { Logger } from '../../core/telemetry.ts';
import type { AlertOutput } from './output.ts';

const RETRY_FIRST_MS = 1_000;
const RETRY_LAST_MS = 60_000;

export interface Delivery {
  /**
   * `missed` counts records that retention took before the output did, `filtered` versions of alerts that are not for it; all of
   * them are in the API.
   */
  readonly counters: { sent: number; refused: number; retried: number; missed: number; filtered: number };
  /** Sends what is there; returns how many records it read. Waits as long as the output wants it later. */
  step(): Promise<number>;
}

/** `signal` ends a wait for an output that does not answer. */
export async function createDelivery(options: {
  stream: Stream;
  output: AlertOutput;
  logger: Logger;
  signal: AbortSignal;
}): Promise<Delivery> {
  const { stream, output, logger, signal } = options;
  const group = `deliver-${output.name}`;
  const snapshot = await stream.loadSnapshot(group, 'all');
  const next: Record<number, number> = { ...snapshot?.inputs };
  const delivered = new Set<string>([...((snapshot?.state as string[] | undefined) ?? []), ...output.known]);
  const counters = { sent: 0, refused: 0, retried: 0, missed: 0, filtered: 0 };

  async function deliver(alert: Alert): Promise<void> {
    if (delivered.has(alert.alert.id)) return;
    // A later version of it, with a higher count, may be for the output.
    if (output.accepts?.(alert) === false) {
      counters.filtered++;
      return;
    }
    for (let wait = RETRY_FIRST_MS; !signal.aborted; wait = Math.min(wait * 2, RETRY_LAST_MS)) {
      const { result, why } = await output.send(alert);
      if (result === 'done') counters.sent++;
      const about = { output: output.name, alert: alert.alert.id, why };
      if (result === 'refused') {
        counters.refused++;
        logger.error(about, 'the output refused an alert; it is in the API');
      }
      if (result !== 'later') {
        delivered.add(alert.alert.id);
        return;
      }
      counters.retried++;
      logger.warn(
        { output: output.name, why, wait_ms: wait },
        'the output does not take alerts; trying again',
      );
      await pause(wait, signal);
    }
  }

  async function deliverPartition(partition: number): Promise<number> {
    const wanted = next[partition] ?? 0;
    const from = Math.max(wanted, stream.start(topics.alerts, partition));
    counters.missed += from - wanted;
    next[partition] = from;
    const records = await stream.read(topics.alerts, partition, from, limits.readBytesMax);
    for (const { kind, value, offset } of records) {
      // What the disk has lost: those alerts are in the API, or gone.
      if (kind === 'loss') counters.missed += (value as Loss).count;
      if (kind === 'alert') await deliver((value as { body: Alert }).body);
      if (signal.aborted) break;
      next[partition] = offset + 1;
    }
    return records.length;
  }

  return {
    counters,
    async step() {
      let count = 0;
      for (let partition = 0; partition < stream.partitions && !signal.aborted; partition++)
        count += await deliverPartition(partition);
      if (count === 0) return 0;
      forgetOldest(delivered);
      await stream.saveSnapshot(group, 'all', { inputs: next, outputs: {}, state: [...delivered] });
      return count;
    },
  };
}

function forgetOldest(delivered: Set<string>): void {
  for (const id of delivered) {
    if (delivered.size <= limits.deliveredMemory) return;
    delivered.delete(id);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
  });
}
