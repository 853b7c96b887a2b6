// What somebody with this identity could still use, and what it already has: what revocation ends, and what must be rotated.

import { z } from 'zod';
import type { Lease } from '../../core/lease.ts';
import { limits } from '../../core/limits.ts';
import type { EvidenceReader } from '../../core/ports.ts';
import { type Coverage, coverageOf, type Expected } from '../coverage.ts';
import { aliveAt } from '../leases/alive.ts';
import { ProblemError } from '../problem.ts';
import { leaseSchema } from '../schemas.ts';
import { heldAt } from './held.ts';
import { isEntity, sameIds } from './ids.ts';
import { handedOutBy, handedOutSchema, secretsRead, touchedSchema } from './touched.ts';

export const blastSchema = z.object({
  id: z.string(),
  ids: z.array(z.string()),
  at: z.string().meta({ description: 'tokens and leases are those alive at this time' }),
  period: z
    .object({ from: z.string(), to: z.string() })
    .meta({ description: 'of what was read and handed out' }),
  tokens: z.array(leaseSchema),
  leases: z.array(leaseSchema),
  addresses: z.array(z.object({ address: z.string(), n: z.int(), first: z.string(), last: z.string() })),
  contain: z
    .object({
      disable_entity: z.string().nullable().meta({
        description: 'entity to disable: all its tokens are refused at once, its leases live on',
      }),
      tokens: z
        .array(
          z.object({
            id: z.string(),
            accessor: z.string().nullable(),
            usable: z.boolean().meta({
              description:
                'auth/token/revoke-accessor takes the accessor: false for a hash, and for a batch token, which has none',
            }),
            path: z
              .string()
              .nullable()
              .meta({ description: 'that gave it out; null for a token of before the log' }),
          }),
        )
        .meta({ description: 'the end of a token ends its leases and its child tokens' }),
      leases: z.array(z.object({ id: z.string(), ends_with_token: z.boolean() })),
      prefixes: z.array(z.object({ prefix: z.string(), of_identity: z.int(), all: z.int() })).meta({
        description: 'for sys/leases/revoke-prefix: it also ends the others that live below it (`all`)',
      }),
    })
    .meta({ description: 'what revocation ends' }),
  rotate: z
    .object({ secrets: z.array(touchedSchema), handed_out: z.array(handedOutSchema) })
    .meta({ description: 'what revocation does not take back' }),
  notes: z.array(z.string()),
  complete: z.boolean().meta({
    description:
      'nothing was cut, the log covers the period, and none of its lines is known to be lost; `notes` say what is not so',
  }),
});
type Blast = z.infer<typeof blastSchema>;

/** Throws the problem `not-found` when neither a call nor a credential of it is known. */
export async function blastOf(
  expected: Expected,
  id: string,
  { from, to, at }: { from: string; to: string; at: string },
): Promise<Blast> {
  const { reader } = expected;
  const ids = await sameIds(reader, id);
  const scope = { from, to, who: { field: 'user.id', op: 'in', value: ids } } as const;
  const where = [{ ...scope.who, value: ids }];
  const held = await heldAt(reader, ids, at);
  const addresses = await reader.group({
    from,
    to,
    where,
    by: ['source.ip'],
    collect: [],
    limit: limits.pageRowsMax,
  });
  if (addresses.groups.length === 0 && held.tokens.length + held.leases.length === 0)
    throw new ProblemError('not-found', 'No call of this identity in the period, and nothing that it holds.');
  const read = await secretsRead(reader, { ...scope, who: { ...scope.who, value: ids } });
  const handed = await handedOutBy(reader, { ...scope, who: { ...scope.who, value: ids } });
  const prefixes = await prefixesOf(reader, held.leases, at);
  const isWhole =
    held.complete && addresses.complete && read.complete && handed.complete && prefixes.complete;
  const { first } = await reader.extent();
  const lost = lostIn((await coverageOf(expected, from, to)).coverage);
  return {
    id,
    ids,
    at,
    period: { from, to },
    tokens: held.tokens,
    leases: held.leases,
    addresses: addresses.groups.flatMap(({ by: [address], n, first, last }) =>
      address === undefined ? [] : [{ address, n, first, last }],
    ),
    contain: {
      disable_entity: isEntity(id) ? id : null,
      tokens: held.tokens.map(revocable),
      leases: held.leases.map((lease) => ({
        id: lease.id,
        ends_with_token: held.tokens.some(({ id: token }) => token === lease.holder_token),
      })),
      prefixes: prefixes.rows,
    },
    rotate: { secrets: read.secrets, handed_out: handed.rows },
    notes: [...lost, ...notesOf(held.tokens, held.leases, isWhole, first)],
    complete: isWhole && lost.length === 0 && first !== undefined && first <= from,
  };
}

