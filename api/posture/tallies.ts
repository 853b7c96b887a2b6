// The numbers of all groups in one period, from the ledger's rows and the events of the store.

import type { Lease } from '../../core/lease.ts';
import { limits } from '../../core/limits.ts';
import type { EvidenceReader } from '../../core/ports.ts';
import type { Clause, Field, Group } from '../../core/query.ts';
import { addSeconds } from '../../core/time.ts';
import { type Mounts, mountsAt } from '../directory/mounts.ts';
import { gaveSecret } from '../evidence/reads.ts';
import { aliveIn } from '../leases/alive.ts';
import { lastRotations } from '../secrets/rotations.ts';
import { type AllowedMaxima, allowedMaxima } from './allowed.ts';
import { Tally } from './numbers.ts';
import type { PostureSettings } from './settings.ts';

export const groupings = ['service', 'role', 'mount'] as const;
export type Grouping = (typeof groupings)[number];

export interface Period {
  from: string;
  to: string;
}

export interface Tallies {
  /** By the name of the group; `undefined` for what has none. */
  groups: Map<string | undefined, Tally>;
  complete: boolean;
}

/** Where a group's name stands in rows of the ledger and in events; by mount it is made of a path. */
const rowField = { service: 'holder', role: 'role', mount: 'path' } as const satisfies Record<
  Grouping,
  Field<'leases'>
>;
const eventField = { service: 'user.name', role: 'vault.caller.role' } as const;

/** Everything that one period's count needs. */
interface Count extends Period {
  reader: EvidenceReader;
  by: Grouping;
  settings: PostureSettings;
  /** Time of the first event held. */
  since: string | undefined;
  mounts: Mounts;
  allowed: AllowedMaxima;
  tallies: Tallies;
}

export async function talliesOf(
  reader: EvidenceReader,
  by: Grouping,
  { from, to }: Period,
  settings: PostureSettings,
): Promise<Tallies> {
  const mounts = await mountsAt(reader, to);
  const tallies: Tallies = { groups: new Map(), complete: true };
  const { first: since } = await reader.extent();
  const allowed = await allowedMaxima(reader, mounts, to);
  const count: Count = { reader, by, from, to, settings, since, mounts, allowed, tallies };
  await countIssued(count);
  await countPeriodic(count);
  await countMadeByTokens(count);
  await countRootCalls(count);
  await countSecrets(count);
  return tallies;
}

function tallyOf({ by, mounts, tallies }: Count, shown: string | undefined): Tally {
  const name = shown !== undefined && by === 'mount' ? mounts.of(shown) : shown;
  const tally = tallies.groups.get(name) ?? new Tally();
  tallies.groups.set(name, tally);
  return tally;
}

async function leaseGroups(
  count: Count,
  period: { from?: string; to: string },
  where: Clause<'leases'>[],
  by: Field<'leases'>[],
): Promise<Group[]> {
  const { groups, complete } = await count.reader.group({
    kind: 'leases',
    ...period,
    where,
    by,
    collect: [],
    limit: limits.evidenceRowsMax,
  });
  count.tallies.complete &&= complete;
  return groups;
}

/** What was there when the log began has no known asker, and its time is that of its first use. */
const wasSeenIssued: Clause<'leases'> = { field: 'requested_by', op: 'exists', value: true };

/** Logins, tokens and lifetimes: of what was given out in the period. */
async function countIssued(count: Count): Promise<void> {
  const { from, to, by, allowed } = count;
  const fields: Field<'leases'>[] = [
    rowField[by],
    'kind',
    'token.auth_method',
    'path',
    'role',
    'ttl_s',
    'ttl_source',
  ];
  for (const { by: values, n } of await leaseGroups(count, { from, to }, [wasSeenIssued], fields)) {
    const [shown, kind, method, path = '', role, ttl, source = 'unknown'] = values;
    const tally = tallyOf(count, shown);
    const of = kind === 'token' ? 'token' : 'lease';
    tally.lifetime(of, ttl === undefined ? undefined : Number(ttl), source, n);
    tally.allow(of, allowed(path, role));
    if (of === 'lease') continue;
    tally.add('tokens_issued', n);
    if (method !== undefined && method !== TOKEN) tally.login(method, n);
  }
}

/** `token.auth_method` of a token that a token made. */
const TOKEN = 'token';

