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
  /** Opens the ledger's memory; again after it has refused something. */
  openLedger: () => Promise<LedgerFile>;
  /** The same of a detector's memory, by its name: `events-0`. */
  openDetector: (name: string) => Promise<DetectorMemory>;
}

/** What the stages of a pipeline stand on. */
export interface Ground extends AsyncDisposable {
  readonly stream: Stream & { readonly brokenRecords: number };
  /** Which partitions `stage` has in this process. */
  join(stage: StageName): Promise<Membership>;
  readonly memories: Memories;
}

/** Throws what the stream throws when it cannot be opened: DATA_DIR_UNUSABLE, KAFKA_UNREACHABLE, KAFKA_TOPICS_WRONG. */
export async function openGround(config: Config, logger: Logger): Promise<Ground> {
  if (config.stream === 'embedded') return openEmbedded(config, logger);
  // A process without Kafka loads none of it.
  const { openKafka } = await import('./open-kafka.ts');
  return openKafka(config, logger);
}

/** Raw is the collector's to write. */
async function openEmbedded({ dataDir, partitions }: Config, logger: Logger): Promise<Ground> {
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
    join: async () => wholeMembership(partitions),
    memories: {
      openLedger: async () => openLedgerMemory(files.ledger),
      openDetector: async (name) => openDetectorMemory(detectorFile(dataDir, name)),
    },
    [Symbol.asyncDispose]: () => stream[Symbol.asyncDispose](),
  };
}

export const detectorFile = (dataDir: string, name: string): string =>
  join(dataFiles(dataDir).detectors, `${name}.db`);

export async function openWriter(config: Config, logger: Logger): Promise<EvidenceWriter> {
  const { dataDir, elasticsearch, evidence, retention } = config;
  if (evidence === 'embedded') return openEvidenceWriter(dataFiles(dataDir).evidence);
  const { openElasticsearchWriter } = await import('../../storage/evidence/elasticsearch/writer.ts');
  return openElasticsearchWriter(elasticsearch, { eventDays: retention.eventDays, log: logger });
}

/** An embedded store that no indexer has made yet is made. */
export async function openReader(config: Config, logger: Logger): Promise<EvidenceReader> {
  if (config.evidence === 'elasticsearch') {
    const { openElasticReader } = await import('../../storage/evidence/elasticsearch/reader.ts');
    return openElasticReader(config.elasticsearch);
  }
  const path = dataFiles(config.dataDir).evidence;
  if (!existsSync(path)) await (await openWriter(config, logger))[Symbol.asyncDispose]();
  return openEvidenceReader(path);
}
