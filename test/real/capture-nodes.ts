// Records a cluster whose active node is killed: the audit file of each node, and what came over one socket from all of them.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { hideFolder, tokenReplacer } from './audit-file.ts';
import { furnishCluster, playFailover } from './nodes-plan.ts';
import { RaftCluster } from './raft.ts';

/** Writes `file-NODE.jsonl` for each node and `socket.jsonl` to `target`; returns how many lines. */
export async function captureNodes(target: string): Promise<number> {
  await using cluster = await RaftCluster.start('vault-capture-nodes');
  const path = join(cluster.folder, 'audit.sock');
  let socketText = '';
  const server = createServer((socket) => {
    // A killed node leaves half a line: it ends where its connection ends.
    let part = '';
    socket.on('data', (chunk) => {
      part += chunk.toString();
      const end = part.lastIndexOf('\n') + 1;
      socketText += part.slice(0, end);
      part = part.slice(end);
    });
    socket.on('error', () => {});
  });
  await new Promise<void>((listening) => server.listen(path, listening));
  await furnishCluster((await cluster.active()).vault, path);
  await playFailover(cluster);
  const logs = new Map([['socket', socketText]]);
  for (const { name } of cluster.nodes) {
    const file = join(cluster.folderOf(name), 'audit.log');
    if (existsSync(file)) logs.set(`file-${name}`, readFileSync(file, 'utf8'));
  }
  server.close();
  mkdirSync(target, { recursive: true });
  const replaceTokens = tokenReplacer();
  let count = 0;
  for (const [name, text] of logs) {
    const lines = text.split('\n').filter((line) => line !== '');
    count += lines.length;
    writeFileSync(
      join(target, `${name}.jsonl`),
      lines.map((line) => `${hideFolder(replaceTokens(line), cluster.folder)}\n`).join(''),
    );
  }
  return count;
}
