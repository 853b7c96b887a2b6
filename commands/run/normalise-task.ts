// One partition of raw through the normaliser, onto the stream: exactly once in effect, by snapshot and causes.
//
// A crash loses what the snapshot does not have; reading on from there makes the same records again, and those whose cause
// is on the stream already are left out.

import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../../core/config.ts';
import type { Device } from '../../core/devices.ts';
import type { AuditEvent } from '../../core/event.ts';
import { limits } from '../../core/limits.ts';
import { partitionOf } from '../../core/partition.ts';
import type { Cause, NewRecord, Stream } from '../../core/ports.ts';
import { type CredentialCall, type Kind, LEDGER_PARTITION, type Topic, topics } from '../../core/records.ts';
import { Normaliser, type NormaliserState } from '../../ingest/normalise/normaliser.ts';
import type { NormaliserSink } from '../../ingest/normalise/outgoing.ts';
import { type CausesState, isAfter, TakenCauses } from './causes.ts';

const GROUP = 'normalise';
const outputs: readonly Topic[] = [topics.events, topics.coverage, topics.credentials];

export interface NormaliseTaskOptions {
  stream: Stream;
  partition: number;
  cluster: string;
  devices: readonly Device[];
  time: Config['time'];
  callers?: Config['callers'];
  /**
   * Where other processes may have the partition before and after: whether it is ours still. What was read while it was is
   * appended, what was read later never is. Without it nobody else ever has it.
   */
  isOurs?: () => boolean;
}

/** What decides when a call goes out, and so at which cause; and what it says. */
type Settings = Pick<Required<NormaliseTaskOptions>, 'cluster' | 'devices' | 'time' | 'callers'>;

interface TaskState {
  next: number;
  normaliser: NormaliserState;
  settings: Settings;
  /** Raw that was taken, of each spool; absent before there were several. */
  spools?: CausesState;
}

const settingsOf = ({ cluster, devices, time, callers = [] }: NormaliseTaskOptions): Settings => ({
  cluster,
  devices: [...devices],
  time: { ...time },
  callers: [...callers],
});

export class NormaliseTask {
  /** Another one after each change of the settings. */
  normaliser: Normaliser;
  /** Next offset of raw. */
  next: number;
  private readonly options: NormaliseTaskOptions;
  /** Those that hold now. */
  private settings: Settings;
  /** Up to this offset of raw the settings of the last snapshot hold, though others are wanted. */
  private until: number | undefined;
  private readonly spools: TakenCauses;
  /** Highest cause of this partition on each output, `topic/partition`. */
  private readonly seen: Map<string, Cause>;
  /** Where the outputs ended when the causes behind were last looked for. */
  private readonly ends: Record<string, number> = {};
  private readonly batches = new Map<string, { topic: Topic; partition: number; records: NewRecord[] }>();
  private offset = 0;
  private index = 0;
  private savedAt: number;

  private constructor(
    options: NormaliseTaskOptions,
    seen: Map<string, Cause>,
    state: TaskState | undefined,
    last: number,
  ) {
    this.options = options;
    this.seen = seen;
    const wanted = settingsOf(options);
    this.settings = state?.settings ?? wanted;
    if (!isDeepStrictEqual(this.settings, wanted)) this.until = last;
    this.next = this.savedAt = state?.next ?? 0;
    this.spools = new TakenCauses(state?.spools, limits.spoolsMax);
    this.normaliser = this.begin(this.settings, state?.normaliser);
  }

  private begin({ cluster, devices, time, callers }: Settings, state?: NormaliserState): Normaliser {
    const { partition, stream } = this.options;
    const sink: NormaliserSink = {
      event: (event, text) => this.event(event, text),
      reject: (value) => this.put(topics.coverage, partition, 'reject', value),
      coverage: (value) => this.put(topics.coverage, partition, 'coverage', value),
      node: (value) => this.put(topics.coverage, partition, 'node', value),
      hashes: (value) => this.put(topics.credentials, LEDGER_PARTITION, 'hashes', value),
      answer: (value) => this.put(topics.credentials, LEDGER_PARTITION, 'answer', value),
      credential: (value, text) =>
        this.put(topics.credentials, LEDGER_PARTITION, 'credential', value, credentialText(value, text)),
      watermark: (reached) => {
        const value = { source: partition, time: reached };
        for (let to = 0; to < stream.partitions; to++) this.put(topics.events, to, 'watermark', value);
        this.put(topics.credentials, LEDGER_PARTITION, 'watermark', value);
      },
    };
    return new Normaliser({ partition, cluster, devices, callers, ...time, sink }, state);
  }

  /**
   * Goes on where the last snapshot was taken. What the stream has behind it was made under the settings of the snapshot, so
   * that stretch is made again under those: only then do the same records come at the same causes. New settings begin after.
   * Whoever had the partition before us may still write what came of all that it could read: there, up to the end of raw.
   */
  static async load(options: NormaliseTaskOptions): Promise<NormaliseTask> {
    const { stream, partition, isOurs } = options;
    await stream.sync();
    const snapshot = await stream.loadSnapshot(GROUP, String(partition));
    const seen = await findCauses(stream, partition, snapshot?.outputs ?? {});
    const end = stream.end(topics.raw, partition) - 1;
    const made = Math.max(-1, ...[...seen.values()].map((cause) => cause.offset));
    const last = isOurs === undefined ? Math.min(made, end) : end;
    const state = snapshot?.state as TaskState | undefined;
    const task = new NormaliseTask(options, seen, state, last);
    Object.assign(task.ends, snapshot?.outputs);
    task.keep = snapshot?.inputs[partition] ?? 0;
    await task.restore(task.normaliser, task.keep);
    // The first snapshot comes before the first record, so that there is always one that tells the settings.
    if (state === undefined) await task.write();
    await task.renewWhenDue();
    return task;
  }

