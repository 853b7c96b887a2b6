// What was given out: tokens by logins and by other tokens, and leases; and tokens that were there before the log began.

import type { TokenDetails } from '../../../core/lease.ts';
import { addSeconds } from '../../../core/time.ts';
import type { Change, Directory, Issued, Lifetime } from '../change.ts';
import type { ReadMemory } from './bounded.ts';
import { type Call, isHash, known, tokenId } from './call.ts';
import type { Joins } from './joins.ts';
import { type Lifetimes, type Place, placeIn } from './lifetimes.ts';
import type { Questions } from './questions.ts';
import { isByRole, type Wrapped, Wraps } from './wraps.ts';

/** A lease that was given out. */
interface Taken {
  id: string;
  issuedAt: string;
  isByRole: boolean;
}

export class Issues {
  private readonly memory: ReadMemory;
  private readonly directory: Directory;
  private readonly joins: Joins;
  private readonly lifetimes: Lifetimes;
  private readonly questions: Questions;
  private readonly wraps: Wraps;

  constructor(
    memory: ReadMemory,
    directory: Directory,
    parts: { joins: Joins; lifetimes: Lifetimes; questions: Questions },
  ) {
    this.memory = memory;
    this.directory = directory;
    this.joins = parts.joins;
    this.lifetimes = parts.lifetimes;
    this.questions = parts.questions;
    this.wraps = new Wraps(memory, parts.joins.names);
  }

  /** Everything that the call gave out, wrapped or not. */
  given(call: Call): Change[] {
    const { event } = call;
    const { action } = event.event;
    if (action === 'response-unwrap') return this.unwrapped(call);
    const token = event.vault.issued && action !== 'token-renew' ? this.token(call) : undefined;
    const lease = event.vault.lease && action !== 'lease-renew' ? this.lease(call) : [];
    return [...(token === undefined ? [] : [token]), ...lease, ...this.wraps.created(call, token?.id)];
  }

  /** The caller's token, when no row tells of it: it was issued before the log began, or its issue was lost. */
  firstSeen(call: Call): Change[] {
    const { event, token, base, handles } = call;
    if (token === undefined || this.memory.held(token) !== undefined) return [];
    const { caller } = event.vault;
    if (caller.kind === 'anonymous') return [];
    const proof = base.proof;
    const { token_issued_at: issuedAt, token_ttl_s: ttl_s, token_expires_at: expires_at } = caller;
    // Past its first term nobody can say when it ends: it was renewed, and no line tells to when.
    const life: Lifetime | undefined =
      ttl_s === undefined || expires_at === undefined
        ? undefined
        : { ttl_s, source: 'audit', expires_at, proof };
    const uses = handles.uses_left;
    this.joins.names.sawAccessor(caller.accessor);
    if (life === undefined && caller.credential !== 'root') this.askToken(call, caller.accessor);
    const row: Issued = {
      change: 'issued',
      ...base,
      at: issuedAt ?? base.at,
      kind: 'token',
      id: token,
      ...known({ role: caller.role, holder: event.user.name, life }),
      holder_id: event.user.id,
      token: known({
        ...shownBy(call),
        accessor: caller.accessor,
        type: caller.credential === 'batch' ? 'batch' : undefined,
        uses_left: uses,
      }),
    };
    return [row];
  }

  /** A login, or `auth/token/create`: of a wrapped one only the accessor is known. */
  private token(call: Call): Issued | undefined {
    const { event, base, handles } = call;
    const { issued, request, caller } = event.vault;
    const name = issued?.accessor ?? handles.issued;
    if (issued === undefined || name === undefined) return undefined;
    const id = tokenId(this.joins.names.canonical(name));
    this.joins.names.learnToken(handles.issued, id);
    this.joins.names.sawAccessor(issued.accessor);
    this.joins.sawMount(call.mount);
    const isLogin = call.token === undefined;
    const parent = isLogin || isOrphan(call) ? undefined : call.token;
    const role = isLogin ? caller.role : /^create\/(.+)$/.exec(call.rest)?.[1];
    const wrap = event.vault.wrap === undefined ? undefined : { by: event.user.id, at: base.at };
    const holder = issued.entity_id !== undefined && issued.entity_id === caller.entity_id;
    return {
      change: 'issued',
      ...base,
      kind: 'token',
      id,
      path: request.path ?? '',
      requested_by: event.user.id,
      holder_id: issued.entity_id ?? id,
      ...known({
        role,
        holder: isLogin || holder ? event.user.name : undefined,
        holder_token: parent,
        wrapped: wrap,
        life: this.tokenLife(call, role),
      }),
      token: this.details(call, isLogin, role, id),
    };
  }

