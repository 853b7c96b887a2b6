// The questions that wait to be asked: bounded, each once. The most needed come first and of them the newest, whose credential
// is the most likely to live; when there are too many, the least needed and oldest goes.

import { canonicalJson } from '../core/canonical.ts';
import { limits } from '../core/limits.ts';
import { type Question, type QuestionNeed, questionNeeds } from '../core/records.ts';

export interface Waiting {
  question: Question;
  key: string;
  /** How often it was asked in vain. */
  tries: number;
}

export class Questions {
  private readonly byNeed = new Map<QuestionNeed, Waiting[]>(questionNeeds.map((need) => [need, []]));
  private readonly keys = new Set<string>();

  get size(): number {
    return this.keys.size;
  }

  /** Returns the question that had to go for it, or that it is itself; undefined when there is room. */
  add(question: Question): Question | undefined {
    const { method, path, body, namespace } = question;
    const key = canonicalJson({ method, path, ...(body && { body }), ...(namespace && { namespace }) });
    // An answer that is still to come will be newer than both.
    if (this.keys.has(key)) return undefined;
    this.keys.add(key);
    this.listOf(question.need).push({ question, key, tries: 0 });
    return this.keys.size > limits.vaultQuestionsMax ? this.drop() : undefined;
  }

  /** The next to ask. */
  take(): Waiting | undefined {
    for (const need of questionNeeds) {
      const waiting = this.listOf(need).pop();
      if (waiting === undefined) continue;
      this.keys.delete(waiting.key);
      return waiting;
    }
    return undefined;
  }

  /** Vault could not be asked: it is the next again. One that was tried often lets the others go first. */
  putBack(waiting: Waiting): void {
    const { key, question, tries } = waiting;
    if (this.keys.has(key)) return;
    this.keys.add(key);
    const list = this.listOf(question.need);
    if (tries % limits.vaultTriesMax === 0) list.unshift(waiting);
    else list.push(waiting);
  }

  private drop(): Question | undefined {
    for (const need of questionNeeds.toReversed()) {
      const oldest = this.listOf(need).shift();
      if (oldest === undefined) continue;
      this.keys.delete(oldest.key);
      return oldest.question;
    }
    return undefined;
  }

  private listOf(need: QuestionNeed): Waiting[] {
    return this.byNeed.get(need) as Waiting[];
  }
}
