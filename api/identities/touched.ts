// What an identity was given that no revocation takes back: what it read, and whether it was changed since.

import { z } from 'zod';
import { limits } from '../../core/limits.ts';
import type { EvidenceReader } from '../../core/ports.ts';
import type { Clause, Group } from '../../core/query.ts';
import { gaveSecret } from '../evidence/reads.ts';
import { lastRotations, rotationPath } from '../secrets/rotations.ts';

export const touchedSchema = z.object({
  secret: z.string(),
  engine: z.string().nullable(),
  reads: z.int(),
  first_read: z.string(),
  last_read: z.string(),
  versions_read: z.array(z.int()).meta({ description: 'of KV v2, as far as the answers were seen' }),
  last_version_read: z
    .int()
    .nullable()
    .meta({ description: 'null when its answer shows none: KV v1, or wrapped' }),
  rotated_since: z.enum(['yes', 'no', 'unknown']).meta({
    description:
      'whether a write (KV) or a rotation by call (static credentials) came after the last read. `unknown`: a static credential also rotates by itself, which no audit line shows',
  }),
  rotated_at: z.string().nullable(),
  last_event_id: z.string(),
});
export type Touched = z.infer<typeof touchedSchema>;

export interface Scope {
  from: string;
  to: string;
  who: Clause<'events'>;
}

/** Stored secrets and static credentials that were read; what can only be rotated. */
export async function secretsRead(
  reader: EvidenceReader,
  { from, to, who }: Scope,
): Promise<{ secrets: Touched[]; complete: boolean }> {
  const where: Clause<'events'>[] = [
    who,
    ...gaveSecret,
    { field: 'event.action', op: 'in', value: ['secret-read', 'credential-read', 'credential-checkout'] },
  ];
  const { groups, complete } = await reader.group({
    from,
    to,
    where,
    by: ['vault.secret.path', 'vault.secret.engine', 'vault.secret.version'],
    collect: [],
    limit: limits.evidenceRowsMax,
  });
  const secrets = new Map<string, Touched>();
  for (const group of groups) add(secrets, group);
  const rotations = await lastRotations(reader, [...secrets.keys()].map(rotationPath));
  for (const secret of secrets.values()) {
    const rotated = rotations.get(rotationPath(secret.secret));
    if (rotated !== undefined) secret.rotated_at = rotated.last;
    if (rotated !== undefined && rotated.last > secret.last_read) secret.rotated_since = 'yes';
    else secret.rotated_since = secret.engine?.startsWith('kv') ? 'no' : 'unknown';
  }
  return { secrets: [...secrets.values()], complete };
}

function add(secrets: Map<string, Touched>, { by, n, first, last, last_id: id }: Group): void {
  const [path = '', engine, version] = by;
  const row = secrets.get(path) ?? {
    secret: path,
    engine: engine ?? null,
    reads: 0,
    first_read: first,
    last_read: '',
    versions_read: [],
    last_version_read: null,
    rotated_since: 'unknown',
    rotated_at: null,
    last_event_id: id,
  };
  secrets.set(path, row);
  row.reads += n;
  if (first < row.first_read) row.first_read = first;
  if (version !== undefined) row.versions_read.push(Number(version));
  if (last < row.last_read) return;
  row.last_read = last;
  row.last_event_id = id;
  row.last_version_read = version === undefined ? null : Number(version);
}

export const handedOutSchema = z.object({
  path: z.string(),
  action: z.string(),
  n: z.int(),
  first: z.string(),
  last: z.string(),
  last_event_id: z.string(),
  what_to_do: z.string(),
});

/** Calls that give out something which outlives the token and its leases. */
const handedOut: Record<string, string> = {
  'secret-id-create':
    'Destroy the secret ids of this role (secret-id-accessor/destroy), also those still wrapped.',
  'certificate-issue': 'Revoke the certificate by its serial number, and let clients check the list.',
  'credential-checkout': 'Check the account in and rotate its password.',
  'key-export': 'Rotate the key and encrypt again what it protects.',
  'key-backup': 'Rotate the key and encrypt again what it protects.',
  'data-key-issue': 'Encrypt again what this data key protects.',
  'snapshot-read': 'Treat every secret of this Vault as read.',
  'storage-raw-read': 'Treat what stood at this path as read.',
};

export async function handedOutBy(reader: EvidenceReader, { from, to, who }: Scope) {
  const { groups, complete } = await reader.group({
    from,
    to,
    where: [
      who,
      { field: 'event.action', op: 'in', value: Object.keys(handedOut) },
      { field: 'event.outcome', op: 'eq', value: 'success' },
    ],
    by: ['vault.request.path', 'event.action'],
    collect: [],
    limit: limits.pageRowsMax,
  });
  const rows = groups.map(({ by: [path = '', action = ''], n, first, last, last_id }) => ({
    path,
    action,
    n,
    first,
    last,
    last_event_id: last_id,
    what_to_do: handedOut[action] ?? '',
  }));
  return { rows, complete };
}
