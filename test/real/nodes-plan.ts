// What happens on a cluster of three nodes: calls, the active node dies in the middle of them, the next one takes over.

import { setTimeout as sleep } from 'node:timers/promises';
import { addPerson, password } from './furnish.ts';
import type { RaftCluster } from './raft.ts';
import type { Vault } from './vault-client.ts';

/** Enables KV, userpass and two devices: one file a node, and the socket that `address` names. */
export async function furnishCluster(vault: Vault, address: string): Promise<void> {
  await vault.root('PUT', 'sys/audit/file', { type: 'file', options: { file_path: 'audit.log' } });
  const options = { address, socket_type: 'unix' };
  await vault.root('PUT', 'sys/audit/socket', { type: 'socket', options });
  await vault.root('POST', 'sys/mounts/secret', { type: 'kv', options: { version: '2' } });
  await vault.root('POST', 'sys/auth/userpass', { type: 'userpass' });
  await vault.root('PUT', 'sys/policies/acl/team', {
    policy: 'path "secret/+/team/*" { capabilities = ["create", "read", "update"] }',
  });
  await addPerson(vault, 'alice');
}

/** Calls of alice before, while and after the active node is killed; returns the names of both active nodes. */
export async function playFailover(cluster: RaftCluster): Promise<{ killed: string; successor: string }> {
  const first = await cluster.active();
  const token = await first.vault.login('auth/userpass/login/alice', { password }, '127.0.0.11');
  const work = async (vault: Vault, from: number, to: number) => {
    for (let i = from; i < to; i++) {
      const path = `secret/data/team/plan-${i}`;
      const options = { token, from: '127.0.0.11' };
      await vault.must('POST', path, { ...options, body: { data: { n: 'example' } } });
      await vault.must('GET', path, options);
    }
  };
  await work(first.vault, 0, 10);
  // A kill in the middle of calls: some are answered, some are cut off.
  const busy = Promise.allSettled([work(first.vault, 100, 200), work(first.vault, 200, 300)]);
  await sleep(50);
  await cluster.kill(first);
  await busy;
  const successor = await cluster.active();
  await work(successor.vault, 20, 30);
  // A standby passes calls on to the active node.
  const standby = cluster.nodes.find((node) => node !== first && node !== successor);
  if (standby === undefined) throw new Error('three nodes were expected');
  await work(standby.vault, 30, 33);
  await cluster.restart(first);
  await work(first.vault, 40, 43);
  return { killed: first.name, successor: successor.name };
}
