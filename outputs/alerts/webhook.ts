// A generic webhook: one signed POST per alert.
//
// The receiver checks HMAC-SHA256 over `<timestamp>.<body>` with the shared secret, refuses old timestamps, and takes
// `Idempotency-Key` (the alert's id) to leave out what it has.

import { createHmac } from 'node:crypto';
import type { AlertOutput } from './output.ts';

const TIMEOUT_MS = 10_000;

export interface WebhookOptions {
  url: string;
  /** The key of now; undefined while it is not read from Vault yet. */
  secret: () => string | undefined;
  now: () => number;
}

export function webhookOutput({ url, secret, now }: WebhookOptions): AlertOutput {
  return {
    name: 'webhook',
    known: new Set(),
    async send(alert) {
      const key = secret();
      if (key === undefined) return { result: 'later', why: 'its key is not read from Vault yet' };
      const body = JSON.stringify(alert);
      const timestamp = String(Math.floor(now() / 1000));
      try {
        const answer = await fetch(url, {
          method: 'POST',
          body,
          // A redirect could carry the alert to somebody else.
          redirect: 'error',
          signal: AbortSignal.timeout(TIMEOUT_MS),
          headers: {
            'content-type': 'application/json',
            'idempotency-key': alert.alert.id,
            'user-agent': 'sealwatch',
            'x-sealwatch-timestamp': timestamp,
            'x-sealwatch-signature': `sha256=${sign(key, timestamp, body)}`,
          },
        });
        await answer.body?.cancel();
        return verdict(answer.status);
      } catch (error) {
        return { result: 'later', why: error instanceof Error ? error.message : String(error) };
      }
    },
  };
}

const sign = (secret: string, timestamp: string, body: string) =>
  createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');

/** What the other side will not take now, it may take later: only a client error is final. */
function verdict(status: number): { result: 'done' | 'refused' | 'later'; why?: string } {
  if (status >= 200 && status < 300) return { result: 'done' };
  const final = status >= 400 && status < 500 && status !== 408 && status !== 429;
  return { result: final ? 'refused' : 'later', why: `HTTP ${status}` };
}
