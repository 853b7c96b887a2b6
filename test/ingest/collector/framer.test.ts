// The framer gives back the lines that were written, however the bytes are cut into chunks.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limits } from '../../../core/limits.ts';
import { Framer } from '../../../ingest/collector/framer.ts';
import { PartialBudget } from '../../../ingest/collector/partial.ts';

function framerWithLog(budget?: PartialBudget) {
  const lines: string[] = [];
  const lengths: number[] = [];
  const lost: [reason: string, bytes: number][] = [];
  const framer = new Framer(
    {
      line: (bytes, from, to) => {
        lengths.push(to - from);
        if (to - from < 1_000_000) lines.push(bytes.toString('latin1', from, to));
      },
      lost: (reason, bytes) => lost.push([reason, bytes]),
    },
    budget,
  );
  return { framer, lines, lengths, lost };
}

/** Pushes `bytes` cut at `cuts`, each chunk in the same buffer, which is wiped after use as a reader's buffer is. */
function pushCut(framer: Framer, bytes: Buffer, cuts: readonly number[]): void {
  const ends = [...new Set([...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].sort(
    (a, b) => a - b,
  );
  const shared = Buffer.alloc(bytes.length);
  let from = 0;
  for (const end of ends) {
    bytes.copy(shared, 0, from, end);
    framer.push(shared.subarray(0, end - from));
    shared.fill('X\n');
    from = end;
  }
}

const withoutNewline = fc
  .oneof(
    fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes)),
    fc.string({ unit: 'binary', maxLength: 20 }).map((text) => Buffer.from(text)),
    fc.constantFrom('', '\r', '\u0000', 'é\u{1F511}', '{"a":1}').map((text) => Buffer.from(text)),
  )
  .map((bytes) => Buffer.from(bytes.map((byte) => (byte === 10 ? 0 : byte))));
const line = fc.record({ body: withoutNewline, end: fc.constantFrom('\n', '\r\n') });

describe('lines', () => {
  test('come out as they went in, for any lines and any chunks', () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), fc.array(fc.nat(), { maxLength: 12 }), (input, cuts) => {
        const { framer, lines, lost } = framerWithLog();
        const bytes = Buffer.concat(input.flatMap(({ body, end }) => [body, Buffer.from(end)]));
        pushCut(framer, bytes, cuts);
        framer.end();
        const expected = input
          .map(({ body, end }) => body.toString('latin1') + end.slice(0, -1))
          .map((text) => (text.endsWith('\r') ? text.slice(0, -1) : text))
          .filter((text) => text !== '');
        expect(lines).toEqual(expected);
        expect(lost).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  test('a tail without newline is lost as truncated, and the lines before it stay', () => {
    fc.assert(
      fc.property(withoutNewline, fc.array(fc.nat(), { maxLength: 6 }), (tail, cuts) => {
        const budget = new PartialBudget();
        const { framer, lines, lost } = framerWithLog(budget);
        pushCut(framer, Buffer.concat([Buffer.from('whole\n'), tail]), cuts);
        framer.end();
        expect(lines).toEqual(['whole']);
        expect(lost).toEqual(tail.length === 0 ? [] : [['truncated', tail.length]]);
        expect(budget.used).toBe(0);
      }),
    );
  });

  test('after an end the next bytes begin a new line', () => {
    const { framer, lines } = framerWithLog();
    framer.push(Buffer.from('cut'));
    framer.end();
    framer.push(Buffer.from('whole\n'));
    expect(lines).toEqual(['whole']);
  });

  test('endAsLine hands out an unfinished tail once', () => {
    const { framer, lines, lost } = framerWithLog();
    framer.push(Buffer.from('a\nb'));
    framer.endAsLine();
    framer.endAsLine();
    framer.end();
    expect([lines, lost]).toEqual([['a', 'b'], []]);
  });
});

describe('a long line', () => {
  const max = limits.lineBytesMax;
  const big = Buffer.alloc(max + 2, 'a');

  test('passes at exactly the limit, in one chunk and in two', () => {
    const budget = new PartialBudget();
    const { framer, lengths, lost } = framerWithLog(budget);
    big[max] = 10;
    framer.push(big.subarray(0, max + 1));
    framer.push(big.subarray(0, 1000));
    framer.push(big.subarray(1000, max + 1));
    big[max] = 97;
    expect(lengths).toEqual([max, max]);
    expect(lost).toEqual([]);
    expect(budget.used).toBe(0);
  });

  test('is given up with one byte more, and the next line is fine', () => {
    const budget = new PartialBudget();
    const { framer, lines, lengths, lost } = framerWithLog(budget);
    framer.push(big.subarray(0, max));
    expect(budget.used).toBe(max);
    framer.push(Buffer.from('a\nnext\n'));
    expect(lost).toEqual([['line_too_long', max + 1]]);
    expect(lines).toEqual(['next']);
    big[max + 1] = 10;
    framer.push(big);
    big[max + 1] = 97;
    framer.push(Buffer.from('last\n'));
    expect(lost.slice(1)).toEqual([['line_too_long', max + 1]]);
    expect(lines).toEqual(['next', 'last']);
    expect(lengths).toEqual([4, 4]);
    expect(budget.used).toBe(0);
  });

  test('that never ends holds no memory and is counted once, with all its bytes', () => {
    const budget = new PartialBudget();
    const { framer, lines, lost } = framerWithLog(budget);
    for (let i = 0; i < 4; i++) framer.push(big.subarray(0, max - 1));
    expect(budget.used).toBe(0);
    expect(lost).toEqual([]);
    framer.push(Buffer.from('z\nnext\n'));
    expect(lost).toEqual([['line_too_long', 4 * (max - 1) + 1]]);
    expect(lines).toEqual(['next']);
    for (let i = 0; i < 2; i++) framer.push(big.subarray(0, max - 1));
    framer.end();
    expect(lost.slice(1)).toEqual([['line_too_long', 2 * (max - 1)]]);
  });
});

describe('the budget of unfinished bytes', () => {
  test('is shared: past it the longest unfinished line is given up, not the newest', () => {
    const budget = new PartialBudget();
    const framers = Array.from({ length: 5 }, () => framerWithLog(budget));
    const big = Buffer.alloc(limits.lineBytesMax - 1, 'x');
    for (const { framer } of framers.slice(0, 4)) framer.push(big);
    const honest = framers[4] as ReturnType<typeof framerWithLog>;
    honest.framer.push(Buffer.from('half a '));
    honest.framer.push(Buffer.from('line\n'));
    expect(honest.lines).toEqual(['half a line']);
    expect(budget.used).toBeLessThanOrEqual(limits.partialBytesMax);
    for (const { framer } of framers) framer.end();
    expect(budget.used).toBe(0);
  });

  test('is given back when a connection ends in the middle of a line', () => {
    const budget = new PartialBudget();
    const { framer, lost } = framerWithLog(budget);
    framer.push(Buffer.from('half'));
    expect(budget.used).toBe(4);
    framer.end();
    framer.end();
    expect(budget.used).toBe(0);
    expect(lost).toEqual([['truncated', 4]]);
  });
});
