// What Vault is asked: never the same twice while an answer is awaited, and known again when the answer comes.

import { canonicalJson } from '../../../core/canonical.ts';
import type { JsonObject } from '../../../core/event.ts';
import { limits } from '../../../core/limits.ts';
import type { Answer, Question, QuestionNeed } from '../../../core/records.ts';
import { addSeconds } from '../../../core/time.ts';
import { Bounded, type ReadMemory } from './bounded.ts';
import type { Place } from './lifetimes.ts';

/** Where a question came from, for whoever reads its answer. */
export interface Asked {
  at: string;
  /** Of a hash: path of the device, and its salt. */
  salt?: string;
  /** Of a lease: what its lifetime says of others. */
  role?: { place: Place; issuedAt: string };
  namespace?: string;
}

interface Asking {
  at: string;
  path: string;
  body: JsonObject;
  need: QuestionNeed;
  namespace: string;
}

export class Questions {
  private readonly asked: Bounded<Asked>;
  private readonly ask: (question: Question) => void;

  constructor(memory: ReadMemory, ask: (question: Question) => void) {
    this.asked = new Bounded(memory, 'read/asked', limits.readingQuestionsMax);
    this.ask = ask;
  }

  /** Whether it was asked a while ago and may still be answered. */
  isOpen(path: string, body: JsonObject, at: string): boolean {
    const before = this.asked.get(keyOf(path, body));
    return before !== undefined && at < addSeconds(before.at, limits.readingQuestionSeconds);
  }

  /** Asks it with POST, unless it is open. */
  put({ at, path, body, need, namespace }: Asking, asked: Omit<Asked, 'at'> = {}): void {
    if (this.isOpen(path, body, at)) return;
    this.asked.set(keyOf(path, body), { at, ...asked, ...(namespace === '' ? {} : { namespace }) });
    const where = namespace === '' ? {} : { namespace };
    this.ask({ at, method: 'POST', path, body, ...where, need });
  }

  /** What was known of the question when it was asked; from now on it may be asked again. */
  answered({ path, body }: Answer): Asked | undefined {
    const key = keyOf(path, body ?? {});
    const asked = this.asked.get(key);
    this.asked.delete(key);
    return asked;
  }
}

const keyOf = (path: string, body: JsonObject): string => `${path} ${canonicalJson(body)}`;
