// `sealwatch run`: everything in one process, on three threads; this one starts them, watches them and says what to do.

import { once } from 'node:events';
import { MessageChannel, Worker } from 'node:worker_threads';
import { type Config, dataFiles } from '../../core/config.ts';
import { SealwatchError } from '../../core/errors.ts';
import type { Metrics } from '../../core/telemetry.ts';
import { prepareStream } from '../../storage/stream/embedded/stream.ts';
import { ensureKey, makeDataDir } from '../keys.ts';
import { lockDataDir } from '../lock.ts';
import type { FromThread, ToThread } from './messages.ts';
import { welcome } from './welcome.ts';

interface RunningThread {
  name: string;
  worker: Worker;
  says: Record<string, string>;
  metrics: Metrics;
}

export interface RunOptions {
  config: Config;
  version: string;
  /** A recorded log that is shown; its data lie in a folder of their own. */
  replayOf?: string;
}

/** Runs until SIGINT or SIGTERM; returns the exit code. */
export async function run({ config, version, replayOf }: RunOptions): Promise<number> {
  makeDataDir(config.dataDir);
  using _lock = lockDataDir(config.dataDir);
  const files = dataFiles(config.dataDir);
  ensureKey(files.scrubKey);
  await prepareStream(files.stream, config.partitions);
  const { key } = ensureKey(files.adminKey);
  const threads: RunningThread[] = [];
  const data = { config, version };
  const { port1, port2 } = new MessageChannel();
  try {
    const collector = start(threads, 'collector', { ...data, pipeline: port1 }, [port1]);
    const pipeline = start(threads, 'pipeline', { ...data, collector: port2 }, [port2]);
    await Promise.all([ready(collector), ready(pipeline)]);
    const serve = start(threads, 'serve', data, []);
    await ready(serve);
    welcome({
      config,
      address: serve.says['address'] ?? '',
      key,
      ...(replayOf === undefined ? {} : { replayOf }),
    });
  } catch (error) {
    await Promise.all(threads.map((thread) => thread.worker.terminate()));
    throw error;
  }
  const reporting = setInterval(() => report(threads), 1000);
  const code = await ended(threads);
  clearInterval(reporting);
  await stopAll(threads);
  return code;
}

function start(threads: RunningThread[], name: string, data: object, transfer: MessagePort[]): RunningThread {
  // Run from TypeScript in tests, from JavaScript when built: the extension is this file's own.
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const worker = new Worker(new URL(`./${name}-thread.${extension}`, import.meta.url), {
    workerData: data,
    transferList: transfer,
  });
  const thread: RunningThread = { name, worker, says: {}, metrics: {} };
  worker.on('message', (message: FromThread) => {
    if (message.type === 'ready') thread.says = message.says;
    if (message.type === 'metrics') thread.metrics = message.metrics;
  });
  threads.push(thread);
  return thread;
}
type MessagePort = import('node:worker_threads').MessagePort;

/** Resolves when the thread says so; rejects with what it says instead. */
function ready({ name, worker }: RunningThread): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.on('message', (message: FromThread) => {
      if (message.type === 'ready') resolve();
      if (message.type === 'failed')
        reject(new SealwatchError(message.code, message.message, message.advice));
    });
    worker.once('error', reject);
    worker.once('exit', (code) =>
      reject(new Error(`the ${name} thread ended with ${code} before it was ready`)),
    );
  });
}

/** Waits for a signal, or for a thread to end by itself, which is a failure. */
async function ended(threads: RunningThread[]): Promise<number> {
  const signal = new Promise<number>((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => resolve(0));
  });
  let stopping = false;
  void signal.then(() => {
    stopping = true;
  });
  const failures = threads.map(async ({ name, worker }) => {
    const [cause] = await Promise.race([
      once(worker, 'exit'),
      once(worker, 'error').catch((error: unknown) => [error]),
    ]);
    if (stopping) return 0;
    process.stderr.write(
      `INTERNAL: the ${name} thread ended (${cause}). Start sealwatch again: nothing is lost.\n`,
    );
    return 1;
  });
  return Promise.race([signal, ...failures]);
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

function report(threads: RunningThread[]): void {
  const metrics = Object.assign(
    { sealwatch_resident_bytes: process.memoryUsage.rss() },
    ...threads.map((thread) => thread.metrics),
  ) as Metrics;
  const serve = threads.find((thread) => thread.name === 'serve');
  serve?.worker.postMessage({ type: 'metrics', metrics, ready: true, reasons: [] } satisfies ToThread);
}
