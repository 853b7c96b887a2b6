// Groups: their policies and members, as Vault tells them; calls show no more than that one was changed.

import type { FactValues } from '../../../core/directory.ts';
import { limits } from '../../../core/limits.ts';
import type { LedgerMemory } from '../../../core/ports.ts';
import { afterWrite } from './entities.ts';
import { type Desk, isDone, type Seen, type Told200 } from './seen.ts';
import { keyOf, type Subject } from './store.ts';
import { groupIn } from './values.ts';

type Group = FactValues['group'];

const BY_ID = /^identity\/group\/id\/([^/]+)$/;
const BY_NAME = /^identity\/group\/name\/(.+)$/;
/** Calls that change groups which no plain text names. */
const BY_BODY = /^identity\/(?:group$|group-alias(?:\/|$))/;

export class Groups {
  private readonly desk: Desk;
  private readonly memory: LedgerMemory;

  constructor(desk: Desk, memory: LedgerMemory) {
    this.desk = desk;
    this.memory = memory;
  }

  call(seen: Seen): void {
    const isChange = seen.verb === 'write' || seen.verb === 'delete';
    if (!isChange || !seen.path.startsWith('identity/group') || !isDone(seen)) return;
    const { cluster, namespace, told } = seen;
    const id = this.idIn(seen);
    if (id === undefined) {
      if (BY_BODY.test(seen.path) || BY_NAME.test(seen.path))
        this.memory.set('dir/changed', keyOf({ cluster, namespace, key: 'group' }), told.at);
    } else if (seen.verb === 'delete') {
      this.desk.store.tell('group', { cluster, namespace, key: id }, null, told);
      if (seen.mayAsk) this.desk.questions.gone(namespace, pathOf(id), told.at);
    } else this.written({ cluster, namespace, key: id }, seen);
  }

  /** An entity is in it. */
  seen(id: string, { cluster, namespace, told }: Told200): void {
    const changed = this.memory.get('dir/changed', keyOf({ cluster, namespace, key: 'group' }));
    const since = typeof changed === 'string' ? { changed } : {};
    this.desk.questions.want({ namespace, path: pathOf(id), at: told.at, ...since });
  }

  /** Returns the entities that have joined or left it since it was last known, and when that was at the earliest. */
  answer(
    path: string,
    { cluster, namespace, told, data }: Told200,
  ): { members: string[]; since: string } | undefined {
    const [, id] = BY_ID.exec(path) ?? [];
    if (id === undefined) return undefined;
    const subject = { cluster, namespace, key: id };
    const before = this.desk.store.current('group', subject);
    const known = this.members(subject);
    const value = data === null ? null : groupIn(data);
    this.desk.store.tell('group', subject, value, told, value?.name);
    if (value?.name !== undefined) this.memory.set('dir/name', nameKey(subject, value.name), id);
    const now = value?.member_entity_ids ?? [];
    this.memory.set('dir/members', keyOf(subject), now);
    if (before === undefined) return undefined;
    const members = [...now.filter((of) => !known.has(of)), ...[...known].filter((of) => !now.includes(of))];
    return { members: members.slice(0, limits.groupChangesAskedMax), since: before.at };
  }

  /** As Vault last told them: a call that changes them hides them from the fact. */
  private members(subject: Subject): Set<string> {
    return new Set((this.memory.get('dir/members', keyOf(subject)) ?? []) as string[]);
  }

  private idIn({ path, cluster, namespace }: Seen): string | undefined {
    const [, name] = BY_NAME.exec(path) ?? [];
    if (name === undefined) return BY_ID.exec(path)?.[1];
    const known = this.memory.get('dir/name', nameKey({ cluster, namespace, key: '' }, name));
    return typeof known === 'string' ? known : undefined;
  }

  private written(subject: Subject, seen: Seen): void {
    const { namespace, told, request, mayAsk } = seen;
    const known = this.desk.store.current('group', subject);
    const value: Group = afterWrite(known?.value ?? {}, request, groupIn(request));
    this.desk.store.tell('group', subject, value, told, value.name ?? known?.name);
    if (mayAsk)
      this.desk.questions.want({ namespace, path: pathOf(subject.key), at: told.at, changed: told.at });
  }
}

const pathOf = (id: string): string => `identity/group/id/${id}`;
/** Names of groups and of entities share a space. */
const nameKey = (subject: Subject, name: string): string => keyOf({ ...subject, key: `group ${name}` });
