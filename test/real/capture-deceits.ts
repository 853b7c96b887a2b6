// Records calls that name another credential than the one that Vault takes: lines of two audit devices, and what lives after them.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AuditFile, hideFolder, tokenReplacer } from './audit-file.ts';
import { playDeceits } from './deceits-plan.ts';
import { startVault } from './servers.ts';

const devices = { file: {}, plain: { hmac_accessor: 'false' } };

/** Writes `file.jsonl`, `plain.jsonl` and `outcome.jsonl` (a credential a line, with its hashes) to `target`; returns their lines. */
export async function captureDeceits(target: string): Promise<number> {
  await using running = await startVault('vault-deceits', 'inmem');
  const { vault, folder } = running;
  const files = new Map<string, AuditFile>();
  for (const [name, options] of Object.entries(devices)) {
    const path = join(folder, `${name}.log`);
    await vault.root('PUT', `sys/audit/${name}`, { type: 'file', options: { file_path: path, ...options } });
    files.set(name, new AuditFile(path));
  }
  for (const file of files.values()) file.take();
  const outcome = await playDeceits(vault);
  const written = new Map([...files].map(([name, file]) => [name, file.take()]));
  const rows: string[] = [];
  for (const [state, names] of Object.entries(outcome)) {
    for (const name of names as string[]) {
      const hashes: Record<string, unknown> = {};
      for (const device of files.keys())
        hashes[device] = (await vault.root('POST', `sys/audit-hash/${device}`, { input: name })).data['hash'];
      rows.push(JSON.stringify({ state, name, hashes }));
    }
  }
  mkdirSync(target, { recursive: true });
  const replaceTokens = tokenReplacer();
  let count = rows.length;
  for (const [name, lines] of written) {
    const clean = lines.map((line) => hideFolder(replaceTokens(line), folder));
    writeFileSync(join(target, `${name}.jsonl`), clean.map((line) => `${line}\n`).join(''));
    count += clean.length;
  }
  writeFileSync(join(target, 'outcome.jsonl'), rows.map((row) => `${row}\n`).join(''));
  return count;
}
