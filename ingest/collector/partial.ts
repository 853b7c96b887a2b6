// The memory that unfinished lines may take: bounded for each sender, and for all of them together.

import { limits } from '../../core/limits.ts';

/** Holds an unfinished line. */
export interface Holder {
  /** Bytes of memory that it takes. */
  readonly held: number;
  /** Drops what it holds, gives it back to its budget, and counts the line as lost when its end has come. */
  giveUp(): void;
}

/** What takes memory says so before it goes on; it may be told to give it up within the call. */
export interface Budget {
  take(holder: Holder, bytes: number): void;
  /** `holder` holds nothing from now on; it held `bytes`. */
  give(holder: Holder, bytes: number): void;
}

/** The sender behind a Unix socket or on this host; all of them are one. */
export const THIS_HOST = '';

interface Share {
  used: number;
  readonly holders: Set<Holder>;
}

/**
 * Unfinished lines of all connections: of one peer at most `limits.partialBytesPerPeerMax`, together at most
 * `limits.partialBytesMax`. Past it the longest is given up, of the peer that holds most: a peer with many unfinished lines
 * loses its own.
 */
export class PartialBudget implements Budget {
  used = 0;
  private readonly shares = new Map<string, Share>();

  /** The part of one peer, for its connections. */
  of(peer: string): Budget {
    return {
      take: (holder, bytes) => this.take(holder, bytes, peer),
      give: (holder, bytes) => this.give(holder, bytes, peer),
    };
  }

  take(holder: Holder, bytes: number, peer = THIS_HOST): void {
    const share = this.shares.get(peer) ?? { used: 0, holders: new Set() };
    this.shares.set(peer, share);
    share.holders.add(holder);
    share.used += bytes;
    this.used += bytes;
    while (peer !== THIS_HOST && share.used > limits.partialBytesPerPeerMax) giveUpLongest(share);
    while (this.used > limits.partialBytesMax) giveUpLongest(mostUsed(this.shares.values()));
  }

  give(holder: Holder, bytes: number, peer = THIS_HOST): void {
    const share = this.shares.get(peer);
    if (share?.holders.delete(holder) !== true) return;
    share.used -= bytes;
    this.used -= bytes;
    if (share.holders.size === 0) this.shares.delete(peer);
  }
}

function giveUpLongest({ holders }: Share): void {
  const [longest] = [...holders].sort((a, b) => b.held - a.held);
  (longest as Holder).giveUp();
}

const mostUsed = (shares: Iterable<Share>): Share =>
  [...shares].reduce((most, share) => (share.used > most.used ? share : most));
