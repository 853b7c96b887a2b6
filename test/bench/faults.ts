// npm run bench -- faults: lines flow for ten minutes while the evidence store is blocked. Shows the longest write at the
// sender, memory over time, and that everything is indexed once afterwards. `--store free` is the same with nothing wrong.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Database, openDatabase } from '../../storage/sqlite.ts';
import { callsIn } from './input.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '600' },
    rate: { type: 'string', default: '5000' },
    store: { type: 'string', default: 'blocked' },
    from: { type: 'string', default: 'deploy/sample/audit.jsonl' },
    port: { type: 'string', default: '18330' },
  },
});
const [seconds, rate] = [Number(values.seconds), Number(values.rate)];
const dir = mkdtempSync(join(tmpdir(), 'sealwatch-faults-'));
const socket = join(dir, 'socket');
const data = join(dir, 'data');
const api = `http://127.0.0.1:${values.port}`;
const say = (text: string) => process.stdout.write(`${text}\n`);

const product = spawn(process.execPath, [join('dist', 'main.js'), 'run'], {
  env: {
    ...process.env,
    SEALWATCH_API_PORT: values.port,
    SEALWATCH_DATA_DIR: data,
    SEALWATCH_TCP_ENABLED: 'false',
    SEALWATCH_UNIX_PATH: socket,
    SEALWATCH_LOG_LEVEL: 'fatal',
  },
  stdio: ['ignore', 'ignore', 'inherit'],
});
const ended = once(product, 'exit');

const get = (path: string) =>
  fetch(`${api}${path}`, {
    headers: { authorization: `Bearer ${readFileSync(join(data, 'admin-key'), 'utf8').trim()}` },
  });

async function metrics(): Promise<Map<string, number>> {
  const text = await (await get('/metrics')).text();
  const rows = text.split('\n').filter((row) => row !== '' && !row.startsWith('#'));
  return new Map(
    rows.map((row) => row.split(' ') as [string, string]).map(([name, value]) => [name, Number(value)]),
  );
}

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 1_800_000;
  while (Date.now() < deadline) {
    if (await condition().catch(() => false)) return;
    await sleep(500);
  }
  throw new Error(`gave up waiting: ${what}`);
}

/** Another connection holds the lock that every write of the store needs. */
function blockStore(): Database {
  const database = openDatabase(join(data, 'evidence.db'), { readOnly: false });
  database.exec('begin immediate');
  return database;
}

/** The yardstick: a Node process that reads a socket and does nothing else. What its sender waits is this machine's doing. */
async function bareReceiver(path: string): Promise<ReturnType<typeof spawn>> {
  const code = `require('net').createServer((s) => s.on('data', () => {}).on('error', () => {})).listen(process.argv[1], () => console.log('up'))`;
  const child = spawn(process.execPath, ['-e', code, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout as NonNullable<typeof child.stdout>, 'data');
  return child;
}

async function send(socket: string): Promise<string> {
  const sender = spawn(
    process.execPath,
    [join('dist', 'test', 'bench', 'sender.js'), socket, values.from, values.rate, values.seconds],
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

/** Prints memory and the state of the stages now and then, until `isOver`. */
async function watch(isOver: () => boolean): Promise<void> {
  const everyMs = Math.max(2_000, (seconds * 1000) / 20);
  const startMs = Date.now();
  say(
    '| s | resident MiB | collector MiB | pipeline MiB | queued MiB | lag records | dropped |\n| ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
  );
  while (!isOver()) {
    const now = await metrics().catch(() => new Map<string, number>());
    const mib = (name: string) => ((now.get(name) ?? 0) / 1048576).toFixed(1);
    say(
      `| ${Math.round((Date.now() - startMs) / 1000)} | ${mib('sealwatch_resident_bytes')} | ${mib('sealwatch_collector_memory_bytes')} | ${mib('sealwatch_pipeline_memory_bytes')} | ${mib('sealwatch_collector_queued_bytes')} | ${now.get('sealwatch_normalise_lag_records') ?? ''} | ${now.get('sealwatch_collector_dropped_total') ?? ''} |`,
    );
    await sleep(everyMs);
  }
}

try {
  await Promise.race([
    until('ready', async () => (await fetch(`${api}/readyz`)).ok),
    ended.then(() => Promise.reject(new Error('sealwatch ended before it was ready'))),
  ]);
  const blocking = values.store === 'blocked' ? blockStore() : undefined;
  let isSent = false;
  const bare = await bareReceiver(join(dir, 'bare'));
  const sending = Promise.all([send(socket), send(join(dir, 'bare'))]).finally(() => {
    isSent = true;
  });
  await Promise.all([sending, watch(() => isSent)]);
  bare.kill();
  const [toSealwatch, toBare] = await sending;
  say(`ms a write to sealwatch:      ${toSealwatch}\nms a write to a bare receiver: ${toBare}`);
  say(`longest pause of the collector: ${(await metrics()).get('sealwatch_collector_longest_pause_ms')} ms`);
  blocking?.exec('rollback');
  blocking?.close();
  const startMs = Date.now();
  const reader = openDatabase(join(data, 'evidence.db'), { readOnly: true });
  const count = (sql: string) => (reader.prepare(sql).get() as { n: number | null }).n ?? 0;
  const received = () => count("select sum(json_extract(counts, '$.received')) n from coverage");
  const calls = callsIn(values.from, seconds * rate);
  const events = () => count('select count(*) n from events');
  await until('everything indexed', async () => received() >= seconds * rate && events() >= calls);
  say(
    `indexed ${((Date.now() - startMs) / 1000).toFixed(0)} s after the end: received ${received()} of ${seconds * rate} lines, ${events()} events of ${calls} calls, duplicates ${count("select sum(json_extract(counts, '$.duplicate')) n from coverage")}`,
  );
  reader.close();
  say(
    `resident at the end: ${(((await metrics()).get('sealwatch_resident_bytes') ?? 0) / 1048576).toFixed(1)} MiB`,
  );
} finally {
  product.kill('SIGTERM');
  await ended;
  rmSync(dir, { recursive: true, force: true });
}
