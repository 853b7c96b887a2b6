// Ids of the calls that went out lately: a copy that comes for one of them is a duplicate.

import { limits } from '../../core/limits.ts';

export class EmittedCalls {
  /** Id to the time of the call's last line; in the order of going out, which is nearly that of time. */
  private readonly times: Map<string, string>;

  constructor(entries: [id: string, time: string][] = []) {
    this.times = new Map(entries);
  }

  has(id: string): boolean {
    return this.times.has(id);
  }

  add(id: string, time: string): void {
    this.times.set(id, time);
  }

  forget(before: string): void {
    for (const [id, time] of this.times) {
      if (time >= before && this.times.size <= limits.emittedMax) return;
      this.times.delete(id);
    }
  }

  snapshot(): [id: string, time: string][] {
    return [...this.times];
  }
}
