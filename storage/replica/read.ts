// Reads the log of a memory, message by message.

import { limits } from '../../core/limits.ts';
import type { Link, Message } from '../stream/kafka/link.ts';

const WAIT_MS = 500;

/** Messages from `from` to `to`; one must be at `to`, or the log has lost what it had and this throws. */
export async function* readLog(
  { link, topic }: { link: Link; topic: string },
  from: number,
  to: number,
): AsyncGenerator<Message & { offset: number }> {
  let bytesMax: number = limits.memoryChunkBytesMax;
  for (let offset = from; offset <= to; ) {
    const [fetched] = await link.fetch([{ topic, partition: 0, offset, bytesMax }], WAIT_MS);
    if (fetched === undefined || fetched.end <= to) throw new Error(`${topic} ends before its offset ${to}`);
    for (const message of fetched.messages) {
      if (message.offset > to) return;
      yield message;
      offset = message.offset + 1;
    }
    // What lies here may be batches that compaction has emptied: behind them there is something.
    if (fetched.messages.length === 0) {
      if (bytesMax > limits.memorySegmentBytes) throw new Error(`${topic} cannot be read at ${offset}`);
      bytesMax *= 2;
    }
  }
}
