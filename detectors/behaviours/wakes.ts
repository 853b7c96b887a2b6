// What behaviours want to be woken for, in the order of time: on disk, since every identity may have one.

import type { Memory } from '../../core/ports.ts';

export interface Wake {
  behaviour: string;
  key: string;
  time: string;
}

const QUEUE = 'wakes';
const TIMES = 'wake-times';

export class Wakes {
  private readonly memory: Memory;
  /** Nothing is due before it; undefined: not known. */
  private first: string | undefined;

  constructor(memory: Memory) {
    this.memory = memory;
  }

  /** One time a behaviour and key: the last one set holds. */
  set({ behaviour, key, time }: Wake): void {
    const name = JSON.stringify([behaviour, key]);
    const before = this.memory.get(TIMES, name);
    if (before === time) return;
    if (before !== undefined) this.memory.delete(QUEUE, `${before} ${name}`);
    this.memory.set(TIMES, name, time);
    this.memory.set(QUEUE, `${time} ${name}`, [behaviour, key]);
    if (this.first !== undefined && time < this.first) this.first = time;
  }

  /** The first one, when it lies before `time`, or at it when `through`. It is then gone. */
  take(time: string, through: boolean): Wake | undefined {
    const isDue = (at: string) => at < time || (through && at === time);
    if (this.first !== undefined && !isDue(this.first)) return undefined;
    const [next, after] = this.memory.list(QUEUE, '', 2);
    if (next === undefined || !isDue(timeOf(next))) {
      this.first = next === undefined ? NEVER : timeOf(next);
      return undefined;
    }
    this.first = after === undefined ? NEVER : timeOf(after);
    const at = timeOf(next);
    this.memory.delete(QUEUE, next.key);
    this.memory.delete(TIMES, next.key.slice(at.length + 1));
    const [behaviour, key] = next.value as [string, string];
    return { behaviour, key, time: at };
  }
}

/** After every time. */
const NEVER = '~';
const timeOf = ({ key }: { key: string }): string => key.slice(0, key.indexOf(' '));
