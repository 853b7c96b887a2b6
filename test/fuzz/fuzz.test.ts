// Broken input: no crash, nothing of our own stumbles, memory is given back, and whole calls between broken lines come out.
// `npm run bench -- fuzz` does the same for ten minutes. FUZZ_SEED plays a run again.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Chain } from '../../commands/chain.ts';
import { loadRules } from '../../commands/rules.ts';
import { recordedDevice } from '../../core/devices.ts';
import type { CoverageRow, Reject } from '../../core/records.ts';
import { Redactor } from '../../ingest/collector/redact.ts';
import { numbers } from '../commands/replay-run.ts';
import { MapMemory } from '../ingest/ledger/memory.ts';
import { totalsOf } from '../ingest/normalise/lines.ts';
import { Attack, heldMax, heldNames, recordedSeeds } from './attack.ts';
import { mutations } from './mutate.ts';

const seeds = recordedSeeds();
const rules = loadRules(undefined);
const minutes = 60_000;

describe('broken bytes', () => {
  const given = process.env['FUZZ_SEED'];
  const seed = given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given);

  it(
    `crash nothing, and hide no call that stands between them (seed ${seed})`,
    async () => {
      await using attack = new Attack({ seeds, random: numbers(seed), partitions: 3, run: 0 });
      await attack.world.start();
      await attack.send(25_000);
      const { rejects, controls, controlsSeen, events, held } = await attack.finish();
      expect(rejects['internal'] ?? 0).toBe(0);
      expect(controlsSeen).toBe(controls);
      expect(events).toBeGreaterThan(2 * controls);
      for (const name of heldNames) expect(held[name], name).toBeLessThanOrEqual(heldMax[name]);
    },
    5 * minutes,
  );

  it('are broken by every mutation', () => {
    const random = numbers(1);
    for (const [name, mutate] of Object.entries(mutations)) {
      const changed = seeds.filter((line, n) => !mutate(line, random, seeds[n - 1] ?? line).equals(line));
      expect(changed.length / seeds.length, name).toBeGreaterThan(0.5);
    }
  });
});

/** What the stages make of lines of one device, in memory. */
function through(lines: readonly string[]) {
  const rejects: Reject[] = [];
  const rows = new Map<string, CoverageRow>();
  let versions = 0;
  const chain = new Chain({
    cluster: 'test',
    devices: [recordedDevice('file')],
    partitions: 1,
    time: { pairWaitSeconds: 6, allowedLatenessSeconds: 3, dedupeSeconds: 600 },
    rules,
    redactor: new Redactor(Buffer.alloc(32)),
    ledger: { memory: new MapMemory() },
    sink: {
      event: (_, text) => {
        versions++;
        JSON.parse(text);
      },
      lease: () => {},
      fact: () => {},
      reject: (reject) => rejects.push(reject),
      coverage: (row) => rows.set(row.id, row),
      hashes: () => {},
      node: () => {},
      alerts: () => {},
      watermark: () => {},
    },
  });
  for (const line of lines) chain.push('file', Buffer.from(`${line}\n`));
  chain.finishDevice('file');
  chain.finish();
  return { rejects, versions, received: totalsOf(rows.values())['file']?.received ?? 0 };
}

interface Edit {
  /** Which member, counted over the whole tree. */
  at: number;
  how: 'replace' | 'remove' | 'add' | 'wrap';
  key: string;
  value: unknown;
}

const names = [
  '__proto__',
  'constructor',
  'toString',
  'id',
  'path',
  'auth',
  'response',
  'data',
  'a.b',
  '',
  '0',
  '\0',
];
const edit: fc.Arbitrary<Edit> = fc.record({
  at: fc.nat(200),
  how: fc.constantFrom('replace', 'replace', 'remove', 'add', 'wrap'),
  key: fc.oneof(fc.constantFrom(...names), fc.string({ unit: 'binary' })),
  value: fc.oneof(
    fc.jsonValue({ maxDepth: 4, stringUnit: 'binary' }),
    fc.constantFrom(null, 1e308, -1, 2 ** 53, '', '\ud800', 'hvs.CAESIJ', [[]], { time: 1 }),
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.double(),
  ),
});

/** Changes a member somewhere in the entry; what it holds need not make sense any more. */
function apply(entry: unknown, { at, how, key, value }: Edit): void {
  const places: [Record<string, unknown>, string][] = [];
  const visit = (node: unknown) => {
    if (typeof node !== 'object' || node === null) return;
    for (const name of Object.keys(node)) {
      places.push([node as Record<string, unknown>, name]);
      visit((node as Record<string, unknown>)[name]);
    }
  };
  visit(entry);
  const place = places[at % Math.max(1, places.length)];
  if (place === undefined) return;
  const [node, name] = place;
  const put = (to: string, what: unknown) =>
    Object.defineProperty(node, to, { value: what, enumerable: true, configurable: true, writable: true });
  if (how === 'remove') delete node[name];
  // A list has a length of its own.
  else if (how === 'add') put(Array.isArray(node) ? `more-${key}` : key, structuredClone(value));
  else put(name, how === 'wrap' ? [{ [key]: node[name] }] : structuredClone(value));
}

describe('entries that are JSON but not what Vault writes', () => {
  it(
    'become an event or a reject with a reason, and each line is counted',
    () => {
      const broken = fc
        .tuple(fc.nat(seeds.length - 2), fc.array(edit, { maxLength: 6 }), fc.integer({ min: 1, max: 3 }))
        .map(([from, edits, many]) =>
          seeds.slice(from, from + many).map((line) => {
            const entry: unknown = JSON.parse(line.toString());
            for (const one of edits) apply(entry, one);
            return JSON.stringify(entry);
          }),
        );
      fc.assert(
        fc.property(broken, (lines) => {
          const { rejects, versions, received } = through(lines);
          expect(rejects.filter(({ reason }) => reason === 'internal')).toEqual([]);
          expect(received).toBe(lines.length);
          expect(versions + rejects.length).toBeGreaterThan(0);
        }),
        { numRuns: 4000 },
      );
    },
    5 * minutes,
  );
});
