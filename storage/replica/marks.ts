// Who has owned the log of a memory, and the last commit that counts.

import type { Message } from '../stream/kafka/link.ts';
import type { Commit } from './file.ts';
import { readMessage } from './wire.ts';

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
    else if (this.ownsAt(writer, entry.manifest.owned))
      this.last = { writer, offset, manifest: entry.manifest };
  }

  /** Nobody else has claimed the log since: as far as it was read. */
  private ownsAt(writer: string, owned: number): boolean {
    const claim = this.claims.at(-1);
    return claim === undefined || claim.writer === writer || claim.offset < owned;
  }

  /** Whether a part counts: it is of a commit that is whole, or has been mended since. */
  counts(writer: string, offset: number): boolean {
    const { last } = this;
    if (last === undefined || offset > last.offset || offset < last.manifest.begin) return false;
    return offset < last.manifest.mended || writer === last.writer;
  }

  /** Whether the writer owned the log when it wrote there. */
  owned(writer: string, offset: number): boolean {
    return this.claims.findLast((claim) => claim.offset < offset)?.writer === writer;
  }
}
