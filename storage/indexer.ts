// The indexer: stream -> evidence store, each batch in one transaction with the offsets it came from.

import type { Alert } from '../core/alert.ts';
import type { Fact } from '../core/directory.ts';
import { SealwatchError } from '../core/errors.ts';
import type { AuditEvent } from '../core/event.ts';
import type { Lease } from '../core/lease.ts';
import { limits } from '../core/limits.ts';
import type { EvidenceBatch, EvidenceWriter, IndexOffset, Stream, StreamRecord } from '../core/ports.ts';
import {
  type Baseline,
  type Change,
  type CoverageRow,
  type HashPair,
  type Loss,
  type NodeSeen,
  type Reject,
  type Topic,
  type Triage,
  topics,
  type Watermark,
} from '../core/records.ts';
import { sourcesOf } from './watermark.ts';

const indexed: readonly Topic[] = [
  topics.events,
  topics.leases,
  topics.alerts,
  topics.coverage,
  topics.credentials,
  topics.changes,
];

/** Steps with nothing but watermarks that wait for the next transaction: an idle stream brings some each second. */
const WATERMARK_STEPS_MAX = 5;

export interface Indexer {
  /** Reads and writes one batch; returns how many records it read, 0 when there was nothing to do. */
  step(): Promise<number>;
  /** Writes what waits: watermarks that no rows came after. */
  flush(): Promise<void>;
  /** The offsets that the store has, of what is indexed here; empty until the first step. */
  written(): readonly IndexOffset[];
}

/**
 * Exactly once: the writer keeps the offsets with the rows, and after a start or a failed write reading goes on from there.
 * Indexes these partitions of every topic, all without the option; several indexers may share a store, each with partitions of
 * its own. Steps never overlap.
 */
export function createIndexer(options: {
  stream: Stream;
  writer: EvidenceWriter;
  partitions?: readonly number[];
}): Indexer {
  const { stream, writer } = options;
  const { partitions = Array.from({ length: stream.partitions }, (_, partition) => partition) } = options;
  let positions: IndexOffset[] | undefined;
  let written: readonly IndexOffset[] = [];
  let waiting = 0;

  async function write(batch: EvidenceBatch, next: IndexOffset[]): Promise<void> {
    positions = undefined;
    await writer.write({ ...batch, offsets: next });
    positions = written = next;
    waiting = 0;
  }

  async function begin(): Promise<IndexOffset[]> {
    const found = await startPositions(stream, writer, partitions);
    written = found;
    return found;
  }

  return {
    async step() {
      positions ??= await begin();
      const batch = emptyBatch();
      const next = positions.map((position) => ({ ...position }));
      let count = 0;
      for (const position of next) count += await collect(stream, position, batch);
      if (count === 0) return 0;
      if (hasRows(batch) || ++waiting >= WATERMARK_STEPS_MAX) await write(batch, next);
      else positions = next;
      return count;
    },
    async flush() {
      if (waiting > 0 && positions !== undefined) await write(emptyBatch(), positions);
    },
    written: () => written,
  };
}

const emptyBatch = (): EvidenceBatch => ({
  events: [],
  leases: [],
  alerts: [],
  rejects: [],
  coverage: [],
  hashes: [],
  nodes: [],
  facts: [],
  triage: [],
  changes: [],
  baselines: [],
  offsets: [],
});

const hasRows = ({ offsets: _, ...rows }: EvidenceBatch) =>
  Object.values(rows).some((list) => list.length > 0);

/** Where to begin: one position for each of `partitions` of each topic, from the store where it has one. */
async function startPositions(
  stream: Stream,
  writer: EvidenceWriter,
  partitions: readonly number[],
): Promise<IndexOffset[]> {
  const stored = await writer.offsets();
  // Ends are as they are now: whoever had these partitions before may have written until a moment ago.
  await stream.sync();
  const beyond = stored.find((offset) => isBeyond(stream, partitions, offset));
  if (beyond !== undefined) throw streamBehind(stream, beyond);
  return indexed.flatMap((topic) =>
    partitions.map((partition) => {
      const known = stored.find((offset) => offset.topic === topic && offset.partition === partition);
      const sources = { ...unheard(sourcesOf({ topic, partition }, stream.partitions)), ...known?.sources };
      return {
        ...{ topic, partition, next: known?.next ?? 0 },
        ...(Object.keys(sources).length > 0 && { sources }),
      };
    }),
  );
}

