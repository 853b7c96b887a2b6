// Makes test/fixtures and deploy/sample again from a real Vault, or only some. Run: node commands/setup.mjs fixtures [scenes|auth|credentials|deceits|directory|nodes|ledger|sample]

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AuditFile, hideFolder, tokenReplacer } from './audit-file.ts';
import { captureAuthScenes } from './auth-methods/capture.ts';
import { captureCredentials } from './capture-credentials.ts';
import { captureDeceits } from './capture-deceits.ts';
import { captureDirectory } from './capture-directory.ts';
import { captureLeaks } from './capture-leaks.ts';
import { captureNodes } from './capture-nodes.ts';
import { captureLedger } from './ledger/capture.ts';
import { captureSample } from './sample.ts';
import { scenes } from './scenes.ts';
import { startVault } from './servers.ts';

const target = 'test/fixtures/vault-1.21.1';
/** Devices that see every call at once: what Vault does by default, without hashing, and with plain accessors. */
const devices = {
  default: {},
  raw: { log_raw: 'true' },
  'plain-accessor': { hmac_accessor: 'false' },
};

async function captureScenes(): Promise<number> {
  await using running = await startVault('vault-capture', 'inmem_ha');
  const { vault, folder } = running;
  const files = new Map<string, AuditFile>();
  for (const [name, options] of Object.entries(devices)) {
    const path = join(folder, `${name}.log`);
    await vault.root('PUT', `sys/audit/${name}`, { type: 'file', options: { file_path: path, ...options } });
    files.set(name, new AuditFile(path));
  }
  const replaceTokens = tokenReplacer();
  let count = 0;
  const keep = (scene: string) => {
    for (const [device, file] of files) {
      const lines = file.take().map((line) => hideFolder(replaceTokens(line), folder));
      if (scene === 'enable-devices') rmSync(join(target, device), { recursive: true, force: true });
      mkdirSync(join(target, device), { recursive: true });
      writeFileSync(join(target, device, `${scene}.jsonl`), lines.map((line) => `${line}\n`).join(''));
      count += lines.length;
    }
  };
  keep('enable-devices');
  for (const scene of scenes(vault, folder)) {
    await scene.play();
    keep(scene.name);
  }
  return count;
}

/** What can be made on its own: each changes ids, times and hashes of its files. */
const steps: Record<string, () => Promise<string>> = {
  scenes: async () => `${await captureScenes()} lines in ${target}`,
  auth: async () => `${await captureAuthScenes(target)} lines of auth methods in ${target}`,
  leaks: async () => `${await captureLeaks(`${target}-leaks`)} lines in ${target}-leaks`,
  directory: async () => `${await captureDirectory(join(target, 'directory'))} lines in ${target}/directory`,
  credentials: async () =>
    `${await captureCredentials(join(target, 'credentials'))} lines in ${target}/credentials`,
  deceits: async () => `${await captureDeceits(join(target, 'deceits'))} lines in ${target}/deceits`,
  nodes: async () => `${await captureNodes(join(target, 'nodes'))} lines in ${target}/nodes`,
  ledger: async () => `${await captureLedger(join(target, 'ledger'))} lines in ${target}/ledger`,
  sample: async () =>
    `${await captureSample('deploy/sample/audit.jsonl')} lines in deploy/sample/audit.jsonl`,
};

const wanted = process.argv.slice(2);
for (const [name, step] of Object.entries(steps))
  if (wanted.length === 0 || wanted.includes(name)) console.log(await step());
