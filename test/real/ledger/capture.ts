// Records the play of leases and tokens: the log of two devices, what sealwatch would ask, and what Vault listed on the way.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { hideFolder } from '../audit-file.ts';
import { startVault } from '../servers.ts';
import { Asker } from './asker.ts';
import { Cast } from './cast.ts';
import { play } from './play.ts';
import { furnishLedger } from './stage.ts';
import { Truth, truthAgent } from './truth.ts';

/** Their paths are those of deploy/vault/sealwatch.hcl, so that its policy lets sealwatch ask for their hashes. */
export const ledgerDevices = { file: {}, sealwatch: { hmac_accessor: 'false' } };

/**
 * Writes `audit.jsonl.gz` (default options), `plain-accessor.jsonl.gz` (`hmac_accessor=false`), both without the calls that listed the
 * truth, `vault-answers.jsonl.gz` and `checkpoints.jsonl.gz`.
 */
export async function captureLedger(target: string): Promise<number> {
  await using running = await startVault('vault-capture-ledger');
  const { vault, folder } = running;
  const pathOf = (device: string) => join(folder, `${device}.log`);
  for (const [device, options] of Object.entries(ledgerDevices))
    await vault.root('PUT', `sys/audit/${device}`, {
      type: 'file',
      options: { file_path: pathOf(device), ...options },
    });
  const stage = await furnishLedger(vault);
  const own = await vault.login('auth/approle/login', stage.sealwatch);
  const asker = new Asker(vault, own, Object.keys(ledgerDevices));
  await asker.begin();
  const truth = new Truth(vault);
  const checkpoints = await play(new Cast(vault, stage, asker), { truth, details: () => true });
  await asker.ends(new Set(checkpoints.at(-1)?.leases.map(({ id }) => id)));
  const linesOf = (device: string) =>
    readFileSync(pathOf(device), 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !line.includes(truthAgent))
      .map((line) => hideFolder(line, folder));
  const hashed = linesOf('file');
  const plain = linesOf('sealwatch');
  const hashes = accessorHashes(hashed, plain);
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  const write = (name: string, lines: string[]) =>
    writeFileSync(join(target, `${name}.jsonl.gz`), gzipSync(lines.map((line) => `${line}\n`).join('')));
  write('audit', hashed);
  write('plain-accessor', plain);
  write(
    'vault-answers',
    asker.answers.map((answer) => JSON.stringify(answer)),
  );
  write(
    'checkpoints',
    checkpoints.map((checkpoint) => {
      const tokens = checkpoint.tokens.map((token) => ({ ...token, hash: hashes.get(token.accessor) }));
      return JSON.stringify({ ...checkpoint, tokens });
    }),
  );
  return hashed.length;
}

interface AccessorLine {
  type: string;
  auth?: { accessor?: string };
  request: { id?: string };
  response?: {
    auth?: { accessor?: string };
    wrap_info?: { accessor?: string; wrapped_accessor?: string };
  };
}

/** What the hashing device shows for each accessor that the other shows plain: both saw every call. */
export function accessorHashes(hashed: string[], plain: string[]): Map<string, string> {
  const byCall = new Map(hashed.map((line) => [keyOf(line), accessorsOf(line)]));
  const found = new Map<string, string>();
  for (const line of plain) {
    const hashes = byCall.get(keyOf(line));
    for (const [i, accessor] of accessorsOf(line).entries())
      if (accessor !== undefined && hashes?.[i] !== undefined) found.set(accessor, hashes[i]);
  }
  return found;
}

const keyOf = (line: string) => {
  const { type, request } = JSON.parse(line) as AccessorLine;
  return `${type} ${request.id}`;
};
const accessorsOf = (line: string) => {
  const { auth, response } = JSON.parse(line) as AccessorLine;
  const wrap = response?.wrap_info;
  return [auth?.accessor, response?.auth?.accessor, wrap?.accessor, wrap?.wrapped_accessor];
};
