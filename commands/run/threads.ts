// The threads of a process: started, watched, told, and stopped in the order of the data.

import { once } from 'node:events';
import { type MessagePort, Worker } from 'node:worker_threads';
import { SealwatchError } from '../../core/errors.ts';
import type { Metrics } from '../../core/telemetry.ts';
import type { FromThread, ThreadData, ToThread } from './messages.ts';

/**
 * `collector`: Vault into the spool. `drain`: the spool onto Kafka. `pipeline`: normalise to deliver. `serve`: the API.
 */
export type ThreadName = 'collector' | 'drain' | 'pipeline' | 'serve';

export interface RunningThread {
  name: ThreadName;
  worker: Worker;
  /** What it said when it was ready; undefined before. */
  says: Record<string, string> | undefined;
  metrics: Metrics;
  /** When it last reported. */
  reportedMs: number;
  /** Its modules are loaded, or it has ended. */
  loaded: Promise<unknown>;
  /** Why it ended; settles once, whenever that is. */
  ended: Promise<SealwatchError>;
}

/** The API first, then what feeds it, in the order of the data: each ends with what came before it done. */
const STOP_ORDER: readonly ThreadName[] = ['serve', 'collector', 'drain', 'pipeline'];
const STOP_MS = 10_000;

export class Threads implements AsyncDisposable {
  private readonly data: ThreadData;
  private readonly onMessage: (message: FromThread) => void;
  private readonly running = new Map<ThreadName, RunningThread>();

  /** `onMessage` hears what any of them says. */
  constructor(data: ThreadData, onMessage: (message: FromThread) => void) {
    this.data = data;
    this.onMessage = onMessage;
  }

  /** Starts one, with ports to others by their names. */
  start(name: ThreadName, ports: Readonly<Record<string, MessagePort>> = {}): RunningThread {
    // Run from TypeScript in tests, from JavaScript when built: the extension is this file's own.
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const worker = new Worker(new URL(`./${name}-thread.${extension}`, import.meta.url), {
      workerData: { ...this.data, ...ports },
      transferList: Object.values(ports),
    });
    const thread: RunningThread = {
      name,
      worker,
      says: undefined,
      metrics: {},
      reportedMs: Date.now(),
      loaded: Promise.race(
        ['message', 'error', 'exit'].map((event) => new Promise((resolve) => worker.once(event, resolve))),
      ),
      ended: endOf(name, worker),
    };
    worker.on('message', (message: FromThread) => {
      if (message.type === 'ready') thread.says = message.says;
      if (message.type === 'metrics') {
        thread.metrics = message.metrics;
        thread.reportedMs = Date.now();
      }
      this.onMessage(message);
    });
    this.running.set(name, thread);
    return thread;
  }

  get(name: ThreadName): RunningThread | undefined {
    return this.running.get(name);
  }

  all(): RunningThread[] {
    return [...this.running.values()];
  }

  /** The first of `names` that runs here. */
  firstOf(names: readonly ThreadName[]): ThreadName {
    return names.find((name) => this.running.has(name)) ?? (names[0] as ThreadName);
  }

  /** Those of `names` that run here. */
  tell(names: readonly ThreadName[], message: ToThread): void {
    for (const name of names) this.running.get(name)?.worker.postMessage(message);
  }

  /** Resolves when all that were started are ready; rejects when one ends instead. */
  async ready(): Promise<void> {
    await Promise.all(this.all().map(ready));
  }

  /** Orderly: each ends with what it was given done, or is ended; at once when it is not ready yet. */
  async stop(): Promise<void> {
    for (const name of STOP_ORDER) {
      const thread = this.running.get(name);
      if (thread === undefined || thread.worker.threadId < 0) continue;
      if (thread.says === undefined) {
        await ended(thread);
        continue;
      }
      const exit = once(thread.worker, 'exit');
      this.tell([name], { type: 'stop' });
      const timeout = setTimeout(() => void thread.worker.terminate(), STOP_MS);
      await exit;
      clearTimeout(timeout);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A part that has failed takes the others with it: half a sealwatch looks like a whole one from outside.
    await Promise.all(this.all().map(ended));
  }
}

async function ended({ loaded, worker }: RunningThread): Promise<void> {
  // A thread that is ended while it loads a native module takes the process with it.
  await loaded;
  await worker.terminate();
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

/** Resolves when the thread says so, at once when it has; rejects when it ends instead. */
async function ready({ worker, ended, says }: RunningThread): Promise<void> {
  if (says !== undefined) return;
  const isReady = new Promise<undefined>((resolve) => {
    worker.on('message', (message: FromThread) => {
      if (message.type === 'ready') resolve(undefined);
    });
  });
  const failure = await Promise.race([isReady, ended]);
  if (failure !== undefined) throw failure;
}
