// `replay` gives the same bytes for the same lines, in whatever order, files and partitions they come (guarantee 3).

import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import type { Alert } from '../../core/alert.ts';
import { canonicalJson } from '../../core/canonical.ts';
import type { AuditEvent } from '../../core/event.ts';
import type { Lease } from '../../core/lease.ts';
import { limits } from '../../core/limits.ts';
import { fixtureLines, sampleLines } from '../ingest/normalise/lines.ts';
import {
  type Log,
  logOf,
  numbers,
  ReplayFolder,
  type Result,
  resalted,
  rowsOf,
  shuffled,
  summaryOf,
} from './replay-run.ts';

const folder = new ReplayFolder();
afterAll(() => folder[Symbol.dispose]());

const sample = sampleLines();
const partitions = ['1', '3', '8'];
const run = (logs: Log[], count = '3') => folder.run(logs, { SEALWATCH_PARTITIONS: count });
const expected = run([logOf('audit.jsonl', sample)]);

describe('one log', () => {
  it.each(partitions)('in order, with %s partitions', async (count) => {
    expect(await run([logOf('audit.jsonl', sample)], count)).toEqual(await expected);
  });

  it.each([1, 2, 3, 4, 5, 6])('out of order as far as is allowed, way %i', async (seed) => {
    const count = partitions[seed % 3];
    expect(await run([logOf('audit.jsonl', shuffled(sample, 3, seed))], count)).toEqual(await expected);
  });

  it.each([7, 8, 9])('out of order by most of a minute, as no live device may be, way %i', async (seed) => {
    const lines = shuffled(sample, limits.replaySlackSeconds - 5, seed);
    expect(await run([logOf('audit.jsonl', lines)], partitions[seed % 3])).toEqual(await expected);
  });

  it('with each line twice: the same but for the counter', async () => {
    const twice = await run([
      logOf(
        'audit.jsonl',
        sample.flatMap((line) => [line, line]),
      ),
    ]);
    const { 'summary.json': summary, ...files } = twice;
    const { 'summary.json': _, ...once } = await expected;
    expect(files).toEqual(once);
    expect((JSON.parse(summary) as { devices: object }).devices).toMatchObject({
      'audit.jsonl': { received: 2 * sample.length, duplicate: sample.length },
    });
  });

  it.each<[string, Log]>([
    ['packed', { name: 'audit.jsonl.gz', bytes: gzipSync(sample.map((line) => `${line}\n`).join('')) }],
    [
      'packed in two parts',
      {
        name: 'audit.jsonl.gz',
        bytes: Buffer.concat(
          [sample.slice(0, 100), sample.slice(100)].map((part) =>
            gzipSync(part.map((line) => `${line}\n`).join('')),
          ),
        ),
      },
    ],
    ['with CRLF', { name: 'audit.jsonl', bytes: sample.map((line) => `${line}\r\n`).join('') }],
    ['without a last newline', { name: 'audit.jsonl', bytes: sample.join('\n') }],
    ['with empty lines', { name: 'audit.jsonl', bytes: sample.map((line) => `\n${line}\n\n`).join('') }],
  ])('%s', async (_, log) => {
    expect(await run([log])).toEqual(await expected);
  });
});

describe('two devices of one Vault', () => {
  const apart = (seed: number) => {
    const next = numbers(seed);
    const sides = sample.map((line) => ({ line, left: next() < 0.5 }));
    return [sides.filter(({ left }) => left), sides.filter(({ left }) => !left)].map((side) =>
      side.map(({ line }) => line),
    );
  };
  const [left = [], right = []] = apart(11);
  const pairs: [string, string[], string[]][] = [
    ['each with every line', sample, resalted(sample)],
    ['the second began later', sample, resalted(sample.slice(150))],
    ['the second ended earlier', sample, resalted(sample.slice(0, 150))],
    ['each with a part of the lines', left, right],
    ['one after the other', sample.slice(0, 160), sample.slice(160)],
    ['one with nothing', sample, []],
  ];

  it.each(pairs)('%s: any order and any partitions give the same', async (_, file, tcp) => {
    const logs = (a: string[], b: string[]) => [logOf('file', a), logOf('tcp', b)];
    const inOrder = await run(logs(file, tcp));
    expect(rowsOf<AuditEvent>(inOrder['events.jsonl'])).toHaveLength(
      rowsOf((await expected)['events.jsonl']).length,
    );
    for (const [i, count] of partitions.entries()) {
      const other = await run(logs(shuffled(file, 3, 20 + i), shuffled(tcp, 3, 40 + i)), count);
      expect(other).toEqual(inOrder);
    }
  });

  it('show each call once, with the first device’s hashes', async () => {
    const both = await run([logOf('file', sample), logOf('tcp', resalted(sample))]);
    const alone = await run([logOf('file', sample)]);
    const strip = (result: Result) =>
      rowsOf<AuditEvent>(result['events.jsonl']).map((event) => ({
        ...event,
        vault: { ...event.vault, devices: [] },
      }));
    expect(strip(both)).toEqual(strip(alone));
    expect(both['leases.jsonl']).toBe(alone['leases.jsonl']);
    expect(both['alerts.jsonl']).toBe(alone['alerts.jsonl']);
    for (const { vault } of rowsOf<AuditEvent>(both['events.jsonl']))
      expect(vault.devices).toEqual(['file', 'tcp']);
    expect(summaryOf(both).devices).toMatchObject({
      file: { received: sample.length },
      tcp: { received: sample.length },
    });
  });

  it('the other way round: the hashes of the other', async () => {
    const turned = await run([logOf('tcp', resalted(sample)), logOf('file', sample)]);
    const alone = await run([logOf('tcp', resalted(sample))]);
    const hashes = (result: Result) =>
      rowsOf<AuditEvent>(result['events.jsonl']).map(({ event }) => event.hash);
    expect(hashes(turned)).toEqual(hashes(alone));
    expect(hashes(turned)).not.toEqual(hashes(await expected));
  });

  it('a call that only one shows is a gap of the other', async () => {
    const { devices } = summaryOf(
      await run([logOf('file', sample), logOf('tcp', resalted(sample.slice(0, -100)))]),
    );
    expect(devices['tcp']?.['gaps']).toBeGreaterThan(40);
    expect(devices['file']?.['gaps'] ?? 0).toBe(0);
  });
});

