// One run of the permuter: lines into a world of their own, and what came out of it.

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Chain, type ChainSink } from '../../commands/chain.ts';
import { Learned } from '../../commands/learned.ts';
import { loadRules } from '../../commands/rules.ts';
import { canonicalJson } from '../../core/canonical.ts';
import type { Device } from '../../core/devices.ts';
import { Redactor } from '../../ingest/collector/redact.ts';
import { temporaryLedgerMemory } from '../../storage/ledger/memory.ts';
import type { Written } from './inputs.ts';
import { Player, type Trouble } from './play.ts';
import { type compared, type Results, resultsOf } from './results.ts';
import { END_OF_PLAY, time, World } from './world.ts';

export const rules = loadRules(undefined);

/** A folder in memory where there is one: a kill is played, no power fails, and an fsync costs nothing there. */
const base = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

export const device = (name: string, isFile = false): Device => ({
  name,
  cluster: 'test',
  origin: 'local',
  isFile,
});

export interface Run extends Results {
  kills: number;
  stops: number;
}

export async function permute(options: {
  written: readonly Written[];
  devices: Device[];
  partitions: number;
  trouble: Trouble;
  random: () => number;
}): Promise<Run> {
  const { written, devices, partitions, trouble, random } = options;
  const dir = mkdtempSync(join(base, 'sealwatch-permuter-'));
  try {
    const world = new World({ dir, partitions, devices, rules, random });
    const player = new Player(world, written, trouble, random);
    await player.play();
    const results = await resultsOf(world.streamDir, partitions, world.evidence);
    return { ...results, kills: player.kills, stops: player.stops };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** What `replay` makes of the lines: each device's log in order of time, side by side. */
export function replayed(
  written: readonly Written[],
  devices: Device[],
  partitions: number,
): Pick<Results, (typeof compared)[number]> {
  const rows = {
    events: new LastRows(),
    leases: new LastRows(),
    facts: new LastRows(),
    alerts: new LastRows(),
  };
  const dir = mkdtempSync(join(base, 'sealwatch-permuter-'));
  using _ = { [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }) };
  using memory = temporaryLedgerMemory(join(dir, 'ledger.tmp'));
  using learned = new Learned(dir);
  const alerts: ChainSink['alerts'] = (changed) => {
    for (const { revision, body } of changed) rows.alerts.put(body.alert.id, revision, canonicalJson(body));
  };
  const chain = new Chain({
    cluster: 'test',
    devices,
    partitions,
    time,
    ...{ rules, learned },
    redactor: new Redactor(Buffer.alloc(32)),
    ledger: { memory },
    sink: {
      event: ({ event, vault }, text) => rows.events.put(event.id, vault.revision, text),
      lease: (revision, lease) => rows.leases.put(lease.id, revision, canonicalJson(lease)),
      fact: (fact) => rows.facts.put(fact.id, 1, canonicalJson(fact)),
      alerts,
      reject: () => {},
      coverage: () => {},
      hashes: () => {},
      node: () => {},
      watermark: () => {},
    },
  });
  for (const [n, { sender, line }] of written.entries()) {
    chain.push(sender.device, Buffer.from(`${line}\n`));
    if (n % 50 === 0) chain.tick();
  }
  for (const { name } of devices) chain.finishDevice(name);
  chain.finish();
  for (let source = 0; source < partitions; source++)
    chain.ledger?.record('watermark', { source, time: END_OF_PLAY }, 0);
  alerts(chain['detector'].take().alerts);
  return {
    events: rows.events.last,
    leases: rows.leases.last,
    facts: rows.facts.last,
    alerts: rows.alerts.last,
  };
}

class LastRows {
  readonly last = new Map<string, string>();
  private readonly revisions = new Map<string, number>();

  put(id: string, revision: number, text: string): void {
    if ((this.revisions.get(id) ?? 0) > revision) return;
    this.revisions.set(id, revision);
    this.last.set(id, text);
  }
}
