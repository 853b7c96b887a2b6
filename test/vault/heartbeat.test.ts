// The heartbeat: what it puts on the stream, and that nothing secret of Vault's answer gets there or into the log.

import { expect, it } from 'vitest';
import type { Answer } from '../../core/records.ts';
import type { VaultAnswer } from '../../vault/client.ts';
import { clockDifference, Heartbeat } from '../../vault/heartbeat.ts';

const now = Date.parse('2026-09-14T10:00:00.250Z');
const good: VaultAnswer = {
  status: 200,
  body: { request_id: 'r1', data: { id: 'hvs.EXAMPLE', accessor: 'a1', meta: null } },
  dateMs: now - 250,
  fault: undefined,
};
const down: VaultAnswer = { status: 0, body: undefined, dateMs: undefined, fault: 'ECONNREFUSED' };

function started(answers: VaultAnswer[]) {
  const sent: Answer[] = [];
  const log: string[] = [];
  const say = (fields: object, message: string) => void log.push(JSON.stringify([fields, message]));
  const heartbeat = new Heartbeat({
    session: { read: async () => answers.shift() ?? down },
    logger: { debug: say, info: say, warn: say, error: say },
    now: () => now,
    onAnswer: (answer) => sent.push(answer),
  });
  return { heartbeat, sent, log };
}

it('puts the id of the call on the stream and nothing else of the answer', async () => {
  const { heartbeat, sent, log } = started([good]);
  await heartbeat.beat();
  expect(sent).toEqual([
    {
      at: '2026-09-14T10:00:00.250000000Z',
      method: 'GET',
      path: 'auth/token/lookup-self',
      purpose: 'heartbeat',
      status: 200,
      response: { request_id: 'r1' },
    },
  ]);
  expect([heartbeat.counters, heartbeat.lastAnswerMs, log]).toEqual([{ sent: 1, answered: 1 }, now, []]);
});

it('a Vault that does not answer is said once, and again when it answers', async () => {
  const { heartbeat, sent, log } = started([down, down, good]);
  for (let i = 0; i < 3; i++) await heartbeat.beat();
  expect(sent.map(({ status, response }) => [status, response !== undefined])).toEqual([
    [0, false],
    [0, false],
    [200, true],
  ]);
  expect(log).toHaveLength(2);
  expect(log[0]).toContain('ECONNREFUSED');
  expect(heartbeat.counters).toEqual({ sent: 3, answered: 1 });
});

it.each([
  ['no id', {}],
  ['an id of another type', { request_id: 7 }],
  ['an id that no line can hold', { request_id: 'a\nb' }],
  ['an endless id', { request_id: 'x'.repeat(1000) }],
])('an answer with %s is none', async (_, body) => {
  const { heartbeat, sent } = started([{ ...good, body }]);
  await heartbeat.beat();
  expect(sent[0]).not.toHaveProperty('response');
  expect(heartbeat.counters.answered).toBe(0);
});

it('asks once at a time', async () => {
  const { heartbeat, sent } = started([good, good]);
  await Promise.all([heartbeat.beat(), heartbeat.beat()]);
  expect(sent).toHaveLength(1);
});

it.each([
  ['the same second', 10_000, 10_250, 10_300, 0],
  ['a second that ended while it was asked', 10_000, 10_990, 11_010, 0],
  ['behind', 5_000, 10_250, 10_300, -4.25],
  ['ahead', 20_000, 10_250, 10_300, 9.7],
])('clocks: %s', (_, date, asked, answered, seconds) => {
  expect(clockDifference(date, asked, answered)).toBe(seconds);
});
