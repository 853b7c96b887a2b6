// Lines at a steady rate while Kafka is away, then while Elasticsearch is: how long a write waited, how long it takes to catch up.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../e2e/sealwatch.ts';
import { Closing } from '../../real/chaos/closing.ts';
import { BareReader } from '../../real/chaos/play.ts';
import { startStages } from '../../real/chaos/scene.ts';
import { OwnServer } from '../../real/chaos/servers.ts';
import type { Stages } from '../../real/chaos/stages.ts';

export interface OutagePlan {
  /** Lines a second. */
  rate: number;
  seconds: number;
  folder: string;
  say: (text: string) => void;
}

const SAMPLE = 'deploy/sample/audit.jsonl';

export async function outage({ rate, seconds, folder, say }: OutagePlan): Promise<void> {
  await using closing = new Closing();
  const kafka = closing.use(await OwnServer.kafka());
  const elasticsearch = closing.use(await OwnServer.elasticsearch());
  const path = (name: string) => join(folder, name);
  const data = path('stages');
  mkdirSync(data, { recursive: true });
  const stages = closing.use(
    await startStages(
      data,
      { kafka: kafka.address, elasticsearch: elasticsearch.address },
      {
        SEALWATCH_UNIX_PATH: path('socket'),
        SEALWATCH_TCP_ENABLED: 'false',
        SEALWATCH_LOG_LEVEL: 'fatal',
      },
    ),
  );
  await stages.ready();
  closing.use(new BareReader(path('bare')));
  let sent = 0;
  for (const [name, server] of Object.entries({ Kafka: kafka, Elasticsearch: elasticsearch })) {
    await server.kill();
    say(`${name} is away: ${rate} lines a second for ${seconds} s`);
    const [toStages, toBare] = await Promise.all([
      send(path('socket'), rate, seconds),
      send(path('bare'), rate, seconds),
    ]);
    sent += rate * seconds;
    const startMs = Date.now();
    await server.start();
    const backMs = Date.now();
    await caughtUp(stages, sent);
    say(`ms a write to sealwatch:      ${toStages}\nms a write to a bare receiver: ${toBare}`);
    say(
      `${name} took ${((backMs - startMs) / 1000).toFixed(0)} s to start; caught up ${((Date.now() - backMs) / 1000).toFixed(0)} s after: ${sent} lines in the API, each received once`,
    );
  }
}

async function send(socket: string, rate: number, seconds: number): Promise<string> {
  const sender = spawn(
    process.execPath,
    [join('dist', 'test', 'bench', 'sender.js'), socket, SAMPLE, String(rate), String(seconds)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let said = '';
  sender.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const [code] = (await once(sender, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`the sender ended with ${code}`);
  return said.trim();
}

/** All lines are in the API, and stay as many. */
async function caughtUp(stages: Stages, lines: number): Promise<void> {
  const received = async () => {
    const { totals } = await stages.api.get<{ totals: { received: number; duplicate: number } }>(
      '/v1/coverage',
    );
    return totals;
  };
  await until(
    'all lines in the API',
    async () => ((await received()).received >= lines ? true : undefined),
    7_200,
  );
  await sleep(3_000);
  const { received: seen, duplicate } = await received();
  if (seen !== lines) throw new Error(`${seen} lines received, ${lines} sent, ${duplicate} twice`);
}
