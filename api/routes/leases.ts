// GET /v1/leases: leases and tokens by who holds them, when they live and how long; and lifetimes by group.

import { z } from 'zod';
import type { EvidenceReader } from '../../core/ports.ts';
import type { Clause } from '../../core/query.ts';
import type { App } from '../bare-app.ts';
import { aliveAt, logNow } from '../leases/alive.ts';
import { groupings, keyOf, lifetimeRow, lifetimesBy } from '../leases/by-group.ts';
import { type Filters, listPage, pageByKey, queryHash } from '../list.ts';
import type { ApiOptions } from '../options.ts';
import { inOrder, leaseSchema, listOf, paging, period, problems, time, toNotAfterFrom } from '../schemas.ts';
import { addOne, filterText } from './rows.ts';

const filters = {
  holder: { field: 'holder_id', op: 'eq' },
  holder_name: { field: 'holder', op: 'eq' },
  holder_token: { field: 'holder_token', op: 'eq' },
  requested_by: { field: 'requested_by', op: 'eq' },
  role: { field: 'role', op: 'eq' },
  path_prefix: { field: 'path', op: 'prefix' },
  state: { field: 'state', op: 'eq' },
  kind: { field: 'kind', op: 'eq' },
  ttl_source: { field: 'ttl_source', op: 'eq' },
  end_reason: { field: 'end_reason', op: 'eq' },
  over_s: { field: 'ttl_s', op: 'over' },
} as const satisfies Filters<'leases'>;

const overS = z.coerce.number().int().min(0).optional();
const kind = z.enum(['lease', 'token']).optional();

const querystring = z
  .strictObject({
    ...period,
    ...paging,
    alive_at: z
      .union([z.literal('now'), time])
      .optional()
      .meta({
        description:
          'given out before this time, not ended by then as far as is known; `now` is how far event time has come. Those whose lifetime and end are unknown are among them: see `state`',
      }),
    over_s: overS.meta({ description: 'lifetime (ttl_s) longer than this, seconds; unknown ones are not' }),
    holder: filterText.meta({ description: 'user.id of who holds it, exact' }),
    holder_name: filterText.meta({ description: 'user.name of who holds it, exact' }),
    holder_token: filterText.meta({ description: 'id of the token whose end ends it (`token:...`)' }),
    requested_by: filterText.meta({ description: 'user.id of who asked for it' }),
    role: filterText.meta({ description: "the engine's role of a lease, the auth method's of a token" }),
    path_prefix: filterText.meta({
      description: 'the path that gave it out begins so',
      examples: ['database/'],
    }),
    accessor: filterText.meta({
      description:
        'accessor of a token as the log shows it; hashes of one accessor on several devices are one',
    }),
    state: z.enum(['active', 'revoked', 'expired', 'irrevocable', 'unknown']).optional(),
    kind,
    ttl_source: z
      .enum(['audit', 'audit_lookup', 'own_lookup', 'role_config', 'hmac_join', 'dictionary', 'unknown'])
      .optional(),
    end_reason: z
      .enum(['revoked', 'revoke_prefix', 'parent_ended', 'mount_removed', 'expired', 'unknown'])
      .optional(),
    end_confirmed: z.enum(['true', 'false']).optional().meta({
      description: 'only those that ended, and whose end a look-up did or did not confirm',
    }),
  })
  .refine(inOrder, toNotAfterFrom);
type Asked = z.infer<typeof querystring>;

export function addLeases(app: App, { reader, now }: ApiOptions): void {
  app.get(
    '/v1/leases',
    {
      config: { area: 'leases' },
      schema: {
        summary: 'Leases and tokens that Vault gave out, by time of issue',
        description: 'All filters must fit. `from` and `to` bound the time of issue.',
        querystring,
        response: { 200: listOf(leaseSchema), ...problems },
      },
    },
    async ({ query }) => {
      const where = await clausesOf(reader, query);
      const { alive_at: alive, to } = query;
      if (alive === undefined) return listPage(reader, 'leases', query, filters, { where });
      const living = aliveAt(alive === 'now' ? await logNow(reader, now) : alive);
      const until = to === undefined || living.to < to ? living.to : to;
      return listPage(reader, 'leases', query, filters, { where: [...where, ...living.where], to: until });
    },
  );
  addLifetimes(app, reader);
  addOne(app, reader, 'leases', leaseSchema);
}

async function clausesOf(reader: EvidenceReader, { accessor, end_confirmed: confirmed }: Asked) {
  const clauses: Clause<'leases'>[] = [];
  if (accessor !== undefined)
    clauses.push({ field: 'token.accessor', op: 'in', value: await reader.sameHashes(accessor) });
  if (confirmed !== undefined)
    clauses.push(
      { field: 'end_confirmed', op: 'eq', value: confirmed },
      { field: 'ended_at', op: 'exists', value: true },
    );
  return clauses;
}

function addLifetimes(app: App, reader: EvidenceReader): void {
  const { limit, cursor } = paging;
  const asked = z
    .strictObject({
      ...period,
      limit,
      cursor,
      by: z.enum(groupings).default('role'),
      over_s: overS.meta({
        description: 'counts those longer than this, seconds, and leaves out groups without one',
      }),
      kind,
    })
    .refine(inOrder, toNotAfterFrom);
  app.get(
    '/v1/leases/lifetimes',
    {
      config: { area: 'leases' },
      schema: {
        summary: 'Lifetimes by role, mount or holder, by time of issue',
        description:
          'Exact: every lease and token of the period is in one row. The lifetime is `ttl_s`: the last one that Vault granted it, from issue or renewal.',
        querystring: asked,
        response: {
          200: listOf(lifetimeRow).extend({
            complete: z.boolean().meta({ description: 'false when there are too many groups to count all' }),
          }),
          ...problems,
        },
      },
    },
    async ({ query }) => {
      const { limit: _, cursor: __, ...question } = query;
      const where: Clause<'leases'>[] =
        query.kind === undefined ? [] : [{ field: 'kind', op: 'eq', value: query.kind }];
      const { rows, complete } = await lifetimesBy(reader, query, where);
      return { ...pageByKey(rows, keyOf, query, queryHash({ kind: 'lifetimes', ...question })), complete };
    },
  );
}
