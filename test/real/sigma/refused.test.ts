// Constructs of rules that are around, some of which pySigma reads: each is refused with its name and what to write.

import { describe, expect, it } from 'vitest';
import type { Detection } from '../../bench/rules/maker.ts';
import { ruleText } from './corpus.ts';
import { pySigmaQueries } from './engines.ts';
import { exprOf } from './ours.ts';

interface Refused {
  detection: Detection;
  name: string;
  /** Whether pySigma makes a query of it. */
  isSigma: boolean;
  says: RegExp;
}

const about = (key: string, value: unknown, condition = 'selection'): Detection => ({
  selection: { [key]: value },
  condition,
});

const refused: Refused[] = [
  {
    name: 'counting behind a bar',
    detection: about('event.action', 'user-login', 'selection | count() by user.id > 5'),
    isSigma: false,
    says: /counting after "\|".*write a correlation/,
  },
  {
    name: 'near',
    detection: about('event.action', 'user-login', 'selection | near selection'),
    isSigma: false,
    says: /"\| near".*correlation of type temporal/,
  },
  {
    name: 'a number of selections',
    detection: about('event.action', 'user-login', '2 of selection*'),
    isSigma: false,
    says: /"2 of".*1 of or all of/,
  },
  {
    name: 'look-around',
    detection: about('vault.request.path|re', '(?=sys)sys/.*'),
    isSigma: true,
    says: /look-around/,
  },
  {
    name: 'back-references',
    detection: about('vault.request.path|re', '(a)\\1'),
    isSigma: true,
    says: /back-references/,
  },
  {
    name: 'an expression of too many steps',
    detection: about('vault.request.path|re', '^(a{1,300}b+){1,300}$'),
    isSigma: true,
    says: /the expression is too large/,
  },
  {
    name: 'a part of encoded text as the whole',
    detection: about('user_agent.original|base64offset', 'vault'),
    isSigma: true,
    says: /write \|base64offset\|contains/,
  },
  {
    name: 'encoded text that says nothing',
    detection: about('user_agent.original|base64offset|contains', 'v'),
    isSigma: true,
    says: /would match everything/,
  },
  {
    name: 'an unknown modifier',
    detection: about('vault.request.path|startwith', 'sys/'),
    isSigma: false,
    says: /no modifier startwith; did you mean startswith/,
  },
  {
    name: 'a placeholder that nobody defined',
    detection: about('user.name|expand', '%administrators%'),
    isSigma: false,
    says: /no placeholder %administrators%/,
  },
  {
    name: 'wildcards that are encoded',
    detection: about('user_agent.original|base64', 'a*b'),
    isSigma: false,
    says: /wildcards cannot be encoded/,
  },
  {
    name: 'a selection that is not used',
    detection: { ...about('event.action', 'user-login'), filter: { 'user.name': 'root' } },
    isSigma: true,
    says: /filter is never used/,
  },
];

describe('what SigmaHQ has and we refuse', () => {
  it.each(refused)('$name', ({ detection, says }) => {
    expect(() => exprOf(ruleText(detection))).toThrow(says);
    expect(() => exprOf(ruleText(detection))).toThrow(/^rule line \d+: detection\./);
  });

  it('becomes a query of pySigma where we are the stricter', () => {
    const told = pySigmaQueries(refused.map(({ detection }) => ruleText(detection)));
    expect(told).toHaveLength(refused.length);
    const isRead = told.map(({ error, queries }) => error === undefined && queries['splunk'] !== undefined);
    expect(refused.map(({ name }, i) => [name, isRead[i]])).toEqual(
      refused.map(({ isSigma, name }) => [name, isSigma]),
    );
  });
});