describe('what is written', () => {
  it('is canonical JSON in order of (time, id)', async () => {
    const result = await expected;
    const keyOf: Record<string, (row: never) => string> = {
      'events.jsonl': (row: AuditEvent) => row['@timestamp'] + row.event.id,
      'leases.jsonl': (row: Lease) => row.issued_at + row.id,
      'alerts.jsonl': (row: Alert) => row['@timestamp'] + row.alert.id,
    };
    for (const [name, key] of Object.entries(keyOf)) {
      const text = result[name as keyof Result];
      const rows = rowsOf<never>(text);
      expect(rows.length).toBeGreaterThan(0);
      expect(text).toBe(rows.map((row) => `${canonicalJson(row)}\n`).join(''));
      expect(rows.map(key)).toEqual(rows.map(key).sort());
      expect(new Set(rows.map(key)).size).toBe(rows.length);
    }
  });

  it('the summary adds up', async () => {
    const result = await expected;
    const summary = summaryOf(result);
    const events = rowsOf<AuditEvent>(result['events.jsonl']);
    const count = (pair: string) => events.filter(({ vault }) => vault.pair === pair).length;
    expect(summary).toMatchObject({
      events: events.length,
      leases: rowsOf(result['leases.jsonl']).length,
      alerts: rowsOf(result['alerts.jsonl']).length,
      rejects: 0,
      first_event: events[0]?.['@timestamp'],
      last_event: events.at(-1)?.['@timestamp'],
    });
    expect(Object.keys(summary.devices)).toEqual(['audit.jsonl']);
    expect(summary.devices['audit.jsonl']).toMatchObject({ received: sample.length, paired: count('both') });
    expect(count('both') * 2 + count('request_only') + count('response_only')).toBe(sample.length);
  });

  it('alerts name events that are there', async () => {
    const result = await expected;
    const ids = new Set(rowsOf<AuditEvent>(result['events.jsonl']).map(({ event }) => event.id));
    const named = rowsOf<Alert>(result['alerts.jsonl']).flatMap(({ evidence }) => evidence.event_ids);
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((id) => !ids.has(id))).toEqual([]);
  });

  it('leases are proven by the event that took them, held by who asked', async () => {
    const result = await expected;
    const events = new Map(rowsOf<AuditEvent>(result['events.jsonl']).map((row) => [row.event.id, row]));
    for (const lease of rowsOf<Lease>(result['leases.jsonl'])) {
      const event = events.get(lease.proof.issued);
      expect(event).toBeDefined();
      if (lease.kind === 'token') continue;
      expect(event?.vault.lease?.id).toBe(lease.id);
      expect(lease).toMatchObject({ holder_id: event?.user.id, issued_at: event?.['@timestamp'] });
    }
  });

  it('bad lines are rejects, and the rest is as without them', async () => {
    const noisy = sample.flatMap((line, i) => (i % 50 === 0 ? [line, `noise ${i}`] : [line]));
    const result = await run([logOf('audit.jsonl', noisy)]);
    expect(result['events.jsonl']).toBe((await expected)['events.jsonl']);
    expect(result['alerts.jsonl']).toBe((await expected)['alerts.jsonl']);
    const rejects = rowsOf<{ reason: string; id: string }>(result['rejects.jsonl']);
    expect(rejects.map(({ reason }) => reason)).toEqual(Array.from({ length: 7 }, () => 'not_json'));
    expect(rejects.map(({ id }) => id)).toEqual(rejects.map(({ id }) => id).sort());
    expect(summaryOf(result)).toMatchObject({ rejects: 7, devices: { 'audit.jsonl': { rejected: 7 } } });
  });

  it('an empty log gives empty files', async () => {
    const result = await run([logOf('audit.jsonl', [])]);
    expect(result['events.jsonl'] + result['leases.jsonl'] + result['alerts.jsonl']).toBe('');
    expect(summaryOf(result)).toMatchObject({ events: 0, leases: 0, alerts: 0, rejects: 0 });
  });

  it('logs of the same name are two devices', async () => {
    const scene = fixtureLines('kv-v2');
    const both = await run([
      logOf('a.log', scene),
      { name: 'a.log.gz', bytes: gzipSync(resalted(scene).join('\n')) },
    ]);
    expect(Object.keys(summaryOf(both).devices).sort()).toEqual(['a.log', 'a.log-2']);
  });
});
