// The pipeline's thread: stream in, evidence store and alerts out; the one writer of both.

import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type MessagePort, workerData } from 'node:worker_threads';
import { alertFilter } from '../../core/alert-filter.ts';
import { type Config, configuredDevices, dataFiles } from '../../core/config.ts';
import { SealwatchError } from '../../core/errors.ts';
import { type Question, topics } from '../../core/records.ts';
import { secretRef } from '../../core/secret-ref.ts';
import { fileOutput } from '../../outputs/alerts/file.ts';
import type { AlertOutput } from '../../outputs/alerts/output.ts';
import { webhookOutput } from '../../outputs/alerts/webhook.ts';
import { openDetectorMemory } from '../../storage/detectors/memory.ts';
import { openEvidenceWriter } from '../../storage/evidence/embedded/writer.ts';
import { openLedgerMemory } from '../../storage/ledger/memory.ts';
import { EmbeddedStream } from '../../storage/stream/embedded/stream.ts';
import { type Loaded, load } from '../rules/load.ts';
import { ChangeRecord } from './changes.ts';
import { alertsPath, Pipeline } from './pipeline.ts';
import { answerRecords, streamRecorder } from './recorder.ts';
import { type Look, lookAt, Reload } from './reload.ts';
import { runThread, type Thread } from './thread.ts';

await runThread('pipeline', async ({ data, logger, say }) => {
  const { config } = data;
  const files = dataFiles(config.dataDir);
  const { collector, records } = workerData as { collector: MessagePort; records: MessagePort };
  const { raw, ...written } = topics;
  const stream = await EmbeddedStream.open({
    dir: files.stream,
    partitions: config.partitions,
    writes: Object.values(written),
    onHole: (hole) => logger.error({ ...hole }, 'records of the stream cannot be read; going on behind them'),
  });
  const ends = await firstEnds(collector);
  const follow = (next: number[]) =>
    next.forEach((end, partition) => void stream.follow(raw, partition, end));
  follow(ends);
  mkdirSync(files.detectors, { recursive: true, mode: 0o700 });
  const writer = openEvidenceWriter(files.evidence);
  const secrets = new Map<string, string>();
  const outputs = outputsOf(config, secrets);
  const look = lookAt(config.rules);
  const loaded = load({ ...config.rules, posture: config.posture });
  const pipeline = await Pipeline.load({
    config,
    stream,
    writer,
    openLedger: () => openLedgerMemory(files.ledger),
    openDetector: (name) => openDetectorMemory(join(files.detectors, `${name}.db`)),
    ...(config.vault.address !== undefined && {
      ask: (question: Question) => say({ type: 'question', question }),
    }),
    ...loaded,
    devices: configuredDevices(config),
    outputs,
    logger,
    now: Date.now,
  });
  collector.on('message', (next: number[]) => {
    follow(next);
    pipeline.notify();
  });
  answerRecords(records, streamRecorder(stream));
  const reload = await startReload({ ...data, logger, say }, { stream, pipeline, loaded, look });
  const running = pipeline.run();
  // A stage that throws ends the process: the next start goes on from its snapshot.
  running.catch((error: unknown) => {
    logger.error({ error: error instanceof Error ? error.stack : String(error) }, 'the pipeline failed');
    process.exit(1);
  });
  say({ type: 'ready', says: {} });
  return {
    stop: async () => {
      records.close();
      pipeline.stop();
      await running;
      await reload[Symbol.asyncDispose]();
      await writer[Symbol.asyncDispose]();
      await stream[Symbol.asyncDispose]();
      collector.close();
    },
    hear: (message) => {
      if (message.type === 'secret') secrets.set(message.ref, message.value);
      if (message.type === 'reload') void reload.check({ now: true });
    },
    metrics: () => ({
      ...pipeline.metrics(),
      ...reload.metrics(),
      sealwatch_stream_broken_records_total: stream.brokenRecords,
    }),
  };
});

/** From now on rules and lists are looked at; what is in force at the start is recorded first. */
async function startReload(
  { config, logger, say }: Pick<Thread, 'logger' | 'say'> & { config: Config },
  from: { stream: EmbeddedStream; pipeline: Pipeline; loaded: Loaded; look: Look },
): Promise<Reload> {
  const reload = new Reload(
    {
      source: { ...config.rules, posture: config.posture },
      apply: async (judges) => {
        await from.pipeline.reload(judges);
        say({ type: 'rules' });
      },
      changes: await ChangeRecord.load(from.stream),
      logger,
      now: Date.now,
    },
    from.loaded,
    from.look,
  );
  void reload.check();
  return reload;
}

/** The collector has recovered the spool and says where it ends. */
function firstEnds(collector: MessagePort): Promise<number[]> {
  return new Promise((resolve) => collector.once('message', resolve));
}

/** `secrets` are those that were read from Vault, by what the configuration has in their place. */
function outputsOf(config: Config, secrets: ReadonlyMap<string, string>): AlertOutput[] {
  const { url, secretFile } = config.outputs.webhook;
  const file = { ...fileOutput(alertsPath(config)), ...accepting(config.outputs.file.match) };
  if (url === undefined || secretFile === undefined) return [file];
  const read = secretRef(secretFile) === undefined ? readSecret(secretFile) : undefined;
  const secret = () => read ?? secrets.get(secretFile);
  const webhook = webhookOutput({ url, secret, now: Date.now });
  return [file, { ...webhook, ...accepting(config.outputs.webhook.match) }];
}

/** A function, not a constant: the thread works before this module is at its end. */
function accepting(match: Record<string, unknown> | undefined): Pick<AlertOutput, 'accepts'> {
  return match === undefined ? {} : { accepts: alertFilter(match) };
}

function readSecret(path: string): string {
  try {
    const secret = readFileSync(path, 'utf8').trim();
    if (secret !== '') return secret;
  } catch (error) {
    throw new SealwatchError(
      'CONFIG_INVALID',
      `outputs.webhook.secretFile ${path} cannot be read`,
      'Put the signing key there, readable for sealwatch only.',
      { cause: error },
    );
  }
  throw new SealwatchError(
    'CONFIG_INVALID',
    `outputs.webhook.secretFile ${path} is empty`,
    'Put the signing key there.',
  );
}
