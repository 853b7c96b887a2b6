// Two hosts on one memory, in any order: crashes at any message, answers that never come, requests that land when nobody waits for
// them any more, disks that are lost, compaction. Whoever opens it finds exactly what the last commit that counts has told.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Json } from '../../../core/event.ts';
import { limits } from '../../../core/limits.ts';
import { openReplicatedDetector } from '../../../storage/detectors/memory.ts';
import { numbers } from '../../commands/replay-run.ts';
import { FakeKafka, type FakeLink, type Fate } from './fake-kafka.ts';

// Everything in small: few values make a commit of many messages, and values of many parts.
Object.assign(limits, { memoryChunkBytesMax: 300, memoryPartBytesMax: 500 } satisfies Partial<
  Record<keyof typeof limits, number>
>);

const TOPIC = 'x';
const SPACES = ['s', ''];
type Memory = Awaited<ReturnType<typeof openReplicatedDetector>>;
type State = Map<string, Json>;

/** A process that has had the memory; it may go on though another has it. */
interface Host {
  memory: Memory;
  link: FakeLink;
  /** What it believes, the changes since its last commit among them. */
  state: State;
  committing: Promise<void> | undefined;
}

class Storm {
  readonly counts = { taken: 0, failed: 0, committed: 0, undone: 0, landedLate: 0, stray: 0 };
  private readonly random: () => number;
  private readonly dir: string;
  private readonly kafka = new FakeKafka();
  private readonly zombies: Host[] = [];
  private owner: Host | undefined;
  /** What counts: one of these, until somebody has looked. */
  private possible: State[] = [new Map()];
  private commits = 0;
  private files = 0;
  private path: string;
  /** Ends of the last two commits: what lies before the first of them is whole and mended. */
  private ends = [0, 0];

  constructor(dir: string, seed: number) {
    this.dir = dir;
    this.random = numbers(seed);
    this.path = join(dir, '0.db');
  }

  private pick(max: number): number {
    return Math.floor(this.random() * max);
  }

  async step(): Promise<void> {
    const dice = this.pick(100);
    if (this.owner === undefined || dice < 2) await this.takeOver();
    else if (dice < 35) this.change(this.owner);
    else if (dice < 70) await this.commit();
    else if (dice < 72) this.crash();
    else if (dice < 75) this.loseDisk();
    else if (dice < 80) await this.zombie();
    else if (dice < 92) this.stray();
    else this.kafka.compact(TOPIC, this.ends[0] as number, this.random() < 0.5);
  }

  private change({ memory, state }: Host): void {
    const key = `k${this.pick(12)}`;
    const space = SPACES[this.pick(2)] as string;
    if (this.random() < 0.3) {
      memory.delete(space, key);
      state.delete(`${space}/${key}`);
      return;
    }
    const value = this.random() < 0.1 ? 'x'.repeat(600 * (1 + this.pick(3))) : this.pick(1e6);
    memory.set(space, key, value);
    state.set(`${space}/${key}`, value);
  }

  private async commit(): Promise<void> {
    const host = this.owner as Host;
    const { link, memory } = host;
    this.change(host);
    const place = ++this.commits;
    const next = new Map(host.state).set('place', place);
    const bad = this.random() < 0.1 ? this.pick(3) : -1;
    const fate = (['lost', 'unanswered'] as const)[this.pick(2)] as Fate;
    let at = 0;
    link.fate = () => (at++ === bad ? fate : 'lands');
    try {
      await memory.commit(place);
      this.counts.committed++;
      this.possible = [next];
      this.ends = [this.ends[1] as number, this.kafka.end(TOPIC)];
    } catch {
      this.counts.failed++;
      // Its manifest may have landed.
      this.possible = [...this.possible, next];
      this.crash();
    }
  }

  private crash(): void {
    this.owner?.memory[Symbol.dispose]();
    this.owner = undefined;
  }

  private loseDisk(): void {
    this.crash();
    this.path = join(this.dir, `${++this.files}.db`);
  }

