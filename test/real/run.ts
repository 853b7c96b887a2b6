// Around a whole run of the real tests: a folder for the servers that all files share, which end with the run.

import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { stopSharedServers } from './shared-server.ts';

const serversDir = process.env['SERVERS_DIR'] ?? '/var/tmp/sealwatch-servers';

/** Before any file: they inherit the variable. */
export function setup(): void {
  mkdirSync(serversDir, { recursive: true });
  const folder = mkdtempSync(join(serversDir, 'run-'));
  // Elasticsearch runs as somebody who owns nothing else.
  chmodSync(folder, 0o755);
  process.env['REAL_RUN_DIR'] = folder;
}

export async function teardown(): Promise<void> {
  const folder = process.env['REAL_RUN_DIR'];
  if (folder === undefined) return;
  await stopSharedServers(folder);
  rmSync(folder, { recursive: true, force: true });
}
