// GET /v1/identities/{id}: what is known of one identity, from its events, alerts and leases.

import { z } from 'zod';
import { limits } from '../../core/limits.ts';
import type { EvidenceReader } from '../../core/ports.ts';
import type { Clause, Field } from '../../core/query.ts';
import type { App } from '../app.ts';
import { readActions } from '../evidence/reads.ts';
import { ProblemError } from '../problem.ts';
import {
  alertSchema,
  eventSchema,
  inOrder,
  leaseSchema,
  period,
  problemsOfOne,
  toNotAfterFrom,
} from '../schemas.ts';
import { allTime } from '../time.ts';

/** Alerts and leases that a summary shows, latest first; the lists have the rest. */
const SHOWN = 100;
const EVENTS_SHOWN = 20;

const counted = { n: z.int(), first: z.string(), last: z.string() };
const summarySchema = z.object({
  id: z.string(),
  names: z.array(z.string()),
  kinds: z.array(z.string()),
  auth_methods: z.array(z.string()),
  addresses: z.array(z.string()),
  events: z.int(),
  first_seen: z.string(),
  last_seen: z.string(),
  actions: z.array(z.object({ action: z.string(), outcome: z.string(), ...counted })),
  secrets_read: z.array(z.object({ secret: z.string(), ...counted })),
  alerts: z.array(alertSchema),
  leases: z.array(leaseSchema),
  last_events: z.array(eventSchema),
  complete: z.boolean().meta({ description: 'false when the actions or secrets are too many to show' }),
});
type Summary = z.infer<typeof summarySchema>;

interface Asked {
  from: string;
  to: string;
}

export function addIdentities(app: App, reader: EvidenceReader): void {
  const querystring = z.strictObject(period).refine(inOrder, toNotAfterFrom);
  const answer = (id: string, { from = allTime.from, to = allTime.to }: z.infer<typeof querystring>) =>
    summaryOf(reader, id, { from, to });
  const config = { area: 'identities' } as const;
  app.get(
    '/v1/identities/:id',
    {
      config,
      schema: {
        summary: 'What one identity did; the id is `user.id`, encoded',
        params: z.object({ id: z.string() }),
        querystring,
        response: { 200: summarySchema, ...problemsOfOne },
      },
    },
    (request) => answer(request.params.id, request.query),
  );
  app.get(
    '/v1/identities/*',
    { config, schema: { hide: true, params: z.object({ '*': z.string() }), querystring } },
    (request) => answer(request.params['*'], request.query),
  );
}

async function summaryOf(reader: EvidenceReader, id: string, asked: Asked): Promise<Summary> {
  const who: Clause<'events'> = { field: 'user.id', op: 'eq', value: id };
  const group = (by: Field[], collect: Field[], where: Clause[] = []) =>
    reader.group({ ...asked, where: [who, ...where], by, collect, limit: limits.pageRowsMax });
  const collect: Field[] = ['user.name', 'vault.caller.kind', 'vault.caller.auth_method', 'source.ip'];
  const [whole] = (await group(['user.id'], collect)).groups;
  if (whole === undefined) throw new ProblemError('not-found', 'This identity was never seen in the period.');
  const [names = [], kinds = [], authMethods = [], addresses = []] = whole.collected;
  const actions = await group(['event.action', 'event.outcome'], []);
  const secrets = await group(
    ['vault.secret.path'],
    [],
    [
      { field: 'event.action', op: 'in', value: [...readActions] },
      { field: 'event.outcome', op: 'eq', value: 'success' },
      // A reason beside success says that nothing was given out.
      { field: 'event.reason', op: 'exists', value: false },
      { field: 'vault.secret.path', op: 'exists', value: true },
    ],
  );
  return {
    id,
    names,
    kinds,
    auth_methods: authMethods,
    addresses,
    events: whole.n,
    first_seen: whole.first,
    last_seen: whole.last,
    actions: actions.groups.map(({ by: [action = '', outcome = ''], n, first, last }) => ({
      action,
      outcome,
      n,
      first,
      last,
    })),
    secrets_read: secrets.groups.map(({ by: [secret = ''], n, first, last }) => ({ secret, n, first, last })),
    ...(await rowsOf(reader, id, asked)),
    complete: actions.complete && secrets.complete,
  };
}

async function rowsOf(reader: EvidenceReader, id: string, asked: Asked) {
  const latest = { ...asked, order: 'desc', limit: SHOWN } as const;
  const leases = (field: 'holder_id' | 'requested_by') =>
    reader.find({ ...latest, kind: 'leases', where: [{ field, op: 'eq', value: id }] });
  const user = { field: 'user.id', op: 'eq', value: id } as const;
  const events = await reader.find({ ...latest, kind: 'events', limit: EVENTS_SHOWN, where: [user] });
  const alerts = await reader.find({ ...latest, kind: 'alerts', where: [user] });
  const held = [...(await leases('holder_id')).items, ...(await leases('requested_by')).items];
  const distinct = [...new Map(held.map((lease) => [lease.id, lease])).values()];
  distinct.sort((a, b) => (a.issued_at < b.issued_at ? 1 : -1));
  return { alerts: alerts.items, leases: distinct.slice(0, SHOWN), last_events: events.items };
}
