// A canary was touched: a path that nobody has a reason to use, named in the list `canaries`. Needs no learning.

import type { Lists } from '../../core/lists.ts';
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
let read: { texts: readonly string[]; matches: RegExp[] } = { texts: [], matches: [] };

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

function touched({ path, secret }: Observation, lists: Lists): string | undefined {
  const matches = patternsOf(lists.texts('canaries'));
  if (matches.length === 0) return undefined;
  return [path, secret?.path].find((text) => text !== undefined && matches.some((match) => match.test(text)));
}

function patternsOf(texts: readonly string[]): RegExp[] {
  if (texts !== read.texts) read = { texts, matches: texts.map(patternOf) };
  return read.matches;
}

/** As Vault's policies write paths, `+` is one segment; `*` stands for any characters wherever it is. A closing slash is no matter. */
function patternOf(text: string): RegExp {
  const source = text
    .replace(/^\/+|\/+$/g, '')
    .replace(/[.\\^$()[\]{}|?]/g, '\\$&')
    .replaceAll('+', '[^/]+')
    .replace(/\*+/g, '.*');
  return new RegExp(`^${source}/?$`, 's');
}
