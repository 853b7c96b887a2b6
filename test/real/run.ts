// Around a whole run of the real tests: a folder for the servers that all files share, which end with the run.

import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const serversDir = process.env['SERVERS_DIR'] ?? '/var/tmp/sealwatch-servers';

/** Before any file: they inherit the variable. */
export function setup(): void {
  mkdirSync(serversDir, { recursive: true });
  process.env['REAL_RUN_DIR'] = mkdtempSync(join(serversDir, 'run-'));
}

export async function teardown(): Promise<void> {
  const folder = process.env['REAL_RUN_DIR'];
  if (folder === undefined) return;
  for (const name of ['kafka', 'elasticsearch']) {
    if (!existsSync(join(folder, name))) continue;
    const env = { ...process.env, SERVERS_DIR: folder };
    await promisify(execFile)('bash', [join(resolve('test/real/servers'), name, 'stop.sh')], { env });
  }
  rmSync(folder, { recursive: true, force: true });
}
