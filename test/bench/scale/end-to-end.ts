// Socket to queryable over stages apart: lines into a Unix socket as fast as it takes them, until the API has them all.

import { once } from 'node:events';
import { createReadStream, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
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

/** `lines` of `input` through one process of each stage. */
export async function endToEnd(
  { input, lines, folder, prefix }: { input: string; lines: number; folder: string; prefix: string },
  servers: Servers,
): Promise<EndToEnd> {
  const usage = (stage: string) => join(folder, `${stage}.usage.json`);
  const socket = join(folder, 'socket');
  mkdirSync(folder, { recursive: true });
  const stages = await startStages(
    folder,
    servers,
    {
      SEALWATCH_UNIX_PATH: socket,
      SEALWATCH_TCP_ENABLED: 'false',
      SEALWATCH_LOG_LEVEL: 'error',
      SEALWATCH_KAFKA_PREFIX: `${prefix}-`,
      SEALWATCH_ELASTICSEARCH_PREFIX: prefix,
      NODE_OPTIONS: `--import=${pathToFileURL(resolve('dist/test/bench/measure.js')).href}`,
    },
    { own: (stage) => ({ BENCH_USAGE: usage(stage) }) },
  );
  try {
    await stages.ready();
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
    for (const member of [...stages.members]) await stages.remove(member);
    const costs = Object.fromEntries(
      stages.members
        .filter(({ stage }) => existsSync(usage(stage)))
        .map(({ stage }) => [stage, JSON.parse(readFileSync(usage(stage), 'utf8'))]),
    ) as EndToEnd['costs'];
    return { wallSeconds, costs };
  } finally {
    await stages[Symbol.asyncDispose]();
  }
}

async function received(api: { get<T>(path: string): Promise<T> }): Promise<number> {
  const { totals } = await api.get<{ totals: { received: number } }>('/v1/coverage');
  return totals.received;
}
