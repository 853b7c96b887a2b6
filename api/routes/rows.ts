// Events and alerts: lists with filters; and one row of any kind by its id.

import { z } from 'zod';
import { type Alert, levels } from '../../core/alert.ts';
import type { AuditEvent } from '../../core/event.ts';
import { limits } from '../../core/limits.ts';
import type { EvidenceReader } from '../../core/ports.ts';
import type { Rows } from '../../core/query.ts';
import type { App } from '../bare-app.ts';
import { withFullNames } from '../directory/full-name.ts';
import {
  historyOf,
  lastTriage,
  type Status,
  statusOf,
  statusQuery,
  triageSchema,
  withTriage,
} from '../incidents/triage.ts';
import { type Filters, type ListQuery, listPage } from '../list.ts';
import { ProblemError } from '../problem.ts';
import {
  alertSchema,
  eventSchema,
  inOrder,
  listOf,
  paging,
  period,
  problems,
  problemsOfOne,
  scanned,
  text,
  toNotAfterFrom,
} from '../schemas.ts';
import { readMatch } from '../search/match.ts';
import { searchPage } from '../search/page.ts';

const eventFilters = {
  user: { field: 'user.id', op: 'eq' },
  name: { field: 'user.name', op: 'eq' },
  path: { field: 'vault.request.path', op: 'eq' },
  path_prefix: { field: 'vault.request.path', op: 'prefix' },
  secret: { field: 'vault.secret.path', op: 'eq' },
  secret_prefix: { field: 'vault.secret.path', op: 'prefix' },
  action: { field: 'event.action', op: 'eq' },
  outcome: { field: 'event.outcome', op: 'eq' },
  ip: { field: 'source.ip', op: 'eq' },
} as const satisfies Filters<'events'>;

const alertFilters = {
  level: { field: 'rule.level', op: 'eq' },
  rule: { field: 'rule.id', op: 'eq' },
  user: { field: 'user.id', op: 'eq' },
  incident: { field: 'incident.id', op: 'eq' },
} as const satisfies Filters<'alerts'>;

export const filterText = text.optional();

const matchText = z
  .string()
  .min(1)
  .max(limits.matchCharsMax)
  .optional()
  .meta({
    description:
      'a Sigma selection, or selections with a `condition`, as JSON or YAML: the language of the rules. What the other filters and the period leave is looked through, a bounded number of rows a call',
    examples: ['{"event.action|startswith": "secret-"}'],
  });

export function addEvents(app: App, reader: EvidenceReader): void {
  const querystring = z
    .strictObject({
      ...period,
      ...paging,
      user: filterText.meta({ description: 'user.id, exact' }),
      name: filterText.meta({ description: 'user.name, exact' }),
      path: filterText.meta({ description: 'path of the request, exact' }),
      path_prefix: filterText,
      secret: filterText.meta({ description: 'path of the secret, exact, without data/ or metadata/' }),
      secret_prefix: filterText,
      action: filterText.meta({ examples: ['secret-read'] }),
      outcome: z.enum(['success', 'failure', 'unknown']).optional(),
      ip: filterText,
      match: matchText,
    })
    .refine(inOrder, toNotAfterFrom);
  app.get(
    '/v1/events',
    {
      config: { area: 'events' },
      schema: {
        summary: 'Calls of Vault',
        querystring,
        response: { 200: listOf(eventSchema).extend({ scanned }), ...problems },
      },
    },
    async ({ query }) => {
      const { match } = query;
      if (match === undefined) return named(reader, await listPage(reader, 'events', query, eventFilters));
      const judge = readMatch('events', match);
      return named(reader, await searchPage(reader, 'events', query, eventFilters, judge));
    },
  );
  addOne(app, reader, 'events', eventSchema, async (row) => (await withFullNames(reader, [row]))[0]);
}

export function addAlerts(app: App, reader: EvidenceReader): void {
  const querystring = z
    .strictObject({
      ...period,
      ...paging,
      level: z.enum(levels).optional(),
      rule: filterText.meta({ description: 'id of the rule' }),
      user: filterText.meta({ description: 'user.id, exact' }),
      incident: filterText.meta({ description: 'id of the incident' }),
      status: statusQuery,
      match: matchText,
    })
    .refine(inOrder, toNotAfterFrom);
  app.get(
    '/v1/alerts',
    {
      config: { area: 'alerts' },
      schema: {
        summary: 'What rules found',
        querystring,
        response: { 200: listOf(alertSchema).extend({ scanned }), ...problems },
      },
    },
    async ({ query }) => {
      const page = await named(reader, await alertPage(reader, query));
      return { ...page, items: await withTriage(reader, page.items) };
    },
  );
  const one = alertSchema.and(z.object({ triage_history: z.array(triageSchema) }));
  addOne(app, reader, 'alerts', one as unknown as z.ZodType<Alert>, async (row) => {
    const history = await historyOf(reader, row.alert.id);
    const [named] = await withFullNames(reader, [row]);
    return { ...named, triage: history[0] ?? null, triage_history: history };
  });
}

type AlertQuery = ListQuery &
  Record<string, unknown> & {
    status?: Status | undefined;
    match?: string | undefined;
  };

async function alertPage(reader: EvidenceReader, query: AlertQuery) {
  const { status, match } = query;
  if (status === undefined && match === undefined) return listPage(reader, 'alerts', query, alertFilters);
  const keep = async (rows: Alert[]) => {
    const last = await lastTriage(reader, rows);
    return rows.map(({ alert }) => statusOf(last.get(alert.id)) === status);
  };
  return searchPage(reader, 'alerts', query, alertFilters, {
    ...(match !== undefined && readMatch('alerts', match)),
    ...(status !== undefined && { keep }),
  });
}

/** The page with the names that people gave. */
const named = async <R extends AuditEvent | Alert, P extends { items: R[]; next_cursor: string | null }>(
  reader: EvidenceReader,
  page: P & { items: R[] },
) => ({
  ...page,
  items: await withFullNames(reader, page.items),
});

/** `/v1/KIND/{id}`, with what `join` adds. Ids hold slashes: they may come encoded, or as they are (the second, hidden route). */
export function addOne<K extends 'events' | 'alerts' | 'leases'>(
  app: App,
  reader: EvidenceReader,
  kind: K,
  schema: z.ZodType<Rows[K]>,
  join: (row: Rows[K]) => Promise<unknown> = async (row) => row,
): void {
  const find = async (id: string) => {
    const row = await reader.get(kind, id);
    if (row === undefined) throw new ProblemError('not-found', `No such id among the ${kind}.`);
    return join(row);
  };
  const config = { area: kind };
  app.get(
    `/v1/${kind}/:id`,
    {
      config,
      schema: {
        summary: `One of the ${kind} by its id`,
        params: z.object({ id: z.string() }),
        response: { 200: schema as z.ZodType, ...problemsOfOne },
      },
    },
    (request) => find(request.params.id),
  );
  app.get(
    `/v1/${kind}/*`,
    { config, schema: { hide: true, params: z.object({ '*': z.string() }) } },
    (request) => find(request.params['*']),
  );
}
