// Whether the evidence store answers, for whoever asks if sealwatch is ready; and the end of what is asked for a client that went away.

import type { FastifyInstance } from 'fastify';
import { SealwatchError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import type { EvidenceReader } from '../core/ports.ts';
import { whileWanted } from '../core/wanted.ts';

/** What keeps the store from answering, for everybody to read; undefined when it answers. Asks it once in a while, however often it is called. */
export function storeFaults(reader: EvidenceReader): () => Promise<string | undefined> {
  let asked: { atMs: number; fault: Promise<string | undefined> } | undefined;
  return () => {
    const nowMs = performance.now();
    if (asked === undefined || nowMs - asked.atMs > limits.storeLookEachMs)
      asked = { atMs: nowMs, fault: faultOf(reader) };
    return asked.fault;
  };
}

async function faultOf(reader: EvidenceReader): Promise<string | undefined> {
  try {
    await whileWanted(AbortSignal.timeout(limits.storeLookMs), () => reader.get('changes', 'none'));
    return undefined;
  } catch (error) {
    const code = error instanceof SealwatchError ? ` (${error.code})` : '';
    return `the evidence store does not answer${code}`;
  }
}

/** What is asked of the store for a call ends when its client goes away. After the hooks that may refuse it. */
export function addWanted(app: FastifyInstance): void {
  app.addHook('onRequest', (_request, reply, done) => {
    const gone = new AbortController();
    reply.raw.once('close', () => {
      if (!reply.raw.writableFinished) gone.abort();
    });
    whileWanted(gone.signal, done);
  });
}
