// Asks Vault what the ledger wants to know, one call at a time, within the budget, and hands the answers to the stream.

import { limits } from '../core/limits.ts';
import { isOwnCall } from '../core/own-calls.ts';
import type { VaultAnswers } from '../core/ports.ts';
import { type Answer, type Question, type QuestionNeed, questionNeeds } from '../core/records.ts';
import type { Logger } from '../core/telemetry.ts';
import { timeOfMs } from '../core/time.ts';
import { isFinal } from './answers.ts';
import { Backoff } from './backoff.ts';
import type { Budget } from './budget.ts';
import type { VaultAnswer } from './client.ts';
import { keptOf } from './kept.ts';
import { Loop } from './loop.ts';
import { Questions, type Waiting } from './questions.ts';
import type { VaultSession } from './session.ts';

export interface AskerOptions {
  session: Pick<VaultSession, 'call'>;
  budget: Budget;
  logger: Logger;
  now: () => number;
  random: () => number;
  /** Gets each answer for the stream, with nothing secret in it. */
  onAnswer: (answer: Answer) => void;
}

/** `refused`: the token may not ask it, or no policy of ours has it. `failed`: Vault's answer is of no use. */
export const askOutcomes = ['asked', 'answered', 'refused', 'failed', 'dropped'] as const;
export type AskCounters = Record<(typeof askOutcomes)[number], number>;

const operations = { GET: 'read', POST: 'update', LIST: 'list' } as const;

export class Asker implements VaultAnswers {
  readonly counters = new Map<QuestionNeed, AskCounters>(
    questionNeeds.map((need) => [need, { asked: 0, answered: 0, refused: 0, failed: 0, dropped: 0 }]),
  );
  private readonly options: AskerOptions;
  private readonly questions = new Questions();
  private readonly backoff: Backoff;
  private readonly loop = new Loop(() => this.step());
  /** Kinds of path that were denied, and until when they are not asked for. */
  private readonly denied = new Map<string, number>();
  /** It goes on by itself: a new question is no reason to try a Vault again that is away, nor a budget that is used up. */
  private isBusy = false;

  constructor(options: AskerOptions) {
    this.options = options;
    this.backoff = new Backoff(options.random);
  }

  get waiting(): number {
    return this.questions.size;
  }

  ask(question: Question): void {
    const { method, path, need } = question;
    if (!isOwnCall(operations[method], path) || !isSendable(question) || this.isDenied(question)) {
      this.count(need, 'refused');
      return;
    }
    const dropped = this.questions.add(question);
    if (dropped !== undefined) this.count(dropped.need, 'dropped');
    if (!this.isBusy) this.loop.wake();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  /** Asks one question; returns how many milliseconds there is nothing to do. Never throws. */
  async step(): Promise<number> {
    this.isBusy = this.questions.size > 0;
    if (!this.isBusy) return Number.POSITIVE_INFINITY;
    if (this.options.budget.left === 0) return limits.vaultBudgetMs;
    const waiting = this.questions.take() as Waiting;
    const { question } = waiting;
    if (this.isDenied(question)) {
      this.count(question.need, 'refused');
      return 0;
    }
    const askedMs = this.options.now();
    const answer = await this.call(question);
    if (madeLines(answer)) this.spend(question.need);
    if (isFinal(answer) || this.isGivenUp(waiting, answer)) {
      this.backoff.succeeded();
      this.conclude(question, answer, askedMs);
      return 0;
    }
    this.questions.putBack(waiting);
    return this.backoff.failed(answer.retryMs);
  }

  private call({ method, path, body, namespace }: Question): Promise<VaultAnswer> {
    return this.options.session.call({
      method,
      path,
      namespace,
      ...(body !== undefined && { body }),
      ...(!isOfOne(path) && { bytesMax: limits.vaultListBytesMax }),
    });
  }

  /** An answer that cannot be read will not be better next time; an error of Vault's own is tried a few times. */
  private isGivenUp(waiting: Waiting, { status, fault }: VaultAnswer): boolean {
    if (fault === 'answer_too_large') return true;
    waiting.tries++;
    // Sealed, not active, away, too many calls: that says nothing about this question.
    const isAbout = status >= 400 && ![408, 412, 429, 472, 473, 503].includes(status);
    return isAbout && waiting.tries >= limits.vaultTriesMax;
  }

  private conclude(question: Question, answer: VaultAnswer, askedMs: number): void {
    const { method, path, body, namespace, need } = question;
    // Of what is not Vault's nothing is told, whatever its status.
    const status = isFinal(answer) || answer.status >= 500 ? answer.status : 0;
    if (status === 403) this.deny(question);
    const isAnswer = answer.fault === undefined || status === 400 || status === 404;
    this.count(need, status === 403 ? 'refused' : isAnswer ? 'answered' : 'failed');
    const response = keptOf(path, answer);
    const at = timeOfMs(askedMs);
    this.options.onAnswer({
      // It was asked because of what happened at `question.at`, whatever our clock says.
      at: at > question.at ? at : question.at,
      method,
      path,
      ...(body !== undefined && { body }),
      ...(namespace !== undefined && { namespace }),
      status,
      ...(response !== undefined && { response }),
    });
  }

  private spend(need: QuestionNeed): void {
    this.options.budget.spend();
    this.count(need, 'asked');
  }

  private deny(question: Question): void {
    const kind = kindOf(question);
    if (!this.denied.has(kind))
      this.options.logger.warn({ path: kind }, 'Vault does not let sealwatch ask this; see deploy/vault/');
    this.denied.delete(kind);
    this.denied.set(kind, this.options.now() + limits.vaultDeniedMs);
    if (this.denied.size > limits.vaultDeniedMax) this.denied.delete(this.denied.keys().next().value ?? '');
  }

  private isDenied(question: Question): boolean {
    return (this.denied.get(kindOf(question)) ?? 0) > this.options.now();
  }

  private count(need: QuestionNeed, outcome: keyof AskCounters): void {
    (this.counters.get(need) as AskCounters)[outcome]++;
  }
}

/** What timed out may have been heard; of what the session did not believe Vault has heard as well. */
const madeLines = ({ status, fault = '' }: VaultAnswer): boolean =>
  status !== 0 || /^(?:timeout$|token_refused$|status_)/.test(fault);

/** Vault refuses paths with what cannot be printed, Node headers; what a line names may hold anything, and would be asked for ever. */
const isSendable = ({ path, namespace = '' }: Question): boolean =>
  !/[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u.test(path) && /^[\x21-\x7e]*$/.test(namespace);

/** A policy mostly allows all names under one path, or none: the path without its last name where it ends in one. */
const kindOf = ({ method, path, namespace = '' }: Question): string =>
  `${method} ${namespace}${isOfOne(path) ? path : path.replace(/[^/]+$/, '+')}`;

/** Whether the answer is about one thing and short, and the path names nothing. */
const isOfOne = (path: string): boolean =>
  path === 'sys/leases/lookup' || path === 'auth/token/lookup-accessor';
