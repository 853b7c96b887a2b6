// npm run bench -- ledger: how many leases pass through the ledger in a second, in how much memory, and how large its file gets.
// Calls go straight into it, as the pipeline brings them: a login, ten leases, some renewed, some revoked; the others expire.

import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { AuditEvent } from '../../core/event.ts';
import type { Answer, CredentialCall, Handles, Question } from '../../core/records.ts';
import { timeOfMs } from '../../core/time.ts';
import { ledgerParts } from '../../ingest/ledger/join.ts';
import { Ledger } from '../../ingest/ledger/ledger.ts';
import { openLedgerMemory } from '../../storage/ledger/memory.ts';

const { values } = parseArgs({
  options: {
    identities: { type: 'string', default: '20000' },
    /** Leases of each. */
    leases: { type: 'string', default: '10' },
    /** Time over which they come. */
    days: { type: 'string', default: '60' },
  },
});
const identities = Number(values.identities);
const leasesEach = Number(values.leases);
const stepMs = (Number(values.days) * 86_400_000) / identities;

const START_MS = Date.parse('2026-09-01T00:00:00Z');
const TTL_S = 900;
const TOKEN_TTL_S = 3_600;
/** Identities between two commits, as much as one batch of the pipeline. */
const BATCH = 50;
const REPORTS = 10;

const hashOf = (what: string, n: number) =>
  `hmac-sha256:${what}${n.toString(16).padStart(64 - what.length, '0')}`;
let calls = 0;

function call(ms: number, n: number, action: string, vault: object, handles: Handles): CredentialCall {
  const id = `call-${calls++}`;
  const entity_id = `entity-${n}`;
  const event = {
    '@timestamp': timeOfMs(ms),
    ecs: { version: '8.17.0' },
    event: {
      ...{ action, category: ['session'], dataset: 'vault.audit', duration: 1e6, hash: '0'.repeat(64) },
      ...{ id, kind: 'event', outcome: 'success', type: ['start'] },
    },
    related: {},
    source: { ip: '10.0.0.1' },
    user: { id: entity_id, name: `app-${n % 500}`, roles: ['app', 'default'] },
    vault: {
      caller: {
        ...{ auth_method: 'approle', auth_mount: 'auth/approle/', credential: 'service', entity_id },
        ...{ kind: 'workload', policies: ['app', 'default'], role: `app-${n % 500}` },
        ...(action === 'user-login' ? { credential: 'none' } : { accessor: hashOf('a', n) }),
      },
      ...{ cluster: 'vault', devices: ['file'], pair: 'both', revision: 2, schema: 1 },
      ...vault,
    },
  } as unknown as AuditEvent;
  return { event, handles };
}

const login = (ms: number, n: number) =>
  call(
    ms,
    n,
    'user-login',
    {
      issued: {
        ...{ accessor: hashOf('a', n), entity_id: `entity-${n}`, policies: ['app', 'default'] },
        ...{ ttl_s: TOKEN_TTL_S, type: 'service' },
      },
      request: {
        operation: 'update',
        path: 'auth/approle/login',
        mount_point: 'auth/approle/',
        mount_type: 'approle',
      },
    },
    { issued: hashOf('b', n) },
  );

const handlesOf = (n: number): Handles => ({ sent: hashOf('b', n), inner: hashOf('c', n) });
const leaseId = (n: number, k: number) =>
  `database/creds/readonly/${(n * 31 + k).toString(36).padStart(24, 'x')}`;

const issue = (ms: number, n: number, k: number) =>
  call(
    ms,
    n,
    'credential-issue',
    {
      lease: { id: leaseId(n, k) },
      request: {
        operation: 'read',
        path: 'database/creds/readonly',
        mount_point: 'database/',
        mount_type: 'database',
      },
    },
    handlesOf(n),
  );