  /** The one before is not asked: it may be frozen, in the middle of a commit even, and wake up later. */
  private async takeOver(): Promise<void> {
    const before = this.owner;
    if (before !== undefined) {
      if (this.random() < 0.5) {
        before.link.fate = () => 'held';
        this.change(before);
        const place = ++this.commits;
        before.committing = before.memory.commit(place);
        before.committing.catch(() => {});
      }
      this.zombies.push(before);
      this.path = join(this.dir, `${++this.files}.db`);
      this.counts.taken++;
    }
    this.owner = undefined;
    const link = this.kafka.link();
    let at = 0;
    const bad = this.random() < 0.2 ? this.pick(4) : -1;
    link.fate = () => (at++ === bad ? 'lost' : 'lands');
    try {
      const memory = await openReplicatedDetector({
        ...{ link, topic: TOPIC, path: this.path, isOurs: () => true, now: () => 1 },
        logger: { warn: (_, text) => expect.fail(text) },
      });
      const state = stateOf(memory);
      expect(this.possible.map(textOf)).toContain(textOf(state));
      if (this.possible.length > 1) this.counts.undone++;
      this.possible = [new Map(state)];
      this.ends = [this.ends[1] as number, this.kafka.end(TOPIC)];
      this.owner = { memory, link, state, committing: undefined };
    } catch (error) {
      if ((error as Error).message !== 'no broker answers') throw error;
    }
  }

  /** It wakes up: what it had sent lands, or it goes on, and is refused. */
  private async zombie(): Promise<void> {
    const host = this.zombies[this.pick(this.zombies.length)];
    if (host === undefined) return;
    if (host.committing !== undefined) {
      host.link.fate = () => 'lands';
      await host.link.release();
      this.counts.landedLate++;
    } else {
      this.change(host);
      host.link.fate = () => 'lands';
      host.committing = host.memory.commit(-1);
    }
    await expect(host.committing).rejects.toThrow();
    host.memory[Symbol.dispose]();
    this.zombies.splice(this.zombies.indexOf(host), 1);
  }

  /** What anybody has sent, the owner among them, lands once more. */
  private stray(): void {
    const all = this.kafka.messages(TOPIC);
    const found = all[this.pick(all.length)];
    const isClaim = String(found?.key).startsWith('["owner"');
    if (found === undefined || found.value === null || (isClaim && this.random() < 0.9)) return;
    this.counts.stray++;
    this.kafka.append(TOPIC, [found]);
  }

  end(): void {
    this.crash();
    for (const { memory } of this.zombies) memory[Symbol.dispose]();
  }
}

const textOf = (state: State): string => JSON.stringify([...state].sort(([a], [b]) => (a < b ? -1 : 1)));

function stateOf(memory: Memory): State {
  const state: State = new Map();
  for (const space of SPACES)
    for (const { key, value } of memory.list(space, '', 100)) state.set(`${space}/${key}`, value);
  const place = memory.place();
  if (place !== undefined) state.set('place', place);
  return state;
}

const sums: Storm['counts'] = { taken: 0, failed: 0, committed: 0, undone: 0, landedLate: 0, stray: 0 };
const SEEDS = Number(process.env['STORM_SEEDS'] ?? 12);

test.each(Array.from({ length: SEEDS }, (_, seed) => seed + 1))(
  'storm %i',
  { timeout: 60_000 },
  async (seed) => {
    const dir = mkdtempSync(join(tmpdir(), 'sealwatch-storm-'));
    const storm = new Storm(dir, seed);
    try {
      for (let n = 0; n < 300; n++) await storm.step();
    } finally {
      storm.end();
      rmSync(dir, { recursive: true, force: true });
      for (const [name, count] of Object.entries(storm.counts)) sums[name as keyof typeof sums] += count;
    }
  },
);

test('the storms had everything in them', () => {
  for (const [name, count] of Object.entries(sums)) expect(count, name).toBeGreaterThan(SEEDS);
});
