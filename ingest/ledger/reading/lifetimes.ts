// How long a new lease lives. No audit line says it (vault-audit.md 4): it follows from what is known of its role and its mount.

import type { JsonObject } from '../../../core/event.ts';
import { limits } from '../../../core/limits.ts';
import { addSeconds, nanosBetween } from '../../../core/time.ts';
import type { Directory, Lifetime, LifetimeTold } from '../change.ts';
import { effectiveLifetime } from '../directory/lifetime.ts';
import { Bounded, type ReadMemory } from './bounded.ts';
import { type Call, numberOf } from './call.ts';
import type { Joins } from './joins.ts';

/** Where a lease comes from: `database/`, `database/creds/readonly`, `readonly`. */
export interface Place {
  namespace: string;
  mount: string;
  path: string;
  role?: string;
}

/** A lease by the look-up of which its role's lifetime was learnt. */
interface Learnt {
  ttl_s: number;
  proof: string;
  issuedAt: string;
}
/** What the last writes of a role said, hashed as they are. */
interface Written {
  at: string;
  proof: string;
  ttl?: string | number;
  max?: string | number;
}

export class Lifetimes {
  private readonly memory: ReadMemory;
  private readonly directory: Directory;
  private readonly joins: Joins;
  private readonly learnt: Bounded<Learnt>;
  private readonly changed: Bounded<string>;
  private readonly written: Bounded<Written>;
  /** Leases of a place whose lifetime nobody could tell yet. */
  private readonly unknown: Bounded<string[]>;
  /** Place to the time when its lifetime was asked for. */
  private readonly asked: Bounded<string>;

  constructor(memory: ReadMemory, directory: Directory, joins: Joins) {
    this.memory = memory;
    this.directory = directory;
    this.joins = joins;
    this.learnt = new Bounded(memory, 'read/learnt', limits.readingRolesMax);
    this.changed = new Bounded(memory, 'read/changed', limits.readingRolesMax);
    this.written = new Bounded(memory, 'read/written', limits.readingRolesMax);
    this.unknown = new Bounded(memory, 'read/unknown', limits.readingRolesMax);
    this.asked = new Bounded(memory, 'read/places-asked', limits.readingRolesMax);
  }

  /** Lifetime of a lease that the call took from `place`; undefined when nothing tells it. */
  ofLease(call: Call, place: Place): Lifetime | undefined {
    return capped(call, this.ofAnswer(call) ?? this.ofRequest(call, place) ?? this.ofPlace(call, place));
  }

  /** As the settings of role and mount have it, whoever takes it. */
  ofPlace(call: Call, place: Place): Lifetime | undefined {
    return this.ofLearnt(place) ?? this.ofRole(place) ?? this.ofWrite(call, place);
  }

  private ofLearnt(place: Place): Lifetime | undefined {
    const learnt = this.learnt.get(keyOf(place));
    if (learnt === undefined || learnt.issuedAt < this.changedAt(place)) return undefined;
    return { ttl_s: learnt.ttl_s, source: 'role_config', ...this.maxOf(place), proof: learnt.proof };
  }

  /** Greatest lifetime that role and mount allow, renewals and all. */
  maxOf({ namespace, mount, role }: Place): { max_ttl_s?: number } {
    const ofRole =
      role && this.directory.current('role', namespace, `${mount}roles/${role}`)?.value?.max_ttl_s;
    const ofMount = this.directory.current('mount', namespace, mount)?.value?.max_lease_ttl_s;
    const max = Math.min(ofRole || Number.POSITIVE_INFINITY, ofMount || Number.POSITIVE_INFINITY);
    return Number.isFinite(max) ? { max_ttl_s: max } : {};
  }

  /** A look-up of a lease that was issued at `issuedAt` shows for how long the others of its place live. */
  learn(place: Place, issuedAt: string, ttl_s: number, proof: string): Lifetime | undefined {
    const before = this.learnt.get(keyOf(place));
    if (before === undefined || before.issuedAt <= issuedAt)
      this.learnt.set(keyOf(place), { ttl_s, proof, issuedAt });
    return this.ofLearnt(place);
  }

