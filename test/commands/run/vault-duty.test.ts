// What the ledger asks when it is loaded comes to Vault, whenever it turns out that this process has it; after it went away nothing does.

import { expect, it } from 'vitest';
import type { RunningVault } from '../../../commands/run/vault.ts';
import { VaultDuty } from '../../../commands/run/vault-duty.ts';
import { loadConfig } from '../../../core/config.ts';
import type { Question } from '../../../core/records.ts';

const question = (path: string) => ({ path }) as unknown as Question;

function duty() {
  const asked: string[] = [];
  const start = (): RunningVault => ({
    ask: ({ path }) => void asked.push(path),
    metrics: () => ({}),
    stop: async () => {},
  });
  const config = loadConfig({ SEALWATCH_STREAM: 'kafka' });
  const events = { onAnswer() {}, onSecret() {} };
  return { asked, vault: new VaultDuty(config, ['ledger'], events, start) };
}

it('asked before the first report says who has the ledger', () => {
  const { asked, vault } = duty();
  vault.ask(question('a'));
  vault.become(false);
  vault.ask(question('b'));
  expect(asked).toEqual([]);
  vault.become(true);
  vault.ask(question('c'));
  expect(asked).toEqual(['a', 'b', 'c']);
});

it('and nothing twice when the ledger goes and comes back', () => {
  const { asked, vault } = duty();
  vault.become(true);
  vault.ask(question('a'));
  vault.become(false);
  vault.ask(question('b'));
  vault.become(true);
  vault.become(false);
  vault.become(true);
  expect(asked).toEqual(['a', 'b']);
});
