// Compares what the ledger says with what Vault listed at one moment, and says each difference in a line that a person can read.

import type { Lease } from '../../../core/lease.ts';
import type { Checkpoint } from './truth.ts';

/**
 * `unknown`: Vault lists it, the ledger has never heard of it. `dead`: Vault lists it, the ledger has ended it. `alive`: the other
 * way round. `end`: both know it lives, and till when differs. `no_end`: the ledger does not know till when.
 */
export interface Difference {
  what: 'unknown' | 'dead' | 'alive' | 'end' | 'no_end';
  id: string;
  /** For people: what either side says. */
  text: string;
}

export interface Comparison {
  at: string;
  /** Rows of either side that were compared. */
  leases: number;
  tokens: number;
  /** Ends whose time was compared. */
  ends: number;
  /** What ends or begins so near to the listing that either answer is right, and what Vault cannot get rid of. */
  undecided: number;
  differences: Difference[];
}

/** One of Vault's lists, whatever it is a list of. */
interface Listed {
  id: string;
  /** Absent: names alone were listed. null: it has no end. */
  end?: string | null;
  gone: boolean;
}

/** Vault may take this long to revoke what has expired, and the ledger's derived ends are off by as much. */
const MARGIN_MS = 2_000;
/** How exact an end has to be, by where it comes from. */
const toleranceOf = (row: Lease) => (row.ttl_source.endsWith('lookup') ? 1_000 : 2_000);

/** `accessorOf` turns Vault's accessors into those that the ledger's device shows. */
export function compareWithTruth(
  rows: readonly Lease[],
  checkpoint: Checkpoint,
  accessorOf: (accessor: string) => string | undefined,
): Comparison {
  const { at } = checkpoint;
  const details = checkpoint.leases.some(({ expire_time }) => expire_time !== undefined);
  const listed: Listed[] = [
    ...checkpoint.leases.map(({ id, expire_time: end }) => listedOf(id, end, details)),
    ...checkpoint.tokens.map(({ accessor, expire_time: end }) =>
      listedOf(`token:${accessorOf(accessor) ?? accessor}`, end, details),
    ),
  ];
  const unusable = new Set(
    checkpoint.unusable?.flatMap((name) => [name, `token:${accessorOf(name) ?? name}`]) ?? [],
  );
  for (const one of listed) if (unusable.has(one.id)) one.gone = true;
  const byId = new Map(rows.map((row) => [row.id, row]));
  const result: Comparison = { at, leases: 0, tokens: 0, ends: 0, undecided: 0, differences: [] };
  for (const one of listed) compareListed(one, byId.get(one.id), checkpoint, result);
  const names = new Set(listed.map(({ id }) => id));
  for (const row of rows) if (!names.has(row.id) && isListable(row)) compareUnlisted(row, checkpoint, result);
  return withoutUnopened(rows, result);
}

/** A lease in a wrapped answer that nobody has opened yet is known by its wrapping token alone: no line has its id. */
function withoutUnopened(rows: readonly Lease[], result: Comparison): Comparison {
  const wrapping = rows.filter(
    ({ kind, issued_at, ended_at = '9', token }) =>
      kind === 'token' &&
      token?.policies?.includes('response-wrapping') === true &&
      issued_at <= result.at &&
      ended_at > result.at,
  );
  const unopened = wrapping.map(({ path }) => path);
  const differences = result.differences.filter(({ what, id }) => {
    const index = what === 'unknown' ? unopened.indexOf(id.slice(0, id.lastIndexOf('/'))) : -1;
    if (index !== -1) unopened.splice(index, 1);
    return index === -1;
  });
  return {
    ...result,
    differences,
    undecided: result.undecided + result.differences.length - differences.length,
  };
}

const listedOf = (id: string, end: string | null | undefined, details: boolean): Listed => ({
  id,
  ...(end === undefined ? {} : { end }),
  // Its name was listed, and when it was looked up there was nothing any more.
  gone: details && end === undefined,
});

function compareListed(
  one: Listed,
  row: Lease | undefined,
  checkpoint: Checkpoint,
  result: Comparison,
): void {
  const { id, end } = one;
  if (one.gone || (end && Date.parse(end) < Date.parse(checkpoint.until) + MARGIN_MS)) {
    result.undecided++;
    return;
  }
  count(id, result);
  const listed = `Vault lists it${end === undefined ? '' : end === null ? ' without end' : ` until ${end}`}`;
  const differ = (what: Difference['what'], said: string) =>
    result.differences.push({ what, id, text: `${id}: ${listed}; ${said}` });
  if (row === undefined) {
    differ('unknown', 'the ledger does not know it');
    return;
  }
  if (row.ended_at !== undefined && Date.parse(row.ended_at) <= Date.parse(checkpoint.at)) {
    differ('dead', `the ledger ended it at ${row.ended_at} (${row.end_reason}), ${described(row)}`);
    return;
  }
  if (end === undefined) return;
  result.ends++;
  const said = endAsOf(row, checkpoint.at);
  if (end === null) {
    if (said !== undefined) differ('end', `the ledger says until ${iso(said)}, ${described(row)}`);
  } else if (said === undefined) differ('no_end', `the ledger does not know its end, ${described(row)}`);
  else if (Math.abs(said - Date.parse(end)) > toleranceOf(row))
    differ(
      'end',
      `the ledger says ${((said - Date.parse(end)) / 1000).toFixed(1)} s off: ${iso(said)}, ${described(row)}`,
    );
}

/** Batch tokens are in no list of Vault's. */
const isListable = (row: Lease) =>
  row.kind === 'lease' || (row.token?.type !== 'batch' && row.token?.accessor);

function compareUnlisted(row: Lease, { at, until }: Checkpoint, result: Comparison): void {
  if (Date.parse(row.issued_at) >= Date.parse(at)) return;
  const ended = row.ended_at === undefined ? Infinity : Date.parse(row.ended_at);
  if (ended <= Date.parse(at)) {
    count(row.id, result);
    return;
  }
  if (Math.min(ended, endAsOf(row, at) ?? Infinity) < Date.parse(until) + MARGIN_MS) {
    result.undecided++;
    return;
  }
  count(row.id, result);
  const later =
    row.ended_at === undefined ? 'has not ended it' : `ended it at ${row.ended_at} (${row.end_reason})`;
  const text = `${row.id}: Vault does not list it; the ledger ${later}, ${described(row)}`;
  result.differences.push({ what: 'alive', id: row.id, text });
}

function count(id: string, result: Comparison): void {
  if (id.startsWith('token:')) result.tokens++;
  else result.leases++;
}

/** The end that the ledger gave at `at`, in ms: later terms are not known then. */
function endAsOf(row: Lease, at: string): number | undefined {
  const known = row.terms.filter((term) => Date.parse(term.at) <= Date.parse(at));
  const last = known.at(-1);
  if (known.length < row.terms.length)
    return last === undefined ? undefined : Date.parse(last.at) + last.ttl_s * 1000;
  return row.expires_at === undefined ? undefined : Date.parse(row.expires_at);
}

const iso = (ms: number) => new Date(ms).toISOString();
const described = (row: Lease) =>
  `${row.path} of ${row.holder ?? 'nobody known'}, issued ${row.issued_at}, ttl ${row.ttl_s ?? '?'} from ${row.ttl_source}, ` +
  `max ${row.max_ttl_s ?? '?'}, terms ${row.terms.map((term) => `${term.at.slice(14, 23)}+${term.ttl_s}`).join(' ')}`;