  /**
   * The lease's lifetime is not known; it is told when its place's is. Whether nobody asks for that one yet: of many leases of a role
   * that come at once, one look-up tells of all.
   */
  wait(place: Place, id: string, at: string): boolean {
    const key = keyOf(place);
    const asked = this.asked.get(key);
    const isOpen =
      asked !== undefined &&
      at < addSeconds(asked, limits.readingQuestionSeconds) &&
      asked >= this.changedAt(place);
    if (!isOpen) this.asked.set(key, at);
    const waiting = this.unknown.get(key) ?? [];
    this.unknown.set(key, [...waiting, id].slice(-limits.readingRoleLeasesMax));
    return !isOpen;
  }

  /** The lifetime of a place is known now: its leases that came before have had it all along, if the role has not changed since. */
  nowKnown(place: Place, life: Lifetime, cluster: string): LifetimeTold[] {
    const waiting = this.unknown.get(keyOf(place));
    if (waiting === undefined) return [];
    this.unknown.delete(keyOf(place));
    const { namespace } = place;
    return waiting.flatMap((id) => {
      const at = this.memory.held(id)?.lease.issued_at;
      if (at === undefined || at < this.changedAt(place)) return [];
      return [{ change: 'lifetime' as const, at, proof: life.proof, cluster, namespace, id, life }];
    });
  }

  /** The settings of an engine's role changed: what was known of it holds for leases of before. */
  roleChanged(call: Call, role: string, isWrite: boolean): void {
    const { base, mount, data, event } = call;
    const key = `${base.namespace}${mount} ${role}`;
    this.changed.set(key, base.at);
    if (!isWrite) {
      this.written.delete(key);
      return;
    }
    // An update leaves what it does not name as it was; what that was, only an earlier write tells.
    const before = event.vault.request.operation === 'create' ? undefined : this.written.get(key);
    const ttl = shownIn(data, ['default_ttl', 'ttl', 'token_default_ttl']) ?? before?.ttl;
    const max = shownIn(data, ['max_ttl', 'token_max_ttl']) ?? before?.max;
    this.written.set(key, {
      at: base.at,
      proof: base.proof,
      ...(ttl === undefined ? {} : { ttl }),
      ...(max === undefined ? {} : { max }),
    });
    // The dictionary is asked for now, so that it is known when the first lease comes.
    this.joins.seconds(call, ttl);
    this.joins.seconds(call, max);
  }

  /** A mount was tuned, or its engine configured. */
  mountChanged({ base }: Call, mount: string): void {
    this.changed.set(`${base.namespace}${mount}`, base.at);
  }

  private changedAt({ namespace, mount, role }: Place): string {
    const ofMount = this.changed.get(`${namespace}${mount}`) ?? '';
    const ofRole = this.changed.get(`${namespace}${mount} ${role ?? ''}`) ?? '';
    return ofMount > ofRole ? ofMount : ofRole;
  }

  /** The answer shows the end of a certificate, and its lease ends with it (vault-audit.md 6, pki). */
  private ofAnswer({ base, answer, event }: Call): Lifetime | undefined {
    const expiration = event.vault.request.mount_type === 'pki' ? numberOf(answer, 'expiration') : undefined;
    if (expiration === undefined || expiration <= 0 || expiration > SECONDS_MAX) return undefined;
    const expires_at = `${new Date(expiration * 1000).toISOString().slice(0, 19)}.000000000Z`;
    const ttl_s = Math.round(nanosBetween(base.at, expires_at) / 1e9);
    return ttl_s > 0 ? { ttl_s, source: 'audit', expires_at, proof: base.proof } : undefined;
  }

