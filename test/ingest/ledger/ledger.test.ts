// The ledger works calls, answers and hash pairs in the order in which Vault had done them, whatever order they come in.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AuditEvent } from '../../../core/event.ts';
import { limits } from '../../../core/limits.ts';
import type { Answer, CredentialCall, Kind, Question } from '../../../core/records.ts';
import { Ledger, type LedgerState } from '../../../ingest/ledger/ledger.ts';
import { anEvent, at } from '../../builders.ts';
import { MapMemory } from './memory.ts';
import { toldParts } from './told-parts.ts';

/** The watermark that lets everything up to this second be worked. */
const past = (second: number) => at(second + limits.ledgerSlackSeconds);

function aCall(
  id: string,
  second: number,
  parts: { seconds?: number; accessor?: string } = {},
): CredentialCall {
  const event: AuditEvent = anEvent({ id, time: at(second) });
  if (parts.seconds !== undefined) event.event.duration = parts.seconds * 1e9;
  if (parts.accessor !== undefined) event.vault.caller.accessor = parts.accessor;
  return { event };
}

const anAnswer = (path: string, second: number, status = 200): Answer => ({
  at: at(second).replace('.000000000Z', '.000Z'),
  method: 'GET',
  path,
  status,
  response: { request_id: `request-${path}` },
});

function ledgerOf(
  options: {
    partitions?: number;
    onCall?: (id: string, ask: (path: string) => void) => void;
    memory?: MapMemory;
  } = {},
  state?: LedgerState,
) {
  const asked: Question[] = [];
  const reached: string[] = [];
  const answers = new Map<string, Answer>();
  const ask = (path: string) => ledger['ask']({ at: at(0), method: 'GET', path, need: 'directory' });
  const { parts, log } = toldParts((id) => options.onCall?.(id, ask));
  const ledger: Ledger = new Ledger(
    {
      memory: options.memory ?? new MapMemory(),
      partitions: options.partitions ?? 1,
      parts: () => parts,
      sink: {
        lease: () => {},
        fact: () => {},
        own: () => {},
        watermark: (time) => reached.push(time),
        ask: (question) => {
          asked.push(question);
          const answer = answers.get(question.path);
          if (answer !== undefined) ledger.record('answer', answer, 0);
        },
      },
    },
    state,
  );
  const watermark = (time: string, source = 0) => ledger.record('watermark', { source, time }, 0);
  const worked = () => log.filter((line) => !line.startsWith('advance')).map((line) => line.split(' ')[1]);
  return { ledger, log, asked, reached, answers, watermark, worked };
}

describe('the order', () => {
  it('is that of when calls were done, then of their ids, however they come', () => {
    const call = fc.record({ second: fc.nat(20), seconds: fc.nat(5), id: fc.integer({ min: 10, max: 99 }) });
    fc.assert(
      fc.property(
        fc.uniqueArray(call, { selector: ({ id }) => id, maxLength: 30 }),
        fc.nat(),
        (calls, from) => {
          const { ledger, watermark, worked } = ledgerOf();
          const turned = [
            ...calls.slice(from % (calls.length + 1)),
            ...calls.slice(0, from % (calls.length + 1)),
          ];
          for (const { id, second, seconds } of turned)
            ledger.record('credential', aCall(`${id}`, second, { seconds }), 0);
          expect(worked()).toEqual([]);
          watermark(past(30));
          const key = ({ second, seconds, id }: (typeof calls)[number]) => (second + seconds) * 100 + id;
          expect(worked()).toEqual([...calls].sort((a, b) => key(a) - key(b)).map(({ id }) => `${id}`));
          expect(ledger.waiting).toBe(0);
        },
      ),
    );
  });

  it('waits for the slowest raw partition, and time passes for each call and at the watermark', () => {
    const { ledger, watermark, log, reached } = ledgerOf({ partitions: 2 });
    ledger.record('credential', aCall('b', 5), 0);
    ledger.record('credential', aCall('a', 3), 1);
    ledger.record('hashes', { id: 'pair', at: at(4) }, 2);
    watermark(past(9), 0);
    expect(log).toEqual([]);
    watermark(past(4), 1);
    expect(log).toEqual(['advance 00:03', 'call a', 'advance 00:04', 'hashes pair', 'advance 00:04']);
    expect(reached).toEqual([at(4)]);
    watermark(past(3), 1);
    watermark(past(9), 1);
    expect(log.slice(5)).toEqual(['advance 00:05', 'call b', 'advance 00:09']);
  });

  it('late ones are worked at once and counted; what comes twice while it waits is worked once', () => {
    const { ledger, watermark, worked } = ledgerOf();
    watermark(past(10));
    ledger.record('credential', aCall('late', 3), 0);
    expect(worked()).toEqual(['late']);
    for (let n = 0; n < 2; n++) ledger.record('credential', aCall('again', 12), n);
    watermark(past(20));
    expect(worked()).toEqual(['late', 'again']);
    expect(ledger.counters).toMatchObject({ records: 3, late: 1, early: 0 });
  });

  it('what is too much works the first before its turn, and counts it', () => {
    const { ledger, worked } = ledgerOf();
    for (let n = limits.ledgerWaitingMax; n >= 0; n--) ledger.record('credential', aCall(`${n}`, n), 0);
    expect(worked()).toEqual(['0']);
    expect(ledger.counters.early).toBe(1);
    expect(ledger.waiting).toBe(limits.ledgerWaitingMax);
  });

  it('large ones are fewer', () => {
    const { ledger } = ledgerOf();
    const large = 'x'.repeat(1_000_000);
    const count = Math.ceil(limits.ledgerWaitingCharsMax / large.length);
    for (let n = 0; n < count; n++) {
      const call = aCall(`${n}`, n);
      call.event.vault.request.data = { large };
      ledger.record('credential', call, n);
    }
    expect(ledger.waiting).toBeLessThan(count);
    expect(ledger.counters.early).toBe(count - ledger.waiting);
  });

  it('at the end everything is worked, and time goes to the last of it', () => {
    const { ledger, log } = ledgerOf();
    ledger.record('credential', aCall('a', 5, { seconds: 4 }), 0);
    ledger.finish(at(7));
    expect(log).toEqual(['advance 00:09', 'call a', 'advance 00:09']);
  });
});