  /** Reads the lines of the calls that were waiting again. */
  private async restore(normaliser: Normaliser, from: number): Promise<void> {
    const { stream, partition } = this.options;
    for (let offset = from; offset < this.next; ) {
      const records = await stream.read(topics.raw, partition, offset, limits.readBytesMax);
      if (records.length === 0) return;
      for (const record of records) {
        if (record.offset < this.next) normaliser.restore(record);
        offset = record.offset + 1;
      }
    }
  }

  /** Takes one batch and appends what it makes; returns how many records it read. The caller flushes. */
  async step(): Promise<number> {
    const { stream, partition, isOurs } = this.options;
    const until = this.until ?? Number.POSITIVE_INFINITY;
    // The next snapshot brings the new settings.
    if (this.next > until) return 0;
    const records = await stream.read(topics.raw, partition, this.next, limits.readBytesMax);
    if (isOurs?.() === false) return 0;
    let count = 0;
    for (const record of records) {
      if (record.offset > until) {
        this.next = until + 1;
        break;
      }
      count++;
      this.offset = record.offset;
      this.index = 0;
      if (this.spools.take(record.cause)) this.normaliser.record(record);
      this.next = record.offset + 1;
    }
    for (const batch of this.batches.values()) stream.append(batch.topic, batch.partition, batch.records);
    this.batches.clear();
    return count;
  }

  private event(event: AuditEvent, text: string): void {
    const { stream } = this.options;
    this.put(topics.events, partitionOf(event.user.id, stream.partitions), 'event', event, text);
  }

  private put(topic: Topic, partition: number, kind: Kind, value: unknown, text?: string): void {
    const cause = { partition: this.options.partition, offset: this.offset, index: this.index++ };
    const key = `${topic}/${partition}`;
    const seen = this.seen.get(key);
    if (seen !== undefined && !isAfter(cause, seen)) return;
    let batch = this.batches.get(key);
    if (batch === undefined) {
      batch = { topic, partition, records: [] };
      this.batches.set(key, batch);
    }
    batch.records.push(text === undefined ? { kind, cause, value } : { kind, cause, value, text });
  }

  /** Only after a flush: what the snapshot stands for must be on disk. */
  async save(): Promise<void> {
    // What a successor has saved is the newer.
    if (this.options.isOurs?.() === false) return;
    if (this.next !== this.savedAt) await this.write();
    await this.renewWhenDue();
  }

  /** Two snapshots at one place, under the old settings and under the new: no crash can mix what the two make. */
  private async renewWhenDue(): Promise<void> {
    if (this.until === undefined || this.next <= this.until) return;
    if (this.next !== this.savedAt) await this.write();
    const { state, offset } = this.normaliser.snapshot(this.next);
    const settings = settingsOf(this.options);
    const normaliser = this.begin(settings, state);
    await this.restore(normaliser, offset);
    Object.assign(this, { settings, normaliser });
    await this.write();
    this.until = undefined;
  }

  private async write(): Promise<void> {
    const { stream, partition } = this.options;
    const { state, offset } = this.normaliser.snapshot(this.next);
    const ends: Record<string, number> = { [`${topics.raw}/${partition}`]: this.next };
    for (const topic of outputs)
      for (let to = 0; to < stream.partitions; to++) ends[`${topic}/${to}`] = this.endOf(topic, to);
    Object.assign(this.ends, ends);
    await stream.saveSnapshot(GROUP, String(partition), {
      inputs: { [partition]: offset },
      outputs: ends,
      state: {
        ...{ next: this.next, normaliser: state, settings: this.settings, spools: this.spools.state() },
      } satisfies TaskState,
    });
    this.savedAt = this.next;
    this.keep = offset;
  }

  /** What another life made of records that are still to come must be found by its causes again. */
  private endOf(topic: Topic, partition: number): number {
    const key = `${topic}/${partition}`;
    const seen = this.seen.get(key);
    if (seen !== undefined && seen.offset >= this.next) return this.ends[key] ?? 0;
    return this.options.stream.end(topic, partition);
  }

  /** Raw before this offset is no longer needed here. */
  keep = 0;
}

/** The event's text again: a second walk through it would cost as much as the first. */
const credentialText = ({ event: _, ...others }: CredentialCall, text: string): string =>
  `{"event":${text}${JSON.stringify(others).replace('{', ',').replace(/,}$/, '}')}`;

/** The highest cause of raw partition `source` on each output, looking on from where the snapshot saw their ends. */
async function findCauses(
  stream: Stream,
  source: number,
  ends: Record<string, number>,
): Promise<Map<string, Cause>> {
  const seen = new Map<string, Cause>();
  for (const topic of outputs) {
    for (let partition = 0; partition < stream.partitions; partition++) {
      const key = `${topic}/${partition}`;
      let offset = Math.max(ends[key] ?? 0, stream.start(topic, partition));
      while (offset < stream.end(topic, partition)) {
        for (const { cause, offset: at } of await stream.read(
          topic,
          partition,
          offset,
          limits.readBytesMax,
        )) {
          const before = seen.get(key);
          if (cause?.partition === source && (before === undefined || isAfter(cause, before)))
            seen.set(key, cause);
          offset = at + 1;
        }
      }
    }
  }
  return seen;
}
