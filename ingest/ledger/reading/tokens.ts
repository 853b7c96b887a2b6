// Tokens as they are given out, by logins and by other tokens; and those that were there before the log began.

import type { TokenDetails } from '../../../core/lease.ts';
import { limits } from '../../../core/limits.ts';
import { addSeconds } from '../../../core/time.ts';
import type { Change, Directory, Issued, Lifetime } from '../change.ts';
import { Bounded, type ReadMemory } from './bounded.ts';
import { type Call, isHash, known, tokenId } from './call.ts';
import type { Joins } from './joins.ts';
import type { Questions } from './questions.ts';
import { isOrphan, requestIn, type Wrapped } from './wraps.ts';

export class Tokens {
  private readonly memory: ReadMemory;
  private readonly directory: Directory;
  private readonly joins: Joins;
  private readonly questions: Questions;
  /** Token roles by whether their tokens are orphans. */
  private readonly orphans: Bounded<boolean>;

  constructor(memory: ReadMemory, directory: Directory, parts: { joins: Joins; questions: Questions }) {
    this.memory = memory;
    this.directory = directory;
    this.joins = parts.joins;
    this.questions = parts.questions;
    this.orphans = new Bounded(memory, 'read/orphans', limits.readingRolesMax);
  }

  /** A role of `auth/token/` was written or read: both show in plain whether it makes orphans. */
  role({ base, rest, data, answer, event }: Call): void {
    const name = /^roles\/([^/]+)$/.exec(rest)?.[1];
    if (name === undefined) return;
    const key = base.namespace + name;
    const orphan = event.event.action === 'role-read' ? answer['orphan'] : data['orphan'];
    if (event.event.action === 'role-delete') this.orphans.delete(key);
    else if (typeof orphan === 'boolean') this.orphans.set(key, orphan);
    else if (event.vault.request.operation === 'create') this.orphans.set(key, false);
  }

  /** Whether no token's end ends it; undefined when a role decides that nobody has seen. */
  private isOrphan(call: Call, role: string | undefined): boolean | undefined {
    if (call.token === undefined || isOrphan(call)) return true;
    if (role === undefined) return false;
    return this.orphans.get(call.base.namespace + role) ?? this.settingsOf(call, role)?.orphan;
  }

  /** The caller's token, when no row tells of it: it was issued before the log began, or its issue was lost; or no row names it. */
  firstSeen(call: Call): Change[] {
    const { event, token, base, handles } = call;
    const { caller } = event.vault;
    if (token === undefined || caller.kind === 'anonymous') return [];
    const held = this.memory.held(token);
    if (held !== undefined) return held.lease.holder === undefined ? nameOf(call, token) : [];
    const proof = base.proof;
    const { token_issued_at: issuedAt, token_ttl_s: ttl_s, token_expires_at: expires_at } = caller;
    // Past its first term nobody can say when it ends: it was renewed, and no line tells to when.
    const life: Lifetime | undefined =
      ttl_s === undefined || expires_at === undefined
        ? undefined
        : { ttl_s, source: 'audit', expires_at, proof };
    const uses = handles.uses_left;
    this.joins.names.sawAccessor(caller.accessor);
    if (life === undefined && caller.credential !== 'root') this.ask(call, caller.accessor);
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
  given(call: Call): Issued | undefined {
    const { event, base } = call;
    const { issued, request, caller } = event.vault;
    const id = this.learn(call);
    if (issued === undefined || id === undefined) return undefined;
    this.joins.sawMount(call.mount);
    const isLogin = call.token === undefined;
    const role = isLogin ? caller.role : /^create\/(.+)$/.exec(call.rest)?.[1];
    const orphan = this.isOrphan(call, role);
    const wrap = event.vault.wrap === undefined ? undefined : { by: event.user.id, at: base.at };
    if (orphan === undefined || (wrap !== undefined && issued.ttl_s === undefined))
      this.ask(call, issued.accessor);
    const holder = issued.entity_id !== undefined && issued.entity_id === caller.entity_id;
    return {
      change: 'issued',
      ...base,
      kind: 'token',
      id,
      path: request.path ?? '',
      requested_by: event.user.id,
      ...known({
        role,
        // Of a wrapped `token create` only the accessor shows: whose it is, is seen when it is opened.
        holder_id: issued.entity_id ?? (wrap !== undefined && !isLogin ? undefined : id),
        holder: isLogin || holder ? event.user.name : undefined,
        holder_token: orphan ? undefined : call.token,
        wrapped: wrap,
        life: this.tokenLife(call, role),
      }),
      token: this.details(call, isLogin, role, id),
    };
  }

  /** A token that was in a wrapped answer. `by`: what is known of the call that it is the answer to. */
  opened(call: Call, by: Wrapped | undefined, wrapped: Issued['wrapped']): Issued[] {
    const { event, base } = call;
    const { issued } = event.vault;
    const id = this.learn(call);
    if (issued === undefined || id === undefined) return [];
    const from = requestIn(call, by);
    const { accessor, entity_id, num_uses, policies, type, ttl_s } = issued;
    const life: Lifetime | undefined =
      ttl_s === undefined
        ? undefined
        : { ttl_s, source: 'audit', expires_at: addSeconds(from.at, ttl_s), proof: base.proof };
    return [
      {
        change: 'issued',
        ...from,
        kind: 'token',
        id,
        holder_id: entity_id ?? id,
        token: known({ accessor, entity_id, num_uses, uses_left: num_uses, policies, type }),
        // A token with an accessor has been told of at the call itself, with its parent.
        ...known({
          path: by?.path,
          requested_by: by?.by,
          wrapped,
          life,
          holder_token: by?.token === id || by?.isLogin === true ? undefined : by?.holder_token,
        }),
      },
    ];
  }

  /** Row id of the token that the call gave out. */
  private learn({ event, handles }: Call): string | undefined {
    const accessor = event.vault.issued?.accessor;
    const name = accessor ?? handles.issued;
    if (name === undefined) return undefined;
    const id = tokenId(this.joins.names.canonical(name));
    this.joins.names.learnToken(handles.issued, id);
    this.joins.names.sawAccessor(accessor);
    return id;
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
      orphan: this.isOrphan(call, role),
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

  /** What no line tells of a token, a look-up does: when it ends, whether it is periodic or an orphan. */
  private ask({ base }: Call, accessor: string | undefined): void {
    if (accessor === undefined || isHash(accessor)) return;
    const question = { at: base.at, path: 'auth/token/lookup-accessor', need: 'lifetime' } as const;
    this.questions.put({ ...question, body: { accessor }, namespace: base.namespace });
  }
}

/** A token that another one made shows its name when it is used first. */
function nameOf(call: Call, id: string): Change[] {
  const { name, id: holder_id } = call.event.user;
  if (name === undefined) return [];
  const token = known(shownBy(call));
  return [{ change: 'issued', ...call.base, kind: 'token', id, holder: name, holder_id, token }];
}

/** The token of the call as its metadata and display name show it. */
function shownBy({ event }: Call) {
  const { auth_method, auth_mount, display_name, entity_id, kind, policies } = event.vault.caller;
  return { auth_method, auth_mount, display_name, entity_id, kind, policies };
}
