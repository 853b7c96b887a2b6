// A row begins: given out before our eyes, or there already when the log began. What is told again of it adds to it.

import type { Lease, TokenDetails } from '../../../core/lease.ts';
import type { Change, Issued } from '../change.ts';
import type { Row } from './notes.ts';
import { addTerm } from './terms.ts';

/** A row of what was given out, at its first telling. */
export function opened(change: Issued, at: string): Row {
  const { cluster, id, kind, namespace, proof } = change;
  return {
    revision: 0,
    lease: {
      ...blank,
      cluster,
      id,
      issued_at: at,
      kind,
      ...(namespace === '' ? {} : { namespace }),
      ...toldBy(change),
      proof: { issued: proof },
    },
    notes: { terms: [{ at }], ends: [] },
  };
}

/** A row that nobody saw given out: who asked for it is not known, and it began at `at` at the latest. */
export function openedUnseen(id: string, change: Change, at: string): Row {
  const { cluster, namespace, proof } = change;
  const isToken = id.startsWith('token:');
  return {
    revision: 0,
    lease: {
      ...blank,
      cluster,
      id,
      issued_at: at,
      kind: isToken ? 'token' : 'lease',
      ...(namespace === '' ? {} : { namespace }),
      ...(isToken ? { token: {} } : { path: id.slice(0, Math.max(0, id.lastIndexOf('/'))) }),
      proof: { issued: proof },
    },
    notes: { unseen: true, terms: [], ends: [] },
  };
}

const blank = {
  end_confirmed: false,
  renewals: 0,
  state: 'unknown',
  terms: [],
  ttl_source: 'unknown',
} as const satisfies Partial<Lease>;

/** Told again: what was not known is added. What was handed over wrapped belongs to who asked for it, not to who opened it. */
export function addTo(row: Row, change: Issued, at: string): void {
  const { lease, notes } = row;
  const told = toldBy(change);
  const isBetter = notes.unseen === true || (change.wrapped !== undefined && lease.wrapped === undefined);
  const isEarlier = notes.unseen === true || at < lease.issued_at;
  row.lease = {
    ...lease,
    ...(isBetter ? told : { ...told, ...lease }),
    ...(isEarlier ? { issued_at: at, proof: { issued: change.proof } } : {}),
    ...(lease.token === undefined ? {} : { token: { ...change.token, ...lease.token } }),
    ...(told.wrapped === undefined ? {} : { wrapped: { ...told.wrapped, ...lease.wrapped } }),
  };
  if (notes.unseen === true) addTerm(notes, at);
  else if (isEarlier) notes.terms[0] = { ...notes.terms[0], at };
  delete notes.unseen;
  if (row.lease.token?.orphan === true) orphan(row);
}

/** No token's end ends it any more. */
export function orphan(row: Row): void {
  const { holder_token, ...lease } = row.lease;
  row.lease = { ...lease, token: { ...lease.token, orphan: true } };
  delete row.notes.parent;
}

/** What a look-up tells of a token: what was not known, and how many uses are left now. */
export function addDetails(row: Row, told: TokenDetails): void {
  if (row.lease.kind !== 'token') return;
  const { uses_left, ...details } = told;
  const { token } = row.lease;
  row.lease = {
    ...row.lease,
    token: {
      ...details,
      ...token,
      ...(told.orphan === true ? { orphan: true } : {}),
      ...(told.periodic === 'told' ? { periodic: 'told' } : {}),
    },
  };
  if (uses_left !== undefined) countDown(row, uses_left);
  if (row.lease.token?.orphan === true) orphan(row);
}

/** Uses only become fewer, in whatever order they are told. */
export function countDown(row: Row, left: number): void {
  const { token } = row.lease;
  row.lease = { ...row.lease, token: { ...token, uses_left: Math.min(left, token?.uses_left ?? left) } };
}

/** The members of an issue that are the lease's as they are. */
function toldBy(
  change: Issued,
): Pick<
  Lease,
  'path' | 'requested_by' | 'role' | 'holder' | 'holder_id' | 'holder_token' | 'wrapped' | 'token'
> {
  const { holder, holder_id, holder_token, kind, path, requested_by, role, token, wrapped } = change;
  const isHeld = holder_token !== undefined && holder_token !== change.id && token?.orphan !== true;
  return {
    ...(path === undefined ? {} : { path }),
    ...(requested_by === undefined ? {} : { requested_by }),
    ...(holder === undefined ? {} : { holder }),
    ...(holder_id === undefined ? {} : { holder_id }),
    ...(isHeld ? { holder_token } : {}),
    ...(role === undefined ? {} : { role }),
    ...(wrapped === undefined ? {} : { wrapped }),
    ...(kind === 'token' ? { token: { ...token } } : {}),
  };
}
