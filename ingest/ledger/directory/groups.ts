// Groups: their policies and members, as Vault tells them; calls show no more than that one was changed.

import type { FactValues } from '../../../core/directory.ts';
import { limits } from '../../../core/limits.ts';
import type { LedgerMemory } from '../../../core/ports.ts';
import { Bounded } from '../reading/bounded.ts';
import { type Answered, type Desk, isDone, type Seen } from './desk.ts';
import { afterWrite } from './entities.ts';
import { keyOf, type Subject } from './store.ts';
import { groupIn } from './values.ts';

type Group = FactValues['group'];

const BY_ID = /^identity\/group\/id\/([^/]+)$/;
const BY_NAME = /^identity\/group\/name\/(.+)$/;

export class Groups {
  private readonly desk: Desk;
  /** Members as Vault last told them: a call that changes them hides them from the fact. */
  private readonly members: Bounded<string[]>;

  constructor(desk: Desk, memory: LedgerMemory) {
    this.desk = desk;
    this.members = new Bounded(memory, 'dir/members', limits.directoryFactsMax);
  }

  call(seen: Seen): void {
    const isChange = seen.verb === 'write' || seen.verb === 'delete';
    if (!isChange || !seen.path.startsWith('identity/group') || !isDone(seen)) return;
    const { cluster, namespace, told } = seen;
    const id = this.idIn(seen);
    const subject = id === undefined ? undefined : { cluster, namespace, key: id };
    const isKnown = subject !== undefined && this.desk.store.current('group', subject) !== undefined;
    if (id === undefined) this.desk.someChanged('group', seen, told.at);
    // Whoever may be in it has other groups now; of one that is known its answer tells who.
    if (!isKnown || seen.verb === 'delete') this.desk.someChanged('entity', seen, told.at);
    if (subject === undefined) return;
    if (seen.verb === 'delete') {
      this.desk.store.tell('group', subject, null, told);
      if (seen.mayAsk) this.desk.questions.gone(namespace, pathOf(subject.key), told.at);
    } else this.written(subject, seen);
  }

  /** An entity is in it. */
  seen(id: string, { cluster, namespace, told }: Answered): void {
    const change = this.desk.lastChange('group', { cluster, namespace });
    this.desk.questions.want({ namespace, path: pathOf(id), at: told.at, ...change });
  }

  /** Returns the entities that have joined or left it since it was last known, and when that was at the earliest. */
  answer(
    path: string,
    { cluster, namespace, told, data }: Answered,
  ): { members: string[]; since: string } | undefined {
    const [, id] = BY_ID.exec(path) ?? [];
    if (id === undefined) return undefined;
    const subject = { cluster, namespace, key: id };
    const before = this.desk.store.current('group', subject);
    const known = new Set(this.members.get(keyOf(subject)));
    const value = data === null ? null : groupIn(data);
    this.desk.store.tell('group', subject, value, told, value?.name);
    if (value?.name !== undefined) this.desk.names.set(nameKey(subject, value.name), id);
    const now = value?.member_entity_ids ?? [];
    this.members.set(keyOf(subject), now);
    if (before === undefined) return undefined;
    const members = [...now.filter((of) => !known.has(of)), ...[...known].filter((of) => !now.includes(of))];
    return { members: members.slice(0, limits.groupChangesAskedMax), since: before.at };
  }

  private idIn({ path, cluster, namespace }: Seen): string | undefined {
    const [, name] = BY_NAME.exec(path) ?? [];
    if (name === undefined) return BY_ID.exec(path)?.[1];
    const id = this.desk.names.get(nameKey({ cluster, namespace, key: '' }, name));
    if (id === undefined) return undefined;
    // It may have another name by now, and another group this one.
    return this.desk.store.value('group', { cluster, namespace, key: id })?.name === name ? id : undefined;
  }

  private written(subject: Subject, seen: Seen): void {
    const { told, request, mayAsk } = seen;
    const known = this.desk.store.current('group', subject);
    const value: Group = afterWrite(known?.value ?? {}, request, groupIn(request));
    this.desk.store.tell('group', subject, value, told, value.name ?? known?.name);
    if (mayAsk) this.desk.askAnew('group', subject, pathOf(subject.key), told);
  }
}

const pathOf = (id: string): string => `identity/group/id/${id}`;
/** Names of groups and of entities share a space. */
const nameKey = (subject: Subject, name: string): string => keyOf({ ...subject, key: `group ${name}` });
