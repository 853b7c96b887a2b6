// Auth and secret mounts: their type, and the lifetimes that hold for what they give out.

import type { FactValues } from '../../../core/directory.ts';
import type { JsonObject } from '../../../core/event.ts';
import { limits } from '../../../core/limits.ts';
import type { LedgerMemory } from '../../../core/ports.ts';
import { Bounded } from '../reading/bounded.ts';
import { type Answered, type Desk, isDone, type Seen } from './desk.ts';
import { mountOf } from './paths.ts';
import { keyOf, present, type Subject, type Told } from './store.ts';
import { mountIn, objectIn, secondsIn, textIn } from './values.ts';

type Mount = FactValues['mount'];

/**
 * Lifetimes in two ways: as the mount is tuned, where 0 leaves it to the system (`sys/mounts`, `sys/auth`), and as they hold in
 * effect (`.../tune`, `sys/internal/ui/mounts`).
 */
interface Lifetimes {
  default_ttl?: number;
  max_ttl?: number;
}
interface Ttls {
  tuned?: Lifetimes;
  effective?: Lifetimes;
}

/** Paths of a mount's description and of its tuning; `sys/mounts/auth/approle/tune` is an auth mount's too. */
const ONE = /^sys\/(mounts|auth)\/(.+?)(\/tune)?$/;
const UI = /^sys\/internal\/ui\/mounts\/(.+)$/;

export class Mounts {
  private readonly desk: Desk;
  private readonly ttls: Bounded<Ttls>;

  constructor(desk: Desk, memory: LedgerMemory) {
    this.desk = desk;
    this.ttls = new Bounded(memory, 'dir/ttl', limits.directoryFactsMax);
  }

  /** The mount that a call went to, and what the call says of mounts. */
  call(seen: Seen): void {
    this.sight(seen);
    this.wantLists(seen);
    if (!isDone(seen) || !seen.path.startsWith('sys/')) return;
    if (seen.verb === 'read') this.read(seen);
    else if (seen.path === 'sys/remount') this.wantLists(seen, seen.told.at);
    else this.change(seen);
  }

  answer(list: 'sys/mounts' | 'sys/auth', answer: Answered): void {
    if (answer.data !== null) this.list(list === 'sys/auth' ? 'auth/' : '', answer.data, answer, true);
  }

  /** Every call shows the type of the mount that it went to; of a mount that is known to be gone, that it is back. */
  private sight(seen: Seen): void {
    const mount = mountOf(seen.event);
    const type = seen.event.vault.request.mount_type;
    if (mount === undefined || type === undefined) return;
    const subject = subjectOf(seen, mount);
    const known = this.desk.store.current('mount', subject);
    if (known?.value?.type === type || (known?.value === null && seen.told.at <= known.at)) return;
    // Another type than known: it is another mount.
    const kept = known?.value?.type === undefined ? known?.value : {};
    this.desk.store.tell('mount', subject, { ...kept, type }, seen.told);
    if (known?.value?.type !== undefined) this.wantLists(seen, seen.told.at);
  }

  private wantLists({ namespace, told: { at }, mayAsk }: Seen, changed?: string): void {
    if (!mayAsk) return;
    const refreshSeconds = limits.directoryRefreshSeconds;
    for (const path of ['sys/mounts', 'sys/auth'])
      this.desk.questions.want({
        namespace,
        path,
        at,
        refreshSeconds,
        ...(changed !== undefined && { changed }),
      });
  }

  private read(seen: Seen): void {
    const { path, response } = seen;
    if (response === undefined) return;
    if (path === 'sys/mounts') this.list('', response, seen, true);
    else if (path === 'sys/auth') this.list('auth/', response, seen, true);
    else if (path === 'sys/internal/ui/mounts') {
      // Only those that the caller may see.
      this.list('', objectIn(response['secret']) ?? {}, seen, false);
      this.list('auth/', objectIn(response['auth']) ?? {}, seen, false);
    } else this.readOne(seen, response);
  }

  private readOne(seen: Seen, response: JsonObject): void {
    const [, asked] = UI.exec(seen.path) ?? [];
    if (asked !== undefined) {
      // Its own path is hashed in the answer: it is the deepest mount that the path which was asked for begins with.
      const key = textIn(response, 'path') ?? this.deepestAbove(seen, `${asked}/`);
      if (key !== undefined) this.tell(subjectOf(seen, key), response, seen.told, 'effective');
      return;
    }
    const [, list, name, tune] = ONE.exec(seen.path) ?? [];
    if (list === undefined || name === undefined) return;
    const how = tune === undefined ? 'tuned' : 'effective';
    this.tell(subjectOf(seen, keyIn(list, name)), response, seen.told, how);
  }

  private change(seen: Seen): void {
    const [, list, name, tune] = ONE.exec(seen.path) ?? [];
    if (list === undefined || name === undefined) return;
    const subject = subjectOf(seen, keyIn(list, name));
    if (tune !== undefined && seen.verb === 'write') this.tuned(subject, seen);
    else if (seen.verb === 'write') {
      this.ttls.delete(keyOf(subject));
      this.desk.store.tell('mount', subject, mountIn(seen.request), seen.told);
    } else if (seen.verb === 'delete') this.removed(subject, seen.told);
    else return;
    // Newer than all that is known of it, also when the call came late.
    this.wantLists(seen, this.desk.store.current('mount', subject)?.at);
  }

