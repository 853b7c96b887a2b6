// Who has owned the log of a memory, and the last commit that counts.

import type { Message } from '../stream/kafka/link.ts';
import type { Commit } from './file.ts';
import { type Manifest, type Origin, readMessage } from './wire.ts';

interface Claim {
  writer: string;
  offset: number;
}

export class Marks {
  /** The last commit that counts; undefined before there is one. */
  last: Commit | undefined;
  /** Whoever has left a claim or a manifest. */
  readonly writers = new Set<string>();
  /** Oldest first. */
  private readonly claims: Claim[] = [];
  /** Last commit of the last writer that a part has counted of. */
  private reached = 0;

  /** @param from the commit that a file stands for: reading begins with its manifest */
  constructor(from?: Commit) {
    if (from !== undefined) this.claims.push({ writer: from.writer, offset: from.manifest.owned });
    if (from !== undefined) this.writers.add(from.writer);
  }

  read(message: Message & { offset: number }): void {
    const entry = readMessage(message);
    if (entry === undefined || entry.kind === 'part') return;
    const { writer } = entry;
    const { offset } = message;
    this.writers.add(writer);
    if (entry.kind === 'owner') this.claims.push({ writer, offset });
    else if (this.isNext(writer, entry.manifest, offset))
      this.last = { writer, offset, manifest: entry.manifest };
  }

  /** Nobody else has claimed the log since, as far as it was read; it is not one that was there before, and nothing before it was lost. */
  private isNext(writer: string, { owned, commit, at }: Manifest, offset: number): boolean {
    if (offset < at) return false;
    if (this.last !== undefined && commit <= this.last.manifest.commit) return false;
    const claim = this.claims.at(-1);
    return claim === undefined || claim.writer === writer || claim.offset < owned;
  }

  /**
   * Whether a part counts: it is of a commit that is whole, or has been mended since. Asked in the order of offsets: what a broker
   * took twice, and the second time late, is behind a later commit of its writer.
   */
  counts({ writer, commit }: Origin, offset: number): boolean {
    const { last } = this;
    if (last === undefined || offset > last.offset || offset < last.manifest.begin) return false;
    if (offset < last.manifest.mended) return true;
    if (writer !== last.writer || commit > last.manifest.commit || commit < this.reached) return false;
    this.reached = commit;
    return true;
  }

  /** Whether the writer owned the log when it wrote there. */
  owned(writer: string, offset: number): boolean {
    return this.claims.findLast((claim) => claim.offset < offset)?.writer === writer;
  }
}
