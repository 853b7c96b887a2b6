// The adapters that the configuration names: where records travel, where evidence is kept, where stages keep what they know.

import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Config, dataFiles } from '../../core/config.ts';
import type { DetectorMemory, EvidenceReader, EvidenceWriter, Membership, Stream } from '../../core/ports.ts';
import { type StageName, topics } from '../../core/records.ts';
import type { Logger } from '../../core/telemetry.ts';
import { openDetectorMemory } from '../../storage/detectors/memory.ts';
import { openEvidenceReader } from '../../storage/evidence/embedded/reader.ts';
import { openEvidenceWriter } from '../../storage/evidence/embedded/writer.ts';
import { openLedgerMemory } from '../../storage/ledger/memory.ts';
import { EmbeddedStream } from '../../storage/stream/embedded/stream.ts';
import type { LedgerFile } from './stages/ledger.ts';
import { wholeMembership } from './stages/membership.ts';

export interface Memories {
  /**
   * Opens the ledger's memory; again after it has refused something. `isOurs`: whether it still is, where other processes may
   * have it before and after.
   */
  openLedger: (isOurs?: () => boolean) => Promise<LedgerFile>;
  /** The same of a detector's memory, by its name: `events-0`. */
  openDetector: (name: string, isOurs?: () => boolean) => Promise<DetectorMemory>;
}

/** What carries records between stages, and what a process of it takes part in. The stream ends all of it. */
export interface Carrier {
  stream: Stream & {
    /** Records that could not be read since the start. */
    readonly brokenRecords: number;
  };
  memories: Memories;
  /** Which partitions `stage` has in this process. */
  join: (stage: StageName) => Promise<Membership>;
}

/** Throws what opening the stream throws: DATA_DIR_UNUSABLE, or KAFKA_UNREACHABLE and the like. */
export const openCarrier = async (config: Config, logger: Logger): Promise<Carrier> =>
  config.stream === 'kafka'
    ? (await import('./open-kafka.ts')).openKafka(config, logger)
    : openEmbedded(config, logger);

/** The stream alone. */
export const openStream = async (config: Config, logger: Logger): Promise<Stream> =>
  (await openCarrier(config, logger)).stream;

/** Raw is the collector's to write. */
async function openEmbedded({ dataDir, partitions }: Config, logger: Logger): Promise<Carrier> {
  const { raw, ...written } = topics;
  const files = dataFiles(dataDir);
  const stream = await EmbeddedStream.open({
    ...{ dir: files.stream, partitions },
    writes: Object.values(written),
    onHole: (hole) => logger.error({ ...hole }, 'records of the stream cannot be read; going on behind them'),
  });
  mkdirSync(files.detectors, { recursive: true, mode: 0o700 });
  return {
    stream,
    memories: {
      openLedger: async () => openLedgerMemory(files.ledger),
      openDetector: async (name) => openDetectorMemory(join(files.detectors, `${name}.db`)),
    },
    join: async () => wholeMembership(partitions),
  };
}

/** Throws what opening the store throws: DATA_DIR_UNUSABLE, or ELASTICSEARCH_UNREACHABLE and the like. */
export async function openWriter(config: Config, log: Logger): Promise<EvidenceWriter> {
  if (config.evidence === 'embedded') return openEvidenceWriter(dataFiles(config.dataDir).evidence);
  const { openElasticsearchWriter } = await import('../../storage/evidence/elasticsearch/writer.ts');
  return openElasticsearchWriter(config.elasticsearch, { eventDays: config.retention.eventDays, log });
}

/** For an API without an indexer beside it: the store may not have been made yet. */
export async function openReader(config: Config): Promise<EvidenceReader> {
  if (config.evidence === 'elasticsearch') {
    const { openElasticReader } = await import('../../storage/evidence/elasticsearch/reader.ts');
    return openElasticReader(config.elasticsearch);
  }
  const path = dataFiles(config.dataDir).evidence;
  if (!existsSync(path)) await openEvidenceWriter(path)[Symbol.asyncDispose]();
  return openEvidenceReader(path);
}
