// Measures the scrubber's look at clean lines alone: CPU time of `Suspicion.of` over chunks as a socket brings them.

import { readFileSync } from 'node:fs';
import { Suspicion } from '../../ingest/collector/suspect.ts';

const CHUNK_BYTES = 64 * 1024;

/** Microseconds of CPU a line of `path`, the least of `runs` runs: what else the machine does can only add to it. */
export function scrubMicros(path: string, runs = 20): number {
  const chunks = chunksOf(readFileSync(path));
  const suspicion = new Suspicion();
  let least = Number.POSITIVE_INFINITY;
  for (let run = 0; run < runs; run++) {
    const before = process.cpuUsage();
    const lines = lookAt(chunks, suspicion);
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / lines);
  }
  return least;
}

interface Chunk {
  bytes: Buffer;
  /** Where each line ends. */
  ends: number[];
}

function chunksOf(bytes: Buffer): Chunk[] {
  const chunks: Chunk[] = [];
  for (let from = 0; from < bytes.length; ) {
    const to = bytes.indexOf(10, Math.min(from + CHUNK_BYTES, bytes.length - 1)) + 1 || bytes.length;
    const chunk = Buffer.from(bytes.subarray(from, to));
    const ends: number[] = [];
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, end + 1)) ends.push(end);
    chunks.push({ bytes: chunk, ends });
    from = to;
  }
  return chunks;
}

function lookAt(chunks: Chunk[], suspicion: Suspicion): number {
  let lines = 0;
  for (const { bytes, ends } of chunks) {
    let from = 0;
    for (const to of ends) {
      if (suspicion.of(bytes, from, to)) throw new Error('the input is not clean');
      from = to + 1;
    }
    lines += ends.length;
  }
  return lines;
}
