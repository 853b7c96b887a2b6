// A space of the ledger's memory that holds at most so many keys: the key that came first goes first.

import type { Json } from '../../../core/event.ts';
import type { LedgerMemory } from '../../../core/ports.ts';

/** What `reading/` needs of the ledger's memory. It looks at rows and writes none. */
export type ReadMemory = Pick<LedgerMemory, 'held' | 'aliveOf' | 'newestOpen' | 'get' | 'set' | 'delete'>;

export class Bounded<T> {
  private readonly memory: ReadMemory;
  private readonly space: string;
  private readonly max: number;
  private hasAny = false;

  /** `max` keys at most; what goes past it is forgotten, whoever needs it later must live without. */
  constructor(memory: ReadMemory, space: string, max: number) {
    this.memory = memory;
    this.space = space;
    this.max = max;
  }

  get(key: string): T | undefined {
    // Most spaces stay empty, and every call asks them.
    this.hasAny ||= this.memory.get(this.order(), 'range') !== undefined;
    if (!this.hasAny) return undefined;
    return (this.memory.get(this.space, key) as [number, T] | undefined)?.[1];
  }

  set(key: string, value: T): void {
    const known = this.memory.get(this.space, key) as [number, T] | undefined;
    const place = known?.[0] ?? this.placeFor(key);
    this.memory.set(this.space, key, [place, value as Json]);
  }

  delete(key: string): void {
    this.memory.delete(this.space, key);
  }

  /** Keys that came last first, at most `limit`. */
  newest(limit: number): string[] {
    const [first, next] = this.range();
    const keys: string[] = [];
    for (let place = next - 1; place >= first && keys.length < limit; place--) {
      const key = this.memory.get(this.order(), `${place}`) as string | undefined;
      if (key !== undefined && this.isAt(key, place)) keys.push(key);
    }
    return keys;
  }

  private placeFor(key: string): number {
    const [first, place] = this.range();
    this.memory.set(this.order(), `${place}`, key);
    const isFull = place - first >= this.max;
    if (isFull) this.forget(first);
    this.memory.set(this.order(), 'range', [isFull ? first + 1 : first, place + 1]);
    return place;
  }

  /** A key that was deleted and came again stands at a later place. */
  private forget(place: number): void {
    const key = this.memory.get(this.order(), `${place}`) as string | undefined;
    this.memory.delete(this.order(), `${place}`);
    if (key !== undefined && this.isAt(key, place)) this.memory.delete(this.space, key);
  }

  private isAt(key: string, place: number): boolean {
    return (this.memory.get(this.space, key) as [number, T] | undefined)?.[0] === place;
  }

  private range(): [first: number, next: number] {
    return (this.memory.get(this.order(), 'range') as [number, number] | undefined) ?? [0, 0];
  }

  private order(): string {
    return `${this.space}/order`;
  }
}
