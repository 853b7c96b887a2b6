// Leases as they are given out: whose they are, and what tells how long they live.

import type { Change, Issued, Lifetime } from '../change.ts';
import { type Call, known } from './call.ts';
import type { Joins } from './joins.ts';
import { type Lifetimes, type Place, placeIn } from './lifetimes.ts';
import type { Questions } from './questions.ts';
import { requestIn, requestOf, type Wrapped } from './wraps.ts';

/** A lease that was given out. */
interface Taken {
  id: string;
  issuedAt: string;
  isByRole: boolean;
}

export class Leases {
  private readonly joins: Joins;
  private readonly lifetimes: Lifetimes;
  private readonly questions: Questions;

  constructor(parts: { joins: Joins; lifetimes: Lifetimes; questions: Questions }) {
    this.joins = parts.joins;
    this.lifetimes = parts.lifetimes;
    this.questions = parts.questions;
  }

  /** The lease that the call took. */
  given(call: Call): Change[] {
    return this.opened(call, requestOf(call, undefined));
  }

  /** The lease that the call shows, taken by the request `by`; undefined when nobody saw it. `wrapped`: how it was handed over. */
  opened(call: Call, by: Wrapped | undefined, wrapped?: Issued['wrapped']): Change[] {
    const id = call.event.vault.lease?.id;
    if (id === undefined) return [];
    const mount = by?.mount ?? '';
    const path = id.slice(0, Math.max(0, id.lastIndexOf('/')));
    const rest = path.startsWith(mount) ? path.slice(mount.length) : path;
    const place = placeIn(by?.namespace ?? call.base.namespace, mount, id, rest);
    this.joins.sawMount(mount);
    const base = requestIn(call, by);
    const life =
      wrapped === undefined ? this.lifetimes.ofLease(call, place) : this.wrappedLife(call, place, by);
    const row: Issued = {
      change: 'issued',
      ...base,
      kind: 'lease',
      id,
      path: place.path,
      ...known({
        requested_by: by?.by,
        role: place.role,
        holder: by?.holder,
        holder_id: by?.holder_id,
        holder_token: by?.holder_token,
        wrapped,
        life,
      }),
    };
    this.askLease(call, place, { id, issuedAt: base.at, isByRole: by?.isByRole === true }, life);
    const isOfPlace = life?.source === 'role_config' || life?.source === 'dictionary';
    return [row, ...(isOfPlace ? this.lifetimes.nowKnown(place, life, base.cluster) : [])];
  }

  /** The call that opens it says nothing of how it was asked for. */
  private wrappedLife(call: Call, place: Place, by: Wrapped | undefined): Lifetime | undefined {
    return by?.isByRole === true ? this.lifetimes.ofPlace(call, place) : undefined;
  }

  private askLease(call: Call, place: Place, lease: Taken, life: Lifetime | undefined): void {
    const { id, issuedAt } = lease;
    const isFirst = life === undefined && (!lease.isByRole || this.lifetimes.wait(place, id, call.base.at));
    const need = isFirst ? 'lifetime' : 'sample';
    const question = { at: call.base.at, path: 'sys/leases/lookup', body: { lease_id: id }, need } as const;
    const role = { place: { ...place }, issuedAt };
    this.questions.put({ ...question, namespace: place.namespace }, lease.isByRole ? { role } : {});
  }
}
