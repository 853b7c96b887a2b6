// The pipeline's thread: the stages that this process runs, from the stream to the evidence store and the outputs.

import { type MessagePort, workerData } from 'node:worker_threads';
import type { Config } from '../../core/config.ts';
import { SealwatchError } from '../../core/errors.ts';
import type { EvidenceWriter } from '../../core/ports.ts';
import { topics } from '../../core/records.ts';
import { EmbeddedStream } from '../../storage/stream/embedded/stream.ts';
import { load } from '../rules/load.ts';
import { Answers } from './answers.ts';
import { failure } from './messages.ts';
import { openCarrier, openWriter } from './open.ts';
import { outputsOf } from './outputs.ts';
import { Pipeline } from './pipeline.ts';
import { untilReached } from './reached.ts';
import { answerRecords, streamRecorder } from './recorder.ts';
import { type Look, lookAt, Reload } from './reload.ts';
import { makeStages } from './stages/all.ts';
import { DetectStage } from './stages/detect.ts';
import { runThread, type Thread } from './thread.ts';

/** Ports to other threads of the process. */
interface Ports {
  /** Says how far the collector's spool is durable, when it is in this process and the stream is the spool. */
  collector?: MessagePort;
  /** Where the API's thread asks to have kept what people do. */
  records?: MessagePort;
}

await runThread('pipeline', async ({ data, logger, say }) => {
  const { config } = data;
  const { collector, records } = workerData as Ports;
  const isCollecting = data.stages.includes('collect');
  const reach = <T>(open: () => Promise<T>) => (isCollecting ? untilReached(open, logger) : open());
  const { stream, memories, join } = await reach(() => openCarrier(config, logger));
  const answers = new Answers(stream, logger);
  let onFollowed = () => {};
  if (collector !== undefined && stream instanceof EmbeddedStream)
    await follow(collector, stream, () => onFollowed());
  let opened: Promise<EvidenceWriter> | undefined;
  const secrets = new Map<string, string>();
  const look = lookAt(config.rules);
  const judges = load({ ...config.rules, posture: config.posture });
  const stages = await makeStages(
    {
      ...{ config, stream, judges, logger, now: Date.now, memories },
      ...(config.vault.address !== undefined && { ask: (question) => say({ type: 'question', question }) }),
      writer: () => (opened ??= reach(() => openWriter(config, logger))),
      outputs: () => outputsOf(config, secrets),
    },
    data.stages,
  );
  const members = await Promise.all(
    stages.map(async (stage) => ({ stage, membership: await reach(() => join(stage.name)) })),
  );
  const pipeline = new Pipeline({ stream, members, logger, now: Date.now });
  await reach(() => pipeline.load());
  onFollowed = () => pipeline.notify();
  if (records !== undefined) answerRecords(records, streamRecorder(stream));
  const detect = stages.find((stage) => stage instanceof DetectStage);
  const reload = detect && startReload({ config, logger, say }, { pipeline, detect, loaded: judges, look });
  const running = pipeline.run();
  // A stage that throws ends the process: the next start goes on from its snapshot.
  running.catch((error: unknown) => {
    // What the user can mend is said by whoever started the thread, who then ends it.
    if (error instanceof SealwatchError) return say(failure(error, config.dataDir));
    logger.error({ error: error instanceof Error ? error.stack : String(error) }, 'the pipeline failed');
    process.exit(1);
  });
  say({ type: 'ready', says: {} });
  return {
    stop: async () => {
      records?.close();
      pipeline.stop();
      await running;
      await reload?.[Symbol.asyncDispose]();
      await (await opened)?.[Symbol.asyncDispose]();
      await stream[Symbol.asyncDispose]();
      collector?.close();
    },
    hear: (message) => {
      if (message.type === 'answer') answers.take(message.answer);
      if (message.type === 'secret') secrets.set(message.ref, message.value);
      if (message.type === 'reload') void reload?.check({ now: true });
    },
    metrics: () => ({
      ...pipeline.metrics(),
      ...reload?.metrics(),
      sealwatch_stream_broken_records_total: stream.brokenRecords,
    }),
  };
});

/** The collector has recovered the spool and says where it ends, now and whenever that changes. */
async function follow(collector: MessagePort, stream: EmbeddedStream, onMore: () => void): Promise<void> {
  const show = (ends: number[]) =>
    ends.forEach((end, partition) => void stream.follow(topics.raw, partition, end));
  await new Promise<void>((resolve) => {
    collector.on('message', (ends: number[]) => {
      show(ends);
      onMore();
      resolve();
    });
  });
}

/** From now on rules and lists are looked at; what is in force at the start is recorded first. */
function startReload(
  { config, logger, say }: Pick<Thread, 'logger' | 'say'> & { config: Config },
  from: { pipeline: Pipeline; detect: DetectStage; loaded: ReturnType<typeof load>; look: Look },
): Reload {
  const { pipeline, detect, loaded, look } = from;
  const reload = new Reload(
    {
      source: { ...config.rules, posture: config.posture },
      apply: async (judges) => {
        await pipeline.betweenTurns('detect', () => detect.reload(judges));
        say({ type: 'rules' });
      },
      changes: () => detect.changes,
      logger,
      now: Date.now,
    },
    loaded,
    look,
  );
  void reload.check();
  return reload;
}
