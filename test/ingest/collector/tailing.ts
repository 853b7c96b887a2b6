// A file tail in a folder of its own, for tests: followed, made durable, stopped, found again in its spool.

import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { limits } from '../../../core/limits.ts';
import type { Loss } from '../../../core/records.ts';
import { Intake } from '../../../ingest/collector/intake.ts';
import { recover } from '../../../ingest/collector/recover.ts';
import { Redactor } from '../../../ingest/collector/redact.ts';
import { FileTail, type TailPlace } from '../../../ingest/collector/tail.ts';
import type { MemorySpool } from './spool.ts';

export interface Following {
  tail: FileTail;
  intake: Intake;
  stop(): Promise<void>;
}

export class TailFolder {
  path = '';
  folder = '';
  readonly errors: unknown[] = [];
  private readonly open = new Set<Following>();

  async make(): Promise<void> {
    this.folder = await mkdtemp(join(tmpdir(), 'sealwatch-tail-'));
    this.path = join(this.folder, 'audit.log');
    this.errors.length = 0;
  }

  async remove(): Promise<void> {
    await Promise.all([...this.open].map((following) => following.stop()));
    await rm(this.folder, { recursive: true, force: true });
  }

  /**
   * Follows the file. `commits` is how often what was read becomes durable, by default all the time, as with a disk. Its
   * clock runs ahead at each look: a file that is looked at twice has been quiet.
   */
  async follow(spool: MemorySpool, place?: TailPlace, commits = true): Promise<Following> {
    const intake = new Intake(spool, new Redactor(Buffer.alloc(32, 1)));
    const source = intake.source({ device: 'file' });
    let nowMs = Date.now();
    const now = () => {
      nowMs += limits.tailSwitchMs;
      return nowMs;
    };
    const tail = new FileTail({ source, path: this.path, intake, now, place });
    const commit = () => {
      intake.settle(intake.mark());
      tail.setDurable(tail.place);
    };
    const committing = setInterval(() => commits && commit(), 2);
    const stop = async () => {
      this.open.delete(following);
      clearInterval(committing);
      await tail.stop();
    };
    const following = { tail, intake, stop };
    this.open.add(following);
    await tail.start((error) => this.errors.push(error));
    return following;
  }

  /** Follows the file from where `spool` says that it was. */
  async restart(spool: MemorySpool, commits = true): Promise<Following> {
    const { places } = await recover(spool, new Set(['file']));
    return this.follow(spool, places.get('file'), commits);
  }

  inode = async (path = this.path): Promise<number> => (await stat(path)).ino;
}

export const texts = (spool: MemorySpool): string[] => spool.lines().map(({ text }) => text);
export const sorted = (list: readonly string[]): string[] => [...list].sort();
export const until = (check: () => void): Promise<void> =>
  vi.waitFor(check, { timeout: 8_000, interval: 10 });
export const linesReach = (spool: MemorySpool, expected: readonly string[]): Promise<void> =>
  until(() => expect(sorted(texts(spool))).toEqual(sorted(expected)));
export const written = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

/** What was counted as lost, told by a tick. */
export function lossesOf(spool: MemorySpool, intake: Intake): Loss[] {
  intake.tick(Date.now(), {});
  return spool.losses();
}
