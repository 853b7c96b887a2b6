// The ledger's questions to Vault: which are asked, in which order, how many, and what of the answers gets to the stream.

import { describe, expect, it } from 'vitest';
import { limits } from '../../core/limits.ts';
import type { Answer, Question, QuestionNeed } from '../../core/records.ts';
import { Asker } from '../../vault/asker.ts';
import { Budget } from '../../vault/budget.ts';
import type { SessionCall } from '../../vault/session.ts';
import { answered, away, logOf, ScriptedClient } from './scripted.ts';

const START = Date.parse('2026-09-14T10:00:00Z');
const at = '2026-09-14T09:59:00.000000000Z';
const lease = (id: string, need: QuestionNeed = 'lifetime'): Question => ({
  at,
  method: 'POST',
  path: 'sys/leases/lookup',
  body: { lease_id: id },
  need,
});
const read = (path: string, namespace?: string): Question => ({
  at,
  method: 'GET',
  path,
  need: 'directory',
  ...(namespace !== undefined && { namespace }),
});
const good = answered(200, { request_id: 'r', data: { ttl: 60 } });

function askerOf(
  script: (call: SessionCall) => ReturnType<typeof answered> | undefined = () => good,
  calls = 1000,
) {
  const session = new ScriptedClient(script);
  const answers: Answer[] = [];
  const clock = { now: START };
  const { lines, logger } = logOf();
  const budget = new Budget({ percent: 2, calls, linesPerCall: 4 });
  const asker = new Asker({
    session,
    budget,
    logger,
    now: () => clock.now,
    random: () => 0,
    onAnswer: (answer) => answers.push(answer),
  });
  /** Questions wait for the steps of the test; the asker's own loop is not waited for. */
  const askAll = (...questions: Question[]) => {
    for (const question of questions) asker.ask(question);
  };
  const asked = () => session.asked.map(({ body, path }) => (body?.['lease_id'] as string) ?? path);
  return { asker, session, answers, clock, lines, budget, askAll, asked };
}

