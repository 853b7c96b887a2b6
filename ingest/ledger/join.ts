// The three parts of the ledger: what calls mean, what becomes of leases, and the directory that both look things up in.

import type { LedgerMemory } from '../../core/ports.ts';
import type { LedgerSink } from './change.ts';
import { DirectoryFacts } from './directory/facts.ts';
import { Life } from './life/life.ts';
import { Reading } from './reading/reading.ts';

export interface LedgerParts {
  life: Pick<Life, 'apply' | 'advance'>;
  reading: Pick<Reading, 'call' | 'answer' | 'hashes'>;
  directory: Pick<DirectoryFacts, 'call' | 'answer'>;
}

export interface JoinOptions {
  /** Name of the cluster that sealwatch may ask. */
  cluster: string;
  /** Path under which Vault knows a device, for `sys/audit-hash`. */
  auditPathOf: (device: string) => string;
  /** Names of the devices in order of rank. */
  ranks: readonly string[];
}

/** What makes the parts over one memory. */
export const ledgerParts =
  (options: JoinOptions) =>
  (memory: LedgerMemory, sink: LedgerSink): LedgerParts => {
    const directory = new DirectoryFacts(memory, sink, options);
    return {
      directory,
      life: new Life(memory, sink),
      reading: new Reading(memory, directory, sink, options),
    };
  };
