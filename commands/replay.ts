// `sealwatch replay`: the stages over recorded logs, the last version of everything as files.

import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { canonicalJson } from '../core/canonical.ts';
import { type Config, dataFiles, secretRefsOf } from '../core/config.ts';
import { recordedDevice } from '../core/devices.ts';
import { SealwatchError, systemCode } from '../core/errors.ts';
import type { AuditEvent } from '../core/event.ts';
import { type Lists, noLists } from '../core/lists.ts';
import type { Reject } from '../core/records.ts';
import type { RuleSet } from '../detectors/engine/rule-set.ts';
import { Redactor } from '../ingest/collector/redact.ts';
import { temporaryLedgerMemory } from '../storage/ledger/memory.ts';
import { Chain, type ChainSink } from './chain.ts';
import { ensureKey } from './keys.ts';
import { Learned } from './learned.ts';
import { progressLine } from './progress.ts';
import { openLog, unreadable } from './read-log.ts';
import { SortedFile } from './sorted-file.ts';
import { SortedRows } from './sorted-rows.ts';
import { Summary } from './summary.ts';
import { RecordedAnswers } from './vault-answers.ts';

export interface ReplayOptions {
  files: string[];
  out: string;
  config: Config;
  rules: RuleSet;
  lists?: Lists;
  /** What Vault answered, as JSON lines: the ledger asks there. */
  answers?: string;
  /** Shows progress, on a terminal. */
  progress: boolean;
}

interface Source {
  device: string;
  chunks: AsyncIterator<Buffer, undefined>;
  ended: boolean;
}

/** Replays `files`, each a device of its own, into `out`; returns the summary that it wrote. */
export async function replay(options: ReplayOptions): Promise<Record<string, unknown>> {
  const { config, rules, out } = options;
  mkdirOrFail(out);
  const events = new SortedFile(join(out, 'events.jsonl'));
  const leases = new SortedRows(join(out, '.leases.tmp'));
  const alerts = new SortedFile(join(out, 'alerts.jsonl'));
  const rejects = new Map<string, Reject>();
  const summary = new Summary();
  const sink: ChainSink = {
    event: (event, text) => {
      summary.event(event);
      events.add({ time: event['@timestamp'], id: event.event.id, revision: event.vault.revision, text });
    },
    lease: (revision, lease) =>
      leases.add({ time: lease.issued_at, id: lease.id, revision, text: canonicalJson(lease) }),
    fact: () => {},
    alerts: (changed) => {
      for (const { revision, body } of changed)
        alerts.add({ time: body['@timestamp'], id: body.alert.id, revision, text: canonicalJson(body) });
    },
    reject: (reject) => rejects.set(reject.id, reject),
    coverage: (row) => summary.coverage(row),
    hashes: () => {},
    node: () => {},
    // Alerts change as long as their window is open, so only events are written on the way.
    watermark: (time) => {
      events.flush(time);
      memory.keep(null);
      learned.keep();
    },
  };
  using memory = temporaryLedgerMemory(join(out, '.ledger.tmp'));
  using learned = new Learned(out);
  using answers = await answersOf(options);
  const sources = openSources(options.files);
  const scrubKey = Buffer.from(ensureKey(dataFiles(config.dataDir).scrubKey).key);
  const redactor = new Redactor(scrubKey, config.scrub.plainKeys);
  const devices = sources.map(({ device }) =>
    recordedDevice(device, config.cluster, answers?.auditPathOf(device)),
  );
  const chain = new Chain({
    cluster: config.cluster,
    devices,
    partitions: config.partitions,
    time: config.time,
    callers: config.callers,
    ownSecrets: secretRefsOf(config).map(({ path }) => path),
    ...{ rules, learned, redactor },
    lists: options.lists ?? noLists,
    ledger: { memory, ...(answers !== undefined && { answer: (question) => answers.answer(question) }) },
    sink,
  });
  await feed(chain, sources, options.progress);
  chain.finish();
  const read = (text: string) => placeOf(JSON.parse(text));
  await events.finish(read);
  await chain.judgeOwn((take) => events.eachWritten((text) => take(JSON.parse(text) as AuditEvent)));
  const leaseRows = leases.finish(join(out, 'leases.jsonl'));
  await alerts.finish(read);
  writeRejects(join(out, 'rejects.jsonl'), [...rejects.values()]);
  const rows = { events: events.rows, leases: leaseRows, alerts: alerts.rows, rejects: rejects.size };
  const result = summary.result(rows);
  writeFileSync(join(out, 'summary.json'), `${canonicalJson(result)}\n`, { mode: 0o600 });
  return result;
}

