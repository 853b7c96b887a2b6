// Records what the directory is built from: the audit lines of one default device, and what Vault answered to sealwatch.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AuditFile, hideFolder } from './audit-file.ts';
import { playDirectory } from './directory-plan.ts';
import { startVault } from './servers.ts';

const linesOf = (lines: string[]) => lines.map((line) => `${line}\n`).join('');

/** Writes `audit.jsonl` and `answers.jsonl` (input of `replay --vault-answers`) to `target`; returns the number of lines. */
export async function captureDirectory(target: string): Promise<number> {
  await using running = await startVault('vault-directory', 'inmem');
  const { vault, folder } = running;
  const path = join(folder, 'file.log');
  await vault.root('PUT', 'sys/audit/file', { type: 'file', options: { file_path: path } });
  const file = new AuditFile(path);
  file.take();
  const answers: string[] = [];
  await playDirectory(vault, async (asked) => {
    const { status, ...response } = await vault.call('GET', asked, { token: vault.rootToken });
    answers.push(
      JSON.stringify({ at: new Date().toISOString(), method: 'GET', path: asked, status, response }),
    );
    return { status, ...response };
  });
  const lines = file.take().map((line) => hideFolder(line, folder));
  mkdirSync(target, { recursive: true });
  writeFileSync(join(target, 'audit.jsonl'), linesOf(lines));
  writeFileSync(join(target, 'answers.jsonl'), linesOf(answers));
  return lines.length + answers.length;
}
