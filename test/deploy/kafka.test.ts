// deploy/kafka says what storage/stream/kafka goes by.

import { expect, it } from 'vitest';
import { topics } from '../../core/records.ts';
import { grants, stageRights, users } from '../../storage/stream/kafka/rights.ts';
import { aclScript } from './kafka-scripts.ts';

it('deploy/kafka/acls.sh is made from the table of rights', async () => {
  await expect(aclScript()).toMatchFileSnapshot('../../deploy/kafka/acls.sh');
});

it('every topic is written and read by somebody, and raw by those alone who must', () => {
  const who = (what: 'reads' | 'writes', topic: string) =>
    Object.entries(stageRights).flatMap(([stage, rights]) => (rights[what].includes(topic) ? [stage] : []));
  for (const topic of Object.values(topics)) {
    expect(who('reads', topic), topic).not.toEqual([]);
    expect(who('writes', topic), topic).not.toEqual([]);
  }
  expect(who('writes', topics.raw)).toEqual(['collect', 'ledger', 'deliver', 'serve']);
  expect(who('reads', topics.raw)).toEqual(['normalise']);
  expect(who('writes', topics.alerts)).toEqual(['detect']);
});

it('only index and run delete, only doctor makes topics, and nobody alters the cluster', () => {
  const may = (operation: string) =>
    [...new Set(grants().flatMap((grant) => (grant.operation === operation ? grant.users : [])))].sort();
  expect(may('Delete')).toEqual(['index', 'run']);
  expect(may('Create')).toEqual(['doctor']);
  expect(may('AlterConfigs')).toEqual(['doctor']);
  expect(may('Describe')).toEqual([...users].sort());
});
