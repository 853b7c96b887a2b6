// The product with audit devices that come over the network: TLS, HTTP and UDP, three clusters in one configuration.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import type { AuditEvent } from '../../core/event.ts';
import { freePort, Sealwatch, until } from './sealwatch.ts';
import { copyOfSample, writtenAt } from './vault-devices.ts';

const folder = mkdtempSync(join(tmpdir(), 'sw-network-'));
const certificate = (name: string) => resolve(`test/fixtures/tls/${name}`);
const ca = readFileSync(certificate('ca.crt'));
const token = 'e'.repeat(40);
const ports = { tls: 0, http: 0, udp: 0 };
const tls = { certFile: certificate('listener.crt'), keyFile: certificate('listener.key') };
/** Both halves of a few calls, another company on each device. */
const linesOf = (n: number) =>
  copyOfSample(n)
    .slice(0, 40)
    .map((line, i) => writtenAt(line, Date.now(), i));
const lines = { tls: linesOf(1), http: linesOf(2), udp: linesOf(3) };

const settings = async () => ({
  SEALWATCH_API_PORT: String(await freePort()),
  SEALWATCH_TCP_ENABLED: 'false',
  SEALWATCH_CONFIG: join(folder, 'sealwatch.yaml'),
});

function configure(): void {
  const nodes = { '127.0.0.1': 'vault-1' };
  writeFileSync(join(folder, 'token'), `${token}\n`, { mode: 0o600 });
  writeFileSync(
    join(folder, 'sealwatch.yaml'),
    stringify({
      devices: [
        {
          type: 'tcp',
          device: 'tls',
          cluster: 'one',
          port: ports.tls,
          tls: { ...tls, caFile: certificate('ca.crt') },
          nodes,
        },
        {
          type: 'http',
          device: 'http',
          cluster: 'two',
          port: ports.http,
          tls,
          tokenFile: join(folder, 'token'),
        },
        { type: 'udp', device: 'udp', cluster: 'three', port: ports.udp },
      ],
    }),
  );
}

async function sendTls(): Promise<void> {
  const socket = connect({
    host: '127.0.0.1',
    servername: 'localhost',
    port: ports.tls,
    ca,
    cert: readFileSync(certificate('sender.crt')),
    key: readFileSync(certificate('sender.key')),
  });
  await once(socket, 'secureConnect');
  socket.end(lines.tls.map((line) => `${line}\n`).join(''));
  await once(socket.resume(), 'close');
}

async function post(body: string): Promise<number | undefined> {
  const sent = request({
    host: '127.0.0.1',
    servername: 'localhost',
    port: ports.http,
    method: 'POST',
    ca,
    headers: { authorization: `Bearer ${token}` },
  });
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  response.resume();
  return response.statusCode;
}

async function sendUdp(): Promise<void> {
  const socket = createSocket('udp4');
  for (const line of lines.udp)
    await new Promise((done) => socket.send(`${line}\n`, ports.udp, '127.0.0.1', done));
  socket.close();
}

let product: Sealwatch;
beforeAll(async () => {
  for (const name of ['tls', 'http', 'udp'] as const) ports[name] = await freePort();
  configure();
  product = new Sealwatch(join(folder, 'data'), await settings());
  product.start();
  await product.ready();
});
afterAll(async () => {
  await product.kill();
  rmSync(folder, { recursive: true, force: true });
});

describe('lines that come over the network', () => {
  const eventsOf = async (cluster: string) =>
    (await product.all<AuditEvent>('/v1/events')).filter(({ vault }) => vault.cluster === cluster);
  const requestIds = (some: readonly string[]) =>
    [...new Set(some.map((line) => (JSON.parse(line) as { request: { id: string } }).request.id))].sort();

  it('are events with their cluster, device and node', async () => {
    await sendTls();
    for (const line of lines.http) expect(await post(line)).toBe(200);
    await sendUdp();
    for (const [device, cluster] of [
      ['tls', 'one'],
      ['http', 'two'],
      ['udp', 'three'],
    ] as const) {
      const expected = requestIds(lines[device]);
      const events = await until(`events of ${device}`, async () => {
        const found = await eventsOf(cluster);
        return found.length >= expected.length ? found : undefined;
      });
      expect(events.map(({ vault }) => vault.request.id).sort()).toEqual(expected);
      for (const { vault } of events) {
        expect(vault.devices).toEqual([device]);
        expect(vault.nodes ?? []).toEqual(device === 'tls' ? ['vault-1'] : []);
      }
    }
  });

  it('are said with how sure their origin is', async () => {
    const rows = await until('coverage', async () => {
      const { items } = await product.get<{ items: { device: string; origin: string }[] }>('/v1/coverage');
      return new Set(items.map(({ device }) => device)).size === 3 ? items : undefined;
    });
    expect(new Map(rows.map(({ device, origin }) => [device, origin]))).toEqual(
      new Map([
        ['tls', 'verified'],
        ['http', 'verified'],
        ['udp', 'unprovable'],
      ]),
    );
  });

  it('and a certificate that is missing is one clear line that names the device', async () => {
    const broken = join(folder, 'broken.yaml');
    writeFileSync(
      broken,
      stringify({
        devices: [{ type: 'tcp', device: 'far', port: 0, tls: { ...tls, certFile: '/nowhere.crt' } }],
      }),
    );
    await using other = new Sealwatch(join(folder, 'other'), {
      ...(await settings()),
      SEALWATCH_CONFIG: broken,
    });
    other.start();
    expect(await other.end()).toBe(2);
    expect(other.output).toMatch(
      /^CONFIG_INVALID: tls\.certFile of the audit device far .*nowhere\.crt .*ENOENT/,
    );
    expect(other.output.trim().split('\n')).toHaveLength(1);
  });
});