  private details(call: Call, isLogin: boolean, role: string | undefined, id: string): TokenDetails {
    const { event, base } = call;
    const { issued, caller } = event.vault;
    const parent = call.token === undefined ? undefined : this.memory.held(call.token)?.lease.token;
    return known({
      ...(isLogin ? shownBy(call) : { auth_method: 'token', auth_mount: 'auth/token/' }),
      ...this.periodOf(call, role, id),
      accessor: issued?.accessor,
      entity_id: issued?.entity_id,
      kind: isLogin ? caller.kind : undefined,
      login: isLogin ? base.proof : parent?.login,
      num_uses: issued?.num_uses,
      uses_left: issued?.num_uses,
      // The parent of a token of a role is not in the log: the role may make orphans.
      orphan: isLogin || isOrphan(call) ? true : role === undefined ? false : undefined,
      policies: issued?.policies,
      type: issued?.type,
    });
  }

  private tokenLife(call: Call, role: string | undefined): Lifetime | undefined {
    const ttl_s = call.event.vault.issued?.ttl_s;
    if (ttl_s === undefined || ttl_s <= 0) return undefined;
    const settings = this.settingsOf(call, role);
    const asked = this.joins.seconds(call, call.data['explicit_max_ttl']);
    const max =
      settings?.token_explicit_max_ttl_s ||
      (settings?.token_period_s ? undefined : settings?.token_max_ttl_s) ||
      (typeof asked === 'object' ? asked.seconds : undefined);
    return { ttl_s, source: 'audit', ...(max ? { max_ttl_s: max } : {}), proof: call.base.proof };
  }

  /** Told by the role, or by the call; when its hash is explained later, then. */
  private periodOf(
    call: Call,
    role: string | undefined,
    id: string,
  ): { period_s?: number; periodic?: 'told' } {
    const shown = call.mount === 'auth/token/' ? call.data['period'] : undefined;
    const asked = this.joins.seconds(call, shown);
    const period =
      this.settingsOf(call, role)?.token_period_s || (typeof asked === 'object' && asked.seconds);
    if (period) return { period_s: period, periodic: 'told' };
    const ttl_s = call.event.vault.issued?.ttl_s;
    if (asked === 'unknown' && typeof shown === 'string' && ttl_s !== undefined) {
      const life: Lifetime = { ttl_s, source: 'audit', proof: call.base.proof };
      this.joins.whenWord(shown, { change: 'lifetime', ...call.base, id, life, token: {} });
    }
    return {};
  }

  /** What is known of the role, or of the user, that the token was given to. */
  private settingsOf({ base, mount, event }: Call, role: string | undefined) {
    const { subject, credential } = event.vault.caller;
    const paths =
      mount === 'auth/token/'
        ? [role === undefined ? undefined : `${mount}roles/${role}`]
        : [
            role === undefined ? undefined : `${mount}role/${role}`,
            credential !== 'none' || subject === undefined ? undefined : `${mount}users/${subject}`,
          ];
    for (const path of paths) {
      const value =
        path === undefined ? undefined : this.directory.current('role', base.namespace, path)?.value;
      if (value) return value;
    }
    return undefined;
  }

  private lease(call: Call): Change[] {
    const { event, base, mount } = call;
    return this.opened(call, {
      at: base.at,
      proof: base.proof,
      namespace: base.namespace,
      path: '',
      mount,
      rest: call.rest,
      by: event.user.id,
      holder_id: event.user.id,
      isLogin: false,
      isByRole: isByRole(call),
      ...known({ holder: event.user.name, holder_token: call.token }),
    });
  }

