// npm run bench -- scale: what Kafka and Elasticsearch cost, beside their bare clients on the same data in the same run: produce,
// consume, index, and the whole chain. `--outage` instead: minutes of lines with Kafka away, then with Elasticsearch away.
// KAFKA_BROKERS and ES_URL name servers that run; without them the bench starts its own.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { Closing } from '../real/chaos/closing.ts';
import { OwnServer } from '../real/chaos/servers.ts';
import { makeInput } from './input.ts';
import { endToEnd, type Servers } from './scale/end-to-end.ts';
import type { Cost } from './scale/measured.ts';
import { outage } from './scale/outage.ts';

const { values } = parseArgs({
  options: {
    lines: { type: 'string', default: '100000' },
    runs: { type: 'string', default: '3' },
    from: { type: 'string', default: 'deploy/sample/audit.jsonl' },
    only: { type: 'string', default: 'produce,consume,index,chain' },
    outage: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '600' },
    rate: { type: 'string', default: '5000' },
  },
});
const lines = Number(values.lines);
const folder = mkdtempSync(join(tmpdir(), 'sealwatch-scale-'));
const run = `scale-${process.pid}`;
const say = (text: string) => process.stdout.write(`${text}\n`);
/** At least this share of the rate of the bare client. */
const AIM = 0.85;

/** Runs a measured process to its end. */
async function measure(name: string, args: string[], servers: Servers): Promise<Cost> {
  process.stderr.write(`  ${name} ${args[0]} ...\n`);
  const program = join('dist', 'test', 'bench', 'scale', `${name}.js`);
  const child = spawn(process.execPath, ['--expose-gc', program, ...args], {
    env: { ...process.env, KAFKA_BROKERS: servers.kafka, ES_URL: `http://${servers.elasticsearch}` },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${name} ended with ${code}`);
  return JSON.parse(said) as Cost;
}

/** What a collector leaves on disk. */
async function makeSpool(input: string, dir: string): Promise<void> {
  const program = join('dist', 'test', 'bench', 'frame-and-spool.js');
  await promisify(execFile)(process.execPath, [program, input, dir]);
}

/** The fastest of several runs of each, taken in turns: what else the machine does can only make one slower. */
async function beside(
  what: string,
  bare: (n: number) => Promise<Cost>,
  ours: (n: number) => Promise<Cost>,
): Promise<string[]> {
  const best: Cost[] = [];
  for (let n = 0; n < Number(values.runs); n++)
    for (const [i, run] of [ours, bare].entries()) {
      const cost = await run(n);
      const known = best[i];
      if (known === undefined || cost.wallSeconds < known.wallSeconds) best[i] = cost;
    }
  const [own, yardstick] = best as [Cost, Cost];
  const rate = ({ count, wallSeconds }: Cost) => count / wallSeconds;
  const ratio = rate(own) / rate(yardstick);
  const row = (name: string, cost: Cost, verdict: string) =>
    `| ${what}, ${name} | ${Math.round(rate(cost))} | ${((cost.cpuSeconds / cost.count) * 1e6).toFixed(1)} | ${cost.peakMiB.toFixed(0)} | ${verdict} |`;
  return [
    row('bare client', yardstick, ''),
    row('sealwatch', own, `${ratio.toFixed(2)} of its rate; aim ${AIM}: ${ratio >= AIM ? 'met' : 'NOT met'}`),
  ];
}

async function table(servers: Servers, input: string): Promise<string> {
  const wanted = values.only.split(',');
  const rows: string[] = [];
  const topic = (n: number) => `${run}-${n}-vault.audit.raw`;
  if (wanted.includes('produce'))
    rows.push(
      ...(await beside(
        'produce',
        (n) => measure('bare-kafka', ['produce', topic(n), `${run}-${n}-bare`], servers),
        async (n) => {
          const spool = join(folder, `spool${n}`);
          await makeSpool(input, spool);
          return measure('kafka', ['produce', `${run}-${n}-`, spool], servers);
        },
      )),
    );
  if (wanted.includes('consume'))
    rows.push(
      ...(await beside(
        'consume',
        (n) => measure('bare-kafka', ['consume', topic(n)], servers),
        (n) => measure('kafka', ['consume', `${run}-${n}-`], servers),
      )),
    );
  if (wanted.includes('index'))
    rows.push(
      ...(await beside(
        'index (events)',
        (n) => measure('evidence', ['bare', `${run}-bare-${n}`, input], servers),
        (n) => measure('evidence', ['sealwatch', `${run}-ours-${n}`, input], servers),
      )),
    );
  if (wanted.includes('chain')) {
    const place = { input, lines, folder: join(folder, 'chain'), prefix: `${run}-chain` };
    const { wallSeconds, costs } = await endToEnd(place, servers);
    rows.push(`| socket to queryable (lines) | ${Math.round(lines / wallSeconds)} | | | |`);
    for (const [stage, { cpuSeconds, peakMiB }] of Object.entries(costs))
      rows.push(`| its ${stage} | | ${((cpuSeconds / lines) * 1e6).toFixed(1)} | ${peakMiB.toFixed(0)} | |`);
  }
  return [
    '| what | records/s | CPU s per million | peak MiB | beside the bare client |',
    '| --- | ---: | ---: | ---: | --- |',
    ...rows,
  ].join('\n');
}

const closing = new Closing();
closing.defer(() => rmSync(folder, { recursive: true, force: true }));
try {
  if (values.outage) {
    await outage({ rate: Number(values.rate), seconds: Number(values.seconds), folder, say });
  } else {
    const { KAFKA_BROKERS: kafka, ES_URL: elasticsearch } = process.env;
    const servers: Servers = {
      kafka: kafka ?? closing.use(await OwnServer.kafka()).address,
      elasticsearch: (elasticsearch ?? closing.use(await OwnServer.elasticsearch()).address).replace(
        /^https?:\/\//,
        '',
      ),
    };
    const input = join(folder, 'audit.jsonl');
    const bytes = makeInput(input, values.from, lines);
    say(`${lines} lines of ${Math.round(bytes / lines)} bytes, Node ${process.versions.node}`);
    say(await table(servers, input));
  }
} finally {
  await closing[Symbol.asyncDispose]();
}
