// What this process has to do with Vault, which changes while it runs: who has the ledger asks, everybody follows the secrets that its
// own stages need.

import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { type Config, secretRefsOf } from '../../core/config.ts';
import { limits } from '../../core/limits.ts';
import type { Question, StageName } from '../../core/records.ts';
import type { Metrics } from '../../core/telemetry.ts';
import { type RunningVault, startVault, type VaultOptions } from './vault.ts';

type Refs = VaultOptions['refs'];

export class VaultDuty {
  private readonly config: Config;
  private readonly refs: Refs;
  private readonly holder: string | undefined;
  private readonly events: Pick<VaultOptions, 'onAnswer' | 'onSecret'>;
  private readonly start: typeof startVault;
  private vault: RunningVault | undefined;
  private asks = false;
  /** What the ledger wanted to know before anybody could ask. */
  private held: Question[] = [];
  private stopping: Promise<unknown> = Promise.resolve();

  constructor(
    config: Config,
    stages: readonly StageName[],
    events: Pick<VaultOptions, 'onAnswer' | 'onSecret'>,
    start = startVault,
  ) {
    this.start = start;
    this.config = config;
    this.refs = refsOf(config, stages);
    if (config.stream === 'kafka') this.holder = holderOf(config, stages);
    this.events = events;
  }

  /** `asks`: the ledger works here. Another token is logged in for when that changes. */
  become(asks: boolean): void {
    if (this.vault !== undefined && asks === this.asks) return;
    const before = this.vault;
    this.stopping = this.stopping.then(() => before?.stop());
    // Who gave the ledger away is not to ask for it: the next owner asks again what was not answered. Before the pipeline's first
    // report nobody knows who has it, and a ledger that was loaded has asked already.
    if (this.asks && !asks) this.held = [];
    this.asks = asks;
    const { config, refs, holder } = this;
    this.vault = this.start(config, { asks, refs, ...(holder && { holder }), ...this.events });
    if (asks) for (const question of this.held.splice(0)) this.vault.ask(question);
  }

  ask(question: Question): void {
    if (this.asks) this.vault?.ask(question);
    else if (this.held.length < limits.ledgerQuestionsMax) this.held.push(question);
  }

  metrics(lines: number): Metrics {
    return this.vault?.metrics(lines) ?? {};
  }

  /** Gives the token back. */
  async stop(): Promise<void> {
    await this.stopping;
    await this.vault?.stop();
  }
}

/** The same after a restart: its next token then takes the place of the one before. */
const holderOf = ({ dataDir }: Config, stages: readonly StageName[]): string =>
  `${hostname()}:${resolve(dataDir)}:${stages.join()}`;

/** Own secrets in Vault that these stages need: `deliver` signs with one, `serve` takes keys. */
function refsOf({ outputs, keys }: Config, stages: readonly StageName[]): Refs {
  const { webhook, ...others } = outputs;
  return secretRefsOf({
    outputs: { ...others, webhook: stages.includes('deliver') ? webhook : {} },
    keys: stages.includes('serve') ? keys : [],
  });
}
