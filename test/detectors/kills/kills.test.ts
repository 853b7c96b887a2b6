// The detectors of `run`, killed a thousand times at random points: the same alerts under the same ids as those of a run over one
// partition that nothing happens to. The stream and the memories are the real ones, on disk. KILLS_SEED plays a run again.

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AuditEvent } from '../../../core/event.ts';
import { WholeDetector } from '../../../detectors/engine/whole.ts';
import { numbers } from '../../commands/replay-run.ts';
import { MapMemory } from '../../ingest/ledger/memory.ts';
import { judges, someCalls, someLeases } from './judges.ts';
import { endOf, Life, planned, toldOf } from './play.ts';

const seed = Number(process.env['KILLS_SEED'] ?? 7);

// No power is cut here, so that nothing is gained by waiting for a disk.
const folder = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

const leases = someLeases(200, numbers(5));
const told = toldOf(leases);

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(folder, 'sealwatch-kills-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

/** Without anything that goes wrong. */
async function straight(events: AuditEvent[], partitions: number, random: () => number) {
  const plan = { events: planned(events, partitions, random), leases: told };
  const life = await Life.begin(dir, plan, judges);
  while (!life.isOver) {
    life.feed(random, 200);
    for await (const _ of life.turn(false));
  }
  await life.drain();
  const alerts = await life.alerts();
  await life.end();
  return alerts;
}

async function killed(events: AuditEvent[], partitions: number, kills: number, random: () => number) {
  const plan = { events: planned(events, partitions, random), leases: told };
  const total = plan.events.reduce((sum, records) => sum + records.length, 0);
  const most = Math.ceil((1.5 * total) / partitions / kills);
  let deaths = 0;
  let left: Awaited<ReturnType<Life['kill']>>;
  for (;;) {
    const life = await Life.begin(dir, plan, judges, left);
    while (!life.isOver || deaths < kills) {
      life.feed(random, most);
      const turn = life.turn(random() < 0.3);
      if (random() < 0.5) {
        for (let parts = Math.floor(random() * 4); parts > 0; parts--) await turn.next();
        break;
      }
      for await (const _ of turn);
    }
    if (life.isOver && deaths >= kills) {
      await life.drain();
      const alerts = await life.alerts();
      await life.end();
      return alerts;
    }
    left = await life.kill(random);
    deaths++;
  }
}

/** As a replay has it: all partitions in one. */
function replayed(events: AuditEvent[]): Map<string, string> {
  const last = new Map<string, string>();
  const memories = { events: new MapMemory(), groups: new MapMemory(), leases: new MapMemory() };
  const detector = new WholeDetector({
    ...{ cluster: 'test', rules: judges.rules, slowCallNanos: 5e9 },
    learned: { behaviours: judges.behaviours, memories },
  });
  for (const event of events) detector.event(event);
  for (const lease of leases) {
    detector.lease(lease, 1, lease.issued_at);
    detector.ledger(lease.issued_at);
  }
  detector.advance(endOf(events));
  for (const { body } of detector.take().alerts) last.set(body.alert.id, JSON.stringify(body));
  return new Map([...last].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The whole texts of all of them would fill the screen. */
function same(alerts: Map<string, string>, expected: Map<string, string>): void {
  for (const [id, text] of expected) expect(alerts.get(id), id).toBe(text);
  expect([...alerts.keys()]).toEqual([...expected.keys()]);
}

describe(`alerts of calls in any order (seed ${seed})`, () => {
  const events = someCalls(500, numbers(7));
  const expected = replayed(events);

  it('are of every rule, and of every turn of a behaviour', () => {
    const said = [...expected.values()];
    for (const { top } of judges.rules.roots)
      expect(said.filter((text) => text.includes(top.id)).length, top.title).toBeGreaterThan(3);
    for (const word of ['call', 'quiet', '10.0.0.1:', 'leases of', 'held'])
      expect(said.filter((text) => text.includes(word)).length, word).toBeGreaterThan(2);
  });

  it.each([1, 3, 8])('are those of a replay, over %i partitions', async (partitions) => {
    same(await straight(events, partitions, numbers(seed)), expected);
  });

  it.each([
    [1, 600],
    [3, 300],
    [8, 100],
  ])('are the same over %i partitions after %i kills', { timeout: 120_000 }, async (partitions, kills) => {
    same(await killed(events, partitions, kills, numbers(seed)), expected);
  });
});