  /** Settings that the request names have changed, to what only a plain number says; type and accessor stay. */
  private tuned(subject: Subject, { request, told }: Seen): void {
    const known = this.desk.store.value('mount', subject) ?? {};
    const { default_lease_ttl_s: _, max_lease_ttl_s: __, version, token_type, ...kept } = known;
    const to = mountIn(request);
    this.ttls.delete(keyOf(subject));
    const value: Mount = {
      ...kept,
      ...present({
        default_lease_ttl_s: settingAfter(request, 'default_lease_ttl', known.default_lease_ttl_s),
        max_lease_ttl_s: settingAfter(request, 'max_lease_ttl', known.max_lease_ttl_s),
        version: 'options' in request ? to.version : version,
        token_type: 'token_type' in request ? to.token_type : token_type,
      }),
    };
    this.desk.store.tell('mount', subject, value, told);
  }

  /** What was under it is gone with it. */
  private removed(subject: Subject, told: Told): void {
    const { store } = this.desk;
    this.ttls.delete(keyOf(subject));
    store.tell('mount', subject, null, told);
    // The aliases of its logins go with it.
    if (subject.key.startsWith('auth/')) this.desk.someChanged('entity', subject, told.at);
    for (const { key } of store.under('role', subject)) store.tell('role', { ...subject, key }, null, told);
  }

  /** `all`: whatever is not in the list is not there. */
  private list(
    prefix: '' | 'auth/',
    data: JsonObject,
    from: { cluster: string; namespace: string; told: Told },
    all: boolean,
  ): void {
    const mounts = Object.entries(data).filter(([path, mount]) => path.endsWith('/') && objectIn(mount));
    const keys = new Set<string>();
    for (const [path, mount] of mounts.slice(0, limits.directoryListMax)) {
      const key = prefix + path;
      keys.add(key);
      this.tell(subjectOf(from, key), mount as JsonObject, from.told, all ? 'tuned' : 'effective');
    }
    if (!all || keys.size === 0) return;
    for (const { key } of this.desk.store.under('mount', subjectOf(from, prefix)))
      if (!keys.has(key) && (prefix !== '' || !key.startsWith('auth/')))
        this.removed(subjectOf(from, key), from.told);
  }

  private tell(subject: Subject, data: JsonObject, told: Told, how: keyof Ttls): void {
    const { store } = this.desk;
    const config = objectIn(data['config']) ?? data;
    const shown = present({
      default_ttl: secondsIn(config, 'default_lease_ttl'),
      max_ttl: secondsIn(config, 'max_lease_ttl'),
    });
    const ttls = this.learn(subject, shown, how);
    const { default_lease_ttl_s: _, max_lease_ttl_s: __, ...known } = store.value('mount', subject) ?? {};
    const lifetimes = present({
      default_lease_ttl_s: ttls.effective?.default_ttl ?? (ttls.tuned?.default_ttl || undefined),
      max_lease_ttl_s: ttls.effective?.max_ttl ?? (ttls.tuned?.max_ttl || undefined),
    });
    store.tell('mount', subject, { ...known, ...mountIn(data), ...lifetimes }, told);
  }

  /** What holds in effect is known until the mount is seen to be tuned otherwise. */
  private learn(subject: Subject, shown: Lifetimes, how: keyof Ttls): Ttls {
    const key = keyOf(subject);
    const known = this.ttls.get(key) ?? {};
    const { tuned } = known;
    const isOther =
      how === 'tuned' &&
      tuned !== undefined &&
      (tuned.default_ttl !== shown.default_ttl || tuned.max_ttl !== shown.max_ttl);
    const { effective: _, ...rest } = known;
    const next: Ttls = { ...(isOther ? rest : known), [how]: shown };
    this.ttls.set(key, next);
    return next;
  }

  private deepestAbove(seen: Seen, path: string): string | undefined {
    const parts = path.split('/');
    for (let depth = Math.min(parts.length - 1, DEPTH_MAX); depth > 0; depth--) {
      const key = `${parts.slice(0, depth).join('/')}/`;
      if (this.desk.store.value('mount', subjectOf(seen, key)) !== undefined) return key;
    }
    return undefined;
  }
}

/** Parts of a mount's path that are looked at. */
const DEPTH_MAX = 10;

const subjectOf = ({ cluster, namespace }: { cluster: string; namespace: string }, key: string): Subject => ({
  cluster,
  namespace,
  key,
});

const keyIn = (list: string, name: string): string => {
  const path = name.endsWith('/') ? name : `${name}/`;
  return list === 'auth' ? `auth/${path}` : path;
};

/** After a write of `data`: the plain number it gives (OpenBao 2.4.2 and later), unknown when hashed, as before when not named. */
const settingAfter = (data: JsonObject, key: string, before: number | undefined): number | undefined =>
  key in data ? secondsIn(data, key) || undefined : before;
