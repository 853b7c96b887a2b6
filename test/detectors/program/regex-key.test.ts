// Which text a regular expression cannot match without.

import { expect, it } from 'vitest';
import { regexKey } from '../../../detectors/engine/program/regex-key.ts';

it.each([
  ['^secret/data/[a-z]+/prod$', '', { standing: 'start', text: 'secret/data/' }],
  ['^sys/(?:seal|step-down)$', '', { standing: 'start', text: 'sys/' }],
  ['^Auth\\/Token', '', { standing: 'start', text: 'auth/token' }],
  ['^ab+cdef', '', { standing: 'within', text: 'cdef' }],
  ['^abc+d', '', { standing: 'start', text: 'abc' }],
  ['^abc?d', '', { standing: 'start', text: 'ab' }],
  ['^abcd{2}', '', { standing: 'start', text: 'abc' }],
  ['^abcd{0,4444}e', '', { standing: 'start', text: 'abc' }],
  ['^a.bcd', '', { standing: 'within', text: 'bcd' }],
  ['^abc', 'm', { standing: 'within', text: 'abc' }],
  ['abc\\d\\.txt', 'i', { standing: 'within', text: '.txt' }],
  ['[^]a]bc]d', '', { standing: 'within', text: 'bc' }],
  ['(a|b(c))x[)]', '', { standing: 'within', text: 'x' }],
  ['\u212ab', '', { standing: 'within', text: 'b' }],
])('%s with flags "%s" needs %o', (source, flags, key) => {
  expect(regexKey(source, flags)).toEqual(key);
});

it.each([
  ['abc|def', ''],
  ['\\x61bcd', ''],
  ['\\u0061bcd', ''],
  ['\\cAbcd', ''],
  ['\\k<a>bcd', ''],
  ['abcd', 'iu'],
  ['^[a-z]*$', ''],
  ['(abc)', ''],
  ['^$', ''],
  ['', ''],
])('%s with flags "%s" needs none', (source, flags) => {
  expect(regexKey(source, flags)).toBeUndefined();
});
