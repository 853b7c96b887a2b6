// A process of its own that reads a Unix datagram socket (file descriptor 3): one read is one datagram. Each goes to standard
// output with its octet count, until standard input ends: then sealwatch is gone, and who reads on would take its datagrams.

import { readSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isMainThread, Worker } from 'node:worker_threads';
import { systemCode } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';

const SOCKET = 3;

/** Both wait in a system call, so each has a thread. */
if (isMainThread) {
  new Worker(new URL(import.meta.url));
  await relay(Buffer.allocUnsafe(limits.datagramBytesMax));
} else {
  readSync(0, Buffer.alloc(1));
  process.kill(process.pid, 'SIGKILL');
}

/** Passes datagrams on until there is nothing to read. A socket that does not block is asked again after a while. */
async function relay(buffer: Buffer): Promise<void> {
  for (;;) {
    const bytes = receive(buffer);
    if (bytes === undefined) await sleep(limits.datagramPollMs);
    else if (bytes > 0) send(Buffer.concat([Buffer.from(`${bytes} `), buffer.subarray(0, bytes)]));
  }
}

function receive(buffer: Buffer): number | undefined {
  try {
    return readSync(SOCKET, buffer);
  } catch (error) {
    if (systemCode(error) === 'EAGAIN') return undefined;
    throw error;
  }
}

function send(message: Buffer): void {
  for (let at = 0; at < message.length; ) {
    try {
      at += writeSync(1, message, at);
    } catch (error) {
      if (systemCode(error) !== 'EAGAIN') throw error;
    }
  }
}
