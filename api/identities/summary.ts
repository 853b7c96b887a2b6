// What is known of one identity: what it did and touched, what it holds, who it is by the directory.

import { z } from 'zod';
import type { Lease } from '../../core/lease.ts';
import { limits } from '../../core/limits.ts';
import type { EvidenceReader } from '../../core/ports.ts';
import type { Clause, Field, Group } from '../../core/query.ts';
import { type Chain, chainOf, chainSchema } from '../credentials/chain.ts';
import { entityAt, entitySchema } from '../directory/entity.ts';
import { gaveSecret } from '../evidence/reads.ts';
import { aliveAt } from '../leases/alive.ts';
import { ProblemError } from '../problem.ts';
import { alertSchema, eventSchema, leaseSchema } from '../schemas.ts';
import { beforeTime } from '../time.ts';
import { sameIds } from './ids.ts';

/** Alerts, tokens and leases that a summary shows, latest first; the lists have the rest. */
const SHOWN = 100;
const EVENTS_SHOWN = 20;

const baselineSchema = z.object({
  behaviour: z.string(),
  text: z.string(),
  learning: z.boolean().meta({ description: 'true: it has not seen enough yet to find anything unusual' }),
  at: z.string().meta({ description: 'of the last call in it' }),
  numbers: z.record(z.string(), z.number()),
});
const counted = { n: z.int(), first: z.string(), last: z.string() };
export const summarySchema = z.object({
  id: z.string(),
  ids: z.array(z.string()).meta({
    description:
      'every id of this token that was seen: a token without an entity is called by a hash, which differs from device to device and after a device was enabled anew',
  }),
  full_name: z.string().nullable().meta({ description: 'name that a person gave the entity' }),
  names: z.array(z.string()),
  kinds: z.array(z.string()),
  auth_methods: z.array(z.string()),
  addresses: z.array(z.string()),
  events: z.int(),
  first_seen: z.string(),
  last_seen: z.string(),
  entity: entitySchema
    .nullable()
    .meta({ description: 'as it was at the end of the period; null when the directory does not know it' }),
  actions: z.array(z.object({ action: z.string(), outcome: z.string(), ...counted })),
  secrets_read: z.array(z.object({ secret: z.string(), ...counted })),
  alerts: z.array(alertSchema),
  alive: z
    .object({ at: z.string(), tokens: z.int(), leases: z.int() })
    .meta({ description: 'held at this time, as far as is known; `/blast-radius` lists them' }),
  tokens: z.array(leaseSchema),
  leases: z.array(leaseSchema),
  logins: z
    .array(chainSchema.shape.login.unwrap())
    .meta({ description: 'that the tokens shown began with, by their chains; latest first' }),
  baselines: z.array(baselineSchema).meta({
    description: 'what behaviours have learned of it, in words; whatever the period',
  }),
  last_events: z.array(eventSchema),
  complete: z.boolean().meta({ description: 'false when the actions or secrets are too many to show' }),
});
type Summary = z.infer<typeof summarySchema>;

export interface Asked {
  from: string;
  to: string;
}

