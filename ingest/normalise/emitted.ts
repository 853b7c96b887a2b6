// Ids of the calls that went out lately: a copy that comes for one of them is a duplicate.

import { limits } from '../../core/limits.ts';

export interface EmittedState {
  forgotten: string;
  ids: [minute: string, ids: string[]][];
}

/** Characters of `2026-09-07T10:59`. */
const MINUTE_CHARS = 16;

export class EmittedCalls {
  private readonly ids = new Set<string>();
  /** The ids by the minute of their last line: a clock that is ahead must not keep those behind it from being forgotten. */
  private readonly minutes = new Map<string, string[]>();
  private forgotten: string;

  constructor(state?: EmittedState) {
    this.forgotten = state?.forgotten ?? '';
    for (const [minute, ids] of state?.ids ?? []) {
      this.minutes.set(minute, ids);
      for (const id of ids) this.ids.add(id);
    }
  }

  has(id: string): boolean {
    return this.ids.has(id);
  }

  /** Whether a call of this time, whose id is not known, may have gone out and been forgotten. */
  mayHave(time: string): boolean {
    return time < this.forgotten;
  }

  /** `time` of the call's last line. */
  add(id: string, time: string): void {
    const minute = time.slice(0, MINUTE_CHARS);
    const ids = this.minutes.get(minute);
    if (ids === undefined) this.minutes.set(minute, [id]);
    else ids.push(id);
    this.ids.add(id);
    if (this.ids.size > limits.emittedMax) this.drop([...this.minutes.keys()].sort()[0] as string);
  }

  /** Forgets the minutes that lie before `time` as a whole. */
  forget(time: string): void {
    const minute = time.slice(0, MINUTE_CHARS);
    if (minute <= this.forgotten) return;
    for (const old of this.minutes.keys()) if (old < minute) this.drop(old);
    this.forgotten = minute;
  }

  private drop(minute: string): void {
    for (const id of this.minutes.get(minute) ?? []) this.ids.delete(id);
    this.minutes.delete(minute);
    // Every time in the minute sorts below this.
    if (`${minute}~` > this.forgotten) this.forgotten = `${minute}~`;
  }

  snapshot(): EmittedState {
    return { forgotten: this.forgotten, ids: [...this.minutes].map(([minute, ids]) => [minute, [...ids]]) };
  }
}
