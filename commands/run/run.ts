// Starts the threads that a process needs, watches them and says what to do: all of sealwatch (`run`), or one stage of it.

import { MessageChannel } from 'node:worker_threads';
import { type Config, configuredDevices, dataFiles } from '../../core/config.ts';
import { mendable, SealwatchError } from '../../core/errors.ts';
import { type StageName, stageNames } from '../../core/records.ts';
import { labelled, type Metrics } from '../../core/telemetry.ts';
import { prepareStream } from '../../storage/stream/embedded/stream.ts';
import { ensureKey, makeDataDir } from '../keys.ts';
import { dataDirGone, lockDataDir, lockStage } from '../lock.ts';
import type { FromThread } from './messages.ts';
import { allMetrics, PARTITIONS_METRIC, readiness } from './report.ts';
import { signalled } from './signals.ts';
import { ensureSpoolId } from './spool-id.ts';
import { Threads } from './threads.ts';
import { VaultDuty } from './vault-duty.ts';
import { stageWelcome, welcome } from './welcome.ts';

export interface RunOptions {
  config: Config;
  version: string;
  /** A recorded log that is shown; its data lie in a folder of their own. */
  replayOf?: string;
  /** The one that runs alone; all of them without it. */
  stage?: StageName;
}

/** Runs until SIGINT or SIGTERM, or until its terminal is closed; returns the exit code. */
export async function run({ config, version, replayOf, stage }: RunOptions): Promise<number> {
  if (stage !== undefined) needsKafka(config, stage);
  const stages = stage === undefined ? stageNames : [stage];
  makeDataDir(config.dataDir);
  using _lock = stage === undefined ? lockDataDir(config.dataDir) : lockStage(config.dataDir, stage);
  using gone = dataDirGone(config.dataDir);
  await prepareData(config, stages);
  await using threads = new Threads({ config, version, stages }, (message) => hear(message));
  const vault = new VaultDuty(config, stages, {
    onAnswer: (answer) =>
      threads.tell([threads.firstOf(['collector', 'pipeline', 'serve'])], { type: 'answer', answer }),
    onSecret: (ref, value) => threads.tell(['pipeline', 'serve'], { type: 'secret', ref, value }),
  });
  const hear = (message: FromThread) => {
    if (message.type === 'question') vault.ask(message.question);
    // What the pipeline has taken over, the API shows.
    if (message.type === 'rules') threads.tell(['serve'], { type: 'reload' });
  };
  const stopSignal = signalled(() =>
    threads.tell([threads.firstOf(['pipeline', 'serve'])], { type: 'reload' }),
  );
  await using health = stages.includes('serve')
    ? undefined
    : await (await import('./health.ts')).startHealth(config);
  const end = async (failure: SealwatchError | undefined) => {
    await vault.stop();
    if (failure !== undefined) throw failure;
    await threads.stop();
    return 0;
  };
  // A start takes long while Kafka or Elasticsearch is away.
  const started = startThreads(threads, config, stages).then(() => 'ready' as const);
  const early = await Promise.race([started, stopSignal, gone]);
  if (early !== 'ready') return await end(early);
  const address = threads.get('serve')?.says?.['address'] ?? health?.address;
  if (stage === undefined) welcome({ config, address, replayOf });
  else stageWelcome({ config, address, stage });
  const report = () => {
    const own = vault.metrics(linesOf(threads, config));
    const metrics = allMetrics(threads.all(), own);
    vault.become(hasLedger(config, stages, metrics));
    const state = readiness(threads.all(), metrics);
    threads.tell(['serve'], { type: 'metrics', metrics, ...state });
    health?.show(metrics, state);
  };
  report();
  const reporting = setInterval(report, 1000);
  const failure = await Promise.race([stopSignal, gone, ...threads.all().map((thread) => thread.ended)]);
  clearInterval(reporting);
  // Awaited here: it fails while what is disposed of on the way out is waited for.
  return await end(failure);
}

/** The embedded stream is one process's own. Throws USAGE. */
function needsKafka({ stream }: Config, stage: StageName): void {
  if (stream === 'kafka') return;
  throw new SealwatchError(
    'USAGE',
    `\`sealwatch ${stage}\` is one stage, and stages that run apart meet in Kafka: the stream of this configuration is ${stream}`,
    'Set stream: kafka (SEALWATCH_STREAM) and kafka.brokers (SEALWATCH_KAFKA_BROKERS), or use `sealwatch run`, which is all stages in one process.',
  );
}

/** What must be there before any thread starts. Throws DATA_DIR_UNUSABLE or DATA_DIR_OTHER_LAYOUT. */
async function prepareData(
  { dataDir, partitions, stream, stage }: Config,
  stages: readonly StageName[],
): Promise<void> {
  const files = dataFiles(dataDir);
  try {
    if (stages.includes('collect')) {
      ensureKey(files.scrubKey);
      await prepareStream(files.stream, partitions);
      if (stream === 'kafka') ensureSpoolId(files.spoolId);
    }
    if (stages.includes('serve') || stage.port !== undefined) ensureKey(files.adminKey);
  } catch (error) {
    throw mendable(error, dataDir);
  }
}

/** Each with a port to whom it talks to. The API comes last: it shows what the others have made ready. */
async function startThreads(
  threads: Threads,
  { stream }: Config,
  stages: readonly StageName[],
): Promise<void> {
  const isPipelined = stages.some((stage) => stage !== 'collect' && stage !== 'serve');
  const spool = new MessageChannel();
  const records = new MessageChannel();
  if (stages.includes('collect')) {
    threads.start('collector', { reader: spool.port1 });
    if (stream === 'kafka') threads.start('drain', { collector: spool.port2 });
  }
  if (isPipelined)
    threads.start('pipeline', {
      ...(stream === 'embedded' && { collector: spool.port2 }),
      ...(stages.includes('serve') && { records: records.port2 }),
    });
  await threads.ready();
  if (!stages.includes('serve')) return;
  threads.start('serve', isPipelined ? { records: records.port1 } : {});
  await threads.ready();
}

/** Whether the ledger works here. With Kafka it works in one process, and stands by in the others. */
function hasLedger({ stream }: Config, stages: readonly StageName[], metrics: Metrics): boolean {
  if (!stages.includes('ledger')) return false;
  return stream === 'embedded' || (metrics[labelled(PARTITIONS_METRIC, { stage: 'ledger' })] ?? 0) > 0;
}

/** Lines that were received since the start; without a collector here those at least that the ledger's calls are told in. */
function linesOf(threads: Threads, config: Config): number {
  const collected = threads.get('collector')?.metrics['sealwatch_collector_lines_total'];
  const calls = threads.get('pipeline')?.metrics['sealwatch_ledger_records_total'] ?? 0;
  return collected ?? 2 * configuredDevices(config).length * calls;
}
