// Three nodes of a real Vault behind one address: the session outlives the end of the active node, a standby's redirect, and a
// restart of all of them.

import { writeFileSync } from 'node:fs';
import { createConnection, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { vaultSettings } from '../../core/config-vault.ts';
import type { LoginKeeper } from '../../vault/login-keeper.ts';
import { type OpenVault, openVault } from '../../vault/open.ts';
import { RaftCluster, until } from './raft.ts';

let cluster: RaftCluster;
let balancer: Server;
let opened: OpenVault & { keeper: LoginKeeper };
const log: string[] = [];
/** The node that the balancer sends to; a real one knows as little about who is active. */
let target = 0;

beforeAll(async () => {
  cluster = await RaftCluster.start('leader');
  balancer = createServer((socket) => {
    const port = Number(new URL(cluster.nodes[target]?.address ?? '').port);
    const onward = createConnection({ port, host: '127.0.0.1' });
    socket.pipe(onward).pipe(socket);
    for (const end of [socket, onward])
      end.on('error', () => {
        socket.destroy();
        onward.destroy();
      });
  });
  await new Promise<void>((done) => balancer.listen(0, '127.0.0.1', done));
  const { vault } = await cluster.active();
  await vault.root('POST', 'sys/auth/approle', { type: 'approle' });
  await vault.root('POST', 'auth/approle/role/sealwatch', { token_ttl: '30m' });
  const { data } = await vault.root('GET', 'auth/approle/role/sealwatch/role-id');
  const secret = await vault.root('POST', 'auth/approle/role/sealwatch/secret-id', {});
  const [roleIdFile, secretIdFile] = [join(cluster.folder, 'role-id'), join(cluster.folder, 'secret-id')];
  writeFileSync(roleIdFile, String(data['role_id']));
  writeFileSync(secretIdFile, String(secret.data['secret_id']));
  const address = `http://127.0.0.1:${(balancer.address() as { port: number }).port}`;
  const say = (fields: object, message: string) => void log.push(JSON.stringify([fields, message]));
  opened = openVault(
    vaultSettings.parse({ address, login: { method: 'approle', roleIdFile, secretIdFile } }),
    {
      logger: { debug: say, info: say, warn: say, error: say },
      now: Date.now,
      random: Math.random,
      env: {},
      onLogin: () => {},
    },
  ) as typeof opened;
  await opened.keeper.step();
});

afterAll(async () => {
  balancer?.close();
  await cluster?.[Symbol.asyncDispose]();
});

const look = () => opened.session.read('auth/token/lookup-self');
const answers = () => until('an answer', async () => ((await look()).fault === undefined ? true : undefined));

it('every node answers it, a standby too', async () => {
  for (target = 0; target < cluster.nodes.length; target++)
    expect((await look()).fault, `node ${target}`).toBeUndefined();
  expect(opened.keeper.counters.logins).toBe(1);
});

it('the token is good after the active node was killed', async () => {
  const active = await cluster.active();
  target = cluster.nodes.indexOf(active);
  await cluster.kill(active);
  expect((await look()).fault).toBeDefined();
  target = (target + 1) % cluster.nodes.length;
  await answers();
  expect(opened.keeper.counters.logins).toBe(1);
  await cluster.restart(active);
});

it('and after all of them were started again', async () => {
  for (const node of cluster.nodes) if (node.process !== undefined) await cluster.kill(node);
  expect((await look()).fault).toBeDefined();
  // Unsealing waits for a leader, which two nodes have to elect.
  await Promise.all(cluster.nodes.map((node) => cluster.restart(node)));
  await answers();
  expect(opened.keeper.counters.logins).toBe(1);
});
