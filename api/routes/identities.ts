// GET /v1/identities/{id}: what is known of one identity, from its events, alerts and leases.

import { z } from 'zod';
import { limits } from '../../core/limits.ts';
import type { EvidenceReader } from '../../core/ports.ts';
import type { Clause, Field, Group } from '../../core/query.ts';
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
  ids: z.array(z.string()).meta({
    description:
      'every id of this token that was seen: a token without an entity is called by a hash, which differs from device to device and after a device was enabled anew',
  }),
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
        description:
          'An id of the form `token:HASH` is joined with those of the same token: each audit device hashes under a salt of its own, and calls that two devices showed tell which hashes are one. What is joined here is not joined in `/v1/events`, where `user.id` is what the first-ranked device showed.',
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
  const ids = await sameIds(reader, id);
  const who: Clause<'events'> = { field: 'user.id', op: 'in', value: ids };
  const group = (by: Field[], collect: Field[], where: Clause[] = []) =>
    reader.group({ ...asked, where: [who, ...where], by, collect, limit: limits.pageRowsMax });
  const collect: Field[] = ['user.name', 'vault.caller.kind', 'vault.caller.auth_method', 'source.ip'];
  // Each group is the whole of one id.
  const { groups } = await group(['user.id'], collect);
  if (groups.length === 0) throw new ProblemError('not-found', 'This identity was never seen in the period.');
  const whole = together(groups);
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
    ids,
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
    ...(await rowsOf(reader, ids, asked)),
    complete: actions.complete && secrets.complete,
  };
}

/** Ids of one token under the salts of all devices; any other id stands alone. */
async function sameIds(reader: EvidenceReader, id: string): Promise<string[]> {
  if (!id.startsWith(TOKEN)) return [id];
  return (await reader.sameHashes(id.slice(TOKEN.length))).map((hash) => TOKEN + hash);
}

const TOKEN = 'token:';

function together(groups: Group[]): Pick<Group, 'n' | 'first' | 'last' | 'collected'> {
  const times = groups.flatMap(({ first, last }) => [first, last]).sort();
  const collected = (groups[0]?.collected ?? []).map((_, i) => {
    const values = new Set(groups.flatMap((group) => group.collected[i] ?? []));
    return [...values].sort().slice(0, limits.collectedValuesMax);
  });
  const n = groups.reduce((sum, group) => sum + group.n, 0);
  return { n, first: times[0] ?? '', last: times.at(-1) ?? '', collected };
}

async function rowsOf(reader: EvidenceReader, ids: string[], asked: Asked) {
  const latest = { ...asked, order: 'desc', limit: SHOWN } as const;
  const leases = (field: 'holder_id' | 'requested_by') =>
    reader.find({ ...latest, kind: 'leases', where: [{ field, op: 'in', value: ids }] });
  const user = { field: 'user.id', op: 'in', value: ids } satisfies Clause<'events'>;
  const events = await reader.find({ ...latest, kind: 'events', limit: EVENTS_SHOWN, where: [user] });
  const alerts = await reader.find({ ...latest, kind: 'alerts', where: [user] });
  const held = [...(await leases('holder_id')).items, ...(await leases('requested_by')).items];
  const distinct = [...new Map(held.map((lease) => [lease.id, lease])).values()];
  distinct.sort((a, b) => (a.issued_at < b.issued_at ? 1 : -1));
  return { alerts: alerts.items, leases: distinct.slice(0, SHOWN), last_events: events.items };
}