/** Of records that the stream does not have: those that it gets under their offsets would never be indexed. */
const isBeyond = (
  stream: Stream,
  partitions: readonly number[],
  { topic, partition, next }: IndexOffset,
): boolean =>
  indexed.includes(topic) && partitions.includes(partition) && next > stream.end(topic, partition);

const streamBehind = (stream: Stream, { topic, partition, next }: IndexOffset) =>
  new SealwatchError(
    'STREAM_BEHIND_STORE',
    `the evidence store holds ${topic}/${partition} up to ${next}, the stream ends at ${stream.end(topic, partition)}: it was made anew`,
    'Bring the stream back, or begin another store: elasticsearch.prefix, or without evidence.db.',
  );

/** An empty time for each source. */
const unheard = (count: number): Record<number, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, source) => [source, '']));

/** Reads on from `position`, moves it, and sorts the records into `batch`; returns how many there were. */
async function collect(stream: Stream, position: IndexOffset, batch: EvidenceBatch): Promise<number> {
  const { topic, partition } = position;
  // Retention waits for the indexer, except for a store that is new or was set back.
  const from = Math.max(position.next, stream.start(topic, partition));
  // A store that is ahead of the stream has read what is no longer there: `read` says so.
  if (from === stream.end(topic, partition)) return 0;
  const records = await stream.read(topic, partition, from, limits.indexBytesMax);
  for (const record of records) sortIn(record, batch, position);
  position.next = (records.at(-1)?.offset ?? from - 1) + 1;
  return records.length;
}

function sortIn(record: StreamRecord, batch: EvidenceBatch, position: IndexOffset): void {
  switch (record.kind) {
    case 'event':
      batch.events.push({ event: record.value as AuditEvent, text: record.text });
      break;
    case 'lease':
      batch.leases.push(record.value as { revision: number; body: Lease });
      break;
    case 'alert':
      batch.alerts.push(record.value as { revision: number; body: Alert });
      break;
    case 'reject':
      batch.rejects.push(record.value as Reject);
      break;
    case 'coverage':
      batch.coverage.push(record.value as CoverageRow);
      break;
    case 'hashes':
      batch.hashes.push(record.value as HashPair);
      break;
    case 'node':
      batch.nodes.push(record.value as NodeSeen);
      break;
    case 'fact':
      batch.facts.push(record.value as Fact);
      break;
    case 'triage':
      batch.triage.push(record.value as Triage);
      break;
    case 'change':
      batch.changes.push(record.value as Change);
      break;
    case 'baseline':
      batch.baselines.push(record.value as Baseline);
      break;
    case 'loss':
      addHole(record.offset, record.value as Loss, batch, position);
      break;
    case 'watermark':
      // The ledger has its own.
      if (position.sources !== undefined)
        position.sources = raised(position.sources, record.value as Watermark);
      break;
    default: // Other kinds are for other stages.
  }
}

/** Records that the disk has lost: what they said is missing from the answers, and the evidence says so. */
function addHole(
  offset: number,
  { device, reason, bytes, count }: Loss,
  batch: EvidenceBatch,
  at: IndexOffset,
): void {
  const { topic, partition } = at;
  const id = `${reason}-${topic}-${partition}-${offset}`;
  batch.rejects.push({ id, device, reason, bytes, lines: count });
  const counts = { dropped: count, gaps: count };
  batch.coverage.push({ id, device, partition, origin: 'recorded', revision: 0, counts });
}

const raised = (sources: Record<number, string>, { source, time }: Watermark): Record<number, string> =>
  time > (sources[source] ?? '') ? { ...sources, [source]: time } : sources;