/** The loop of the asker runs until it has nothing to do. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('what is asked', () => {
  it('each question once, and its answer comes back as a record', async () => {
    const { askAll, answers, session } = askerOf();
    askAll(lease('busy'), lease('a'), lease('a'), read('identity/entity/id/e', 'team/'));
    await settle();
    expect(session.asked).toHaveLength(3);
    expect(session.asked.find(({ method }) => method === 'GET')?.namespace).toBe('team/');
    expect(answers).toContainEqual({
      at: '2026-09-14T10:00:00.000000000Z',
      method: 'POST',
      path: 'sys/leases/lookup',
      body: { lease_id: 'a' },
      status: 200,
      response: { request_id: 'r', data: { ttl: 60 } },
    });
    expect(answers.find(({ method }) => method === 'GET')?.namespace).toBe('team/');
  });

  it('is never anything but a declared call', async () => {
    const { askAll, session, asker } = askerOf();
    askAll(
      read('secret/data/x'),
      read('sys/policies/acl/..'),
      read('auth/approle/role/x/secret-id'),
      { ...read('sys/mounts'), method: 'POST' },
      { ...read('identity/entity/id'), method: 'LIST' },
    );
    await settle();
    expect(session.asked).toEqual([]);
    expect(asker.counters.get('directory')).toMatchObject({ refused: 5, asked: 0 });
  });

  it.each([
    ['half a character in a name', read('sys/policies/acl/\ud800')],
    ['a line break in a name', read('sys/policies/acl/a\nb')],
    ['a line break in a namespace', read('sys/mounts', 'a\n/')],
    ['letters that no header can hold', read('sys/mounts', '\u044b/')],
  ])('is never what could not be sent: %s', async (_, question) => {
    const { askAll, session, asker } = askerOf();
    askAll(question, read('sys/policies/acl/na\u00efve name'));
    await settle();
    expect(session.asked.map(({ path }) => path)).toEqual(['sys/policies/acl/na\u00efve name']);
    expect([asker.counters.get('directory')?.refused, asker.waiting]).toEqual([1, 0]);
  });

  it.each([400, 403, 404])(
    'a %i that is not JSON is not an answer of Vault: it says nothing',
    async (status) => {
      const { asker, answers, budget, session } = askerOf(() => answered(status));
      asker.ask(read('sys/policies/acl/admin'));
      await settle();
      for (let i = 1; i < limits.vaultTriesMax; i++) await asker.step();
      expect(answers.map((answer) => [answer.status, answer.response])).toEqual([[0, undefined]]);
      expect(asker.counters.get('directory')).toMatchObject({ answered: 0, failed: 1, refused: 0 });
      expect(1000 - budget.left).toBe(session.asked.length);
    },
  );

  it('an answer is never older than what it answers, whatever our clock says', async () => {
    const { askAll, answers } = askerOf();
    const later = '2026-09-14T10:07:00.000000000Z';
    askAll({ ...lease('a'), at: later });
    await settle();
    expect(answers[0]?.at).toBe(later);
  });

  it.each([
    ['gone', answered(400, { errors: ['invalid lease'] }), { errors: ['invalid lease'] }],
    ['nothing there', answered(404, { errors: [] }), { errors: [] }],
  ])('%s is an answer', async (_, answer, response) => {
    const { askAll, answers, asker } = askerOf(() => answer);
    askAll(lease('a'));
    await settle();
    expect(answers[0]).toMatchObject({ status: answer.status, response });
    expect(asker.counters.get('lifetime')).toMatchObject({ asked: 1, answered: 1 });
  });
});

describe('the order', () => {
  const first = async (...questions: Question[]): Promise<string[]> => {
    // The first is asked at once; the others wait meanwhile.
    const { askAll, asked } = askerOf();
    askAll(lease('busy'), ...questions);
    await settle();
    return asked().slice(1);
  };

  it('is that of the needs, and of one need the newest first', async () => {
    const order = ['sample', 'end', 'lifetime', 'hash', 'lifetime'] as const;
    const asked = await first(...order.map((need, i) => lease(`${need}-${i}`, need)));
    expect(asked).toEqual(['lifetime-4', 'lifetime-2', 'hash-3', 'end-1', 'sample-0']);
  });
});

describe('the budget', () => {
  it('is what may be asked at first, and then what lines have earned', async () => {
    const { askAll, asker, session, budget } = askerOf(() => good, 2);
    askAll(...['a', 'b', 'c', 'd', 'e'].map((id) => lease(id)));
    await settle();
    expect([session.asked.length, asker.waiting]).toEqual([2, 3]);
    expect(await asker.step()).toBe(limits.vaultBudgetMs);
    // 2 % of 400 lines are 8, and 2 calls of 4 lines each.
    budget.received(400, 0);
    expect(await asker.step()).toBe(0);
    expect(await asker.step()).toBe(0);
    expect(await asker.step()).toBe(limits.vaultBudgetMs);
    expect(session.asked).toHaveLength(4);
  });

  it('own lines earn nothing, and what is earned is not lost', () => {
    const budget = new Budget({ percent: 2, calls: 0, linesPerCall: 4 });
    budget.received(1000, 50);
    expect(budget.left).toBe(4);
    budget.received(0, 0);
    expect(budget.left).toBe(4);
    for (let i = 0; i < 4; i++) budget.spend();
    expect(budget.left).toBe(0);
  });

  it('a flood of old lines earns only so many at once', () => {
    const budget = new Budget({ percent: 2, calls: 100, linesPerCall: 4 });
    budget.received(100_000_000, 0);
    expect(budget.left).toBe(limits.vaultBudgetHeldMax);
    budget.spend();
    budget.received(100_000_000, 0);
    expect(budget.left).toBe(limits.vaultBudgetHeldMax - 1);
  });

  it('over a million lines the questions stay under it', async () => {
    const { asker, budget } = askerOf(() => good, 0);
    for (let lines = 0, id = 0; lines <= 1_000_000; lines += 1000) {
      budget.received(lines, 0);
      for (let i = 0; i < 20; i++) asker.ask(lease(`l-${id++}`));
      while ((await asker.step()) === 0);
    }
    const asked = asker.counters.get('lifetime')?.asked ?? 0;
    expect(asked * 4).toBeLessThanOrEqual(20_000);
    expect(asked * 4).toBeGreaterThan(19_000);
  });

  it('a queue that is full drops the least needed and oldest, and counts it', async () => {
    const { asker } = askerOf(() => good, 0);
    asker.ask(lease('busy', 'sample'));
    await settle();
    for (let i = 1; i < limits.vaultQuestionsMax; i++) asker.ask(lease(`s-${i}`, 'sample'));
    expect(asker.waiting).toBe(limits.vaultQuestionsMax);
    asker.ask(lease('needed'));
    asker.ask(lease('newest', 'sample'));
    expect(asker.waiting).toBe(limits.vaultQuestionsMax);
    expect(asker.counters.get('sample')?.dropped).toBe(2);
    expect(asker.counters.get('lifetime')?.dropped).toBe(0);
  });
});

describe('a Vault that does not answer', () => {
  it('keeps its questions, and is asked less and less often', async () => {
    const { asker, askAll, session, answers } = askerOf(() => away);
    askAll(lease('a'), lease('b'));
    await settle();
    expect(session.asked).toHaveLength(1);
    // New questions are no reason to ask it sooner.
    for (let i = 0; i < 50; i++) asker.ask(lease(`n-${i}`));
    await settle();
    expect(session.asked).toHaveLength(1);
    const waits: number[] = [];
    for (let i = 0; i < 8; i++) waits.push(await asker.step());
    expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
    expect([answers, asker.waiting]).toEqual([[], 52]);
    expect(asker.counters.get('lifetime')?.asked).toBe(0);
  });

  it('a rate limit is obeyed', async () => {
    const { asker, askAll } = askerOf(() => answered(429, {}, 9000));
    askAll(lease('a'));
    await settle();
    expect(await asker.step()).toBe(9500);
  });

  it('one question that never gets an answer does not hold up the others', async () => {
    const { asker, askAll, session } = askerOf(({ body }) => (body?.['lease_id'] === 'slow' ? away : good));
    askAll(lease('a'), lease('slow'));
    await settle();
    for (let i = 0; i < limits.vaultTriesMax + 1; i++) await asker.step();
    expect(session.asked.map(({ body }) => body?.['lease_id'])).toContain('a');
  });

  it('an error of its own is tried a few times, and then told', async () => {
    const { asker, askAll, answers } = askerOf(() => answered(500, { errors: ['internal error'] }));
    askAll(lease('a'));
    await settle();
    await asker.step();
    await asker.step();
    expect(answers).toMatchObject([{ status: 500, response: { errors: ['internal error'] } }]);
    expect(asker.counters.get('lifetime')).toMatchObject({ asked: 3, failed: 1 });
    expect(asker.waiting).toBe(0);
  });

  it('an answer that is too large is not asked for again', async () => {
    const { asker, askAll, answers } = askerOf(() => ({ ...away, fault: 'answer_too_large' }));
    askAll(read('sys/mounts'));
    await settle();
    expect(answers).toMatchObject([{ path: 'sys/mounts', status: 0 }]);
    expect(asker.counters.get('directory')?.failed).toBe(1);
  });
});

describe('what is denied', () => {
  const denied = answered(403, { errors: ['permission denied'] });

  it('is said once, and all of its kind is left alone for a while', async () => {
    const { asker, askAll, session, clock, lines, answers } = askerOf(() => denied);
    askAll(read('sys/policies/acl/a'));
    await settle();
    askAll(read('sys/policies/acl/b'), read('sys/policies/acl/c'));
    await settle();
    expect(session.asked).toHaveLength(1);
    expect(answers).toMatchObject([{ status: 403 }]);
    expect(asker.counters.get('directory')).toMatchObject({ asked: 1, refused: 3 });
    expect(lines).toHaveLength(1);
    clock.now += limits.vaultDeniedMs;
    askAll(read('sys/policies/acl/d'));
    await settle();
    expect(session.asked).toHaveLength(2);
  });

  it('says nothing about other kinds, nor about other namespaces', async () => {
    const { askAll, session } = askerOf(() => denied);
    askAll(read('auth/approle/role/a'));
    await settle();
    askAll(read('auth/approle/role/b'), read('auth/jwt/role/a'), read('auth/approle/role/a', 'team/'));
    await settle();
    expect(session.asked).toHaveLength(3);
  });
});
