// The stages joined in memory: bytes in any chunks, devices that end, time that passes as far as the slowest has come.

import { describe, expect, it } from 'vitest';
import { Chain } from '../../commands/chain.ts';
import { loadRules } from '../../commands/rules.ts';
import { recordedDevice } from '../../core/devices.ts';
import { limits } from '../../core/limits.ts';
import type { CoverageRow, Reject } from '../../core/records.ts';
import { Redactor } from '../../ingest/collector/redact.ts';
import { MapMemory } from '../ingest/ledger/memory.ts';
import { fixtureLines, sampleLines } from '../ingest/normalise/lines.ts';
import { numbers, resalted, shuffled } from './replay-run.ts';

interface Seen {
  events: Map<string, string>;
  leases: string[];
  rejects: Reject[];
  alerts: Map<string, number>;
  watermarks: string[];
  coverage: CoverageRow[];
}

function chainOf(devices: string[], partitions = 1): { chain: Chain; seen: Seen } {
  const seen: Seen = {
    events: new Map(),
    leases: [],
    rejects: [],
    alerts: new Map(),
    watermarks: [],
    coverage: [],
  };
  const chain = new Chain({
    cluster: 'test',
    devices: devices.map((device) => recordedDevice(device)),
    partitions,
    time: { pairWaitSeconds: 6, allowedLatenessSeconds: 3, dedupeSeconds: 600 },
    rules: loadRules(undefined),
    redactor: new Redactor(Buffer.alloc(32)),
    ledger: { memory: new MapMemory() },
    sink: {
      event: (event, text) => seen.events.set(event.event.id, text),
      lease: (_, { id }) => seen.leases.push(id),
      fact: () => {},
      reject: (reject) => seen.rejects.push(reject),
      coverage: (row) => seen.coverage.push(row),
      hashes: () => {},
      node: () => {},
      alerts: (alerts) => {
        for (const { revision, body } of alerts) seen.alerts.set(body.alert.id, revision);
      },
      watermark: (time) => seen.watermarks.push(time),
    },
  });
  return { chain, seen };
}

const bytesOf = (lines: string[]) => Buffer.from(lines.map((line) => `${line}\n`).join(''));
const sample = sampleLines();

function whole(): Seen {
  const { chain, seen } = chainOf(['file']);
  chain.push('file', bytesOf(sample));
  chain.finishDevice('file');
  chain.finish();
  return seen;
}

describe('a chain', () => {
  it.each([1, 2, 3])('takes bytes in any chunks, with ticks between: way %i', (seed) => {
    const next = numbers(seed);
    const bytes = bytesOf(sample);
    const { chain, seen } = chainOf(['file'], 1 + seed);
    for (let at = 0; at < bytes.length; ) {
      const end = at + 1 + Math.floor(next() * 5000);
      // The reader's own buffer: what the chain keeps must be a copy.
      const chunk = Buffer.from(bytes.subarray(at, end));
      chain.push('file', chunk);
      chunk.fill(0);
      chain.tick();
      at = end;
    }
    chain.finishDevice('file');
    chain.finish();
    const expected = whole();
    expect(Object.fromEntries(seen.events)).toEqual(Object.fromEntries(expected.events));
    expect(Object.fromEntries(seen.alerts)).toEqual(Object.fromEntries(expected.alerts));
    expect(seen.leases.sort()).toEqual(expected.leases.sort());
    expect(seen.rejects).toEqual([]);
  });

  it.each([4, 5])(
    'keeps time so far behind that lines may be out of order by most of a minute: way %i',
    (seed) => {
      const { chain, seen } = chainOf(['file'], 3);
      for (const line of shuffled(sample, limits.replaySlackSeconds - 5, seed)) {
        chain.push('file', bytesOf([line]));
        chain.tick();
      }
      chain.finishDevice('file');
      chain.finish();
      const expected = whole();
      expect(Object.fromEntries(seen.events)).toEqual(Object.fromEntries(expected.events));
      expect(Object.fromEntries(seen.alerts)).toEqual(Object.fromEntries(expected.alerts));
      expect(seen.coverage.filter(({ counts }) => counts.late !== undefined)).toEqual([]);
    },
  );

  it('lets events out while it reads, not only at the end', () => {
    const { chain, seen } = chainOf(['file']);
    chain.push('file', bytesOf(sample));
    chain.tick();
    expect(seen.events.size).toBeGreaterThan(100);
    expect(seen.alerts.size).toBeGreaterThan(0);
    expect(seen.watermarks.at(-1)).toBe([...seen.watermarks].sort().at(-1));
  });

  it('holds time back for a device that has shown nothing yet', () => {
    const { chain, seen } = chainOf(['file', 'tcp']);
    chain.push('file', bytesOf(sample));
    chain.tick();
    expect(seen.watermarks).toEqual([]);
    chain.finishDevice('tcp');
    chain.tick();
    expect(seen.watermarks).not.toEqual([]);
  });

  it('holds time back at the device that is furthest behind', () => {
    const { chain, seen } = chainOf(['file', 'tcp']);
    chain.push('file', bytesOf(sample));
    chain.push('tcp', bytesOf(resalted(sample.slice(0, 100))));
    chain.tick();
    const reached = (JSON.parse(sample[99] ?? '') as { time: string }).time;
    expect((seen.watermarks.at(-1) ?? '') < reached).toBe(true);
    expect(chain.timeOf('tcp') < chain.timeOf('file')).toBe(true);
  });

  it('counts what it loses: a line without an end is still a line, the rest of a device is its own', () => {
    const { chain, seen } = chainOf(['file', 'tcp']);
    const [request = '', response = ''] = fixtureLines('kv-v1-read');
    chain.push('file', Buffer.from(`${request}\n${response}`));
    chain.push('tcp', Buffer.from(resalted([request]).join('').slice(0, 200)));
    chain.finishDevice('file');
    chain.finishDevice('tcp');
    chain.finish();
    expect(seen.events.size).toBe(1);
    expect(seen.rejects).toMatchObject([{ device: 'tcp', reason: 'not_json' }]);
    const received = (device: string) =>
      seen.coverage.findLast((row) => row.device === device)?.counts.received;
    expect([received('file'), received('tcp')]).toEqual([2, 1]);
  });

  it('bytes of a device that nobody named are not taken', () => {
    const { chain, seen } = chainOf(['file']);
    chain.push('other', bytesOf(sample));
    chain.finish();
    expect(seen.events.size).toBe(0);
  });
});
