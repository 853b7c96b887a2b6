// Broken lines through all stages, with whole calls between them that must come out as if nothing were around them.

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadRules } from '../../commands/rules.ts';
import type { Device } from '../../core/devices.ts';
import { timeOfMs } from '../../core/time.ts';
import { resultsOf } from '../permuter/results.ts';
import { World } from '../permuter/world.ts';
import { mutated } from './mutate.ts';

const start = Date.parse('2026-09-14T10:00:00Z');
/** Lines between two ticks of a second. */
const LINES_A_TICK = 200;
const LINES_A_COMMIT = 500;
const base = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
const dayMs = 86_400_000;
const device = (name: string): Device => ({
  name,
  cluster: 'test',
  origin: 'local',
  isFile: name === 'file',
});

export interface Report {
  lines: number;
  /** Rejects by reason. */
  rejects: Record<string, number>;
  /** Whole calls that were sent, and those of them that came out whole. */
  controls: number;
  controlsSeen: number;
  events: number;
  alerts: number;
  /** What the stages still hold once event time has passed everything. */
  held: ReturnType<World['held']>;
}

export class Attack implements AsyncDisposable {
  readonly world: World;
  lines = 0;
  private readonly dir = mkdtempSync(join(base, 'sealwatch-fuzz-'));
  private readonly random: () => number;
  private readonly seeds: readonly Buffer[];
  private readonly controls = new Set<string>();
  private readonly partitions: number;

  /** @param seeds lines of a real Vault that are broken */
  constructor(options: { seeds: readonly Buffer[]; random: () => number; partitions: number; run: number }) {
    this.random = options.random;
    this.seeds = options.seeds;
    this.partitions = options.partitions;
    const devices = [device('file'), device('tcp')];
    const { partitions, random } = options;
    this.world = new World({ dir: this.dir, partitions, devices, rules: loadRules(undefined), random });
    this.world.nowMs = start + options.run * dayMs;
  }

  private one = <T>(list: readonly T[]): T => list[Math.floor(this.random() * list.length)] as T;

  /** Sends `lines` broken lines, with ticks and turns of the pipeline between them. */
  async send(lines: number): Promise<void> {
    const { world } = this;
    for (let n = 0; n < lines; n++) {
      const broken = mutated(this.now(this.one(this.seeds)), this.random, this.one(this.seeds));
      this.push(this.one(['file', 'tcp']), broken);
      if (n % 20 === 0) this.control();
      if (n % LINES_A_TICK === 0) {
        world.nowMs += 1000;
        world.tick();
      }
      if (n % LINES_A_COMMIT === 0) await this.work();
    }
    this.lines += lines;
    await this.work();
  }

  private async work(): Promise<void> {
    await this.world.commit();
    for await (const _ of this.world.turn(this.random() < 0.1));
  }

  /** The line as if it were written now; every other one under an id of its own, so that ids meet as well. */
  private now(line: Buffer): Buffer {
    const text = line.toString('latin1').replace(/"time":"2[^"]*"/, `"time":"${timeOfMs(this.world.nowMs)}"`);
    const id = `fuzz-${Math.floor(this.random() * 1e9)}`;
    const own = this.random() < 0.5 ? text : text.replace(/("id":")[0-9a-f-]{36}(",)/, `$1${id}$2`);
    return Buffer.from(own, 'latin1');
  }

  private push(name: string, line: Buffer): void {
    let rest = Buffer.concat([line, Buffer.from('\n')]);
    while (rest.length > 0) {
      const end = this.random() < 0.8 ? rest.length : 1 + Math.floor(this.random() * rest.length);
      this.world.push({ device: name }, rest.subarray(0, end));
      rest = rest.subarray(end);
    }
  }

  private control(): void {
    const id = `control-${this.world.nowMs}-${this.controls.size}`;
    this.controls.add(id);
    for (const name of ['file', 'tcp'])
      for (const type of ['request', 'response']) {
        const entry = {
          type,
          time: timeOfMs(this.world.nowMs),
          auth: {},
          request: { id, path: 'kv/data/x' },
        };
        this.push(name, Buffer.from(JSON.stringify(entry)));
      }
  }

  /** Lets event time pass everything, and looks at what came out and what is still held. */
  async finish(): Promise<Report> {
    const { world, partitions } = this;
    world.nowMs += 3 * dayMs;
    for (const name of ['file', 'tcp']) {
      const line = {
        type: 'request',
        time: timeOfMs(world.nowMs),
        request: { path: 'sys/seal', id: `end-${name}` },
      };
      this.push(name, Buffer.from(JSON.stringify(line)));
    }
    for (let tick = 0; tick < 20; tick++) {
      world.nowMs += 1000;
      world.tick();
    }
    await world.commit();
    await world.drain();
    const held = world.held();
    await world.stop();
    // Broken lines may give out one lease twice: which of the two the store keeps is no matter here.
    const results = await resultsOf(world.streamDir, partitions);
    const rejects: Report['rejects'] = {};
    for (const reject of results.rejects) {
      const reason = reject.split(' ')[1] as string;
      rejects[reason] = (rejects[reason] ?? 0) + 1;
    }
    const seen = [...this.controls].filter((id) => results.events.get(id)?.includes('"pair":"both"'));
    return {
      lines: this.lines,
      rejects,
      controls: this.controls.size,
      controlsSeen: seen.length,
      events: results.events.size,
      alerts: results.alerts.size,
      held,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** All lines of a real Vault that lie in the repository. */
export function recordedSeeds(): Buffer[] {
  const fixtures = 'test/fixtures/vault-1.21.1';
  const files = ['default', 'raw'].flatMap((kind) =>
    readdirSync(`${fixtures}/${kind}`).map((name) => `${fixtures}/${kind}/${name}`),
  );
  return ['deploy/sample/audit.jsonl', ...files].flatMap((path) =>
    readFileSync(path, 'utf8')
      .trim()
      .split('\n')
      .map((line) => Buffer.from(line)),
  );
}

/**
 * The most that the stages may still hold when event time has passed everything, in characters of their state. The normaliser
 * remembers look-ups, hash pairs and nodes by number, not by time. Of detectors there are seven; what they have learned lies on disk.
 */
export const heldMax = { normaliser: 100_000, detector: 10_000, inputs: 2 };
export const heldNames = ['normaliser', 'detector', 'inputs'] as const;
