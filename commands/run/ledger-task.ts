// The credentials through the ledger, onto the stream: exactly once in effect, by the memory's own transaction and causes.
//
// The memory and the place in the stream that it stands for are committed together, after what came of it is durable. A crash
// between the two makes the same records again, and those whose cause is on the stream already are left out.

import type { Json } from '../../core/event.ts';
import { limits } from '../../core/limits.ts';
import type { Cause, LedgerMemory, NewRecord, Stream } from '../../core/ports.ts';
import { type Kind, LEDGER_PARTITION, type Question, topics } from '../../core/records.ts';
import { type JoinOptions, ledgerParts } from '../../ingest/ledger/join.ts';
import { Ledger, type LedgerState } from '../../ingest/ledger/ledger.ts';
import { type CausesState, isAfter, TakenCauses } from './causes.ts';

const GROUP = 'ledger';
/** One owner: a revoke of a prefix or a dying parent crosses every key (design section 3). */
const PARTITION = LEDGER_PARTITION;

export interface LedgerTaskOptions extends JoinOptions {
  stream: Stream;
  memory: LedgerMemory;
  /** Questions to Vault; without one nobody asks. */
  ask?: (question: Question) => void;
}

interface Place {
  /** Next offset of credentials. */
  next: number;
  /** Lowest offset that is still needed. */
  keep: number;
  /** Where the leases' partition ended. */
  end: number;
  /** Added to each revision: a ledger that begins anew must not be taken for older than the one before it. */
  base: number;
  ledger?: LedgerState;
  /** Credentials that were taken, by raw partition; absent in places of versions before. */
  causes?: CausesState;
}

export class LedgerTask {
  readonly ledger: Ledger;
  private readonly options: LedgerTaskOptions;
  private readonly place: Place;
  /** Highest cause that is on the stream already. */
  private readonly seen: Cause | undefined;
  private readonly taken: TakenCauses;
  private readonly batch: NewRecord[] = [];
  private index = 0;
  private offset = 0;
  private savedAt = -1;

  private constructor(options: LedgerTaskOptions, place: Place, seen: Cause | undefined) {
    this.options = options;
    this.place = place;
    this.seen = seen;
    this.keep = place.keep;
    this.taken = new TakenCauses(place.causes);
    const { memory, stream, ask } = options;
    this.ledger = new Ledger(
      {
        memory,
        partitions: stream.partitions,
        parts: ledgerParts(options),
        sink: {
          lease: (revision, body) =>
            this.put('lease', { revision: place.base + revision, body, at: this.ledger.time }),
          fact: (fact) => this.put('fact', fact),
          own: (token) => this.put('own', token),
          watermark: (time) => this.put('watermark', { source: PARTITION, time }),
          ask: (question) => ask?.(question),
        },
      },
      place.ledger,
    );
  }

  /** Goes on where the memory was committed, and asks again what nobody had answered. */
  static async load(options: LedgerTaskOptions): Promise<LedgerTask> {
    const { stream, memory, ask } = options;
    await stream.sync();
    const place = await placeIn(memory, stream);
    const task = new LedgerTask(options, place, await highestCause(stream, place.end));
    await task.restore();
    for (const question of task.ledger.openQuestions()) ask?.(question);
    return task;
  }

  /** What was waiting waits again. */
  private async restore(): Promise<void> {
    const { stream } = this.options;
    const { next, keep } = this.place;
    for (let offset = Math.max(keep, stream.start(topics.credentials, PARTITION)); offset < next; ) {
      const records = await stream.read(topics.credentials, PARTITION, offset, limits.readBytesMax);
      if (records.length === 0) return;
      for (const record of records) {
        if (record.offset < next) this.ledger.restore(record.kind, record.value, record.offset);
        offset = record.offset + 1;
      }
    }
  }

  /** Takes one batch and appends what it makes; returns how many records it read. The caller flushes, then commits. */
  async step(): Promise<number> {
    const { stream } = this.options;
    const from = Math.max(this.place.next, stream.start(topics.credentials, PARTITION));
    const records = await stream.read(topics.credentials, PARTITION, from, limits.readBytesMax);
    for (const { kind, value, offset, cause } of records) {
      this.offset = offset;
      this.index = 0;
      if (this.taken.take(cause)) this.ledger.record(kind, value, offset);
      this.place.next = offset + 1;
    }
    if (this.batch.length > 0) stream.append(topics.leases, PARTITION, this.batch.splice(0));
    return records.length;
  }

  /** Records of credentials that are still to be taken. */
  get lag(): number {
    return this.options.stream.end(topics.credentials, PARTITION) - this.place.next;
  }

  private put(kind: Kind, value: unknown): void {
    const cause = { partition: PARTITION, offset: this.offset, index: this.index++ };
    if (this.seen !== undefined && !isAfter(cause, this.seen)) return;
    this.batch.push({ kind, cause, value });
  }

  /** Only after a flush: what the memory stands for must be on disk. */
  async commit(): Promise<void> {
    const { memory, stream } = this.options;
    const { next } = this.place;
    if (next === this.savedAt) return;
    const { state, offset } = this.ledger.snapshot(next);
    // What another life made of records that are still to come must be found by its causes again.
    if (this.seen === undefined || this.seen.offset < next)
      this.place.end = stream.end(topics.leases, PARTITION);
    const causes = this.taken.state();
    await memory.commit({ ...this.place, keep: offset, ledger: state, causes } as unknown as Json);
    this.savedAt = next;
    this.keep = offset;
  }

  /** So that the stream gives out no offset again that the memory stands for, whatever a disk loses. */
  async save(): Promise<void> {
    const { stream } = this.options;
    const outputs = {
      [`${topics.credentials}/${PARTITION}`]: this.savedAt,
      [`${topics.leases}/${PARTITION}`]: stream.end(topics.leases, PARTITION),
    };
    if (this.savedAt >= 0)
      await stream.saveSnapshot(GROUP, 'all', { inputs: { [PARTITION]: this.keep }, outputs, state: null });
  }

  /** Credentials before this offset are no longer needed here. */
  keep: number;
}

/** Where the memory stands; a new one begins with the oldest records, and says so before it does anything. */
async function placeIn(memory: LedgerMemory, stream: Stream): Promise<Place> {
  const end = stream.end(topics.leases, PARTITION);
  const place = memory.place() as unknown as Place | undefined;
  // A stream that ends before the place is another one.
  if (place !== undefined && place.next <= stream.end(topics.credentials, PARTITION)) return { ...place };
  const begin: Place = { next: 0, keep: 0, end, base: Math.max(end, place?.base ?? 0) };
  await memory.commit(begin as unknown as Json);
  return begin;
}

async function highestCause(stream: Stream, from: number): Promise<Cause | undefined> {
  let highest: Cause | undefined;
  let offset = Math.max(from, stream.start(topics.leases, PARTITION));
  while (offset < stream.end(topics.leases, PARTITION)) {
    for (const { cause, offset: at } of await stream.read(
      topics.leases,
      PARTITION,
      offset,
      limits.readBytesMax,
    )) {
      if (cause !== undefined && (highest === undefined || isAfter(cause, highest))) highest = cause;
      offset = at + 1;
    }
  }
  return highest;
}
