// Recorded answers of Vault's API: what `replay --vault-answers` answers the ledger's questions with. On disk, not in memory: a
// recording of months holds millions of them.

import { z } from 'zod';
import { canonicalJson } from '../core/canonical.ts';
import { SealwatchError } from '../core/errors.ts';
import type { JsonObject } from '../core/event.ts';
import { limits } from '../core/limits.ts';
import type { Answer, Question } from '../core/records.ts';
import { utcTime } from '../core/time.ts';
import { Framer } from '../ingest/collector/framer.ts';
import { type Database, openTemporary, type Statement } from '../storage/sqlite.ts';
import { openLog, unreadable } from './read-log.ts';

const object = z.record(z.string(), z.unknown());
const line = z.looseObject({
  at: z.string(),
  method: z.enum(['GET', 'POST', 'PUT', 'LIST', 'DELETE']),
  path: z.string().min(1),
  body: object.nullish(),
  status: z.int().min(0).max(999),
  response: object.nullish(),
});

const AUDIT_HASH = 'sys/audit-hash/';

export class RecordedAnswers implements Disposable {
  /** Audit devices whose hashes were asked for, by the paths under which Vault knows them. */
  private readonly audited = new Set<string>();
  private readonly database: Database;
  private readonly put: Statement;
  private readonly next: Statement;
  private readonly latest: Statement;
  private readonly tell: Statement;

  private constructor(database: Database) {
    this.database = database;
    database.exec(
      `create table answers (asked text not null, at text not null, seq integer not null, told integer not null,
        answer text not null, primary key (asked, at, seq)) without rowid`,
    );
    const found = 'select seq, at, told, answer from answers where asked = ?';
    this.put = database.prepare('insert into answers values (?, ?, ?, 0, ?)');
    this.next = database.prepare(`${found} and at >= ? order by at, seq limit 1`);
    this.latest = database.prepare(`${found} order by at desc, seq desc limit 1`);
    this.tell = database.prepare('update answers set told = 1 where asked = ? and at = ? and seq = ?');
  }

  /**
   * Reads `file` (JSON lines, plain or .gz); `path` is where they lie until the process ends.
   * Throws SealwatchError INPUT_UNREADABLE or ANSWERS_INVALID.
   */
  static async read(file: string, path: string): Promise<RecordedAnswers> {
    const answers = new RecordedAnswers(openTemporary(path, limits.answersPageCacheBytes));
    let seq = 0;
    const take = (bytes: Buffer, from: number, to: number) => {
      seq++;
      if (to > from) answers.add(parseLine(bytes.toString('utf8', from, to), `${file} line ${seq}`), seq);
    };
    const framer = new Framer({
      line: take,
      lost: () => {
        throw invalid(`${file} line ${seq + 1}`, 'it is too long');
      },
    });
    try {
      for await (const chunk of openLog(file)) framer.push(chunk as Buffer);
      framer.endAsLine();
      return answers;
    } catch (error) {
      answers[Symbol.dispose]();
      throw error instanceof SealwatchError ? error : unreadable(file, error);
    }
  }

  /**
   * The path under which Vault knows the device that a log is called by: its own name where hashes were asked of it, else the one
   * device that they were asked of; undefined when nobody can tell.
   */
  auditPathOf(device: string): string | undefined {
    if (this.audited.has(device)) return device;
    return this.audited.size === 1 ? this.audited.values().next().value : undefined;
  }

  private add(answer: Answer, seq: number): void {
    if (answer.path.startsWith(AUDIT_HASH) && this.audited.size < limits.auditPathsMax)
      this.audited.add(answer.path.slice(AUDIT_HASH.length));
    this.put.run(askedBy(answer), answer.at, seq, JSON.stringify(answer));
  }

  /**
   * The first answer that is not from before the question, else the latest; undefined when Vault does not answer, or when this
   * very answer was given to a question before: it is known, or stands in its place.
   */
  answer(question: Question): Answer | undefined {
    const asked = askedBy(question);
    const row = (this.next.get(asked, question.at) ?? this.latest.get(asked)) as Row | undefined;
    if (row === undefined || row.told === 1) return undefined;
    this.tell.run(asked, row.at, row.seq);
    const { path, namespace } = question;
    const answer = JSON.parse(row.answer) as Answer;
    return { ...answer, path, ...(namespace !== undefined && { namespace }) };
  }

  [Symbol.dispose](): void {
    this.database.close();
  }
}

interface Row {
  seq: number;
  at: string;
  told: number;
  answer: string;
}

function parseLine(text: string, where: string): Answer {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalid(where, 'it is not JSON');
  }
  const result = line.safeParse(value);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw invalid(where, `${issue?.path.join('.') || 'the line'}: ${issue?.message}`);
  }
  const { at: written, method, path, body, status, response } = result.data;
  const at = utcTime(written);
  if (at === undefined) throw invalid(where, 'at: no time as RFC 3339 has it');
  return {
    at,
    method,
    path,
    status,
    ...(body && { body: body as JsonObject }),
    ...(response && { response: response as JsonObject }),
  };
}

const invalid = (where: string, why: string) =>
  new SealwatchError(
    'ANSWERS_INVALID',
    `${where} is no recorded answer (${why})`,
    'Each line is JSON with at, method, path, status, and body and response where there were any.',
  );

/** A question of a namespace is recorded under its whole path. */
const askedBy = ({ method, namespace = '', path, body }: Question | Answer): string =>
  `${method} ${namespace}${path} ${body === undefined ? '' : canonicalJson(body)}`;
