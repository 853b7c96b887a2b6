// Plays recorded calls and answers to a directory in the order in which they happened.

import { readFileSync } from 'node:fs';
import type { Fact, FactKind } from '../../../../core/directory.ts';
import type { AuditEvent } from '../../../../core/event.ts';
import type { Answer, Question } from '../../../../core/records.ts';
import { utcTime } from '../../../../core/time.ts';
import { DirectoryFacts } from '../../../../ingest/ledger/directory/facts.ts';
import { made } from '../../normalise/lines.ts';
import { MapMemory } from '../memory.ts';

const folder = 'test/fixtures/vault-1.21.1/directory';
const linesOf = (path: string) => readFileSync(path, 'utf8').trim().split('\n');

/** What a real Vault wrote while `test/real/directory-plan.ts` played on it. */
export const recordedLines = (): string[] => linesOf(`${folder}/audit.jsonl`);
export const recordedEvents = (): AuditEvent[] => made(recordedLines()).events;
export const recordedAnswers = (): Answer[] =>
  linesOf(`${folder}/answers.jsonl`).map((line) => JSON.parse(line) as Answer);

export class World {
  readonly facts: Fact[] = [];
  readonly questions: Question[] = [];
  readonly memory = new MapMemory();
  readonly directory: DirectoryFacts;
  private readonly file: Answer[];
  private waiting: Answer[] = [];

  /** `file`: recorded answers; a question gets the first that is not older than it, as a replay gives them. */
  constructor(file: Answer[] = []) {
    this.file = file;
    this.directory = this.again();
  }

  /** Another directory on the same memory, as after a restart. */
  again(): DirectoryFacts {
    return new DirectoryFacts(
      this.memory,
      { fact: (fact) => this.facts.push(fact), ask: (question) => this.ask(question) },
      { cluster: 'test' },
    );
  }

  private ask(question: Question): void {
    this.questions.push(question);
    const fits = this.file.filter(({ method, path }) => method === question.method && path === question.path);
    const answer = fits.find(({ at }) => (utcTime(at) as string) >= question.at);
    if (answer !== undefined) this.waiting.push(answer);
  }

  play(events: AuditEvent[], directory = this.directory): this {
    for (const event of events) {
      this.answerUntil(event['@timestamp'], directory);
      directory.call(event, {});
    }
    return this;
  }

  answerUntil(time: string, directory = this.directory): void {
    for (;;) {
      this.waiting.sort((a, b) => (a.at < b.at ? -1 : 1));
      const [next] = this.waiting;
      if (next === undefined || (utcTime(next.at) as string) > time) return;
      this.waiting.shift();
      directory.answer(next);
    }
  }

  /** The whole recording, with its answers to their end. */
  static recorded(answers = recordedAnswers()): World {
    const world = new World(answers).play(recordedEvents());
    world.answerUntil('9999');
    return world;
  }

  of<W extends FactKind>(what: W, key: string): Fact<W>[] {
    return this.facts.filter((fact) => fact.what === what && fact.key === key) as Fact<W>[];
  }
}
