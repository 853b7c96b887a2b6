// The version of this sealwatch, from its package.json.

import { readFileSync } from 'node:fs';

/** package.json lies one folder up from commands/ in the sources, two up when built. */
export function readVersion(): string {
  const up = import.meta.url.endsWith('.ts') ? '../package.json' : '../../package.json';
  return (JSON.parse(readFileSync(new URL(up, import.meta.url), 'utf8')) as { version: string }).version;
}
