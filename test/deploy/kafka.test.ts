// deploy/kafka says what storage/stream/kafka goes by.

import { expect, it } from 'vitest';
import { topics } from '../../core/records.ts';
import { MEMORY } from '../../storage/replica/topic.ts';
import { grants, stageRights, users } from '../../storage/stream/kafka/rights.ts';
import { topicPlans } from '../../storage/stream/kafka/topics.ts';
import { aclScript, topicScript } from './kafka-scripts.ts';

it('deploy/kafka/acls.sh is made from the table of rights', async () => {
  await expect(aclScript()).toMatchFileSnapshot('../../deploy/kafka/acls.sh');
});

it('deploy/kafka/topics.sh is made from the plans of topics', async () => {
  await expect(topicScript()).toMatchFileSnapshot('../../deploy/kafka/topics.sh');
});

it('somebody has each memory, and nobody another stage has it', () => {
  const memories = topicPlans('', 2).flatMap(({ topic }) => (topic.startsWith(MEMORY) ? [topic] : []));
  expect(memories.length).toBeGreaterThan(3);
  for (const topic of memories) {
    const who = Object.entries(stageRights).filter(([, { writes }]) =>
      writes.some((name) => name === topic || (name.endsWith('-') && topic.startsWith(name))),
    );
    expect(
      who.map(([stage]) => stage),
      topic,
    ).toEqual([topic.endsWith('.ledger') ? 'ledger' : 'detect']);
  }
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