describe('questions and answers', () => {
  it('an answer on file is worked in its turn among what waits; one of before at once, after what asked', () => {
    const onCall = (id: string, ask: (path: string) => void) => {
      if (id === 'a') for (const path of ['later', 'before', 'between']) ask(path);
    };
    const { ledger, answers, watermark, worked, asked } = ledgerOf({ onCall });
    answers.set('later', anAnswer('later', 30));
    answers.set('before', anAnswer('before', 1));
    answers.set('between', anAnswer('between', 7));
    ledger.record('credential', aCall('b', 10), 0);
    ledger.record('credential', aCall('a', 5), 1);
    watermark(past(20));
    expect(worked()).toEqual(['a', 'before', 'between', 'b']);
    watermark(past(30));
    expect(worked().at(-1)).toBe('later');
    expect(asked).toHaveLength(3);
    expect(ledger.counters).toMatchObject({ questions: 3, late: 0 });
  });

  it('what nobody answered is kept over a restart; an answer, not a silence, ends it', () => {
    const memory = new MapMemory();
    const onCall = (_: string, ask: (path: string) => void) => {
      for (const path of ['sys/mounts', 'sys/auth']) ask(path);
    };
    const { ledger, watermark } = ledgerOf({ onCall, memory });
    ledger.record('credential', aCall('a', 5), 0);
    watermark(past(5));
    ledger.record('answer', anAnswer('sys/mounts', 6), 1);
    ledger.record('answer', anAnswer('sys/auth', 6, 0), 2);
    watermark(past(6));
    const again = ledgerOf({ memory }).ledger;
    expect(again.openQuestions().map(({ path }) => path)).toEqual(['sys/auth']);
  });

  it('of many that nobody answers the oldest give way', () => {
    const memory = new MapMemory();
    const many = limits.ledgerQuestionsMax + 10;
    const onCall = (_: string, ask: (path: string) => void) => {
      for (let n = 0; n < many; n++) ask(`path/${n}`);
    };
    const { ledger } = ledgerOf({ onCall, memory });
    ledger.record('credential', aCall('a', 5), 0);
    ledger.finish(at(5));
    const kept = ledgerOf({ memory }).ledger.openQuestions();
    expect(kept).toHaveLength(limits.ledgerQuestionsMax);
    expect(kept[0]?.path).toBe('path/10');
  });
});

describe('first calls of tokens', () => {
  const onlyFirst = (id: string, second: number, accessor: string): CredentialCall => ({
    ...aCall(id, second, { accessor }),
    onlyFirst: true,
  });

  it('are worked when the token is new, however many partitions tell of them', () => {
    const { ledger, watermark, worked } = ledgerOf();
    ledger.record('credential', onlyFirst('d', 4, 'two'), 0);
    ledger.record('credential', onlyFirst('c', 3, 'one'), 0);
    ledger.record('credential', onlyFirst('b', 2, 'one'), 0);
    ledger.record('credential', aCall('a', 1, { accessor: 'two' }), 0);
    watermark(past(9));
    expect(worked()).toEqual(['a', 'b']);
  });
});

describe('a restart', () => {
  it('works what was waiting, and nothing twice', () => {
    const calls = [5, 1, 9, 3, 7].map((second) => aCall(`c${second}`, second));
    const records = calls.map((call, offset) => ({ kind: 'credential' as Kind, value: call, offset }));
    const first = ledgerOf();
    for (const { kind, value, offset } of records) first.ledger.record(kind, value, offset);
    first.watermark(past(4));
    const { state, offset } = first.ledger.snapshot(5);
    expect([first.worked(), offset]).toEqual([['c1', 'c3'], 0]);
    const second = ledgerOf({}, JSON.parse(JSON.stringify(state)) as LedgerState);
    for (const record of records) second.ledger.restore(record.kind, record.value, record.offset);
    expect(second.worked()).toEqual([]);
    second.watermark(past(9));
    expect(second.worked()).toEqual(['c5', 'c7', 'c9']);
    expect(second.ledger.snapshot(5).offset).toBe(5);
  });
});

describe('our own faults', () => {
  it('a call that our code stumbles over is counted, and the next is worked', () => {
    const onCall = (id: string) => {
      if (id === 'bad') throw new TypeError('of undefined');
    };
    const { ledger, watermark, worked } = ledgerOf({ onCall });
    ledger.record('credential', aCall('bad', 1), 0);
    ledger.record('credential', aCall('good', 2), 0);
    watermark(past(9));
    expect(worked()).toEqual(['bad', 'good']);
    expect(ledger.counters.failed).toBe(1);
  });

  it('what the disk refuses is thrown: it is tried again', () => {
    const onCall = () => {
      throw new Error('database or disk is full');
    };
    const { ledger, watermark } = ledgerOf({ onCall });
    ledger.record('credential', aCall('a', 1), 0);
    expect(() => watermark(past(9))).toThrow('disk is full');
  });
});
