// Which partition a key goes to: FNV-1a over UTF-16 code units, the same on every machine.

import type { Answer } from './records.ts';

/** Of an answer of Vault: that of the lines that the call left, if it names the call. */
export function partitionOfAnswer({ response }: Answer, partitions: number): number {
  const id = response?.['request_id'];
  return typeof id === 'string' ? partitionOf(id, partitions) : 0;
}

export function partitionOf(key: string, partitions: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  return (hash >>> 0) % partitions;
}

/** The same of the bytes in `bytes[from, to)`; equal to `partitionOf` of their text when that is ASCII. */
export function partitionOfBytes(bytes: Uint8Array, from: number, to: number, partitions: number): number {
  let hash = 0x811c9dc5;
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
  return (hash >>> 0) % partitions;
}