  /** The lease that the call shows, of whoever made the request. */
  private opened(call: Call, by: Wrapped | undefined, wrapped?: Issued['wrapped']): Change[] {
    const id = call.event.vault.lease?.id;
    if (id === undefined) return [];
    const mount = by?.mount ?? '';
    const path = id.slice(0, Math.max(0, id.lastIndexOf('/')));
    const rest = path.startsWith(mount) ? path.slice(mount.length) : path;
    const place = placeIn(by?.namespace ?? call.base.namespace, mount, id, rest);
    this.joins.sawMount(mount);
    const base = by === undefined ? call.base : { ...call.base, ...at(by), namespace: by.namespace };
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
    const need = life === undefined ? 'lifetime' : 'sample';
    if (life === undefined && lease.isByRole) this.lifetimes.wait(place, id);
    const question = { at: call.base.at, path: 'sys/leases/lookup', body: { lease_id: id }, need } as const;
    const role = { place: { ...place }, issuedAt };
    this.questions.put({ ...question, namespace: place.namespace }, lease.isByRole ? { role } : {});
  }

  private askToken({ base }: Call, accessor: string | undefined): void {
    if (accessor === undefined || isHash(accessor)) return;
    const question = { at: base.at, path: 'auth/token/lookup-accessor', need: 'lifetime' } as const;
    this.questions.put({ ...question, body: { accessor }, namespace: base.namespace });
  }

  private unwrapped(call: Call): Change[] {
    const { wrapped: by, changes } = this.wraps.opened(call);
    const { event, base } = call;
    const ip = event.source?.ip;
    const wrapped = by && { by: by.by, at: by.at, opened_at: base.at, ...known({ opened_from: ip }) };
    return [...changes, ...this.opened(call, by, wrapped), ...this.tokenIn(call, by, wrapped)];
  }

  /** The token in a wrapped answer: it has been told of by its accessor, unless it is a batch token or the wrapping was not seen. */
  private tokenIn(call: Call, by: Wrapped | undefined, wrapped: Issued['wrapped']): Change[] {
    const { event, base, handles } = call;
    const { issued } = event.vault;
    const name = issued?.accessor ?? handles.issued;
    if (issued === undefined || name === undefined) return [];
    const id = tokenId(this.joins.names.canonical(name));
    this.joins.names.learnToken(handles.issued, id);
    this.joins.names.sawAccessor(issued.accessor);
    const from = { ...base, ...(by === undefined ? {} : { ...at(by), namespace: by.namespace }) };
    const life: Lifetime | undefined =
      issued.ttl_s === undefined
        ? undefined
        : {
            ttl_s: issued.ttl_s,
            source: 'audit',
            expires_at: addSeconds(from.at, issued.ttl_s),
            proof: base.proof,
          };
    const { accessor, entity_id, num_uses, policies, type } = issued;
    const token = known({ accessor, entity_id, num_uses, uses_left: num_uses, policies, type });
    if (by?.token === id) {
      const ip = event.source?.ip;
      const opened: Change = { change: 'opened', ...base, id, ...known({ opened_from: ip }) };
      return [
        opened,
        ...(life === undefined ? [] : [{ change: 'lifetime' as const, ...from, id, life, token }]),
      ];
    }
    return [
      {
        change: 'issued',
        ...from,
        kind: 'token',
        id,
        holder_id: entity_id ?? id,
        token,
        ...known({
          path: by?.path,
          requested_by: by?.by,
          wrapped,
          life,
          holder_token: by?.isLogin === false ? by.holder_token : undefined,
        }),
      },
    ];
  }
}

const at = ({ at: time, proof }: Wrapped): { at: string; proof: string } => ({ at: time, proof });

/** The token of the call as its metadata and display name show it. */
function shownBy({ event }: Call) {
  const { auth_method, auth_mount, display_name, entity_id, kind, policies } = event.vault.caller;
  return { auth_method, auth_mount, display_name, entity_id, kind, policies };
}

/** A token that no other token's end ends: said by the path, or by `no_parent`, which is plain (vault-audit.md 4). */
const isOrphan = ({ rest, data }: Call): boolean =>
  rest.startsWith('create-orphan') || data['no_parent'] === true;
