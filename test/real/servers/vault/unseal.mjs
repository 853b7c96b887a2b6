// Initialises and unseals a fresh Vault. Usage: node unseal.mjs ADDRESS FOLDER; writes FOLDER/root-token and unseal-key.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const [address, folder] = process.argv.slice(2);
const deadline = Date.now() + 60_000;

/** Calls until Vault answers with one of `statuses`: the server needs a moment to listen, then to become active. */
async function call(method, path, statuses, body) {
  for (;;) {
    const response = await fetch(`${address}/v1/${path}`, {
      method,
      body: body && JSON.stringify(body),
    }).catch(() => undefined);
    if (response && statuses.includes(response.status)) return response.json();
    if (Date.now() > deadline) throw new Error(`${path}: ${response ? response.status : 'no answer'}`);
    await sleep(100);
  }
}

await call('GET', 'sys/seal-status', [200]);
const init = await call('PUT', 'sys/init', [200], { secret_shares: 1, secret_threshold: 1 });
writeFileSync(join(folder, 'root-token'), init.root_token, { mode: 0o600 });
writeFileSync(join(folder, 'unseal-key'), init.keys_base64[0], { mode: 0o600 });
await call('PUT', 'sys/unseal', [200], { key: init.keys_base64[0] });
await call('GET', 'sys/health', [200]);