const answersOf = async ({ answers, out }: ReplayOptions): Promise<RecordedAnswers | undefined> =>
  answers === undefined ? undefined : RecordedAnswers.read(answers, join(out, '.answers.tmp'));

interface AnyRow {
  '@timestamp'?: string;
  event?: { id?: string };
  vault?: { revision?: number };
  alert?: { id: string; count: number };
}

const placeOf = (row: AnyRow): { time: string; id: string; revision: number } => ({
  time: row['@timestamp'] ?? '',
  id: row.alert?.id ?? row.event?.id ?? '',
  revision: row.alert?.count ?? row.vault?.revision ?? 1,
});

/** The device that is furthest behind is read next, so that several logs pass side by side. */
async function feed(chain: Chain, sources: Source[], progress: boolean): Promise<void> {
  const show = progressLine(progress, 'replay');
  let bytes = 0;
  let chunks = 0;
  for (;;) {
    const open = sources.filter((source) => !source.ended);
    const [next] = open.sort((a, b) => (chain.timeOf(a.device) < chain.timeOf(b.device) ? -1 : 1));
    if (next === undefined) break;
    const chunk = await readChunk(next);
    if (chunk === undefined) {
      next.ended = true;
      chain.finishDevice(next.device);
    } else {
      chain.push(next.device, chunk);
      bytes += chunk.length;
    }
    // Time need not pass at each chunk: the result does not depend on it, and each tick costs.
    if (++chunks % TICK_CHUNKS === 0) chain.tick();
    show(
      `${(bytes / 1e6).toFixed(0)} MB, ${chain.intake.counters.lines} lines, ${chain.timeOf(next.device).slice(0, 19)}`,
    );
  }
  show();
}

async function readChunk(source: Source): Promise<Buffer | undefined> {
  try {
    const { value, done } = await source.chunks.next();
    return done ? undefined : value;
  } catch (error) {
    throw unreadable(source.device, error);
  }
}

function openSources(files: string[]): Source[] {
  const taken = new Set<string>();
  return files.map((file) => {
    const chunks = openLog(file)[Symbol.asyncIterator]() as AsyncIterator<Buffer, undefined>;
    return { device: nameOf(file, taken), chunks, ended: false };
  });
}

const TICK_CHUNKS = 16;

/** A device is called by its file; a second file of the same name gets a number. */
function nameOf(file: string, taken: Set<string>): string {
  const base = file === '-' ? 'stdin' : basename(file).replace(/\.gz$/, '').slice(0, 200);
  let name = base;
  for (let n = 2; taken.has(name); n++) name = `${base}-${n}`;
  taken.add(name);
  return name;
}

function writeRejects(path: string, rejects: Reject[]): void {
  rejects.sort((a, b) => (a.id < b.id ? -1 : 1));
  writeFileSync(path, rejects.map((reject) => `${canonicalJson(reject)}\n`).join(''), { mode: 0o600 });
}

function mkdirOrFail(out: string): void {
  try {
    mkdirSync(out, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new SealwatchError(
      'OUTPUT_UNWRITABLE',
      `cannot write to ${out} (${systemCode(error) ?? error})`,
      'Choose another --out folder.',
      { cause: error },
    );
  }
}
