// What behaviours learn in one run over recorded logs: a memory for each part of the engine, gone with the process.

import { join } from 'node:path';
import { allBehaviours } from '../detectors/behaviours/all.ts';
import { wholeParts } from '../detectors/engine/whole.ts';
import { temporaryDetectorMemory } from '../storage/detectors/memory.ts';

export class Learned implements Disposable {
  readonly behaviours = allBehaviours;
  readonly memories: Record<(typeof wholeParts)[number], ReturnType<typeof temporaryDetectorMemory>>;

  /** Until their end the memories lie in `dir`. */
  constructor(dir: string) {
    const open = (name: string) => temporaryDetectorMemory(join(dir, `.${name}.tmp`));
    this.memories = { events: open('events'), groups: open('groups'), leases: open('leases') };
  }

  /** What waits is written. */
  keep(): void {
    for (const part of wholeParts) this.memories[part].keep(null);
  }

  [Symbol.dispose](): void {
    for (const part of wholeParts) this.memories[part][Symbol.dispose]();
  }
}
