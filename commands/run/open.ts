// The adapters that the configuration names: where records travel, where evidence is kept, where stages keep what they know.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Config, dataFiles } from '../../core/config.ts';
import type { DetectorMemory, EvidenceWriter, Membership, Stream } from '../../core/ports.ts';
import { type StageName, topics } from '../../core/records.ts';
import type { Logger } from '../../core/telemetry.ts';
import { openDetectorMemory } from '../../storage/detectors/memory.ts';
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

/** The stream that stages read and write; raw of an embedded one is the collector's. */
export function openStream({ dataDir, partitions }: Config, logger: Logger): Promise<EmbeddedStream> {
  const { raw, ...written } = topics;
  return EmbeddedStream.open({
    ...{ dir: dataFiles(dataDir).stream, partitions },
    writes: Object.values(written),
    onHole: (hole) => logger.error({ ...hole }, 'records of the stream cannot be read; going on behind them'),
  });
}

export async function openWriter({ dataDir }: Config): Promise<EvidenceWriter> {
  return openEvidenceWriter(dataFiles(dataDir).evidence);
}

export function memoriesOf({ dataDir }: Config): Memories {
  const files = dataFiles(dataDir);
  mkdirSync(files.detectors, { recursive: true, mode: 0o700 });
  return {
    openLedger: async () => openLedgerMemory(files.ledger),
    openDetector: async (name) => openDetectorMemory(join(files.detectors, `${name}.db`)),
  };
}

/** Which partitions `stage` has in this process. */
export async function openMembership(_stage: StageName, stream: Stream): Promise<Membership> {
  return wholeMembership(stream.partitions);
}
