// Tokens whose end has still to cross the rows that they hold: few in memory, more than that on disk, so that the end of a token
// with millions of rows under it takes no more room than any other.

import { limits } from '../../../core/limits.ts';
import type { LedgerMemory } from '../../../core/ports.ts';

export interface Crossing {
  token: string;
  /** Its rows that had not ended before this: what ended earlier ended by itself. */
  from: string;
  /** Id of the last row that is done. */
  after: string;
}

export class Crossings {
  private readonly memory: Pick<LedgerMemory, 'list' | 'set' | 'delete'>;
  private readonly waiting: Crossing[] = [];
  private onDisk = 0;

  constructor(memory: Pick<LedgerMemory, 'list' | 'set' | 'delete'>) {
    this.memory = memory;
  }

  add(crossing: Crossing): void {
    if (this.waiting.length < limits.cascadeTokensMax) this.waiting.push(crossing);
    else this.memory.set(SPACE, String(this.onDisk++).padStart(12, '0'), { ...crossing });
  }

  next(): Crossing | undefined {
    const last = this.waiting.pop();
    if (last !== undefined || this.onDisk === 0) return last;
    const [first] = this.memory.list(SPACE, '', 1);
    if (first === undefined) {
      this.onDisk = 0;
      return undefined;
    }
    this.memory.delete(SPACE, first.key);
    return first.value as unknown as Crossing;
  }
}

const SPACE = 'life/crossing';
