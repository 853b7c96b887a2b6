// `sealwatch run`: everything in one process, on three threads; this one starts them, watches them and says what to do.

import { once } from 'node:events';
import { MessageChannel, Worker } from 'node:worker_threads';
import { type Config, dataFiles } from '../../core/config.ts';
import { mendable, SealwatchError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import type { Question } from '../../core/records.ts';
import type { Metrics } from '../../core/telemetry.ts';
import { prepareStream } from '../../storage/stream/embedded/stream.ts';
import { ensureKey, makeDataDir } from '../keys.ts';
import { dataDirGone, lockDataDir } from '../lock.ts';
import type { FromThread, ToThread } from './messages.ts';
import { signalled } from './signals.ts';
import { type RunningVault, startVault } from './vault.ts';
import { welcome } from './welcome.ts';

interface RunningThread {
  name: string;
  worker: Worker;
  says: Record<string, string>;
  metrics: Metrics;
  /** When it last reported. */
  reportedMs: number;
  /** Its modules are loaded, or it has ended. */
  loaded: Promise<unknown>;
  /** Why it ended; settles once, whenever that is. */
  ended: Promise<SealwatchError>;
}

export interface RunOptions {
  config: Config;
  version: string;
  /** A recorded log that is shown; its data lie in a folder of their own. */
  replayOf?: string;
}

/** Runs until SIGINT or SIGTERM, or until its terminal is closed; returns the exit code. */
export async function run({ config, version, replayOf }: RunOptions): Promise<number> {
  makeDataDir(config.dataDir);
  using _lock = lockDataDir(config.dataDir);
  using gone = dataDirGone(config.dataDir);
  const key = await prepareData(config);
  const threads: RunningThread[] = [];
  const data = { config, version };
  const { port1, port2 } = new MessageChannel();
  const records = new MessageChannel();
  const stopSignal = signalled(() => {
    tell(
      threads.filter(({ name }) => name === 'pipeline'),
      { type: 'reload' },
    );
  });
  try {
    const collector = start(threads, 'collector', { ...data, pipeline: port1 }, [port1]);
    const pipelinePorts = { collector: port2, records: records.port2 };
    const pipeline = start(threads, 'pipeline', { ...data, ...pipelinePorts }, [port2, records.port2]);
    const giveQuestions = holdQuestions(pipeline);
    await Promise.all([ready(collector), ready(pipeline)]);
    const serve = start(threads, 'serve', { ...data, records: records.port1 }, [records.port1]);
    await ready(serve);
    welcome({
      config,
      address: serve.says['address'] ?? '',
      key,
      ...(replayOf === undefined ? {} : { replayOf }),
    });
    const vault = startVault(config, {
      onAnswer: (answer) => tell([collector], { type: 'answer', answer }),
      onSecret: (ref, value) => tell(threads, { type: 'secret', ref, value }),
    });
    giveQuestions(vault);
    // What the pipeline has taken over, the API shows.
    pipeline.worker.on('message', ({ type }: FromThread) => {
      if (type === 'rules') tell([serve], { type: 'reload' });
    });
    const lines = () => collector.metrics['sealwatch_collector_lines_total'] ?? 0;
    const reporting = setInterval(() => report(threads, vault.metrics(lines())), 1000);
    const failure = await Promise.race([stopSignal, gone, ...threads.map((thread) => thread.ended)]);
    clearInterval(reporting);
    await vault.stop();
    if (failure !== undefined) throw failure;
    await stopAll(threads);
    return 0;
  } finally {
    // A thread that is ended while it loads a native module takes the process with it.
    await Promise.all(threads.map((thread) => thread.loaded));
    // A part that has failed takes the others with it: half a sealwatch looks like a whole one from outside.
    await Promise.all(threads.map((thread) => thread.worker.terminate()));
  }
}

/** What must be there before any thread starts; returns the admin's key. Throws DATA_DIR_UNUSABLE or DATA_DIR_OTHER_LAYOUT. */
async function prepareData({ dataDir, partitions }: Config): Promise<string> {
  const files = dataFiles(dataDir);
  try {
    ensureKey(files.scrubKey);
    await prepareStream(files.stream, partitions);
    return ensureKey(files.adminKey).key;
  } catch (error) {
    throw mendable(error, dataDir);
  }
}

function start(threads: RunningThread[], name: string, data: object, transfer: MessagePort[]): RunningThread {
  // Run from TypeScript in tests, from JavaScript when built: the extension is this file's own.
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const worker = new Worker(new URL(`./${name}-thread.${extension}`, import.meta.url), {
    workerData: data,
    transferList: transfer,
  });
  const thread: RunningThread = {
    name,
    worker,
    says: {},
    metrics: {},
    reportedMs: Date.now(),
    loaded: Promise.race(
      ['message', 'error', 'exit'].map((name) => new Promise((resolve) => worker.once(name, resolve))),
    ),
    ended: endOf(name, worker),
  };
  worker.on('message', (message: FromThread) => {
    if (message.type === 'ready') thread.says = message.says;
    if (message.type !== 'metrics') return;
    thread.metrics = message.metrics;
    thread.reportedMs = Date.now();
  });
  threads.push(thread);
  return thread;
}
type MessagePort = import('node:worker_threads').MessagePort;

function tell(threads: RunningThread[], message: ToThread): void {
  for (const { worker } of threads) worker.postMessage(message);
}

/** Questions that come before anybody can ask Vault wait: at the start the ledger asks again what was not answered. */
function holdQuestions({ worker }: RunningThread): (vault: RunningVault) => void {
  const held: Question[] = [];
  let asker: RunningVault | undefined;
  worker.on('message', (message: FromThread) => {
    if (message.type !== 'question') return;
    if (asker !== undefined) asker.ask(message.question);
    else if (held.length < limits.ledgerQuestionsMax) held.push(message.question);
  });
  return (vault) => {
    asker = vault;
    for (const question of held.splice(0)) vault.ask(question);
  };
}

/** A thread ends by itself only when it has failed; what it said of it is the error. */
function endOf(name: string, worker: Worker): Promise<SealwatchError> {
  const internal = (cause: unknown) =>
    new SealwatchError(
      'INTERNAL',
      `the ${name} thread ended (${cause instanceof Error ? cause.message : cause})`,
      'Start sealwatch again: nothing is lost.',
      { cause },
    );
  return new Promise((resolve) => {
    worker.on('message', (message: FromThread) => {
      if (message.type === 'failed')
        resolve(new SealwatchError(message.code, message.message, message.advice));
    });
    worker.once('error', (error) => resolve(internal(error)));
    worker.once('exit', (code) => resolve(internal(`exit code ${code}`)));
  });
}

/** Resolves when the thread says so; rejects when it ends instead. */
async function ready({ worker, ended }: RunningThread): Promise<void> {
  const isReady = new Promise<undefined>((resolve) => {
    worker.on('message', (message: FromThread) => {
      if (message.type === 'ready') resolve(undefined);
    });
  });
  const failure = await Promise.race([isReady, ended]);
  if (failure !== undefined) throw failure;
}

/** The API first, then what feeds it, in the order of the data: each ends with what came before it done. */
async function stopAll(threads: RunningThread[]): Promise<void> {
  for (const name of ['serve', 'collector', 'pipeline']) {
    const thread = threads.find((candidate) => candidate.name === name);
    if (thread === undefined || thread.worker.threadId < 0) continue;
    const exit = once(thread.worker, 'exit');
    thread.worker.postMessage({ type: 'stop' } satisfies ToThread);
    const timeout = setTimeout(() => void thread.worker.terminate(), STOP_MS);
    await exit;
    clearTimeout(timeout);
  }
}

const STOP_MS = 10_000;

function report(threads: RunningThread[], own: Metrics): void {
  const metrics = Object.assign(
    { sealwatch_resident_bytes: process.memoryUsage.rss() },
    own,
    ...threads.map((thread) => thread.metrics),
  ) as Metrics;
  const reasons = threads
    .filter((thread) => Date.now() - thread.reportedMs > SILENT_MS)
    .map((thread) => `the ${thread.name} thread does not answer`);
  for (const [name, reason] of Object.entries(failures)) if (metrics[name] === 1) reasons.push(reason);
  const serve = threads.find((thread) => thread.name === 'serve');
  serve?.worker.postMessage({
    type: 'metrics',
    metrics,
    ready: reasons.length === 0,
    reasons,
  } satisfies ToThread);
}

/** Gauges that are 1 while something cannot be done, and what that is. */
const failures = {
  sealwatch_collector_failing: 'the spool cannot be written',
  sealwatch_pipeline_stream_failing: 'the stream cannot be written',
  sealwatch_pipeline_store_failing: 'the evidence store cannot be written',
  sealwatch_ledger_failing: 'the ledger cannot be written',
  sealwatch_pipeline_snapshots_failing: 'snapshots cannot be written',
};

/** A thread reports each second; one that is silent this long does no work either. */
const SILENT_MS = 10_000;
