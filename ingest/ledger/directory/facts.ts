// The directory: what is known of entities, groups, mounts, roles and policies, from calls and from Vault's answers.

import type { Fact, FactKind } from '../../../core/directory.ts';
import type { AuditEvent } from '../../../core/event.ts';
import type { LedgerMemory } from '../../../core/ports.ts';
import type { Answer, Handles } from '../../../core/records.ts';
import type { Directory, LedgerSink } from '../change.ts';

export interface DirectoryOptions {
  /** Name of the cluster that sealwatch may ask. */
  cluster: string;
}

export class DirectoryFacts implements Directory {
  private readonly memory: LedgerMemory;
  private readonly sink: Pick<LedgerSink, 'fact' | 'ask'>;
  private readonly options: DirectoryOptions;

  constructor(memory: LedgerMemory, sink: Pick<LedgerSink, 'fact' | 'ask'>, options: DirectoryOptions) {
    this.memory = memory;
    this.sink = sink;
    this.options = options;
  }

  /** What a call tells, and which questions it raises. */
  call(_event: AuditEvent, _handles: Handles): void {}

  /** What Vault answered to a question of the directory; any other answer is passed over. */
  answer(_answer: Answer): void {}

  /** The last that is known; `value` is null when it was removed. */
  current<W extends FactKind>(_what: W, _namespace: string, _key: string): Fact<W> | undefined {
    return undefined;
  }
}
