// Which nodes of Vault were heard of: those that wrote lines, and those that lines say they were passed on from. A node of
// the second kind that is none of the first is one whose log nobody collects.

import { limits } from '../../core/limits.ts';
import type { NodeSeen } from '../../core/records.ts';

/** OpenBao writes it where a node's address stands else (vault-audit.md 1). */
const NO_NODE = 'unwrap-deferred';
const HOUR_CHARS = 13;
const HOST_CHARS_MAX = 253;

export class NodesSeen {
  /** Ids that were told, in order of telling, and the hour of each. */
  private readonly told: Map<string, string>;

  constructor(state: [id: string, hour: string][] = []) {
    this.told = new Map(state);
  }

  snapshot(): [id: string, hour: string][] {
    return [...this.told];
  }

  /** Tells of the node, once an hour. Anyone who can write a line can name nodes, so there is a bound for each hour. */
  see(
    node: string,
    cluster: string,
    how: NodeSeen['how'],
    time: string,
    tell: (seen: NodeSeen) => void,
  ): void {
    const hour = time.slice(0, HOUR_CHARS);
    const id = `${cluster}/${node}/${how}/${hour}`;
    if (this.told.has(id)) return;
    if (this.told.size >= limits.nodesSeenMax) {
      const named = [...this.told.keys()].find((known) => known.includes('/forwarded_from/'));
      const [oldest, its] = this.told.entries().next().value as [string, string];
      // A node that wrote lines is never kept out by names that lines only mention.
      if (how === 'collected' && named !== undefined) this.told.delete(named);
      else if (its >= hour) return;
      else this.told.delete(oldest);
    }
    this.told.set(id, hour);
    tell({ id, node, cluster, how, hour: `${hour}:00:00.000000000Z` });
  }
}

/** The host of `host:port` or `[address]:port`; undefined when `shown` names no node. */
export function hostOf(shown: string): string | undefined {
  if (shown === NO_NODE) return undefined;
  const host = /^\[([^\]]+)\](?::\d+)?$/.exec(shown)?.[1] ?? /^([^:]+):\d+$/.exec(shown)?.[1] ?? shown;
  return host.slice(0, HOST_CHARS_MAX);
}
