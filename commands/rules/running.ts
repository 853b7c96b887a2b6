// What a sealwatch that runs with the same data folder says of the rules: which are off, and why.

import { existsSync, readFileSync } from 'node:fs';
import { type Config, dataFiles } from '../../core/config.ts';
import { lockStage } from '../lock.ts';

/** A sealwatch that does not answer within this time says nothing. */
const ANSWER_MS = 2_000;

/** Why rules are off, by their id; undefined when no sealwatch runs here, or it does not answer. */
export async function rulesOff({ api, dataDir }: Config): Promise<Map<string, string> | undefined> {
  try {
    // Whatever else may listen on that port must not see the key.
    if (!isRunning(dataDir)) return undefined;
    const key = readFileSync(dataFiles(dataDir).adminKey, 'utf8').trim();
    const host = wildcards[api.host] ?? api.host;
    const response = await fetch(`http://${host.includes(':') ? `[${host}]` : host}:${api.port}/v1/rules`, {
      headers: { authorization: `Bearer ${key}` },
      redirect: 'error',
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    if (!response.ok) return undefined;
    const { items } = (await response.json()) as { items: { id: string; enabled: boolean; why: string }[] };
    return new Map(items.filter(({ enabled }) => !enabled).map(({ id, why }) => [id, why]));
  } catch {
    return undefined;
  }
}

const wildcards: Record<string, string> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

/** Whether a `run` or a `serve` holds the data folder. */
function isRunning(dataDir: string): boolean {
  if (!existsSync(dataFiles(dataDir).lock)) return false;
  try {
    lockStage(dataDir, 'serve')[Symbol.dispose]();
    return false;
  } catch {
    return true;
  }
}
