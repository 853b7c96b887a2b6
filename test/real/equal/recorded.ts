// All rows that the recordings in the repository give: events, leases, alerts, facts, coverage, hashes; and some that people make.

import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Chain } from '../../../commands/chain.ts';
import { loadRules } from '../../../commands/rules.ts';
import { loadConfig } from '../../../core/config.ts';
import { recordedDevice } from '../../../core/devices.ts';
import type { EvidenceBatch } from '../../../core/ports.ts';
import type { Baseline, Change, NodeSeen, Triage } from '../../../core/records.ts';
import { Redactor } from '../../../ingest/collector/redact.ts';
import { temporaryLedgerMemory } from '../../../storage/ledger/memory.ts';
import { at, reached } from '../../builders.ts';
import { batchOf } from '../../contract/evidence-store.ts';
import { logAt, recordedLogs } from '../../permuter/inputs.ts';

const fixtures = 'test/fixtures/vault-1.21.1';

/** Of the logs, each a device, with the answers that Vault gave. */
export function recordedRows(logs: Record<string, string[]>): EvidenceBatch {
  const batch = batchOf({});
  const path = join(tmpdir(), `sealwatch-equal-${process.pid}`);
  const config = loadConfig({ SEALWATCH_DATA_DIR: path });
  using memory = temporaryLedgerMemory(path);
  let watermark = '';
  const chain = new Chain({
    cluster: config.cluster,
    devices: Object.keys(logs).map((name) => recordedDevice(name, config.cluster, undefined)),
    partitions: 3,
    time: config.time,
    rules: loadRules(undefined),
    redactor: new Redactor(Buffer.alloc(32, 1), config.scrub.plainKeys),
    ledger: { memory },
    sink: {
      event: (event, text) => void batch.events.push({ event, text }),
      lease: (revision, body) => void batch.leases.push({ revision, body: structuredClone(body) }),
      fact: (fact) => void batch.facts.push(fact),
      reject: (reject) => void batch.rejects.push(reject),
      coverage: (row) => void batch.coverage.push({ ...row, counts: { ...row.counts } }),
      hashes: (pair) => void batch.hashes.push(pair),
      node: (seen) => void batch.nodes.push(seen),
      alerts: (alerts) => void batch.alerts.push(...structuredClone(alerts)),
      watermark: (time) => {
        watermark = time;
      },
    },
  });
  for (const [name, lines] of Object.entries(logs)) {
    chain.push(name, Buffer.from(lines.map((line) => `${line}\n`).join('')));
    chain.finishDevice(name);
  }
  chain.finish();
  rmSync(path, { recursive: true, force: true });
  const nodes: NodeSeen[] = [{ id: 'n1', node: 'n1', cluster: 'default', how: 'collected', hour: at(0) }];
  return { ...batch, ...byPeople(batch), nodes, offsets: reached(watermark < '9999' ? watermark : at(0)) };
}

/** What lies in the repository. */
export const logsInRepository = (): Record<string, string[]> => ({
  ...recordedLogs(),
  credentials: logAt(`${fixtures}/credentials/file.jsonl`),
  ledger: logAt(`${fixtures}/ledger`),
  broken: ['not json', '{}', '[]', '{"type":"request","time":"x"}'],
});

function byPeople({ alerts }: EvidenceBatch): Pick<EvidenceBatch, 'triage' | 'changes' | 'baselines'> {
  const statuses = ['acknowledged', 'closed', 'reopened'] as const;
  const triage = alerts.slice(0, 40).map(
    ({ body }, i): Triage => ({
      ...{ id: `t${i}`, at: at(i % 7), alert_id: body.alert.id, incident_id: body.incident.id, by: 'ann' },
      status: statuses[i % 3] ?? 'closed',
      ...(i % 3 === 1 && { verdict: 'benign' as const, note: `note ${i}` }),
    }),
  );
  const what = ['rule', 'allow', 'setting'] as const;
  const changes = Array.from(
    { length: 9 },
    (_, i): Change => ({
      id: `c${i}`,
      at: at(i),
      what: what[i % 3] ?? 'rule',
      key: `key-${i % 2}`,
      who: 'bob',
    }),
  );
  const baselines = alerts.slice(0, 5).map(
    ({ body }, i): Baseline => ({
      ...{ id: `b${i}`, behaviour: 'hours', subject: body.user.id, at: at(i), learning: i % 2 === 0 },
      ...{ text: 'seen at 9 to 17', numbers: { hours: 8 } },
    }),
  );
  return { triage, changes, baselines };
}
