// Recorded answers of Vault: which one a question finds, and what is wrong with a file that is none.

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { RecordedAnswers } from '../../commands/vault-answers.ts';
import { SealwatchError } from '../../core/errors.ts';
import type { Question } from '../../core/records.ts';
import { at } from '../builders.ts';

const dir = mkdtempSync(join(tmpdir(), 'sealwatch-answers-'));
afterAll(() => rmSync(dir, { recursive: true }));

const anAnswer = (second: number, parts: object = {}) => ({
  at: at(second),
  method: 'POST',
  path: 'sys/leases/lookup',
  body: { lease_id: 'database/creds/app/1' },
  status: 200,
  response: { request_id: `r${second}` },
  ...parts,
});

const aQuestion = (second: number, parts: Partial<Question> = {}): Question => ({
  at: at(second),
  method: 'POST',
  path: 'sys/leases/lookup',
  body: { lease_id: 'database/creds/app/1' },
  need: 'lifetime',
  ...parts,
});

let files = 0;
async function read(lines: unknown[], name = `answers-${files++}.jsonl`): Promise<RecordedAnswers> {
  const file = join(dir, name);
  const text = lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join('');
  writeFileSync(file, name.endsWith('.gz') ? gzipSync(text) : text);
  return RecordedAnswers.read(file, join(dir, 'answers.tmp'));
}

const idOf = (answers: RecordedAnswers, question: Question) =>
  answers.answer(question)?.response?.['request_id'];

it('tells which device of Vault a log is of: by its name, or there is but one', async () => {
  const hashOf = (path: string) =>
    anAnswer(1, { path: `sys/audit-hash/${path}`, body: { input: 'database/creds/app/1' } });
  using one = await read([anAnswer(1), hashOf('main')]);
  expect(one.auditPathOf('audit.jsonl')).toBe('main');
  using two = await read([hashOf('main'), hashOf('other')]);
  expect(two.auditPathOf('audit.jsonl')).toBeUndefined();
  expect(two.auditPathOf('other')).toBe('other');
});

describe('a question', () => {
  it('finds the first answer that is not from before it, else the latest, each once', async () => {
    using answers = await read([anAnswer(30), anAnswer(10), anAnswer(20)]);
    expect(idOf(answers, aQuestion(10))).toBe('r10');
    expect(idOf(answers, aQuestion(11))).toBe('r20');
    expect(idOf(answers, aQuestion(12))).toBeUndefined();
    expect(idOf(answers, aQuestion(99))).toBe('r30');
    expect(idOf(answers, aQuestion(99))).toBeUndefined();
  });

  it('goes by method, path and body, whatever the order of its members; without one Vault does not answer', async () => {
    const other = { body: { lease_id: 'database/creds/app/2', x: [1] } };
    using answers = await read([
      anAnswer(1),
      anAnswer(2, other),
      anAnswer(3, { method: 'GET', path: 'sys/mounts', body: null }),
      anAnswer(4, { method: 'GET', path: 'team/sys/mounts', body: undefined }),
    ]);
    expect(idOf(answers, aQuestion(0, { body: { x: [1], lease_id: 'database/creds/app/2' } }))).toBe('r2');
    expect(idOf(answers, aQuestion(0, { body: { lease_id: 'database/creds/app/3' } }))).toBeUndefined();
    const mounts: Question = { at: at(0), method: 'GET', path: 'sys/mounts', need: 'directory' };
    expect(answers.answer({ ...mounts, namespace: 'team/' })).toMatchObject({
      path: 'sys/mounts',
      namespace: 'team/',
      at: at(4),
    });
    expect(idOf(answers, mounts)).toBe('r3');
    expect(idOf(answers, { ...mounts, method: 'LIST' })).toBeUndefined();
  });

  it('finds them in a packed file, and nothing of them is left on disk', async () => {
    using answers = await read([anAnswer(1, { at: '2026-09-01T02:00:01.5+02:00' }), ''], 'packed.jsonl.gz');
    expect(readdirSync(dir)).not.toContain('answers.tmp');
    expect(answers.answer(aQuestion(0))?.at).toBe('2026-09-01T00:00:01.500000000Z');
  });
});

describe('a file that is none', () => {
  const faultOf = async (lines: unknown[], name?: string): Promise<string> => {
    try {
      (await read(lines, name))[Symbol.dispose]();
    } catch (error) {
      return error instanceof SealwatchError ? `${error.code} ${error.message}` : String(error);
    }
    return 'read';
  };

  it.each<[string, unknown, RegExp]>([
    ['no JSON', 'no json', /line 2 is no recorded answer \(it is not JSON\)/],
    ['no object', '[1]', /line 2/],
    ['no path', anAnswer(1, { path: undefined }), /line 2 .*path/],
    ['a time that is none', anAnswer(1, { at: 'yesterday' }), /line 2 .*at: no time/],
    ['a status that is none', anAnswer(1, { status: '200' }), /line 2 .*status/],
    ['a method that is none', anAnswer(1, { method: 'HACK' }), /line 2 .*method/],
    ['a body that is none', anAnswer(1, { body: 'x' }), /line 2 .*body/],
  ])('%s', async (_, line, message) => {
    const fault = await faultOf([anAnswer(0), line, anAnswer(2)]);
    expect(fault).toMatch(/^ANSWERS_INVALID /);
    expect(fault).toMatch(message);
  });

  it('one that is not there, and one that is not whole', async () => {
    const open = () => RecordedAnswers.read(join(dir, 'nowhere'), join(dir, 'answers.tmp'));
    await expect(open()).rejects.toMatchObject({ code: 'INPUT_UNREADABLE' });
    const half = join(dir, 'half.gz');
    writeFileSync(half, gzipSync(JSON.stringify(anAnswer(1))).subarray(0, 40));
    await expect(RecordedAnswers.read(half, join(dir, 'answers.tmp'))).rejects.toMatchObject({
      code: 'INPUT_UNREADABLE',
    });
  });
});
