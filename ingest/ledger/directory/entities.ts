// Entities: who a caller is, as its calls show it and as Vault tells it.

import { type Fact, type FactValues, isGivenName } from '../../../core/directory.ts';
import type { JsonObject } from '../../../core/event.ts';
import { limits } from '../../../core/limits.ts';
import { type Answered, type Desk, isDone, type Seen } from './desk.ts';
import { keyOf, type Subject, type Told } from './store.ts';
import { entityIn, objectIn, textIn } from './values.ts';

type Entity = FactValues['entity'];
type Alias = NonNullable<Entity['aliases']>[number];

const BY_ID = /^identity\/entity\/id\/([^/]+)$/;
const BY_NAME = /^identity\/entity\/name\/(.+)$/;
/** Calls that change entities which no plain text names: by a body of hashes, or by the id of an alias. */
const BY_BODY =
  /^identity\/(?:entity$|entity\/(?:merge|batch-delete)$|entity-alias(?:\/|$)|alias(?:\/|$)|persona(?:\/|$))/;

/** Methods whose user names are the names of their aliases (vault-audit.md 5). */
const named = new Set(['userpass', 'ldap', 'okta', 'radius', 'github', 'kerberos', 'jwt', 'oidc']);

export class Entities {
  private readonly desk: Desk;
  /** Tells of a group that an entity is in. */
  private readonly group: (id: string, answer: Answered) => void;

  constructor(desk: Desk, group: (id: string, answer: Answered) => void) {
    this.desk = desk;
    this.group = group;
  }

  call(seen: Seen): void {
    this.sight(seen);
    if (!isDone(seen) || !seen.path.startsWith('identity/')) return;
    if (seen.verb === 'read') this.read(seen);
    else if (seen.verb !== 'other') this.change(seen);
  }

  /** Nothing is known yet of the entity that calls. */
  isFirst({ event, cluster, namespace }: Seen): boolean {
    const key = event.vault.caller.entity_id;
    return key !== undefined && this.desk.store.current('entity', { cluster, namespace, key }) === undefined;
  }

  answer(path: string, answer: Answered): void {
    const [, id] = BY_ID.exec(path) ?? [];
    if (id === undefined) return;
    const { cluster, namespace, told, data } = answer;
    const subject = { cluster, namespace, key: id };
    if (data === null) this.removed(subject, told);
    else {
      const value = entityIn(data);
      this.name(subject, value.name);
      const name = nameOf(value, data);
      const before = this.desk.store.current('entity', subject);
      // Vault has none: the name that its calls showed goes on.
      if (name === undefined) this.keepName(subject, value, told, before);
      else this.desk.store.tell('entity', subject, value, told, name);
      for (const group of value.group_ids ?? []) this.group(group, answer);
    }
  }

  private keepName(
    subject: Subject,
    value: Entity | null,
    told: Told,
    before: Fact<'entity'> | undefined,
  ): void {
    const nameSource = before?.name_source ?? before?.source;
    this.desk.store.tell('entity', subject, value, { ...told, nameSource }, before?.name);
  }

  /** Asks about an entity of whose groups one has changed. */
  member(id: string, { namespace, told }: Answered, changed: string): void {
    this.desk.questions.want({ namespace, path: pathOf(id), at: told.at, changed });
  }

  /** Who called: what the call shows of it, until Vault has told. */
  private sight(seen: Seen): void {
    const { caller } = seen.event.vault;
    const id = caller.entity_id;
    if (id === undefined) return;
    const subject = { cluster: seen.cluster, namespace: seen.namespace, key: id };
    const known = this.desk.store.current('entity', subject);
    // What is gone still calls, and is refused.
    if (known?.value === null && (!isDone(seen) || seen.told.at <= known.at)) return;
    // A token made by a token, or of a wrapped answer, is called whatever its maker wrote.
    const name = caller.auth_method === 'token' ? undefined : seen.event.user.name;
    const alias = aliasOf(seen);
    if (known?.value == null || known.source === 'audit') {
      const value = withAlias(known?.value ?? {}, alias);
      if (known?.name === undefined) this.desk.store.tell('entity', subject, value, seen.told, name);
      else this.keepName(subject, value, seen.told, known);
    }
    const isNew = known?.source === 'vault' && alias !== undefined && lacks(known.value ?? {}, alias);
    if (seen.mayAsk)
      this.want(seen, id, isNew ? seen.told.at : this.desk.lastChange('entity', subject).changed);
  }

  private want({ namespace, told: { at } }: Seen, id: string, changed?: string): void {
    const path = pathOf(id);
    this.desk.questions.want({ namespace, path, at, ...(changed !== undefined && { changed }) });
  }

