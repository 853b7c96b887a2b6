// What the threads of `run` have in common: the logger, the way to report, the order to stop.

import { getPriority, setPriority } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import { parentPort, workerData } from 'node:worker_threads';
import { pino } from 'pino';
import type { Logger, Metrics } from '../../core/telemetry.ts';
import { type FromThread, failure, type ThreadData, type ToThread } from './messages.ts';

/**
 * JSON lines on standard error, written at once: a crash must not swallow the line that explains it. But for the collector:
 * whoever reads our log may stall, and must not stall the sockets.
 */
export const createLogger = (level: string, thread: string) =>
  pino({ level, base: { thread } }, pino.destination({ dest: 2, sync: thread !== 'collector' }));

export interface Thread {
  data: ThreadData;
  logger: ReturnType<typeof createLogger> & Logger;
  say(message: FromThread): void;
}

/** How much nicer than the collector's thread: at 5 a thread gets a third of the processor time of a thread at 0, when both want all of it. */
const BEHIND_COLLECTOR = 5;
const PRIORITY_LOW = 19;

function goBehind(): void {
  try {
    setPriority(Math.min(PRIORITY_LOW, getPriority() + BEHIND_COLLECTOR));
  } catch {
    // Not allowed: then all threads share alike.
  }
}

/** Runs the body of a thread: `start` returns what stops it, what it measures, and what it wants to hear. */
export async function runThread(
  name: string,
  start: (
    thread: Thread,
  ) => Promise<{ stop: () => Promise<void>; metrics: () => Metrics; hear?: (message: ToThread) => void }>,
): Promise<void> {
  const port = parentPort;
  if (port === null) throw new Error(`${name} runs as a worker thread only`);
  // The sockets come first when processors are short: on Linux a priority is the thread's own.
  if (name !== 'collector' && process.platform === 'linux') goBehind();
  const data = workerData as ThreadData;
  const say = (message: FromThread) => port.postMessage(message);
  say({ type: 'loaded' });
  try {
    const body = await start({ data, say, logger: createLogger(data.config.logLevel, name) });
    const report = () => {
      // Of this thread alone; `process.memoryUsage()` asks the system too, and throws where there is no /proc.
      const { used_heap_size: heap, external_memory: external } = getHeapStatistics();
      const memory = { [`sealwatch_${name}_memory_bytes`]: heap + external };
      say({ type: 'metrics', metrics: { ...memory, ...body.metrics() } });
    };
    const reporting = setInterval(report, 1000);
    port.on('message', (message: ToThread) => {
      body.hear?.(message);
      if (message.type !== 'stop') return;
      clearInterval(reporting);
      body
        .stop()
        .catch((error: unknown) => say(failure(error, data.config.dataDir)))
        .finally(() => port.close());
    });
  } catch (error) {
    say(failure(error, data.config.dataDir));
    port.close();
  }
}
