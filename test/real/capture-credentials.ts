// Records what the ledger reads: lines of two audit devices, one with plain accessors, and what Vault answered to sealwatch.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AuditFile, hideFolder, tokenReplacer } from './audit-file.ts';
import { playCredentials } from './credentials-plan.ts';
import { startVault } from './servers.ts';

const linesOf = (lines: string[]) => lines.map((line) => `${line}\n`).join('');
const devices = { file: {}, plain: { hmac_accessor: 'false' } };

/** Writes `file.jsonl`, `plain.jsonl` and `answers.jsonl` (input of `replay --vault-answers`) to `target`; returns the number of lines. */
export async function captureCredentials(target: string): Promise<number> {
  await using running = await startVault('vault-credentials', 'inmem');
  const { vault, folder } = running;
  const files = new Map<string, AuditFile>();
  for (const [name, options] of Object.entries(devices)) {
    const path = join(folder, `${name}.log`);
    await vault.root('PUT', `sys/audit/${name}`, { type: 'file', options: { file_path: path, ...options } });
    files.set(name, new AuditFile(path));
  }
  for (const file of files.values()) file.take();
  const asker = { policies: ['all'], ttl: '1h' };
  const { auth } = await vault.must('POST', 'auth/token/create-orphan', {
    token: vault.rootToken,
    body: asker,
  });
  const answers: string[] = [];
  await playCredentials(vault, async (path, body) => {
    const answer = await vault.call('POST', path, { token: auth?.client_token ?? '', body });
    const { status, ...response } = answer;
    answers.push(
      JSON.stringify({ at: new Date().toISOString(), method: 'POST', path, body, status, response }),
    );
    return answer;
  });
  mkdirSync(target, { recursive: true });
  let count = answers.length;
  const replaceTokens = tokenReplacer();
  for (const [name, file] of files) {
    const lines = file.take().map((line) => hideFolder(replaceTokens(line), folder));
    writeFileSync(join(target, `${name}.jsonl`), linesOf(lines));
    count += lines.length;
  }
  writeFileSync(join(target, 'answers.jsonl'), linesOf(answers));
  return count;
}