  private read(seen: Seen): void {
    const [, id] = BY_ID.exec(seen.path) ?? [];
    const disabled = seen.response?.['disabled'];
    if (id === undefined || typeof disabled !== 'boolean') return;
    const subject = { cluster: seen.cluster, namespace: seen.namespace, key: id };
    const known = this.desk.store.current('entity', subject);
    // Of all that is read only this is no text, and so not hashed.
    if (known?.value === undefined || (known.value?.disabled ?? false) === disabled) return;
    this.keepName(subject, { ...known.value, disabled }, seen.told, known);
    if (seen.mayAsk) this.desk.askAnew('entity', subject, pathOf(id), seen.told);
  }

  private change(seen: Seen): void {
    const id = this.idIn(seen);
    const { cluster, namespace, told } = seen;
    if (id !== undefined) {
      const subject = { cluster, namespace, key: id };
      if (seen.verb === 'delete') {
        this.removed(subject, told);
        if (seen.mayAsk) this.desk.questions.gone(namespace, pathOf(id), told.at);
      } else {
        this.written(subject, seen);
        if (seen.mayAsk) this.desk.askAnew('entity', subject, pathOf(id), told);
      }
    } else if (BY_BODY.test(seen.path) || BY_NAME.test(seen.path))
      this.desk.someChanged('entity', seen, told.at);
  }

  private idIn({ path, cluster, namespace }: Seen): string | undefined {
    const [, name] = BY_NAME.exec(path) ?? [];
    if (name === undefined) return BY_ID.exec(path)?.[1];
    const id = this.desk.names.get(keyOf({ cluster, namespace, key: name }));
    if (id === undefined) return undefined;
    // It may have another name by now, and somebody else this one.
    return this.desk.store.value('entity', { cluster, namespace, key: id })?.name === name ? id : undefined;
  }

  /** An update changes what it names and nothing else; what is hashed in it is not known any more. */
  private written(subject: Subject, { request, told }: Seen): void {
    const known = this.desk.store.current('entity', subject);
    const value = afterWrite(known?.value ?? {}, request, entityIn(request));
    if ('name' in request) this.desk.store.tell('entity', subject, value, told, nameOf(value, {}));
    else this.keepName(subject, value, told, known);
  }

  private removed(subject: Subject, told: Told): void {
    // In a namespace below its own an entity is not found though it is there (from the source, not run).
    const known = this.desk.store.current('entity', subject);
    if (told.source === 'vault' && subject.namespace !== '' && known?.source !== 'vault') return;
    this.desk.store.tell('entity', subject, null, told);
  }

  private name(subject: Subject, name: string | undefined): void {
    if (name !== undefined) this.desk.names.set(keyOf({ ...subject, key: name }), subject.key);
  }
}

const pathOf = (id: string): string => `identity/entity/id/${id}`;

/** `known` less what `request` names, and with what of it can be read. */
export function afterWrite<T extends object>(known: T, request: JsonObject, shown: T): T {
  const kept = Object.entries(known).filter(([name]) => !(name in request));
  return { ...Object.fromEntries(kept), ...shown } as T;
}

/** The alias of a login: its mount, and its name where the method shows that. Later calls only tell where it probably was. */
function aliasOf({ event }: Seen): Partial<Alias> | undefined {
  const { auth_method: type, auth_mount: mount, subject } = event.vault.caller;
  if (event.event.action !== 'user-login' || mount === undefined || type === undefined) return undefined;
  const name = named.has(type) ? subject : undefined;
  return { ...(name !== undefined && { name }), mount_path: mount, mount_type: type };
}

/** An entity has one alias of a mount at most. */
const lacks = ({ aliases = [] }: Entity, { mount_path: mount }: Partial<Alias>): boolean =>
  !aliases.some(({ mount_path: path }) => path === mount);

/** As long as nobody but the calls tells of aliases. */
function withAlias(value: Entity, alias: Partial<Alias> | undefined): Entity {
  const { aliases = [] } = value;
  const isFurther =
    alias?.name !== undefined && lacks(value, alias) && aliases.length < limits.entityAliasesMax;
  return isFurther ? { ...value, aliases: [...aliases, alias as Alias] } : value;
}

/**
 * What people call it: the name that somebody gave it, else by its alias the role, the service account or the user. `data`: the
 * answer, in which aliases have metadata of their own.
 */
function nameOf(value: Entity, data: JsonObject): string | undefined {
  if (isGivenName(value)) return value.name;
  const list = data['aliases'] ?? value.aliases;
  for (const item of Array.isArray(list) ? list.slice(0, limits.entityAliasesMax) : []) {
    const alias = objectIn(item) ?? {};
    const metadata = objectIn(alias['metadata']) ?? {};
    const [account, of] = [
      textIn(metadata, 'service_account_name'),
      textIn(metadata, 'service_account_namespace'),
    ];
    const shown =
      textIn(metadata, 'role_name') ??
      (of !== undefined && account !== undefined ? `${of}/${account}` : undefined) ??
      textIn(metadata, 'username');
    if (shown !== undefined) return shown;
    const name = textIn(alias, 'name');
    if (name !== undefined && !UUID.test(name)) return name;
  }
  return undefined;
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
