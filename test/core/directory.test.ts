// Which names of entities a person gave.

import { expect, it } from 'vitest';
import { type Fact, type FactValues, givenName } from '../../core/directory.ts';

const fact = (value: FactValues['entity'] | null, what: Fact['what'] = 'entity') =>
  ({ what, value }) as unknown as Fact;
const roleId = { name: 'my-role-id', mount_type: 'approle' };

it.each<[string, Fact, string | undefined]>([
  ['a name', fact({ name: 'Alice Example' }), 'Alice Example'],
  ['a name that is also that of an alias', fact({ name: 'alice', aliases: [{ name: 'alice' }] }), 'alice'],
  ['an automatic name', fact({ name: 'entity_8b129111' }), undefined],
  ['a name that begins like one', fact({ name: 'entity_of_alice' }), 'entity_of_alice'],
  ['a UUID', fact({ name: '8b129111-6344-6183-cdb2-73d6f62dbb9f' }), undefined],
  ['a role id', fact({ name: 'my-role-id', aliases: [{ name: 'alice' }, roleId] }), undefined],
  ['no name', fact({}), undefined],
  ['an entity that is gone', fact(null), undefined],
  ['a group', fact({ name: 'payments' }, 'group'), undefined],
])('%s', (_, given, name) => expect(givenName(given)).toBe(name));