  /**
   * The caller asked for a lifetime of its own (`ttl` of Kubernetes, AWS and PKI): what the role has is then no answer. When it
   * is hashed it stays unknown: the dictionary is for sys, auth and role paths alone.
   */
  private ofRequest(call: Call, place: Place): Lifetime | 'unknown' | undefined {
    const shown = call.data['ttl'];
    if (shown === undefined || shown === 0 || shown === '') return undefined;
    if (typeof shown !== 'number' || shown < 0) return 'unknown';
    const max = this.maxOf(place);
    return { ttl_s: lower(shown, max), source: 'audit', ...max, proof: call.base.proof };
  }

  /** As role and mount were read. An AWS role without a lifetime of its own goes by `config/lease` first, which nobody reads. */
  private ofRole({ namespace, mount, role }: Place): Lifetime | undefined {
    if (role === undefined) return undefined;
    const path = `${mount}roles/${role}`;
    const isOwn = this.directory.current('role', namespace, path)?.value?.default_ttl_s !== 0;
    const isAws = this.directory.current('mount', namespace, mount)?.value?.type === 'aws';
    const life = isAws && !isOwn ? undefined : effectiveLifetime(this.directory, namespace, path, mount);
    return life && { ...life, source: 'role_config' };
  }

  /** What the role's last write said, as far as its hashes are those of usual words. */
  private ofWrite(call: Call, place: Place): Lifetime | undefined {
    const key = `${place.namespace}${place.mount} ${place.role ?? ''}`;
    const written = this.written.get(key);
    if (written === undefined) return undefined;
    const ttl = this.joins.seconds(call, written.ttl);
    const max = this.joins.seconds(call, written.max);
    if (ttl === undefined || ttl === 'unknown' || ttl.seconds === 0) return undefined;
    const cap = max === undefined || max === 'unknown' || max.seconds === 0 ? {} : { max_ttl_s: max.seconds };
    const source = ttl.how === 'shown' ? 'role_config' : 'dictionary';
    return { ttl_s: lower(ttl.seconds, cap), source, ...cap, proof: written.proof };
  }
}

/** Ids of places: of a namespace, a path. */
const keyOf = ({ namespace, path }: Place): string => `${namespace}${path}`;

const lower = (ttl: number, { max_ttl_s }: { max_ttl_s?: number }) => Math.min(ttl, max_ttl_s ?? ttl);

/** A lease of a batch token ends with it at the latest (vault-audit.md 4). */
function capped({ event, base }: Call, life: Lifetime | 'unknown' | undefined): Lifetime | undefined {
  if (life === undefined || life === 'unknown') return undefined;
  const { credential, token_expires_at: end } = event.vault.caller;
  const own = life.expires_at ?? addSeconds(base.at, life.ttl_s);
  if (credential !== 'batch' || end === undefined || own <= end) return life;
  return { ...life, ttl_s: Math.max(0, Math.round(nanosBetween(base.at, end) / 1e9)), expires_at: end };
}

function shownIn(data: JsonObject, names: string[]): string | number | undefined {
  for (const name of names) {
    const value = data[name];
    if (typeof value === 'string' || typeof value === 'number') return value;
  }
  return undefined;
}

const SECONDS_MAX = 10 ** 10;

/** The role that a path below its mount takes a credential of (vault-audit.md 6). */
const ISSUING = /^(?:issuer\/[^/]+\/)?(?:creds|sts|issue|sign|sign-verbatim|key|token)\/(.+)$/;

const LEASE = /^(.+?\/)((?:issuer\/[^/]+\/)?(?:creds|sts|issue|sign|sign-verbatim|key|token)\/.+)\/[^/]+$/;

/** The place that a lease id says, when nobody saw the lease being taken: its mount is then what stands before `creds/`. */
export function placeOf(namespace: string, id: string): Place {
  const [, mount = '', rest = ''] = LEASE.exec(id) ?? [];
  return placeIn(namespace, mount, id, rest);
}

/** Where the lease comes from: `rest` is its path below the mount. */
export function placeIn(namespace: string, mount: string, id: string, rest: string): Place {
  const role = ISSUING.exec(rest)?.[1];
  const path = id.slice(0, Math.max(0, id.lastIndexOf('/')));
  return { namespace, mount, path, ...(role === undefined ? {} : { role }) };
}
