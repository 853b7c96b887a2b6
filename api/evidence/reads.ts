// Reads of secrets in events: which calls count, and groups of them as rows of evidence.

import { limits } from '../../core/limits.ts';
import type { EvidenceReader } from '../../core/ports.ts';
import type { Clause, Field, Group } from '../../core/query.ts';
import { withRows } from '../rows-by-id.ts';
import type { ExceptionKind, ExceptionRow, PopulationRow } from './schemas.ts';

/** `event.action` of calls that give out a secret: a stored one, a new one, a static one, one lent from a library. */
export const readActions = [
  'secret-read',
  'credential-issue',
  'credential-read',
  'credential-checkout',
] as const;

/** `event.reason` of a call that succeeded and gave out nothing: there was no such secret or version. */
export const NO_DATA = 'no_data';

/** `vault.pair` of calls whose answer was seen: only then is it known that data was returned. */
export const answeredPairs = ['both', 'response_only'] as const;

/** Calls that gave out a secret. A reason beside success says that nothing was given out. */
export const gaveSecret: Clause<'events'>[] = [
  { field: 'event.action', op: 'in', value: [...readActions] },
  { field: 'event.outcome', op: 'eq', value: 'success' },
  { field: 'event.reason', op: 'exists', value: false },
  { field: 'vault.secret.path', op: 'exists', value: true },
];

const by = [
  'user.id',
  'vault.secret.path',
  'event.action',
  'event.outcome',
  'vault.caller.kind',
  'vault.pair',
  'event.reason',
] as const satisfies Field[];
const collect = [
  'source.ip',
  'user.name',
  'vault.caller.auth_method',
  'event.reason',
] as const satisfies Field[];

/** Calls that are alike in everything that decides where they belong. Cells of one row follow each other. */
interface Cell {
  group: Group;
  user: string;
  secret: string | undefined;
  action: string;
  outcome: string;
  kind: string;
  pair: string;
  reason: string | undefined;
}

/** All cells of a period, in one pass over the store. */
export async function readCells(
  reader: EvidenceReader,
  period: { from: string; to: string },
  where: Clause[],
): Promise<{ cells: Cell[]; complete: boolean }> {
  const { groups, complete } = await reader.group({
    ...period,
    where,
    by: [...by],
    collect: [...collect],
    limit: limits.evidenceRowsMax,
  });
  const cells = groups.map((group): Cell => {
    const [user = '', secret, action = '', outcome = '', kind = '', pair = '', reason] = group.by;
    return { group, user, secret, action, outcome, kind, pair, reason };
  });
  return { cells, complete };
}

const answered: readonly string[] = answeredPairs;

/** Whether the calls gave out a secret, as far as the log shows it. */
export const isRead = ({ outcome, pair, reason }: Cell): boolean =>
  outcome === 'success' && answered.includes(pair) && reason !== NO_DATA;

/** Every cell is a read, or an exception, or both: no call that was asked for falls between. */
export const exceptionTests: Record<ExceptionKind, (cell: Cell) => boolean> = {
  denied: ({ outcome }) => outcome === 'failure',
  root: ({ kind }) => kind === 'root',
  anonymous: ({ kind }) => kind === 'anonymous',
  unknown_caller: ({ kind }) => kind === 'unknown',
  no_data: ({ reason }) => reason === NO_DATA,
  half_pair: ({ pair, outcome }) => pair !== 'both' || (outcome !== 'success' && outcome !== 'failure'),
};

/** Rows of reads, one per identity, secret and action; who it was is looked up in the last read of each. */
export async function populationOf(reader: EvidenceReader, cells: Cell[]): Promise<PopulationRow[]> {
  const rows: PopulationRow[] = [];
  const reads = withRows(reader, 'events', merged(cells), ({ group }) => group.last_id);
  for await (const [{ cell, group }, example] of reads) {
    const [addresses = [], names = [], authMethods = []] = group.collected;
    const caller = example?.vault.caller;
    rows.push({
      who: {
        id: cell.user,
        name: example?.user.name ?? null,
        names,
        kind: caller?.kind ?? cell.kind,
        auth_method: caller?.auth_method ?? null,
        auth_methods: authMethods,
        role: caller?.role ?? null,
        roles: example?.user.roles ?? [],
        policies: caller?.policies ?? [],
      },
      secret: cell.secret ?? null,
      action: cell.action,
      reads: group.n,
      first_read: group.first,
      last_read: group.last,
      addresses,
      example_event_id: group.last_id,
    });
  }
  return rows;
}

/** Rows of an exception, grouped like the population. */
export function exceptionRows(cells: Cell[]): ExceptionRow[] {
  return merged(cells).map(({ cell, group }) => {
    const [addresses = [], names = [], , reasons = []] = group.collected;
    return {
      who: { id: cell.user, names, kind: cell.kind },
      secret: cell.secret ?? null,
      action: cell.action,
      calls: group.n,
      first: group.first,
      last: group.last,
      reasons,
      addresses,
      example_event_id: group.last_id,
    };
  });
}

/** Neighbours with the same identity, secret and action as one group. */
function merged(cells: Cell[]): { cell: Cell; group: Group }[] {
  const rows: { cell: Cell; group: Group }[] = [];
  for (const cell of cells) {
    const row = rows.at(-1);
    const same =
      row?.cell.user === cell.user && row.cell.secret === cell.secret && row.cell.action === cell.action;
    if (row !== undefined && same) row.group = add(row.group, cell.group);
    else rows.push({ cell, group: cell.group });
  }
  return rows;
}

function add(a: Group, b: Group): Group {
  const earlier = b.first < a.first ? b : a;
  const later = b.last + b.last_id > a.last + a.last_id ? b : a;
  return {
    by: a.by,
    n: a.n + b.n,
    first: earlier.first,
    last: later.last,
    last_id: later.last_id,
    collected: a.collected.map((values, i) =>
      [...new Set([...values, ...(b.collected[i] ?? [])])].sort().slice(0, limits.collectedValuesMax),
    ),
  };
}
