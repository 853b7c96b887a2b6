// The three parts of the ledger: what calls mean, what becomes of leases, and the directory that both look things up in.

import type { LedgerMemory } from '../../core/ports.ts';
import type { Answer, CredentialCall, HashPair } from '../../core/records.ts';
import type { Change, LedgerSink } from './change.ts';

type Event = CredentialCall['event'];
type Handles = NonNullable<CredentialCall['handles']>;

export interface LedgerParts {
  life: { apply(change: Change): void; advance(time: string): void };
  reading: {
    call(event: Event, handles: Handles): Change[];
    answer(answer: Answer): Change[];
    hashes(pair: HashPair): Change[];
  };
  directory: { call(event: Event, handles: Handles): void; answer(answer: Answer): void };
}

export interface JoinOptions {
  /** Name of the cluster that sealwatch may ask. */
  cluster: string;
  /** Path under which Vault knows a device, for `sys/audit-hash`. */
  auditPathOf: (device: string) => string;
}

export const ledgerParts =
  (_options: JoinOptions) =>
  (_memory: LedgerMemory, _sink: LedgerSink): LedgerParts => ({
    life: { apply: () => {}, advance: () => {} },
    reading: { call: () => [], answer: () => [], hashes: () => [] },
    directory: { call: () => {}, answer: () => {} },
  });
