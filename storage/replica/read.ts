// Reads the log of a memory, message by message.

import { setTimeout as pause } from 'node:timers/promises';
import { limits } from '../../core/limits.ts';
import type { Link, Message } from '../stream/kafka/link.ts';

const WAIT_MS = 100;
const TRIES_MAX = 50;

/** Messages from `from` to `to`; one must be at `to`, or the log has lost what it had and this throws. */
export async function* readLog(
  { link, topic }: { link: Link; topic: string },
  from: number,
  to: number,
): AsyncGenerator<Message & { offset: number }> {
  let tries = 0;
  let bytesMax: number = limits.memoryChunkBytesMax;
  for (let offset = from; offset <= to; ) {
    const [fetched] = await link.fetch([{ topic, partition: 0, offset, bytesMax }], 0);
    if (fetched === undefined) throw new Error('a fetch without an answer');
    if (fetched.messages.length === 0 && fetched.end <= to) {
      // A leader that is new may not know yet what its followers have.
      if (tries++ > TRIES_MAX) throw new Error(`${topic} ends at ${fetched.end}, before its offset ${to}`);
      await pause(WAIT_MS);
      continue;
    }
    for (const message of fetched.messages) {
      if (message.offset > to) return;
      yield message;
      offset = message.offset + 1;
    }
    // Something is there, and larger than was asked for.
    if (fetched.messages.length === 0) {
      if (bytesMax > limits.memorySegmentBytes) throw new Error(`${topic} cannot be read at ${offset}`);
      bytesMax *= 2;
    }
  }
}
