// The numbers of all groups in one period, from the ledger's rows and the events of the store.

import type { Lease } from '../../core/lease.ts';
import { limits } from '../../core/limits.ts';
import type { EvidenceReader } from '../../core/ports.ts';
import type { Clause, Field, Group } from '../../core/query.ts';
import { addSeconds } from '../../core/time.ts';
import { takeTurns } from '../access/turns.ts';
import { type Mounts, mountsAt, type Place } from '../directory/mounts.ts';
import { gaveSecret } from '../evidence/reads.ts';
import { aliveIn } from '../leases/alive.ts';
import { lastRotations } from '../secrets/rotations.ts';
import { beforeTime } from '../time.ts';
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
  /** `user.name` of the calls of those that the ledger has no name for. */
  names: Map<string, string | undefined>;
  tallies: Tallies;
}

export async function talliesOf(
  reader: EvidenceReader,
  by: Grouping,
  { from, to }: Period,
  settings: PostureSettings,
): Promise<Tallies> {
  const mounts = await mountsAt(reader, beforeTime(to));
  const { first: since } = await reader.extent();
  const allowed = await allowedMaxima(reader, mounts, beforeTime(to));
  const tallies: Tallies = { groups: new Map(), complete: mounts.complete && allowed.complete };
  const count: Count = { reader, by, from, to, settings, since, mounts, allowed, names: new Map(), tallies };
  await countIssued(count);
  await takeTurns();
  await countTokens(count);
  await countRootCalls(count);
  await takeTurns();
  await countSecrets(count);
  return tallies;
}

/** `shown` is the name, or of groups by mount a path, in `where` when it is known. */
function tallyOf(
  { by, mounts, tallies }: Count,
  shown: string | undefined,
  where: Omit<Place, 'path'> = {},
): Tally {
  const name = shown !== undefined && by === 'mount' ? mounts.of({ path: shown, ...where }) : shown;
  const tally = tallies.groups.get(name) ?? new Tally();
  tallies.groups.set(name, tally);
  return tally;
}

/** What was there when the log began has no known asker, and its time is that of its first use. */
const wasSeenIssued: Clause<'leases'> = { field: 'requested_by', op: 'exists', value: true };

/** Logins, tokens and lifetimes: of what was given out in the period. */
async function countIssued(count: Count): Promise<void> {
  const { from, to, by, allowed, reader } = count;
  const { groups, complete } = await reader.group({
    kind: 'leases',
    from,
    to,
    where: [wasSeenIssued],
    by: [
      rowField[by],
      by === 'service' ? 'holder_id' : 'kind',
      'kind',
      'token.auth_method',
      'path',
      'role',
      'ttl_s',
      'ttl_source',
      'namespace',
      'cluster',
    ],
    collect: [],
    limit: limits.evidenceRowsMax,
  });
  count.tallies.complete &&= complete;
  for (const { by: values, n } of groups) {
    const [shown, holder, kind, method, path = '', role, ttl, source = 'unknown', namespace, cluster] =
      values;
    const where = { namespace, cluster };
    const tally = tallyOf(count, by === 'service' ? await serviceOf(count, shown, holder) : shown, where);
    const of = kind === 'token' ? 'token' : 'lease';
    tally.lifetime(of, ttl === undefined ? undefined : Number(ttl), source, n);
    tally.allow(of, allowed.of({ path, ...where }, role));
    if (of === 'lease') continue;
    tally.add('tokens_issued', n);
    if (method !== undefined && method !== TOKEN) tally.login(method, n);
  }
}

/** Names that are asked for before others have their turn. */
const NAMES_A_TURN = 500;

/** Who a token is given out to is not known until it is used: then its calls tell the name. */
async function serviceOf(
  { reader, to, names, tallies }: Count,
  holder: string | undefined,
  id: string | undefined,
): Promise<string | undefined> {
  if (holder !== undefined || id === undefined) return holder;
  if (!names.has(id)) {
    if (names.size >= limits.postureNamesMax) {
      tallies.complete = false;
      return undefined;
    }
    if (names.size % NAMES_A_TURN === 0) await takeTurns();
    const where: Clause<'events'>[] = [{ field: 'user.id', op: 'eq', value: id }];
    const { items } = await reader.find({ kind: 'events', to, where, order: 'desc', limit: 1 });
    names.set(id, items[0]?.user.name);
  }
  return names.get(id);
}

/** `token.auth_method` of a token that a token made. */
const TOKEN = 'token';

const isToken: Clause<'leases'> = { field: 'kind', op: 'eq', value: 'token' };

/** Static, root, orphan and periodic tokens are told row by row; logins without a period, which are the many, are none of them. */
async function countTokens(count: Count): Promise<void> {
  const kinds: Clause<'leases'>[] = [
    { field: 'token.auth_method', op: 'eq', value: TOKEN },
    { field: 'token.auth_method', op: 'exists', value: false },
    { field: 'token.periodic', op: 'exists', value: true },
  ];
  const seen = new Set<string>();
  for (const kind of kinds)
    for await (const row of livingTokens(count, kind)) {
      if (seen.has(row.id)) continue;
      if (seen.size >= limits.postureTokensMax) {
        count.tallies.complete = false;
        return;
      }
      seen.add(row.id);
      const isAsked = count.by === 'service';
      countToken(count, row, isAsked ? await serviceOf(count, row.holder, row.holder_id) : undefined);
    }
}

/** Each page looks at all tokens that live, so few pages. */
const TOKENS_A_PAGE = 10_000;

async function* livingTokens(count: Count, kind: Clause<'leases'>): AsyncGenerator<Lease> {
  const { to, where } = aliveIn(count);
  let after: { time: string; id: string } | undefined;
  do {
    const page = await count.reader.find({
      kind: 'leases',
      to,
      where: [isToken, kind, ...where],
      order: 'asc',
      limit: TOKENS_A_PAGE,
      ...(after !== undefined && { after }),
    });
    yield* page.items;
    after = page.next;
    await takeTurns();
  } while (after !== undefined);
}

function countToken(count: Count, row: Lease, service: string | undefined): void {
  const { token, issued_at, ended_at, expires_at, role, path, namespace, cluster } = row;
  const tally = tallyOf(count, { service, role, mount: path }[count.by], { namespace, cluster });
  if (token?.periodic !== undefined) tally.add('periodic_tokens');
  // The token of a login is nobody's child by its nature, and ends with its login's lifetime.
  if (token?.auth_method !== undefined && token.auth_method !== TOKEN) return;
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
