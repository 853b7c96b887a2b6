// Plays the scenes of auth methods on a real Vault and keeps what its audit devices wrote, one file per scene.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AuditFile, hideFolder, tokenReplacer } from '../audit-file.ts';
import { authScenes } from './scenes.ts';
import { openStage } from './stage.ts';

/** Scenes for which it matters what the device hashes are kept from a second one as well. */
const plainScenes = ['token-kinds', 'mfa', 'wrapped'];
const devices = { auth: {}, 'auth-plain-accessor': { hmac_accessor: 'false' } };

/** Lines of each scene, by device; `only` plays all and keeps some. */
export async function playAuthScenes(
  name: string,
  keep: (device: string, scene: string, lines: string[]) => void,
): Promise<void> {
  await using stage = await openStage(name);
  const files = new Map<string, AuditFile>();
  for (const [device, options] of Object.entries(devices)) {
    const file_path = join(stage.folder, `${device}.log`);
    await stage.vault.root('PUT', `sys/audit/${device}`, {
      type: 'file',
      options: { file_path, ...options },
    });
    files.set(device, new AuditFile(file_path));
  }
  const replaceTokens = tokenReplacer();
  for (const scene of authScenes(stage)) {
    try {
      await scene.prepare();
      for (const file of files.values()) file.take();
      await scene.play();
    } catch (error) {
      throw new Error(`scene ${scene.name}: ${(error as Error).message}`, { cause: error });
    }
    for (const [device, file] of files)
      keep(
        device,
        scene.name,
        file.take().map((line) => hideFolder(replaceTokens(line), stage.folder)),
      );
  }
}

/** Writes the fixtures below `target`; returns how many lines. */
export async function captureAuthScenes(target: string): Promise<number> {
  for (const device of Object.keys(devices)) rmSync(join(target, device), { recursive: true, force: true });
  let count = 0;
  await playAuthScenes('vault-auth-capture', (device, scene, lines) => {
    if (device !== 'auth' && !plainScenes.includes(scene)) return;
    mkdirSync(join(target, device), { recursive: true });
    writeFileSync(join(target, device, `${scene}.jsonl`), lines.map((line) => `${line}\n`).join(''));
    count += lines.length;
  });
  return count;
}
