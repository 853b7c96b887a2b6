// What people write for a lifetime, in seconds.

import { expect, it } from 'vitest';
import { isWord, secondsOf, words } from '../../../../ingest/ledger/reading/words.ts';

it.each([
  ['1h', 3600],
  ['3600', 3600],
  ['1h30m', 5400],
  ['1h0m0s', 3600],
  ['32d', 2_764_800],
  ['0', 0],
])('%s', (word, seconds) => expect(secondsOf(word)).toBe(seconds));

it.each(['', 'h', '1', '-1h', '1.5h', '1w2', 'true', '99999999999', '9'.repeat(40), '1h '.repeat(9)])(
  '%j is bounded or none',
  (text) => expect(secondsOf(text) ?? 0).toBeLessThan(10 ** 10),
);

it('the dictionary has each word once, all of them lifetimes', () => {
  expect(new Set(words).size).toBe(words.length);
  expect(words.filter((word) => secondsOf(word) === undefined)).toEqual([]);
  expect(words.every(isWord) && !isWord('database/creds/app/x')).toBe(true);
});
