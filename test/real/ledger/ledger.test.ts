// A real Vault with PostgreSQL and the built product beside it: at every checkpoint the ledger equals what Vault lists.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Lease } from '../../../core/lease.ts';
import { Product } from '../product.ts';
import { type RunningVault, startVault } from '../servers.ts';
import { accessorHashes, ledgerDevices } from './capture.ts';
import { Cast } from './cast.ts';
import { type Comparison, compareWithTruth } from './compare.ts';
import { play } from './play.ts';
import { furnishLedger, type Stage } from './stage.ts';
import { type Checkpoint, Truth } from './truth.ts';

/** One product per device: `file` shows accessors hashed, `sealwatch` plain. */
const devices = Object.keys(ledgerDevices) as (keyof typeof ledgerDevices)[];
/** At these rounds names alone are listed, so that the listing hands nothing over; at the others each is looked up. */
const namesOnly: readonly number[] = [0, 2, 4];

let running: RunningVault;
const products = new Map<string, Product>();
/** What each product said when it had come past a checkpoint. */
const said: { device: string; round: number; checkpoint: Checkpoint; rows: Lease[] }[] = [];
let hashes: Map<string, string>;

const logOf = (device: string) => join(running.folder, `${device}.log`);
const linesOf = (device: string) => readFileSync(logOf(device), 'utf8').trim().split('\n');

beforeAll(async () => {
  running = await startVault('vault-ledger');
  const { vault } = running;
  for (const device of devices) {
    const options = { file_path: logOf(device), ...ledgerDevices[device] };
    await vault.root('PUT', `sys/audit/${device}`, { type: 'file', options });
  }
  const stage = await furnishLedger(vault);
  for (const device of devices) products.set(device, await startProduct(device, stage));
  await play(new Cast(vault, stage), {
    truth: new Truth(vault),
    details: (round) => !namesOnly.includes(round),
    checkpoint: keepWhatIsSaid,
  });
  hashes = accessorHashes(linesOf('file'), linesOf('sealwatch'));
});

afterAll(async () => {
  for (const product of products.values()) await product.stop();
  await running?.[Symbol.asyncDispose]();
});

/** Reads the device from its first line on, and asks Vault with a login of its own as much as it likes. */
async function startProduct(device: string, stage: Stage): Promise<Product> {
  const dataDir = join(running.folder, `data-${device}`);
  mkdirSync(dataDir);
  const fileOf = (name: string, text: unknown) => {
    const path = join(dataDir, name);
    writeFileSync(path, `${text}\n`, { mode: 0o600 });
    return path;
  };
  const config = fileOf(
    'sealwatch.yaml',
    JSON.stringify({ devices: [{ type: 'file', device, path: logOf(device), auditPath: device }] }),
  );
  return Product.start(dataDir, {
    SEALWATCH_CONFIG: config,
    SEALWATCH_TCP_ENABLED: 'false',
    SEALWATCH_VAULT_ADDRESS: running.vault.address,
    SEALWATCH_VAULT_LOGIN_METHOD: 'approle',
    SEALWATCH_VAULT_LOGIN_ROLE_ID_FILE: fileOf('role-id', stage.sealwatch.role_id),
    SEALWATCH_VAULT_LOGIN_SECRET_ID_FILE: fileOf('secret-id', stage.sealwatch.secret_id),
    SEALWATCH_VAULT_BUDGET_PERCENT: '50',
    SEALWATCH_VAULT_BUDGET_CALLS: '10000',
    SEALWATCH_TIME_PAIR_WAIT_SECONDS: '1',
    SEALWATCH_TIME_ALLOWED_LATENESS_SECONDS: '0',
  });
}

/** Waits until the products have come past the checkpoint and have their answers, and keeps their rows. */
async function keepWhatIsSaid(checkpoint: Checkpoint, round: number): Promise<void> {
  await Promise.all(
    [...products].map(async ([device, product]) => {
      await worked(product, checkpoint.until);
      said.push({ device, round, checkpoint, rows: await product.all<Lease>('/v1/leases', 1000) });
    }),
  );
}

/** Event time has come past `time` and what was asked until then is answered; then past the answers, which are worked in. */
async function worked(product: Product, time: string): Promise<void> {
  for (const until of [() => Date.parse(time), Date.now]) {
    const past = until() + LEDGER_BEHIND_MS;
    await product.until('the checkpoint is worked in', async () => {
      const { extent } = JSON.parse(await product.text('/v1/coverage')) as { extent: { watermark?: string } };
      if (Date.parse(extent.watermark ?? '1970-01-01') < past) return undefined;
      return /^sealwatch_vault_questions_waiting 0$/m.test(await product.text('/metrics')) ? true : undefined;
    });
  }
}

/** The ledger stays a second behind (`limits.ledgerSlackSeconds`); metrics of the threads come each second. */
const LEDGER_BEHIND_MS = 2_500;

const comparisonOf = (device: string, round: number): Comparison => {
  const found = said.find((one) => one.device === device && one.round === round);
  if (found === undefined) throw new Error(`no checkpoint ${round} of ${device}`);
  const accessorOf = (accessor: string) => (device === 'file' ? hashes.get(accessor) : accessor);
  return compareWithTruth(found.rows, found.checkpoint, accessorOf);
};

describe.each(devices)('the ledger of the device %s', (device) => {
  it.each([0, 1, 2, 3, 4, 5])('equals what Vault lists at checkpoint %i', (round) => {
    const { differences, leases, tokens, ends } = comparisonOf(device, round);
    expect(differences.map(({ what, text }) => `${what}: ${text}`)).toEqual([]);
    expect(leases + tokens).toBeGreaterThan(400);
    if (!namesOnly.includes(round)) expect(ends).toBeGreaterThan(60);
  });
});