const onLease = (ms: number, n: number, k: number, action: 'lease-renew' | 'lease-revoke') =>
  call(
    ms,
    n,
    action,
    {
      request: {
        ...{ operation: 'update', path: `sys/${action.replace('lease-', 'leases/')}` },
        ...{ mount_point: 'sys/', mount_type: 'system', data: { lease_id: leaseId(n, k) } },
      },
      ...(action === 'lease-renew' && { lease: { id: leaseId(n, k) } }),
    },
    handlesOf(n),
  );

/** Vault answers what it is asked of leases, so that lifetimes are known; nothing else. */
function answerTo({ method, path, body, at }: Question): Answer | undefined {
  if (path !== 'sys/leases/lookup') return undefined;
  const data = { id: body?.['lease_id'] ?? '', ttl: TTL_S, last_renewal: null };
  return {
    at,
    method,
    path,
    ...(body && { body }),
    status: 200,
    response: { request_id: `r${calls}`, data },
  };
}

const dir = mkdtempSync(join(tmpdir(), 'sealwatch-bench-ledger-'));
const path = join(dir, 'ledger.db');
try {
  using memory = openLedgerMemory(path);
  const told = { rows: 0, questions: 0 };
  const ledger: Ledger = new Ledger({
    memory,
    partitions: 1,
    parts: ledgerParts({ cluster: 'vault', auditPathOf: () => 'file', ranks: ['file'] }),
    sink: {
      lease: () => void told.rows++,
      fact: () => {},
      own: () => {},
      watermark: () => {},
      ask: (question) => {
        told.questions++;
        const answer = answerTo(question);
        if (answer !== undefined) ledger.record('answer', answer, 0);
      },
    },
  });
  const put = (value: CredentialCall) => ledger.record('credential', value, 0);
  const size = () =>
    (statSync(path).size + (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0)) / 2 ** 20;
  const started = process.cpuUsage();
  const startedMs = Date.now();
  let peak = 0;
  for (let n = 0; n < identities; n++) {
    const ms = START_MS + Math.round(n * stepMs);
    put(login(ms, n));
    for (let k = 0; k < leasesEach; k++) {
      put(issue(ms + 1_000 * (k + 1), n, k));
      if (k % 5 === 0) put(onLease(ms + 60_000 + k, n, k, 'lease-renew'));
      if (k % 5 === 1) put(onLease(ms + 120_000 + k, n, k, 'lease-revoke'));
    }
    if (n % BATCH === 0) {
      ledger.record('watermark', { source: 0, time: timeOfMs(ms) }, 0);
      memory.keep(n);
      peak = Math.max(peak, process.memoryUsage.rss());
    }
    if ((n + 1) % Math.ceil(identities / REPORTS) !== 0) continue;
    const seconds = (Date.now() - startedMs) / 1000;
    const line = [
      `${((n + 1) * leasesEach).toLocaleString('en')} leases`,
      `${Math.round(((n + 1) * leasesEach) / seconds)}/s`,
      `${Math.round(calls / seconds)} calls/s`,
      `open ${memory.openRows().toLocaleString('en')}`,
      `peak ${(peak / 2 ** 20).toFixed(0)} MiB`,
      `file ${size().toFixed(0)} MiB`,
    ];
    process.stderr.write(`  ${line.join(', ')}\n`);
  }
  ledger.finish(timeOfMs(START_MS));
  memory.keep(identities);
  const { user, system } = process.cpuUsage(started);
  const rows = identities * (leasesEach + 1);
  process.stdout.write(
    [
      '| identities | leases | rows told | wall s | CPU s per million rows | peak RSS MiB | file MiB | failed |',
      '| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
      `| ${identities} | ${identities * leasesEach} | ${told.rows} | ${((Date.now() - startedMs) / 1000).toFixed(0)} | ${((user + system) / rows).toFixed(0)} | ${(peak / 2 ** 20).toFixed(0)} | ${size().toFixed(0)} | ${ledger.counters.failed} |`,
      '',
    ].join('\n'),
  );
} finally {
  rmSync(dir, { recursive: true, force: true });
}
