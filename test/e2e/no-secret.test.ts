// The hostile corpus over TCP, a Unix socket and a file at once into the built product: no secret of it is in any byte that
// sealwatch keeps, says, answers, sends or replays (guarantee 4).

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeWebhook, startFakeWebhook } from '../outputs/fake-webhook.ts';
import { hostileCorpus } from './hostile.ts';
import { freePort, Sealwatch, until } from './sealwatch.ts';

const folder = mkdtempSync(join(tmpdir(), 'sw-secret-'));
const dataDir = join(folder, 'data');
const { lines, secrets } = hostileCorpus(7, Date.now() - 60_000);
const corpus = Buffer.concat(lines.flatMap((line) => [line, Buffer.from('\n')]));
/** Everything to be searched, by the name of where it was found. */
const outputs = new Map<string, Buffer>();
let webhook: FakeWebhook;

const filesUnder = (dir: string): string[] =>
  readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

async function send(place: { port: number; host: string } | { path: string }): Promise<void> {
  const socket = connect(place as { port: number; host: string });
  await once(socket, 'connect');
  // In chunks that end anywhere.
  for (let at = 0; at < corpus.length; at += 50_021)
    if (!socket.write(corpus.subarray(at, at + 50_021))) await once(socket, 'drain');
  socket.end();
  await once(socket, 'close');
}

async function answers(product: Sealwatch): Promise<void> {
  const all = 'from=2020-01-01T00:00:00Z&to=2100-01-01T00:00:00Z';
  const keep = async (path: string): Promise<string> => {
    const text = await (await product.fetch(path)).text();
    outputs.set(path, Buffer.from(text));
    return text;
  };
  for (const list of ['events', 'alerts', 'leases']) {
    for (let cursor = ''; ; ) {
      const page = await keep(`/v1/${list}?limit=1000${cursor}`);
      const next = (JSON.parse(page) as { next_cursor: string | null }).next_cursor;
      if (next === null) break;
      cursor = `&cursor=${encodeURIComponent(next)}`;
    }
  }
  for (const format of ['json', 'csv', 'jsonl']) await keep(`/v1/evidence/CC6.1?${all}&format=${format}`);
  for (const path of [
    '/metrics',
    `/v1/coverage?${all}`,
    '/v1/evidence',
    '/v1/rules',
    '/v1/events?limit=x',
    '/healthz',
    '/readyz',
  ])
    await keep(path);
  const users = new Set(
    [...(outputs.get('/v1/events?limit=1000') ?? '').toString().matchAll(/"user":\{"id":"([^"]+)"/g)].map(
      ([, id]) => id,
    ),
  );
  for (const user of [...users].slice(0, 20))
    await keep(`/v1/identities/${encodeURIComponent(user as string)}`);
}

async function play(): Promise<void> {
  const file = join(folder, 'audit.log');
  const socket = join(folder, 'socket');
  const keyFile = join(folder, 'webhook-key');
  writeFileSync(keyFile, 'a-key-that-signs-each-webhook-call-0001');
  writeFileSync(file, corpus);
  const tcp = await freePort();
  await using product = new Sealwatch(dataDir, {
    SEALWATCH_API_PORT: String(await freePort()),
    SEALWATCH_TCP_PORT: String(tcp),
    SEALWATCH_UNIX_PATH: socket,
    SEALWATCH_FILE_PATH: file,
    SEALWATCH_LOG_LEVEL: 'trace',
    SEALWATCH_OUTPUTS_WEBHOOK_URL: webhook.url,
    SEALWATCH_OUTPUTS_WEBHOOK_SECRET_FILE: keyFile,
  });
  product.start();
  await product.ready();
  await Promise.all([send({ host: '127.0.0.1', port: tcp }), send({ path: socket })]);
  const metric = async (name: string) =>
    Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(await (await product.fetch('/metrics')).text())?.[1]);
  await until('every line normalised', async () =>
    (await metric('sealwatch_normalise_lines_total')) >= 3 * lines.length ? true : undefined,
  );
  await until('a critical alert', async () =>
    webhook.calls.some(({ body }) => body.includes('Log raw device')) ? true : undefined,
  );
  await answers(product);
  expect(await product.end('SIGTERM')).toBe(0);
  outputs.set('what the process said', Buffer.from(product.output));
  const out = join(folder, 'out');
  const env = { ...process.env, SEALWATCH_DATA_DIR: join(folder, 'replay') };
  const said = execFileSync(process.execPath, ['dist/main.js', 'replay', file, '--out', out], { env });
  outputs.set('what replay said', said);
  for (const dir of [dataDir, out]) for (const path of filesUnder(dir)) outputs.set(path, readFileSync(path));
  for (const [i, { body }] of webhook.calls.entries()) outputs.set(`webhook call ${i}`, Buffer.from(body));
}

/** The letters and digits of a secret: no escaping of JSON, of a URL or of letters changes them. */
const coreOf = (secret: string): string =>
  (secret.match(/[A-Za-z0-9]+/g) ?? [])
    .reduce((longest, run) => (run.length > longest.length ? run : longest), '')
    .slice(-20)
    .toLowerCase();

beforeAll(async () => {
  webhook = await startFakeWebhook();
  await play();
}, 240_000);
afterAll(async () => {
  await webhook[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

describe('the hostile corpus', () => {
  it('left something in each place where a secret could be', () => {
    const names = [...outputs.keys()];
    const sized = (pattern: RegExp) =>
      names
        .filter((name) => pattern.test(name))
        .reduce((sum, name) => sum + (outputs.get(name)?.length ?? 0), 0);
    // Three copies of the calls went through the spool, and one into each of the rest.
    expect(sized(/data\/stream\//)).toBeGreaterThan(1_000_000);
    for (const place of [
      /evidence\.db/,
      /data\/alerts\.jsonl/,
      /evidence-access\.jsonl/,
      /out\/events\.jsonl/,
      /out\/rejects\.jsonl/,
    ])
      expect([place, sized(place) > 100]).toEqual([place, true]);
    for (const place of [
      /^\/v1\/events/,
      /^\/v1\/alerts/,
      /CC6\.1.*csv/,
      /CC6\.1.*jsonl/,
      /^\/metrics/,
      /^\/v1\/identities/,
      /^webhook call/,
      /process said/,
    ])
      expect([place, sized(place) > 100]).toEqual([place, true]);
    expect(secrets.length).toBeGreaterThan(400);
  });

  it('left no secret in any of it', () => {
    const found: string[] = [];
    for (const [name, bytes] of outputs) {
      const lower = Buffer.from(bytes.toString('latin1').toLowerCase(), 'latin1');
      for (const secret of secrets) {
        const core = coreOf(secret);
        if (lower.includes(core) || lower.includes(core, 0, 'utf16le')) found.push(`${secret} in ${name}`);
      }
    }
    expect(found).toEqual([]);
  }, 240_000);

  it('raised alerts that say which devices show secrets', () => {
    const alerts = readFileSync(join(dataDir, 'alerts.jsonl'), 'utf8');
    expect(alerts).toContain('"level":"critical","name":"Log raw device"');
    expect(alerts).toContain('"level":"high","name":"Token in plain"');
  });
});
