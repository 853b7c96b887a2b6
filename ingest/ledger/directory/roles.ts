// Roles: what their settings say of lifetimes and policies, and that they were changed.

import type { FactValues } from '../../../core/directory.ts';
import type { JsonObject } from '../../../core/event.ts';
import { type Answered, type Desk, isDone, type Seen } from './desk.ts';
import { issuingRole, mountOf, type RolePath, roleAt } from './paths.ts';
import type { Subject } from './store.ts';
import { isWhole, roleIn } from './values.ts';

type Role = FactValues['role'];

export class Roles {
  private readonly desk: Desk;

  constructor(desk: Desk) {
    this.desk = desk;
  }

  call(seen: Seen): void {
    if (!isDone(seen)) return;
    const issued = issuingRole(seen.event);
    if (issued !== undefined && seen.mayAsk)
      this.desk.questions.want({ namespace: seen.namespace, path: issued.key, at: seen.told.at });
    const mount = mountOf(seen.event);
    const type = seen.event.vault.request.mount_type ?? '';
    const role = mount === undefined ? undefined : roleAt(seen.path, mount, type);
    if (role === undefined) return;
    if (seen.verb === 'read') this.read(seen, role);
    else if (seen.verb === 'delete' && role.setting === '') this.deleted(seen, role);
    else if (seen.verb === 'write' || seen.verb === 'delete') this.written(seen, role);
  }

  /** A role whose path is in no known mount is no role: nobody asks for one. */
  answer(path: string, answer: Answered): void {
    const { store } = this.desk;
    const { cluster, namespace, told, data } = answer;
    const role = this.roleNamed(path, answer);
    if (role === undefined) return;
    const subject = { cluster, namespace, key: path };
    if (data === null) {
      if (store.current('role', subject) !== undefined) store.tell('role', subject, null, told);
      return;
    }
    store.tell(
      'role',
      subject,
      { ...baseOf(role, this.typeOf(subject, role)), ...roleIn(data, isAuth(role)) },
      told,
    );
  }

  /** The deepest mount above `path` that is known. */
  private roleNamed(path: string, { cluster, namespace }: Answered): RolePath | undefined {
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      const mount = path.slice(0, end + 1);
      const known = this.desk.store.value('mount', { cluster, namespace, key: mount });
      if (known === undefined) continue;
      const role = roleAt(path, mount, known.type ?? '');
      return role?.setting === '' ? role : undefined;
    }
    return undefined;
  }

  private typeOf(subject: Subject, { mount }: RolePath): string | undefined {
    return this.desk.store.value('mount', { ...subject, key: mount })?.type;
  }

  private read(seen: Seen, role: RolePath): void {
    const { store } = this.desk;
    const subject = subjectOf(seen, role);
    const known = store.value('role', subject);
    if (seen.response === undefined) {
      const isNone = seen.event.event.reason === 'no_data' && role.setting === '';
      if (isNone && known !== undefined) store.tell('role', subject, null, seen.told);
      return;
    }
    const shown = roleIn(seen.response, isAuth(role));
    const base = baseOf(role, seen.event.vault.request.mount_type);
    const isAll = role.setting === '' && isWhole(seen.response);
    // What contradicts is what was changed unseen: nothing older holds then.
    const kept = isAll || known === undefined || contradicts(known, shown) ? {} : known;
    if (isAll || Object.keys(shown).length > 0)
      store.tell('role', subject, { ...kept, ...base, ...shown }, seen.told);
  }

  /** Texts of a request are hashed, numbers too before OpenBao 2.4.2: nobody saw to what. PKI answers with the role as it is. */
  private written(seen: Seen, role: RolePath): void {
    const shown = { ...roleIn(seen.request, isAuth(role)), ...roleIn(seen.response ?? {}, isAuth(role)) };
    const base = baseOf(role, seen.event.vault.request.mount_type);
    this.desk.store.tell('role', subjectOf(seen, role), { ...base, ...shown }, seen.told);
    if (seen.mayAsk) this.desk.askAnew('role', subjectOf(seen, role), role.key, seen.told);
  }

  private deleted(seen: Seen, role: RolePath): void {
    this.desk.store.tell('role', subjectOf(seen, role), null, seen.told);
    if (seen.mayAsk) this.desk.questions.gone(seen.namespace, role.key, seen.told.at);
  }
}

const isAuth = ({ mount }: RolePath): boolean => mount.startsWith('auth/');

const baseOf = ({ mount, role }: RolePath, type: string | undefined): Role => ({
  mount,
  role,
  ...(type !== undefined && { mount_type: type }),
});

const subjectOf = ({ cluster, namespace }: Seen, { key }: RolePath): Subject => ({ cluster, namespace, key });

const contradicts = (known: Role, shown: Partial<Role>): boolean =>
  Object.entries(shown).some(([key, value]) => {
    const before = (known as unknown as JsonObject)[key];
    return before !== undefined && JSON.stringify(before) !== JSON.stringify(value);
  });
