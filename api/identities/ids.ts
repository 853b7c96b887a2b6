// The ids of one identity: a token without an entity is called by a hash, and each device hashes under a salt of its own.

import type { EvidenceReader } from '../../core/ports.ts';

const TOKEN = 'token:';

/** Ids of other kinds say what they are: `root`, `token:...`, `user:...`, `address:...`. */
export const isEntity = (id: string): boolean => id !== 'root' && !id.includes(':');

/** Ids of one token under the salts of all devices; any other id stands alone. */
export async function sameIds(reader: EvidenceReader, id: string): Promise<string[]> {
  if (!id.startsWith(TOKEN)) return [id];
  return (await reader.sameHashes(id.slice(TOKEN.length))).map((hash) => TOKEN + hash);
}
