// Facts and live tokens of a small organisation, for the tests of who could read.

import type { Fact, FactKind, FactValues } from '../../../core/directory.ts';
import type { Lease } from '../../../core/lease.ts';
import type { EvidenceBatch } from '../../../core/ports.ts';
import { aLease, at, reached } from '../../builders.ts';
import { batchOf } from '../../contract/evidence-store.ts';

interface Parts {
  time?: string;
  namespace?: string;
  source?: Fact['source'];
  cluster?: string;
}

export function aFact<W extends FactKind>(
  what: W,
  key: string,
  value: FactValues[W] | null,
  parts: Parts = {},
): Fact {
  const { time = at(0), namespace = '', source = 'vault', cluster = 'test' } = parts;
  const id = [what, cluster, namespace, key, time].join('|');
  return { id, what, cluster, namespace, key, at: time, value, source, proof: `proof of ${id}` } as Fact;
}

export const reading = (...paths: string[]): FactValues['policy'] => ({
  text: paths.map((path) => `path "${path}" { capabilities = ["read"] }`).join('\n'),
});

export function aToken(
  id: string,
  policies: string[],
  parts: {
    entity?: string;
    time?: string;
    ended?: string;
    path?: string;
    role?: string;
    cluster?: string;
  } = {},
): Lease {
  const { entity, time = at(0), ended, path = 'auth/token/create', role, cluster = 'test' } = parts;
  return {
    ...aLease({
      id: `token:${id}`,
      time,
      holder: policies.includes('root') ? 'root' : (entity ?? `token:${id}`),
    }),
    ...{
      kind: 'token',
      path,
      cluster,
      token: { policies, ...(entity !== undefined && { entity_id: entity }) },
    },
    ...(ended !== undefined && { ended_at: ended, state: 'expired' }),
    ...(role !== undefined && { role }),
  };
}

export const batchWith = (
  facts: Fact[],
  tokens: Lease[] = [],
  more: Partial<EvidenceBatch> = {},
): EvidenceBatch =>
  batchOf({
    facts,
    leases: tokens.map((body) => ({ revision: 1, body })),
    offsets: reached(at(100)),
    ...more,
  });

const noGroups = { policies: [], member_entity_ids: [], member_group_ids: [] };

/** anna may by her group, bert by a policy of his own, the role by its policies; carla is disabled, dora has nothing. */
export const organisation: Fact[] = [
  aFact('policy', 'app', reading('secret/data/app')),
  aFact('policy', 'own', reading('secret/data/{{identity.entity.name}}', 'secret/data/app')),
  aFact('policy', 'default', { text: '' }),
  aFact('entity', 'e-anna', { name: 'anna', policies: [], metadata: {}, aliases: [] }),
  aFact('entity', 'e-bert', { name: 'bert', policies: ['own'], metadata: {}, aliases: [] }),
  aFact('entity', 'e-carla', { name: 'carla', policies: ['app'], disabled: true }),
  aFact('entity', 'e-dora', { name: 'dora', policies: ['not-there'] }),
  aFact('policy', 'not-there', null),
  aFact('group', 'g-team', { ...noGroups, name: 'team', member_entity_ids: ['e-anna'] }),
  aFact('group', 'g-all', {
    ...noGroups,
    name: 'all',
    policies: ['app'],
    member_group_ids: ['g-team', 'g-all'],
  }),
  aFact('role', 'auth/approle/role/orders', {
    mount: 'auth/approle/',
    role: 'orders',
    token_policies: ['app'],
  }),
  aFact('role', 'auth/approle/role/other', { mount: 'auth/approle/', role: 'other', token_policies: [] }),
  aFact('role', 'database/roles/app', { mount: 'database/', role: 'app' }),
];
