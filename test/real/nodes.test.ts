// Three real Vault nodes with a file device each and one Unix socket; the active one is killed in the middle of calls.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AuditEvent } from '../../core/event.ts';
import { furnishCluster, playFailover } from './nodes-plan.ts';
import { Product } from './product.ts';
import { RaftCluster } from './raft.ts';

let cluster: RaftCluster;
let product: Product;
let killed: string;
let successor: string;
const names = ['n1', 'n2', 'n3'];

beforeAll(async () => {
  cluster = await RaftCluster.start('vault-nodes');
  const dataDir = join(cluster.folder, 'data');
  const socket = join(cluster.folder, 'audit.sock');
  mkdirSync(dataDir);
  const config = join(cluster.folder, 'sealwatch.yml');
  const devices = names.map((node) => ({
    type: 'file',
    device: 'file',
    node,
    path: join(cluster.folderOf(node), 'audit.log'),
  }));
  writeFileSync(config, JSON.stringify({ devices, tcp: { enabled: false }, unix: { path: socket } }));
  product = await Product.start(dataDir, { SEALWATCH_CONFIG: config });
  await furnishCluster((await cluster.active()).vault, socket);
  ({ killed, successor } = await playFailover(cluster));
});

afterAll(async () => {
  await product?.stop();
  await cluster?.[Symbol.asyncDispose]();
});

interface Line {
  type: string;
  request: { id?: string };
}

/** Which halves of which request each node's file shows. */
function written(): Map<string, { node: string; types: string[] }> {
  const calls = new Map<string, { node: string; types: string[] }>();
  for (const node of names) {
    const path = join(cluster.folderOf(node), 'audit.log');
    if (!existsSync(path)) continue;
    const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
    for (const { type, request } of lines.map((line) => JSON.parse(line) as Line)) {
      const id = request.id ?? '';
      const call = calls.get(id) ?? { node, types: [] };
      call.types.push(type);
      calls.set(id, call);
    }
  }
  return calls;
}

const events = () => product.all<AuditEvent>('/v1/events', 500);

describe('a cluster whose active node is killed', () => {
  it('each call of each file is one event that names its node', async () => {
    const calls = written();
    expect(new Set([...calls.values()].map(({ node }) => node))).toContain(killed);
    expect(new Set([...calls.values()].map(({ node }) => node))).toContain(successor);
    const found = await product.until('all calls of the files', async () => {
      const ids = new Map((await events()).map((event) => [event.event.id, event]));
      return [...calls.keys()].every((id) => ids.has(id)) ? ids : undefined;
    });
    const list = await events();
    expect(new Set(list.map(({ event }) => event.id)).size).toBe(list.length);
    for (const [id, { node, types }] of calls) {
      const event = found.get(id);
      expect([id, event?.vault.nodes]).toEqual([id, [node]]);
      expect([id, event?.vault.devices]).toEqual([id, expect.arrayContaining(['file'])]);
      if (types.length === 2) expect([id, event?.vault.pair]).toEqual([id, 'both']);
    }
  });

  it('the successor and the node that came back are heard on both devices', async () => {
    const whole = (await events()).filter(({ vault }) => vault.nodes?.includes(successor));
    expect(whole.length).toBeGreaterThan(20);
    const both = whole.filter(({ vault }) => [...vault.devices].sort().join() === 'file,unix');
    expect(both.length).toBeGreaterThan(whole.length / 2);
  });

  it('what the dying node left as a half is a half', async () => {
    const calls = [...written()].filter(([, { types }]) => types.length === 1).map(([id]) => id);
    const halves = await product.until('halves', async () => {
      const list = (await events()).filter(({ event }) => calls.includes(event.id));
      return list.length === calls.length ? list : undefined;
    });
    for (const { vault } of halves) expect(['request_only', 'response_only', 'both']).toContain(vault.pair);
  });

  it('and the product ends cleanly', async () => {
    expect(await product.stop()).toBe(0);
  });
});
