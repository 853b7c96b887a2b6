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

function chunksOf(bytes: Buffer): Buffer[] {
  const chunks: Buffer[] = [];
  for (let from = 0; from < bytes.length; ) {
    const to = bytes.indexOf(10, Math.min(from + CHUNK_BYTES, bytes.length - 1)) + 1 || bytes.length;
    chunks.push(Buffer.from(bytes.subarray(from, to)));
    from = to;
  }
  return chunks;
}

function lookAt(chunks: Buffer[], suspicion: Suspicion): number {
  let lines = 0;
  for (const chunk of chunks) {
    let from = 0;
    for (let to = chunk.indexOf(10); to >= 0; to = chunk.indexOf(10, from)) {
      if (suspicion.of(chunk, from, to)) throw new Error('the input is not clean');
      from = to + 1;
      lines++;
    }
  }
  return lines;
}
