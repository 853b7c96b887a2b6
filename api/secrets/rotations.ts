// When a secret was last changed: writes of KV secrets, rotations of static credentials by call.

import { limits } from '../../core/limits.ts';
import type { EvidenceReader } from '../../core/ports.ts';
import type { Group } from '../../core/query.ts';

/** Calls that give a secret a new value. */
export const rotatingActions = ['secret-write', 'secret-patch', 'credential-rotate'] as const;

/** A static credential is read at `static-creds/R` (`static-cred/R`) and rotated at `rotate-role/R`; other secrets have one path. */
export const rotationPath = (secret: string): string => secret.replace(/\/static-creds?\//, '/rotate-role/');

/** Paths in one question to the store. */
const CHUNK = 500;

/** The last rotation of each path before `to` (by default of all time), as far as the log goes back. */
export async function lastRotations(
  reader: EvidenceReader,
  paths: string[],
  to?: string,
): Promise<Map<string, Group>> {
  const found = new Map<string, Group>();
  for (let i = 0; i < paths.length; i += CHUNK) {
    const { groups } = await reader.group({
      ...(to !== undefined && { to }),
      where: [
        { field: 'vault.secret.path', op: 'in', value: paths.slice(i, i + CHUNK) },
        { field: 'event.action', op: 'in', value: [...rotatingActions] },
        { field: 'event.outcome', op: 'eq', value: 'success' },
      ],
      by: ['vault.secret.path'],
      collect: [],
      limit: limits.evidenceRowsMax,
    });
    for (const group of groups) found.set(group.by[0] ?? '', group);
  }
  return found;
}
