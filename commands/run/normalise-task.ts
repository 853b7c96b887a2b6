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

const GROUP = 'normalise';
const outputs: readonly Topic[] = [topics.events, topics.coverage, topics.credentials];

export interface NormaliseTaskOptions {
  stream: Stream;
  partition: number;
  cluster: string;
  devices: readonly Device[];
  time: Config['time'];
  callers?: Config['callers'];
}

/** What decides when a call goes out, and so at which cause; and what it says. */
type Settings = Pick<Required<NormaliseTaskOptions>, 'cluster' | 'devices' | 'time' | 'callers'>;

interface TaskState {
  next: number;
  normaliser: NormaliserState;
  settings: Settings;
}

const settingsOf = ({ cluster, devices, time, callers = [] }: NormaliseTaskOptions): Settings => ({
  cluster,
  devices: [...devices],
  time: { ...time },
  callers: [...callers],
});

export class NormaliseTask {
  readonly normaliser: Normaliser;
  /** Next offset of raw. */
  next: number;
  private readonly options: NormaliseTaskOptions;
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
    next: number,
    seen: Map<string, Cause>,
    state?: NormaliserState,
  ) {
    this.options = options;
    this.next = this.savedAt = next;
    this.seen = seen;
    const { cluster, devices, time, callers = [], partition, stream } = options;
    this.normaliser = new Normaliser(
      {
        partition,
        cluster,
        devices,
        callers,
        ...time,
        sink: {
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
        },
      },
      state,
    );
  }

  /**
   * Goes on where the last snapshot was taken. What the stream has behind it was made under the settings of the snapshot, so
   * that stretch is made again under those: only then do the same records come at the same causes. New settings begin after.
   */
  static async load(options: NormaliseTaskOptions): Promise<NormaliseTask> {
    const { stream, partition } = options;
    const snapshot = await stream.loadSnapshot(GROUP, String(partition));
    const seen = await findCauses(stream, partition, snapshot?.outputs ?? {});
    const state = snapshot?.state as TaskState | undefined;
    const settings = settingsOf(options);
    const task = new NormaliseTask(
      { ...options, ...(state?.settings ?? settings) },
      state?.next ?? 0,
      seen,
      state?.normaliser,
    );
    Object.assign(task.ends, snapshot?.outputs);
    task.keep = snapshot?.inputs[partition] ?? 0;
    await task.restore(snapshot?.inputs[partition] ?? 0);
    // The first snapshot comes before the first record, so that there is always one that tells the settings.
    if (state === undefined) await task.save(true);
    if (state === undefined || isDeepStrictEqual(state.settings, settings)) return task;
    const last = Math.max(-1, ...[...seen.values()].map((cause) => cause.offset));
    while (task.next <= last) if ((await task.step(last)) === 0) break;
    await stream.flush();
    await task.save(true);
    const renewed = task.normaliser.snapshot(task.next);
    const next = new NormaliseTask(options, task.next, seen, renewed.state);
    Object.assign(next.ends, task.ends);
    await next.restore(renewed.offset);
    await next.save(true);
    return next;
  }

  /** Reads the lines of the calls that were waiting again. */
  private async restore(from: number): Promise<void> {
    const { stream, partition } = this.options;
    for (let offset = from; offset < this.next; ) {
      const records = await stream.read(topics.raw, partition, offset, limits.readBytesMax);
      if (records.length === 0) return;
      for (const record of records) {
        if (record.offset < this.next) this.normaliser.restore(record);
        offset = record.offset + 1;
      }
    }
  }

  /** Takes one batch, up to offset `last`, and appends what it makes; returns how many records it read. The caller flushes. */
  async step(last = Number.POSITIVE_INFINITY): Promise<number> {
    const { stream, partition } = this.options;
    const records = await stream.read(topics.raw, partition, this.next, limits.readBytesMax);
    let count = 0;
    for (const record of records) {
      if (record.offset > last) break;
      count++;
      this.offset = record.offset;
      this.index = 0;
      this.normaliser.record(record);
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
  async save(always = false): Promise<void> {
    if (this.next === this.savedAt && !always) return;
    const { stream, partition } = this.options;
    const { state, offset } = this.normaliser.snapshot(this.next);
    const ends: Record<string, number> = { [`${topics.raw}/${partition}`]: this.next };
    for (const topic of outputs)
      for (let to = 0; to < stream.partitions; to++) ends[`${topic}/${to}`] = this.endOf(topic, to);
    Object.assign(this.ends, ends);
    await stream.saveSnapshot(GROUP, String(partition), {
      inputs: { [partition]: offset },
      outputs: ends,
      state: { next: this.next, normaliser: state, settings: settingsOf(this.options) } satisfies TaskState,
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

const isAfter = (a: Cause, b: Cause): boolean =>
  a.offset > b.offset || (a.offset === b.offset && a.index > b.index);

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
