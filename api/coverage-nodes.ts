// Vault nodes of a period: those whose lines came, and those that a line says it was forwarded from.

import { isIP } from 'node:net';
import { z } from 'zod';
import { limits } from '../core/limits.ts';
import type { NodeSeen } from '../core/records.ts';

export const nodeSchema = z.object({
  node: z.string(),
  cluster: z.string(),
  how: z.enum(['collected', 'forwarded_from']).meta({
    description: 'its lines came, or a line of another node says that it forwarded the call (host:port)',
  }),
  collected: z.boolean().meta({ description: 'lines that name it as their writer came in the period' }),
  first_hour: z.string(),
  last_hour: z.string(),
});
export type NodeSummary = z.infer<typeof nodeSchema>;

/** OpenBao writes this constant where Vault names a node (vault-audit.md 1). */
const NO_NODE = 'unwrap-deferred';

/** One row for each node and way it was seen, by name; `names` are the configured names by address. */
export function nodesOf(seen: readonly NodeSeen[], names: Readonly<Record<string, string>>): NodeSummary[] {
  const collected = new Set(
    seen.filter(({ how }) => how === 'collected').flatMap(({ node }) => aliasesOf(node, names)),
  );
  const rows = new Map<string, NodeSummary>();
  for (const { node, cluster, how, hour } of seen) {
    if (node === NO_NODE) continue;
    const key = `${how} ${cluster} ${node}`;
    const row = rows.get(key);
    if (row !== undefined) {
      if (hour < row.first_hour) row.first_hour = hour;
      if (hour > row.last_hour) row.last_hour = hour;
    } else if (rows.size < limits.coverageNodesMax) {
      const isCollected =
        how === 'collected' || aliasesOf(hostOf(node), names).some((name) => collected.has(name));
      rows.set(key, { node, cluster, how, collected: isCollected, first_hour: hour, last_hour: hour });
    }
  }
  return [...rows.values()];
}

/** The host of `host:port`. */
export const hostOf = (node: string): string => /^\[?([^\]]*?)\]?(?::\d+)?$/.exec(node)?.[1] ?? node;

/** What one node may be called: its name or address, the configured name of that, and each without its domain. */
function aliasesOf(node: string, names: Readonly<Record<string, string>>): string[] {
  const known = names[node];
  return [node, ...(known === undefined ? [] : [known])].flatMap((name) => {
    const lower = name.toLowerCase();
    return isIP(lower) === 0 ? [lower, lower.split('.')[0] as string] : [lower];
  });
}