const isToken: Clause<'leases'> = { field: 'kind', op: 'eq', value: 'token' };

async function countPeriodic(count: Count): Promise<void> {
  const { to, where } = aliveIn(count);
  const periodic: Clause<'leases'> = { field: 'token.periodic', op: 'exists', value: true };
  for (const { by, n } of await leaseGroups(
    count,
    { to },
    [isToken, periodic, ...where],
    [rowField[count.by]],
  ))
    tallyOf(count, by[0]).add('periodic_tokens', n);
}

/** Static, root and orphan tokens are told apart row by row: logins, which are the many, are none of them. */
async function countMadeByTokens(count: Count): Promise<void> {
  const origins: Clause<'leases'>[] = [
    { field: 'token.auth_method', op: 'eq', value: TOKEN },
    { field: 'token.auth_method', op: 'exists', value: false },
  ];
  for (const origin of origins) {
    let seen = 0;
    for await (const row of livingTokens(count, origin)) {
      countToken(count, row);
      if (++seen < limits.postureTokensMax) continue;
      count.tallies.complete = false;
      break;
    }
  }
}

async function* livingTokens(count: Count, origin: Clause<'leases'>): AsyncGenerator<Lease> {
  const { to, where } = aliveIn(count);
  let after: { time: string; id: string } | undefined;
  do {
    const page = await count.reader.find({
      kind: 'leases',
      to,
      where: [isToken, origin, ...where],
      order: 'asc',
      limit: limits.pageRowsMax,
      ...(after !== undefined && { after }),
    });
    yield* page.items;
    after = page.next;
  } while (after !== undefined);
}

function countToken(count: Count, row: Lease): void {
  const { token, issued_at, ended_at, expires_at, holder, role, path } = row;
  const tally = tallyOf(count, { service: holder, role, mount: path }[count.by]);
  const isRoot = token?.kind === 'root' || token?.policies?.includes('root') === true;
  if (isRoot) tally.add('root_tokens');
  if (token?.orphan === true) tally.add('orphan_tokens');
  const end = [count.to, ended_at, expires_at].reduce<string>(
    (least, at) => (at !== undefined && at < least ? at : least),
    count.to,
  );
  if (!isRoot && addSeconds(issued_at, count.settings.staticTokenSeconds) <= end) tally.add('static_tokens');
}

async function eventGroups(count: Count, where: Clause<'events'>[], by: Field[]): Promise<Group[]> {
  const { from, to } = count;
  const asked = { from, to, where, by, collect: [], limit: limits.evidenceRowsMax };
  const { groups, complete } = await count.reader.group(asked);
  count.tallies.complete &&= complete;
  return groups;
}

async function countRootCalls(count: Count): Promise<void> {
  const field = count.by === 'mount' ? 'vault.request.path' : eventField[count.by];
  const root: Clause<'events'> = { field: 'vault.caller.kind', op: 'eq', value: 'root' };
  for (const { by, n } of await eventGroups(count, [root], [field]))
    tallyOf(count, by[0]).add('root_calls', n);
}

/** What was read of KV, and whether it is overdue at the end of the period. */
async function countSecrets(count: Count): Promise<void> {
  const kv: Clause<'events'> = { field: 'vault.secret.engine', op: 'in', value: ['kv-v1', 'kv-v2'] };
  const by: Field[] = ['vault.secret.path', 'vault.secret.engine'];
  if (count.by !== 'mount') by.push(eventField[count.by]);
  const groups = await eventGroups(count, [...gaveSecret, kv], by);
  const paths = [...new Set(groups.map(({ by: [path = ''] }) => path))];
  const rotated = await lastRotations(count.reader, paths, count.to);
  const due = addSeconds(count.to, -count.settings.rotationSeconds);
  for (const {
    by: [path = '', engine, name],
    n,
  } of groups) {
    const tally = tallyOf(count, count.by === 'mount' ? path : name);
    tally.add(engine === 'kv-v1' ? 'kv_v1_reads' : 'kv_v2_reads', n);
    if (engine === 'kv-v1') tally.add('kv_v1_secrets');
    tally.add('secrets_read');
    const last = rotated.get(path)?.last;
    if ((last ?? count.since ?? '~') < due) tally.add('overdue_rotations');
    else if (last === undefined) tally.add('rotations_unknown');
  }
}
