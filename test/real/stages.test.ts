// Each stage a process of its own over a real Kafka, the evidence in a file that `index` and `serve` share: what the API and the
// alerts file say is what one process says of the same lines, though each stage was killed on the way.

import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Alert } from '../../core/alert.ts';
import type { AuditEvent } from '../../core/event.ts';
import type { Lease } from '../../core/lease.ts';
import { type StageName, stageNames } from '../../core/records.ts';
import { freePort, Sealwatch, until } from '../e2e/sealwatch.ts';
import { copyOfSample, VaultDevices, writtenAt } from '../e2e/vault-devices.ts';
import { Closing } from './chaos/closing.ts';
import { type Member, Stages } from './chaos/stages.ts';
import { kafka } from './kafka.ts';

const copies = 6;
const closing = new Closing();
let folder: string;
let stages: Stages;
let calm: Sealwatch;
let last: string;
const ports = { stages: 0, calm: 0 };

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sw-stages-'));
  closing.defer(() => rmSync(folder, { recursive: true, force: true }));
  const { brokers, prefix, remove } = await kafka();
  closing.use({ [Symbol.asyncDispose]: remove });
  ports.stages = await freePort();
  ports.calm = await freePort();
  const settings = {
    SEALWATCH_STREAM: 'kafka',
    SEALWATCH_KAFKA_BROKERS: brokers.join(),
    SEALWATCH_KAFKA_PREFIX: prefix,
    SEALWATCH_TCP_PORT: String(ports.stages),
  };
  calm = closing.use(
    new Sealwatch(join(folder, 'calm'), {
      SEALWATCH_API_PORT: String(await freePort()),
      SEALWATCH_TCP_PORT: String(ports.calm),
    }),
  );
  calm.start();
  await doctorFix({ ...settings, SEALWATCH_DATA_DIR: join(folder, 'doctor') });
  stages = closing.use(new Stages(folder, settings));
  const shared = { SEALWATCH_DATA_DIR: join(folder, 'store') };
  for (const stage of stageNames)
    await stages.add(stage, stage === 'index' || stage === 'serve' ? shared : {});
  await stages.add('ledger');
  await Promise.all([calm.ready(), stages.ready()]);
  await play();
  await Promise.all([calm.passed(last, 600), stages.api.passed(last, 600)]);
}, 1_500_000);
afterAll(() => closing[Symbol.asyncDispose]());

/** It ends with 1 for what else it finds: nothing collects yet. */
async function doctorFix(settings: Record<string, string>): Promise<void> {
  const env = { ...process.env, ...settings };
  await promisify(execFile)(process.execPath, ['dist/main.js', 'doctor', '--fix'], { env }).catch(() => {});
}

/** One copy of the sample after the other to both; in the midst of each one stage is killed, the collector between two. */
async function play(): Promise<void> {
  const killed: StageName[] = ['normalise', 'ledger', 'detect', 'index', 'deliver', 'serve'];
  let n = 0;
  for (let copy = 0; copy < copies; copy++) {
    using devices = new VaultDevices(join(folder, 'file'), place(ports.stages), place(ports.calm));
    for (const line of copyOfSample(copy)) {
      const written = writtenAt(line, Date.now(), n++);
      last = /"time":"([^"]*)","type"/.exec(written)?.[1] as string;
      await devices.write(written);
      if (n % 327 === 150) await stages.kill(stages.of(killed[copy] as StageName)[0] as Member);
      if (n % 10 === 0) await sleep(20);
    }
    expect(devices.failed).toBe(0);
    if (copy !== 2) continue;
    // A sender cannot know what a socket that was torn has lost: the collector has all of it before it is killed.
    const [collect] = stages.of('collect');
    await until('all lines taken', async () =>
      (await metricOf(collect as Member, 'sealwatch_collector_lines_total')) === n ? true : undefined,
    );
    await sleep(200);
    await stages.kill(collect as Member);
    await until('the collector again', async () =>
      (await (collect as Member).process.fetch('/readyz')).ok ? true : undefined,
    );
  }
  // Event time must pass the last line.
  last = new Date(Date.parse(last) + 20_000).toISOString();
}

const place = (port: number) => ({ host: '127.0.0.1', port });

