// What a person said of an alert outlives kill -9 right after the answer; incidents of the sample add up to its alerts.

import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Alert } from '../../core/alert.ts';
import type { Incident } from '../../core/incident.ts';
import type { Triage } from '../../core/records.ts';
import { freePort, Sealwatch, until } from './sealwatch.ts';

type Shown = Alert & { triage: Triage | null; triage_history?: Triage[] };
type ShownIncident = Incident & { triage: { status: string } };

/** Time of the sample's last line, to the second before. */
const LAST_LINE = lastTime();

function lastTime(): string {
  const line = readFileSync('deploy/sample/audit.jsonl', 'utf8').trimEnd().split('\n').at(-1) ?? '';
  return (JSON.parse(line) as { time: string }).time.slice(0, 19);
}

test('triage is kept before it is answered, and incidents hold all alerts', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sealwatch-triage-'));
  const settings = { SEALWATCH_API_PORT: String(await freePort()) };
  await using sealwatch = new Sealwatch(folder, settings, ['--replay', 'deploy/sample/audit.jsonl']);
  sealwatch.start();
  // It keeps a folder of its own for each log.
  sealwatch.keyDir = await until('the folder of the log', async () => {
    const [name] = await readdir(join(folder, 'replay'));
    return name && join(folder, 'replay', name);
  });
  await sealwatch.ready();
  const alerts = await until('the alerts of the sample', async () => {
    const rows = await sealwatch.all<Shown>('/v1/alerts');
    return rows.length > 3 ? rows : undefined;
  });
  const [alert] = alerts as [Shown];
  const body = { status: 'closed', verdict: 'benign', note: 'a drill' };
  const answer = await sealwatch.post(`/v1/alerts/${alert.alert.id}/triage`, body);
  await sealwatch.kill();
  expect(answer.status).toBe(201);
  const record = (await answer.json()) as Triage;

  sealwatch.start();
  await sealwatch.ready();
  const shown = await until('the triage', async () => {
    const row = await sealwatch.get<Shown>(`/v1/alerts/${alert.alert.id}`);
    return row.triage === null ? undefined : row;
  });
  expect(shown.triage).toEqual(record);
  expect(shown.triage).toMatchObject({ ...body, by: 'admin', alert_id: alert.alert.id });
  expect(shown.triage_history).toEqual([record]);

  await sealwatch.passed(LAST_LINE);
  const incidents = await sealwatch.all<ShownIncident>('/v1/incidents');
  const all = await sealwatch.all<Shown>('/v1/alerts');
  expect(incidents.reduce((sum, incident) => sum + incident.alerts, 0)).toBe(all.length);
  expect(new Set(incidents.map(({ id }) => id))).toEqual(new Set(all.map(({ incident }) => incident.id)));
  for (const { risk, risk_parts: parts } of incidents)
    expect(parts.reduce((sum, { points }) => sum + points, 0)).toBe(risk);
  const closed = incidents.find(({ id }) => id === alert.incident.id);
  expect(closed?.triage.status).toBe(closed?.alerts === 1 ? 'closed' : 'open');
  await rm(folder, { recursive: true });
}, 120_000);
