// The stages that a process is to run, by their names.

import { type Config, configuredDevices, secretRefsOf } from '../../../core/config.ts';
import { auditDevices } from '../../../core/devices.ts';
import { limits } from '../../../core/limits.ts';
import type { EvidenceWriter, Stream } from '../../../core/ports.ts';
import type { Question, StageName } from '../../../core/records.ts';
import type { Logger } from '../../../core/telemetry.ts';
import { slowCallNanos } from '../../../core/time.ts';
import { allBehaviours } from '../../../detectors/behaviours/all.ts';
import type { AlertOutput } from '../../../outputs/alerts/output.ts';
import type { Memories } from '../open.ts';
import { DeliverStage } from './deliver.ts';
import { DetectStage, type Judges } from './detect.ts';
import { IndexStage } from './index.ts';
import { LedgerStage } from './ledger.ts';
import { NormaliseStage } from './normalise.ts';
import type { Stage } from './stage.ts';

export interface StagesOptions {
  config: Config;
  stream: Stream;
  memories: Memories;
  judges: Judges;
  logger: Logger;
  now: () => number;
  /** Without one nobody asks Vault. */
  ask?: ((question: Question) => void) | undefined;
  /** Made for those stages only that want it. */
  writer: () => Promise<EvidenceWriter>;
  outputs: () => readonly AlertOutput[];
}

/** What the pipeline runs, in the order of the data. */
const order = ['normalise', 'ledger', 'detect', 'index', 'deliver'] as const;

/** Of `names` those that a pipeline runs, in the order of the data. */
export async function makeStages(options: StagesOptions, names: readonly StageName[]): Promise<Stage[]> {
  const stages: Stage[] = [];
  for (const name of order) if (names.includes(name)) stages.push(await makers[name](options));
  return stages;
}

const makers: Record<(typeof order)[number], (options: StagesOptions) => Stage | Promise<Stage>> = {
  normalise: ({ config, stream }) => {
    const { cluster, time, callers } = config;
    return new NormaliseStage({ stream, cluster, time, callers, devices: configuredDevices(config) });
  },
  ledger: ({ config, stream, memories, ask, now }) =>
    new LedgerStage({
      ...{ stream, now, cluster: config.cluster, openLedger: memories.openLedger },
      ...auditDevices(configuredDevices(config)),
      ...(ask !== undefined && { ask }),
    }),
  detect: ({ config, stream, memories, judges }) =>
    new DetectStage({
      ...{ stream, ...judges, behaviours: allBehaviours, cluster: config.cluster },
      slowCallNanos: slowCallNanos(config.time),
      ownSecrets: secretRefsOf(config).map(({ path }) => path),
      openDetector: memories.openDetector,
    }),
  index: async ({ config: { retention, evidence }, stream, writer, logger, now }) =>
    new IndexStage({
      ...{ stream, writer: await writer(), retention, logger, now },
      // Detection goes on while a cluster stalls.
      ...(evidence === 'elasticsearch' && { holdMs: limits.indexHoldMs }),
    }),
  deliver: ({ stream, outputs, logger }) => new DeliverStage({ stream, outputs: outputs(), logger }),
};
