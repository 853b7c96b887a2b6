// Rows of leases and tokens as the ledger tells them of a real log, each revision.

import { Chain } from '../../../commands/chain.ts';
import { recordedDevice } from '../../../core/devices.ts';
import type { Lease } from '../../../core/lease.ts';
import { noRules } from '../../../detectors/engine/rule-set.ts';
import { Redactor } from '../../../ingest/collector/redact.ts';
import { MapMemory } from '../../ingest/ledger/memory.ts';
import { recordedLog } from '../../ingest/ledger/recorded.ts';

export interface ToldRow {
  lease: Lease;
  told: { revision: number; time: string };
}

/** Of the first `lines` of the recorded play of leases and tokens (test/fixtures/README.md), without Vault's answers. */
export function recordedRows(lines: number): ToldRow[] {
  const rows: ToldRow[] = [];
  const none = () => {};
  const chain = new Chain({
    cluster: 'test',
    devices: [recordedDevice('audit', 'test')],
    partitions: 1,
    time: { pairWaitSeconds: 6, allowedLatenessSeconds: 3, dedupeSeconds: 600 },
    rules: noRules,
    redactor: new Redactor(Buffer.alloc(32)),
    ledger: { memory: new MapMemory() },
    sink: {
      event: none,
      lease: (revision, lease) => {
        const time = lease.ended_at ?? lease.last_renewed_at ?? lease.issued_at;
        rows.push({ lease: structuredClone(lease), told: { revision, time } });
      },
      fact: none,
      reject: none,
      coverage: none,
      hashes: none,
      node: none,
      alerts: none,
      watermark: none,
    },
  });
  for (const line of recordedLog('audit').slice(0, lines)) chain.push('audit', Buffer.from(`${line}\n`));
  chain.finishDevice('audit');
  chain.finish();
  return rows;
}