async function metricOf({ process }: Member, name: string): Promise<number> {
  const text = await (await process.fetch('/metrics')).text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
}

const linesOf = (path: string) => readFileSync(path, 'utf8').split('\n').slice(0, -1);
const sorted = (rows: readonly unknown[]) => rows.map((row) => JSON.stringify(row)).sort();

describe('stages apart', () => {
  it('have every event, lease and alert as one process has it', async () => {
    const events = await calm.all<AuditEvent>('/v1/events');
    expect(events.length).toBeGreaterThan(copies * 150);
    expect(sorted(await stages.api.all<AuditEvent>('/v1/events'))).toEqual(sorted(events));
    const leases = await calm.all<Lease>('/v1/leases');
    expect(leases.length).toBeGreaterThan(copies * 10);
    expect(sorted(await stages.api.all<Lease>('/v1/leases'))).toEqual(sorted(leases));
    const alerts = await calm.alerts();
    expect(alerts.length).toBeGreaterThan(copies);
    expect(sorted(await stages.api.alerts())).toEqual(sorted(alerts));
  });

  it('count every line once, none as late or lost', async () => {
    type Coverage = { totals: Record<string, number> };
    const [whole, apart] = await Promise.all([
      calm.get<Coverage>('/v1/coverage'),
      stages.api.get<Coverage>('/v1/coverage'),
    ]);
    expect(apart.totals).toEqual(whole.totals);
    expect(apart.totals).toMatchObject({ received: copies * 327, late: 0, dropped: 0 });
  });

  it('deliver each alert', () => {
    const ids = (path: string) =>
      [...new Set(linesOf(path).map((line) => (JSON.parse(line) as Alert).alert.id))].sort();
    expect(ids(join(folder, 'deliver-1', 'alerts.jsonl'))).toEqual(ids(join(folder, 'calm', 'alerts.jsonl')));
  });

  it('one ledger works, the other stands by and says so', async () => {
    const [first, second] = stages.of('ledger') as [Member, Member];
    const states = await Promise.all([first, second].map(({ process }) => process.get('/readyz')));
    expect(states).toContainEqual({ ready: true, reasons: [] });
    expect(states).toContainEqual({
      ready: true,
      reasons: ['ledger stands by: other processes have its partitions'],
    });
  });

  it('keep what people do, and nobody knows here which rules are off', async () => {
    const [alert] = await stages.api.alerts();
    const said = { status: 'acknowledged', note: 'seen' };
    const answer = await stages.api.post(`/v1/alerts/${alert?.alert.id}/triage`, said);
    expect(answer.status).toBe(201);
    await until('the triage in the store', async () => {
      const shown = await stages.api.get<{ triage: { status: string } | null }>(
        `/v1/alerts/${alert?.alert.id}`,
      );
      return shown.triage?.status === 'acknowledged' ? true : undefined;
    });
    const { items } = await stages.api.get<{ items: { enabled: boolean | null }[] }>('/v1/rules');
    expect(new Set(items.map(({ enabled }) => enabled))).toEqual(new Set([null]));
  });

  it('nothing is open without the key but health', async () => {
    for (const { process } of stages.members) {
      expect((await process.fetch('/healthz', { headers: { authorization: '' } })).status).toBe(200);
      expect((await process.fetch('/metrics', { headers: { authorization: '' } })).status).toBe(401);
    }
  });

  it('a second one of a kind is refused the data folder; none has ended by itself', async () => {
    const [detect] = stages.of('detect') as [Member];
    const second = new Sealwatch(
      join(folder, detect.name),
      { SEALWATCH_STREAM: 'kafka', SEALWATCH_STAGE_PORT: '0' },
      [],
      'detect',
    );
    second.start();
    expect(await second.end()).toBe(1);
    expect(second.output).toMatch(/^DATA_DIR_LOCKED: another `sealwatch detect` uses the data folder/);
    expect(stages.ends).toEqual([]);
    expect(stages.faults()).toEqual([]);
  });

  it('end with 0 and let go of everything', async () => {
    for (const member of [...stages.members].reverse()) {
      await stages.remove(member);
      expect([member.name, member.process.ended]).toEqual([member.name, 0]);
    }
  });
});
