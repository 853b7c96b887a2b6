// One look-up of our own at a time, each minute: its lines must come back on every audit device (guarantee 5).
//
// It is a call that every token may make (the policy `default`), that changes nothing and that Vault audits as any other.

import type { Answer } from '../core/records.ts';
import type { Logger } from '../core/telemetry.ts';
import { timeOfMs } from '../core/time.ts';
import { requestIdOf } from './answers.ts';
import type { VaultAnswer } from './client.ts';
import { Said } from './said.ts';
import type { VaultSession } from './session.ts';

const LOOKUP = 'auth/token/lookup-self';

export interface HeartbeatOptions {
  session: Pick<VaultSession, 'read'>;
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
  private readonly said: Said;

  constructor(options: HeartbeatOptions) {
    this.options = options;
    this.said = new Said(options.logger, {
      bad: 'Vault does not answer the look-up, so blind devices go unseen',
      good: 'Vault answers the look-up again',
    });
  }

  /** Asks once. Does nothing while the one before is not answered. */
  async beat(): Promise<void> {
    if (this.asking) return;
    this.asking = true;
    const { session, now, onAnswer } = this.options;
    this.counters.sent++;
    const askedMs = now();
    const answer = await session.read(LOOKUP);
    const id = answer.status === 200 ? requestIdOf(answer) : undefined;
    if (id !== undefined) this.counters.answered++;
    this.learn(answer, askedMs, now());
    this.said.say(answer.fault ?? (id === undefined ? 'no_request_id' : undefined));
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
}

/** Seconds that Vault's clock is ahead; 0 as long as its date, which has no fraction, may lie within the call. */
export function clockDifference(dateMs: number, askedMs: number, answeredMs: number): number {
  if (dateMs + 1000 < askedMs) return (dateMs + 1000 - askedMs) / 1000;
  return dateMs > answeredMs ? (dateMs - answeredMs) / 1000 : 0;
}
