// Takes alerts from the stream to one output, each alert once: its first version that the output wants goes out, later ones are in the API.

import type { Alert } from '../../core/alert.ts';
import { limits } from '../../core/limits.ts';
import type { Stream } from '../../core/ports.ts';
import { type Loss, topics } from '../../core/records.ts';
import type { Logger } from '../../core/telemetry.ts';
import type { AlertOutput } from './output.ts';

const RETRY_FIRST_MS = 1_000;
const RETRY_LAST_MS = 60_000;

export interface DeliveryOptions {
  stream: Stream;
  output: AlertOutput;
  logger: Logger;
  /** Ends a wait for an output that does not answer. */
  signal: AbortSignal;
  /** All of them without it. */
  partitions?: readonly number[];
}

/** What is known of one partition: next offset, and the alerts that are out. */
interface Place {
  next: number;
  delivered: Set<string>;
  /** `next` of the last snapshot, and when that was. */
  saved: number;
  savedMs: number;
}

/** How often a place is kept that has only moved over what was not sent: it names all alerts that are out, some 400 KB. */
const SAVE_MS = 10_000;

export class Delivery {
  /**
   * `missed` counts records that retention took before the output did, `filtered` versions of alerts that are not for it; all of
   * them are in the API.
   */
  readonly counters = { sent: 0, refused: 0, retried: 0, missed: 0, filtered: 0 };
  private readonly options: DeliveryOptions;
  private readonly group: string;
  /** By partition. */
  private readonly places = new Map<number, Place>();

  private constructor(options: DeliveryOptions) {
    this.options = options;
    this.group = `deliver-${options.output.name}`;
  }

  /** Goes on where the last one stopped. */
  static async load(options: DeliveryOptions): Promise<Delivery> {
    const { stream, output } = options;
    const { partitions = Array.from({ length: stream.partitions }, (_, partition) => partition) } = options;
    const delivery = new Delivery(options);
    for (const partition of partitions) {
      const { next, delivered } = await placeOf(stream, delivery.group, partition);
      for (const id of output.known) delivered.add(id);
      delivery.places.set(partition, { next, saved: next, savedMs: 0, delivered });
    }
    return delivery;
  }

  /** Sends what is there; returns how many records it read. Waits as long as the output wants it later. */
  async step(): Promise<number> {
    let count = 0;
    for (const [partition, place] of this.places)
      if (!this.options.signal.aborted) count += await this.deliverPartition(partition, place);
    return count;
  }

  private async deliverPartition(partition: number, place: Place): Promise<number> {
    const { stream, signal } = this.options;
    const from = Math.max(place.next, stream.start(topics.alerts, partition));
    this.counters.missed += from - place.next;
    place.next = from;
    const records = await stream.read(topics.alerts, partition, from, limits.readBytesMax);
    const { sent, refused } = this.counters;
    for (const { kind, value, offset } of records) {
      // What the disk has lost: those alerts are in the API, or gone.
      if (kind === 'loss') this.counters.missed += (value as Loss).count;
      if (kind === 'alert') await this.deliver((value as { body: Alert }).body, place.delivered);
      if (signal.aborted) break;
      place.next = offset + 1;
    }
    forgetOldest(place.delivered);
    const isTold = this.counters.sent > sent || this.counters.refused > refused;
    const isDue = place.next > place.saved && Date.now() - place.savedMs >= SAVE_MS;
    if (isTold || isDue) await this.save(partition, place);
    return records.length;
  }

  private async deliver(alert: Alert, delivered: Set<string>): Promise<void> {
    const { output, signal } = this.options;
    if (delivered.has(alert.alert.id)) return;
    // A later version of it, with a higher count, may be for the output.
    if (output.accepts?.(alert) === false) {
      this.counters.filtered++;
      return;
    }
    for (let wait = RETRY_FIRST_MS; !signal.aborted; wait = Math.min(wait * 2, RETRY_LAST_MS)) {
      if (await this.send(alert, wait)) {
        delivered.add(alert.alert.id);
        return;
      }
      await pause(wait, signal);
    }
  }

  /** False when it is to be tried again in `waitMs`. */
  private async send(alert: Alert, waitMs: number): Promise<boolean> {
    const { output, logger } = this.options;
    const { result, why } = await output.send(alert);
    if (result === 'later') {
      this.counters.retried++;
      const about = { output: output.name, why, wait_ms: waitMs };
      logger.warn(about, 'the output does not take alerts; trying again');
      return false;
    }
    if (result === 'done') this.counters.sent++;
    else {
      this.counters.refused++;
      const about = { output: output.name, alert: alert.alert.id, why };
      logger.error(about, 'the output refused an alert; it is in the API');
    }
    return true;
  }

  /** Also at the end, when another may have the partition: not over what that one has saved. */
  private async save(partition: number, place: Place): Promise<void> {
    const { stream, signal } = this.options;
    const { next, delivered, saved } = place;
    if (signal.aborted && (await placeOf(stream, this.group, partition)).next !== saved) return;
    await stream.saveSnapshot(this.group, String(partition), {
      inputs: { [partition]: next },
      outputs: {},
      state: [...delivered],
    });
    place.saved = next;
    place.savedMs = Date.now();
  }
}

/** Where it stopped; before each partition had a place of its own, all of them had one. */
async function placeOf(
  stream: Stream,
  group: string,
  partition: number,
): Promise<Pick<Place, 'next' | 'delivered'>> {
  const snapshot =
    (await stream.loadSnapshot(group, String(partition))) ?? (await stream.loadSnapshot(group, 'all'));
  return {
    next: snapshot?.inputs[partition] ?? 0,
    delivered: new Set((snapshot?.state as string[] | undefined) ?? []),
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