/** `now`: how far event time has come. Throws the problem `not-found`. */
export async function summaryOf(
  reader: EvidenceReader,
  id: string,
  asked: Asked,
  now: string,
): Promise<Summary> {
  const ids = await sameIds(reader, id);
  const who: Clause<'events'> = { field: 'user.id', op: 'in', value: ids };
  const group = (by: Field[], collect: Field[], where: Clause<'events'>[] = []) =>
    reader.group({ ...asked, where: [who, ...where], by, collect, limit: limits.pageRowsMax });
  const collect: Field[] = ['user.name', 'vault.caller.kind', 'vault.caller.auth_method', 'source.ip'];
  // Each group is the whole of one id.
  const { groups } = await group(['user.id'], collect);
  if (groups.length === 0) throw new ProblemError('not-found', 'This identity was never seen in the period.');
  const whole = together(groups);
  const [names = [], kinds = [], authMethods = [], addresses = []] = whole.collected;
  const actions = await group(['event.action', 'event.outcome'], []);
  const secrets = await group(['vault.secret.path'], [], gaveSecret);
  const entity = await entityAt(reader, id, beforeTime(asked.to));
  return {
    id,
    ids,
    full_name: entity?.full_name ?? null,
    names,
    kinds,
    auth_methods: authMethods,
    addresses,
    events: whole.n,
    first_seen: whole.first,
    last_seen: whole.last,
    entity: entity ?? null,
    actions: actions.groups.map(({ by: [action = '', outcome = ''], n, first, last }) => ({
      action,
      outcome,
      n,
      first,
      last,
    })),
    secrets_read: secrets.groups.map(({ by: [secret = ''], n, first, last }) => ({ secret, n, first, last })),
    ...(await credentialsOf(reader, ids, asked, now < asked.to ? now : asked.to)),
    ...(await rowsOf(reader, ids, asked)),
    baselines: await baselinesOf(reader, ids),
    complete: actions.complete && secrets.complete,
  };
}

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
  const user = { field: 'user.id', op: 'in', value: ids } satisfies Clause<'events'>;
  const events = await reader.find({ ...latest, kind: 'events', limit: EVENTS_SHOWN, where: [user] });
  const alerts = await reader.find({ ...latest, kind: 'alerts', where: [user] });
  return { alerts: alerts.items, last_events: events.items };
}

async function baselinesOf(reader: EvidenceReader, ids: string[]): Promise<Summary['baselines']> {
  const { items } = await reader.find({
    kind: 'baselines',
    where: [{ field: 'subject', op: 'in', value: ids }],
    order: 'desc',
    limit: SHOWN,
  });
  return items.map(({ behaviour, text, learning, at, numbers }) => ({
    behaviour,
    text,
    learning,
    at,
    numbers,
  }));
}

async function credentialsOf(reader: EvidenceReader, ids: string[], asked: Asked, at: string) {
  const tokens = await latestOf(reader, ids, asked, 'token');
  return {
    alive: {
      at,
      tokens: await countAlive(reader, ids, at, 'token'),
      leases: await countAlive(reader, ids, at, 'lease'),
    },
    tokens,
    leases: await latestOf(reader, ids, asked, 'lease'),
    logins: await loginsOf(reader, tokens),
  };
}

async function countAlive(reader: EvidenceReader, ids: string[], at: string, kind: Lease['kind']) {
  const { to, where } = aliveAt(at);
  const held: Clause<'leases'>[] = [
    { field: 'holder_id', op: 'in', value: ids },
    { field: 'kind', op: 'eq', value: kind },
  ];
  return reader.count('leases', { to, where: [...held, ...where] });
}

/** Held or asked for, latest first. */
async function latestOf(reader: EvidenceReader, ids: string[], asked: Asked, kind: Lease['kind']) {
  const rows = new Map<string, Lease>();
  for (const field of ['holder_id', 'requested_by'] as const) {
    const page = await reader.find({
      ...asked,
      kind: 'leases',
      order: 'desc',
      limit: SHOWN,
      where: [
        { field, op: 'in', value: ids },
        { field: 'kind', op: 'eq', value: kind },
      ],
    });
    for (const row of page.items) rows.set(row.id, row);
  }
  return [...rows.values()].sort((a, b) => (a.issued_at < b.issued_at ? 1 : -1)).slice(0, SHOWN);
}

async function loginsOf(reader: EvidenceReader, tokens: Lease[]): Promise<NonNullable<Chain['login']>[]> {
  const logins = new Map<string, NonNullable<Chain['login']>>();
  for (const token of tokens) {
    const { login } = await chainOf(reader, token);
    if (login !== null) logins.set(login.event_id, login);
  }
  return [...logins.values()].sort((a, b) => (a.at < b.at ? 1 : -1));
}
