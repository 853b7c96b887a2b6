// npm run bench: sealwatch beside a bare Node loop, on the same lines, in one run. What is measured is CPU time of whole
// processes, all threads; wall time only says how fast this machine was.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { makeInput } from './input.ts';
import { scrubMicros } from './scrub.ts';

interface Result {
  name: string;
  cpuSeconds: number;
  wallSeconds: number;
  peakMiB: number;
  aim?: string;
  met?: (perMillion: number, ratio: number) => boolean;
}

const { values } = parseArgs({
  options: {
    lines: { type: 'string', default: '200000' },
    from: { type: 'string', default: 'deploy/sample/audit.jsonl' },
    runs: { type: 'string', default: '1' },
  },
});
const lines = Number(values.lines);
const dir = mkdtempSync(join(tmpdir(), 'sealwatch-bench-'));
const input = join(dir, 'audit.jsonl');
const usage = join(dir, 'usage.json');
const here = (name: string) => join('dist', 'test', 'bench', `${name}.js`);

/** Runs a measured process to its end; `during` may talk to it meanwhile. */
async function measure(
  name: string,
  args: string[],
  env: Record<string, string> = {},
  during?: () => Promise<void>,
): Promise<Result> {
  process.stderr.write(`  ${name} ...\n`);
  const started = Date.now();
  const child = spawn(
    process.execPath,
    ['--import', new URL('./measure.js', import.meta.url).href, ...args],
    {
      env: { ...process.env, ...env, BENCH_USAGE: usage },
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  const exit = once(child, 'exit');
  let wallSeconds = 0;
  if (during !== undefined) {
    await Promise.race([
      during(),
      exit.then(() => Promise.reject(new Error(`${name} ended before its work was done`))),
    ]);
    wallSeconds = (Date.now() - started) / 1000;
    child.kill('SIGTERM');
  }
  const [code] = (await exit) as [number | null];
  if (code !== 0) throw new Error(`${name} ended with ${code}`);
  const { cpuSeconds, peakMiB } = JSON.parse(readFileSync(usage, 'utf8')) as {
    cpuSeconds: number;
    peakMiB: number;
  };
  return { name, cpuSeconds, peakMiB, wallSeconds: wallSeconds || (Date.now() - started) / 1000 };
}

/** Sends the lines to the listener and waits until the API has the last of them. */
async function socketToQueryable(data: string): Promise<Result> {
  const ports = { SEALWATCH_API_PORT: '18320', SEALWATCH_TCP_PORT: '18321' };
  const env = { ...ports, SEALWATCH_DATA_DIR: data, SEALWATCH_LOG_LEVEL: 'error' };
  return measure('socket to queryable', [join('dist', 'main.js'), 'run'], env, async () => {
    const api = `http://127.0.0.1:${ports.SEALWATCH_API_PORT}`;
    await until(async () => (await fetch(`${api}/readyz`)).ok);
    const socket = connect(Number(ports.SEALWATCH_TCP_PORT), '127.0.0.1');
    createReadStream(input, { highWaterMark: 64 * 1024 }).pipe(socket);
    await once(socket, 'finish');
    const headers = { authorization: `Bearer ${readFileSync(join(data, 'admin-key'), 'utf8').trim()}` };
    await until(async () => {
      const answer = await fetch(`${api}/v1/coverage?from=2000-01-01T00:00:00Z&to=2100-01-01T00:00:00Z`, {
        headers,
      });
      const body = (await answer.json()) as { totals?: { received?: number } };
      return (body.totals?.received ?? 0) >= lines;
    });
    socket.destroy();
  });
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 600_000;
  while (Date.now() < deadline) {
    if (await condition().catch(() => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new Error('gave up waiting for sealwatch');
}

function table(results: Result[]): string {
  const bare = results[0] as Result;
  const rows = results.map(({ name, cpuSeconds, wallSeconds, peakMiB, aim, met }) => {
    const perMillion = (cpuSeconds / lines) * 1e6;
    const ratio = cpuSeconds / bare.cpuSeconds;
    const verdict = aim === undefined ? '' : `${aim}: ${met?.(perMillion, ratio) ? 'met' : 'NOT met'}`;
    return `| ${name} | ${Math.round(lines / wallSeconds)} | ${perMillion.toFixed(1)} | ${peakMiB.toFixed(0)} | ${ratio.toFixed(2)} | ${verdict} |`;
  });
  return [
    '| what | lines/s | CPU s per million lines | peak MiB | ratio to bare loop | aim |',
    '| --- | ---: | ---: | ---: | ---: | --- |',
    ...rows,
  ].join('\n');
}

try {
  const bytes = makeInput(input, values.from, lines);
  process.stderr.write(
    `${lines} lines of ${Math.round(bytes / lines)} bytes, Node ${process.versions.node}\n`,
  );
  for (let run = 0; run < Number(values.runs); run++) {
    const results = [
      await measure('bare loop', [here('bare-loop'), input, join(dir, 'bare.jsonl')]),
      {
        ...(await measure('frame and spool', [here('frame-and-spool'), input, join(dir, `spool${run}`)])),
        aim: '6 CPU s',
        met: (cpu: number) => cpu <= 6,
      },
      {
        ...(await measure(
          'replay',
          [join('dist', 'main.js'), 'replay', input, '--out', join(dir, `out${run}`)],
          { SEALWATCH_DATA_DIR: join(dir, 'keys') },
        )),
        aim: '1.5 bare loops',
        met: (_: number, ratio: number) => ratio <= 1.5,
      },
      {
        ...(await socketToQueryable(join(dir, `data${run}`))),
        aim: '40 CPU s',
        met: (cpu: number) => cpu <= 40,
      },
    ];
    process.stdout.write(`${table(results)}\n`);
    const micros = scrubMicros(input);
    process.stdout.write(
      `scrub of a clean line: ${micros.toFixed(2)} us of CPU; aim 0.3 us: ${micros < 0.3 ? 'met' : 'NOT met'}\n`,
    );
  }
} finally {
  rmSync(dir, { recursive: true, force: true });
}