const isHash = (accessor: string) =>
  accessor.startsWith('hmac-sha256:') || accessor.startsWith('sealwatch-hmac:');

function revocable({ id, path, token }: Lease): Blast['contain']['tokens'][number] {
  const accessor = token?.accessor;
  return {
    id,
    accessor: accessor ?? null,
    usable: accessor !== undefined && !isHash(accessor),
    path: path ?? null,
  };
}

/** One path of one namespace and cluster: `path` is relative to its namespace. */
const placeOf = (cluster = '', namespace = '', path = ''): string =>
  JSON.stringify([cluster, namespace, path]);

/** Counted in one pass over what lives: by a question for each prefix, thousands of leases of others would be read as often. */
async function prefixesOf(reader: EvidenceReader, leases: Lease[], at: string) {
  const found = new Map<string, Blast['contain']['prefixes'][number]>();
  const paths = new Set<string>();
  for (const { id, cluster, namespace } of leases) {
    const prefix = id.slice(0, id.lastIndexOf('/') + 1);
    const path = prefix.slice(0, -1);
    const row = found.get(placeOf(cluster, namespace, path)) ?? { prefix, of_identity: 0, all: 0 };
    if (row.of_identity++ === 0) found.set(placeOf(cluster, namespace, path), row);
    paths.add(path);
  }
  const { to, where } = aliveAt(at);
  const { groups, complete } = await reader.group({
    kind: 'leases',
    to,
    where: [
      ...where,
      { field: 'path', op: 'in', value: [...paths] },
      { field: 'kind', op: 'eq', value: 'lease' },
    ],
    by: ['cluster', 'namespace', 'path'],
    collect: [],
    limit: limits.evidenceRowsMax,
  });
  for (const { by, n } of groups) {
    const row = found.get(placeOf(...by));
    if (row !== undefined) row.all = n;
  }
  return { rows: [...found.values()], complete };
}

/** What is known to be missing from the log: a secret may have been read there. */
function lostIn({ totals, all_blind_hours: blind }: Coverage): string[] {
  const { rejected, dropped, unread } = totals;
  const lost = rejected + dropped + unread;
  return [
    lost > 0 && `${lost} line(s) of the period could not be read or kept: what they show is not here.`,
    blind.length > 0 && `In ${blind.length} hour(s) every audit device missed calls: see /v1/coverage.`,
  ].filter((note) => note !== false);
}

function notesOf(tokens: Lease[], leases: Lease[], isWhole: boolean, first: string | undefined): string[] {
  const unsure = [...tokens, ...leases].filter(
    ({ ended_at, expires_at, token }) =>
      ended_at === undefined && expires_at === undefined && token?.kind !== 'root',
  );
  const hashed = tokens.filter((row) => row.token?.accessor !== undefined && isHash(row.token.accessor));
  const notes = [
    !isWhole && `More than ${limits.heldRowsMax} tokens and leases, or too many groups: the rest is cut off.`,
    first === undefined
      ? 'No events are held.'
      : `The log begins at ${first}: what was read or given out before is not known.`,
    unsure.length > 0 &&
      `${unsure.length} of the tokens and leases have no known lifetime and no known end: they may be over.`,
    hashed.length > 0 &&
      `${hashed.length} accessor(s) are known as a hash only, which Vault does not take: find the token by a list of accessors and sys/audit-hash, disable the entity, or set hmac_accessor=false on the audit device.`,
    leases.some(({ path = '' }) => /(^|\/)sts\//.test(path)) &&
      'Credentials of sts/ cannot be taken back before they end: deny their session at AWS.',
  ];
  return [
    ...notes.filter((note) => note !== false),
    'What was read is what the audit log shows; copies in caches, files and backups are not seen.',
  ];
}
