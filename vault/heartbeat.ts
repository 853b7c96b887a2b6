// One look-up of our own at a time, each minute: its lines must come back on every audit device (guarantee 5).
//
// It is a call that every token may make (the policy `default`), that changes nothing and that Vault audits as any other.

import { limits } from '../core/limits.ts';
import type { Answer } from '../core/records.ts';
import type { Logger } from '../core/telemetry.ts';
import { timeOfMs } from '../core/time.ts';
import type { VaultAnswer, VaultClient } from './client.ts';

const LOOKUP = 'auth/token/lookup-self';

export interface HeartbeatOptions {
  client: Pick<VaultClient, 'read'>;
  logger: Logger;
  now: () => number;
  /** Gets what Vault answered, for the stream: the id of the call and nothing else of it. */
  onAnswer: (answer: Answer) => void;
}

export class Heartbeat {
  readonly counters = { sent: 0, answered: 0 };
  lastAnswerMs = 0;
  /** How far Vault's clock is ahead of ours, in seconds; undefined while it is not known. */
  clockSeconds: number | undefined;
  private readonly options: HeartbeatOptions;
  private asking = false;
  private fault: string | undefined;

  constructor(options: HeartbeatOptions) {
    this.options = options;
  }

  /** Asks once. Does nothing while the one before is not answered. */
  async beat(): Promise<void> {
    if (this.asking) return;
    this.asking = true;
    const { client, now, onAnswer } = this.options;
    this.counters.sent++;
    const askedMs = now();
    const answer = await client.read(LOOKUP);
    const id = requestIdOf(answer);
    if (id !== undefined) this.counters.answered++;
    this.learn(answer, askedMs, now());
    this.say(answer.fault ?? (id === undefined ? 'no_request_id' : undefined));
    onAnswer({
      at: timeOfMs(askedMs),
      method: 'GET',
      path: LOOKUP,
      purpose: 'heartbeat',
      status: answer.status,
      ...(id !== undefined && { response: { request_id: id } }),
    });
    this.asking = false;
  }

  private learn({ dateMs, fault }: VaultAnswer, askedMs: number, answeredMs: number): void {
    if (fault === undefined) this.lastAnswerMs = answeredMs;
    if (dateMs !== undefined) this.clockSeconds = clockDifference(dateMs, askedMs, answeredMs);
  }

  /** Once per cause: a Vault that is down is asked each minute. */
  private say(fault: string | undefined): void {
    const { logger } = this.options;
    if (fault === this.fault) return;
    this.fault = fault;
    if (fault === undefined) logger.info({}, 'Vault answers the look-up again');
    else logger.warn({ fault }, 'Vault does not answer the look-up, so blind devices go unseen');
  }
}

/** The answer's id, if it is one that an audit line could hold. */
function requestIdOf({ status, body }: VaultAnswer): string | undefined {
  const id = body?.['request_id'];
  if (status !== 200 || typeof id !== 'string' || id.length > limits.requestIdCharsMax) return undefined;
  return /^[A-Za-z0-9._:-]+$/.test(id) ? id : undefined;
}

/** Seconds that Vault's clock is ahead; 0 as long as its date, which has no fraction, may lie within the call. */
export function clockDifference(dateMs: number, askedMs: number, answeredMs: number): number {
  if (dateMs + 1000 < askedMs) return (dateMs + 1000 - askedMs) / 1000;
  return dateMs > answeredMs ? (dateMs - answeredMs) / 1000 : 0;
}
