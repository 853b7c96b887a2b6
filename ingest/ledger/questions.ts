// Questions that Vault has not answered yet: a process that dies takes those it had asked with it, and asks them again.

import { canonicalJson } from '../../core/canonical.ts';
import type { Json } from '../../core/event.ts';
import { limits } from '../../core/limits.ts';
import type { LedgerMemory } from '../../core/ports.ts';
import type { Answer, Question, QuestionNeed } from '../../core/records.ts';

const SPACE = 'ledger/questions';
/** The others are worth nothing once their time has passed. */
const lasting: ReadonlySet<QuestionNeed> = new Set(['lifetime', 'directory', 'hash']);
const DIGITS = 15;

export class OpenQuestions {
  private readonly memory: LedgerMemory;
  /** Place in the memory by what is asked, the oldest first. */
  private readonly places = new Map<string, string>();
  private next: number;

  constructor(memory: LedgerMemory) {
    this.memory = memory;
    const kept = memory.list(SPACE, '', limits.ledgerQuestionsMax);
    for (const { key, value } of kept) this.places.set(askedBy(value as unknown as Question), key);
    this.next = Number(kept.at(-1)?.key ?? 0) + 1;
  }

  /** The oldest give way when nobody answers. */
  add(question: Question): void {
    const asked = askedBy(question);
    if (!lasting.has(question.need) || this.places.has(asked)) return;
    const place = String(this.next++).padStart(DIGITS, '0');
    this.places.set(asked, place);
    this.memory.set(SPACE, place, question as unknown as Json);
    const [oldest] = this.places;
    if (this.places.size > limits.ledgerQuestionsMax && oldest !== undefined) this.drop(...oldest);
  }

  answered(answer: Answer): void {
    const asked = askedBy(answer);
    const place = this.places.get(asked);
    // 0: nobody answered.
    if (place !== undefined && answer.status !== 0) this.drop(asked, place);
  }

  private drop(asked: string, place: string): void {
    this.places.delete(asked);
    this.memory.delete(SPACE, place);
  }

  /** Those to be asked again, the oldest first. */
  all(): Question[] {
    return this.memory
      .list(SPACE, '', limits.ledgerQuestionsMax)
      .map(({ value }) => value as unknown as Question);
  }
}

/** An answer has its question's method, path and body. */
const askedBy = ({ method, namespace = '', path, body }: Question | Answer): string =>
  `${method} ${namespace}${path} ${body === undefined ? '' : canonicalJson(body)}`;
