// A canary was touched: a path that nobody has a reason to use, named in the list `canaries`. Needs no learning.

import type { Lists } from '../../core/lists.ts';
import { parsePattern, textTest } from '../../core/match/text.ts';
import type { Behaviour, Observation } from './behaviour.ts';
import { described, findingOn, toldOf, whoIs } from './told.ts';

const info = described({
  id: '192ce6a8-be6e-4848-8553-89a56cfd1f94',
  name: 'canary',
  title: 'Canary path touched',
  level: 'critical',
  techniques: ['T1555.006'],
  description:
    'A path on the list `canaries` was used, or somebody tried to. Nothing and nobody has a reason to: whoever touches it looks around.',
  falsePositives: ['A backup or an inventory that walks through every secret: put it on the allow-list.'],
  runbook:
    'Find out who holds the token and where the call came from. Revoke the token, look at everything else that the identity touched since its login, and rotate what it read.',
  groupBy: ['user.id', 'vault.request.path'],
});

/** Patterns of the list, read once as long as the list stays the same. */
let read: { texts: readonly string[]; tests: ((path: string) => boolean)[] } = { texts: [], tests: [] };

export const canary: Behaviour = {
  info,
  call(call, turn) {
    const path = touched(call, turn.lists);
    if (path === undefined) return;
    const denied = call.outcome === 'success' ? '' : ', and was refused';
    const from = call.ip === undefined ? '' : ` from ${call.ip}`;
    const message = `${whoIs(call.facts)} touched the canary ${path} (${call.action})${from}${denied}: nobody has a reason to use it.`;
    turn.find(
      findingOn(toldOf(call), `${call.user} ${path}`, message, { action: call.action, canary: path }),
    );
  },
};

/** A path of the call that a pattern fits, as Vault's API or as its command line writes it. */
function touched({ path, secret }: Observation, lists: Lists): string | undefined {
  const tests = testsOf(lists.texts('canaries'));
  if (tests.length === 0) return undefined;
  return [path, secret?.path].find((text) => text !== undefined && tests.some((test) => test(trimmed(text))));
}

/** `*` stands for any characters, `?` for one. */
function testsOf(texts: readonly string[]): ((path: string) => boolean)[] {
  if (texts !== read.texts)
    read = { texts, tests: texts.map((text) => textTest(parsePattern(trimmed(text)), true)) };
  return read.tests;
}

/** Slashes around a path are no matter. */
const trimmed = (path: string): string => path.replace(/^\/|\/$/g, '');
