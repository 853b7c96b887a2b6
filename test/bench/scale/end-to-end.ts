// Socket to queryable over stages apart: lines into a Unix socket as fast as it takes them, until the API has them all.

import { once } from 'node:events';
import { createReadStream, mkdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { until } from '../../e2e/sealwatch.ts';
import { startStages } from '../../real/chaos/scene.ts';
import type { Cost } from './measured.ts';

export interface EndToEnd {
  wallSeconds: number;
  /** By process. */
  costs: Record<string, Pick<Cost, 'cpuSeconds' | 'peakMiB'>>;
}

export interface Servers {
  /** host:port */
  kafka: string;
  elasticsearch: string;
}

/** `lines` of `input` through one process of each stage. What it costs to start them is not counted. */
export async function endToEnd(
  { input, lines, folder, prefix }: { input: string; lines: number; folder: string; prefix: string },
  servers: Servers,
): Promise<EndToEnd> {
  const socket = join(folder, 'socket');
  mkdirSync(folder, { recursive: true });
  const stages = await startStages(folder, servers, {
    SEALWATCH_UNIX_PATH: socket,
    SEALWATCH_TCP_ENABLED: 'false',
    SEALWATCH_LOG_LEVEL: 'error',
    SEALWATCH_KAFKA_PREFIX: `${prefix}-`,
    SEALWATCH_ELASTICSEARCH_PREFIX: prefix,
  });
  try {
    await stages.ready();
    const before = stages.members.map(({ process }) => cpuSeconds(process.pid));
    const startMs = Date.now();
    const sending = connect(socket);
    createReadStream(input, { highWaterMark: 64 * 1024 }).pipe(sending);
    await once(sending, 'finish');
    await until(
      'all lines in the API',
      async () => ((await received(stages.api)) >= lines ? true : undefined),
      3_600,
    );
    const wallSeconds = (Date.now() - startMs) / 1000;
    const costs = stages.members.map(
      ({ stage, process: { pid } }, i): [string, EndToEnd['costs'][string]] => [
        stage,
        { cpuSeconds: cpuSeconds(pid) - (before[i] ?? 0), peakMiB: peakMiB(pid) },
      ],
    );
    return { wallSeconds, costs: Object.fromEntries(costs) };
  } finally {
    await stages[Symbol.asyncDispose]();
  }
}

/** Clock ticks a second that Linux counts processor time in. */
const TICKS = 100;

/** User and system time of a process and all its threads: `proc(5)`, fields 14 and 15 of stat. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

const peakMiB = (pid: number): number =>
  Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

async function received(api: { get<T>(path: string): Promise<T> }): Promise<number> {
  const { totals } = await api.get<{ totals: { received: number } }>('/v1/coverage');
  return totals.received;
}
