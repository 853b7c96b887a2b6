// Who holds or held a credential: found by its id, its accessor, its hash, or by the name of the database user.

import type { Lease } from '../../core/lease.ts';
import { limits } from '../../core/limits.ts';
import type { EvidenceReader } from '../../core/ports.ts';
import { addSeconds, timeOfMs } from '../../core/time.ts';
import { takeTurns } from '../access/turns.ts';
import { withRows } from '../rows-by-id.ts';
import { fitting, madeAt } from './user-name.ts';

export const ways = ['lease_id', 'accessor', 'token', 'user_name', 'user_name_pattern'] as const;

export interface Match {
  credential: Lease;
  by: (typeof ways)[number];
  /** False when it is a guess. */
  exact: boolean;
  detail: string;
}

export interface Found {
  matches: Match[];
  /** Everything that could match was looked at. */
  complete: boolean;
}

/** Between the time in a user's name and that of the call, either way, in seconds. */
const NAME_SLACK_S = 2;

export async function byLease(reader: EvidenceReader, id: string): Promise<Found> {
  const credential = await reader.get('leases', id);
  return all(credential === undefined ? [] : [credential], 'lease_id', 'its id');
}

/** An accessor as the log shows it; hashes of one accessor on several devices are one. */
export async function byAccessor(reader: EvidenceReader, accessor: string): Promise<Found> {
  const { items } = await reader.find({
    kind: 'leases',
    where: [{ field: 'token.accessor', op: 'in', value: await reader.sameHashes(accessor) }],
    order: 'asc',
    limit: limits.pageRowsMax,
  });
  return all(items, 'accessor', 'its accessor');
}

/** The id of a token's row, with or without `token:`. */
export async function byToken(reader: EvidenceReader, id: string): Promise<Found> {
  const handles = await reader.sameHashes(id.replace(/^token:/, ''));
  const rows = await reader.getAll(
    'leases',
    handles.map((handle) => `token:${handle}`),
  );
  return all([...rows.values()], 'token', 'its id');
}

const all = (rows: Lease[], by: Match['by'], detail: string): Found => ({
  matches: rows.map((credential) => ({ credential, by, exact: true, detail })),
  complete: true,
});

/**
 * The leases that could have made the user: those whose call shows just this name (in plain, or the same hash), else those that the
 * default name fits. A time in the name bounds the search; without one the latest `limits.userNameLeasesMax` leases are looked at.
 */
export async function byUserName(reader: EvidenceReader, name: string): Promise<Found> {
  const seconds = madeAt(name);
  const leases = await leasesAround(reader, seconds);
  const shown: Match[] = [];
  const possible: Match[] = [];
  for await (const [lease, event] of withRows(reader, 'events', leases, ({ proof }) => proof.issued)) {
    const told = event?.vault.response?.data?.['username'];
    if (told === name) shown.push({ credential: lease, by: 'user_name', exact: true, detail: SHOWN });
    // A name in plain that is another one rules the lease out.
    if (event === undefined || (typeof told === 'string' && !told.startsWith('hmac-sha256:'))) continue;
    const plugins = fitting(name, event.vault.caller.display_name ?? '', roleOf(lease));
    if (plugins.length > 0) possible.push(patternMatch(lease, plugins, seconds));
  }
  const matches = shown.length > 0 ? shown : possible;
  return {
    matches: matches.slice(0, limits.pageRowsMax),
    complete:
      matches.length <= limits.pageRowsMax && (shown.length > 0 || leases.length < limits.userNameLeasesMax),
  };
}

const SHOWN = 'the call that gave it out shows this user name, or this hash';

async function leasesAround(reader: EvidenceReader, seconds: number | undefined): Promise<Lease[]> {
  const window = seconds === undefined ? {} : windowOf(seconds);
  const leases: Lease[] = [];
  let after: { time: string; id: string } | undefined;
  do {
    const page = await reader.find({
      kind: 'leases',
      ...window,
      where: [{ field: 'kind', op: 'eq', value: 'lease' }],
      order: 'desc',
      limit: limits.pageRowsMax,
      ...(after !== undefined && { after }),
    });
    leases.push(...page.items);
    after = page.next;
    await takeTurns();
  } while (after !== undefined && leases.length < limits.userNameLeasesMax);
  return leases;
}

function windowOf(seconds: number): { from: string; to: string } {
  const time = timeOfMs(seconds * 1000);
  return { from: addSeconds(time, -NAME_SLACK_S), to: addSeconds(time, NAME_SLACK_S + 1) };
}

/** A lease's path ends with the engine's role: `database/creds/readonly`. */
const roleOf = ({ role, path = '' }: Lease): string => role ?? path.slice(path.lastIndexOf('/') + 1);

function patternMatch(credential: Lease, plugins: string[], seconds: number | undefined): Match {
  const time =
    seconds === undefined ? '; the name has no time' : `, within ${NAME_SLACK_S} s of the time in the name`;
  const detail = `role and display name give a default name like this one (${plugins.join('; ')})${time}`;
  return { credential, by: 'user_name_pattern', exact: false, detail };
}
