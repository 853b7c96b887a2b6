// Measures framing, scrubbing and the spool alone: chunks as a socket brings them, group commits with fsync.

import { randomBytes } from 'node:crypto';
import { openSync, readSync } from 'node:fs';
import { limits } from '../../core/limits.ts';
import { topics } from '../../core/records.ts';
import { Framer } from '../../ingest/collector/framer.ts';
import { Intake } from '../../ingest/collector/intake.ts';
import { Redactor } from '../../ingest/collector/redact.ts';
import { EmbeddedStream } from '../../storage/stream/embedded/stream.ts';

const [from = '', dir = ''] = process.argv.slice(2);
const stream = await EmbeddedStream.open({ dir, partitions: 3, writes: [topics.raw] });
const intake = new Intake(stream, new Redactor(randomBytes(32)));
const source = intake.source({ device: 'tcp' });
let nowMs = Date.now();
const framer = new Framer({
  line: (bytes, start, end) => intake.line(source, bytes, start, end, nowMs),
  lost: (reason, bytes) => intake.lost(source.feed, reason, bytes),
});
let committedMs = nowMs;
// One buffer, filled again and again, as a reader of a socket may have it.
const input = openSync(from, 'r');
const chunk = Buffer.allocUnsafe(64 * 1024);
for (let read = readSync(input, chunk); read > 0; read = readSync(input, chunk)) {
  nowMs = Date.now();
  framer.push(read === chunk.length ? chunk : chunk.subarray(0, read));
  if (nowMs - committedMs < limits.groupCommitMs) continue;
  const mark = intake.mark();
  await stream.flush();
  intake.settle(mark);
  committedMs = nowMs;
}
await stream[Symbol.asyncDispose]();
process.stdout.write(`${intake.counters.lines}\n`);
