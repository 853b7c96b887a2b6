// What the tables of a stage's memory have in common: the values used last, and when what waits is written.

export interface Writes {
  /** Opens the transaction when none is open. */
  begin(): void;
  /** Changes of one table that wait in memory. */
  waitingMax: number;
}

/** SQLite takes a text to end at a NUL: as a key it becomes U+FFFD. */
export const cleanText = (text: string): string =>
  text.includes('\0') ? text.replaceAll('\0', '\u{fffd}') : text;

/**
 * Values by key; at least the `max` that were used last. Two generations: a look costs no more than a look, where an order of
 * use would be written at each.
 */
export class Recent<T> {
  private young = new Map<string, T>();
  private old = new Map<string, T>();
  private readonly max: number;

  constructor(max: number) {
    this.max = max;
  }

  get(key: string): T | undefined {
    const value = this.young.get(key);
    if (value !== undefined) return value;
    const older = this.old.get(key);
    if (older !== undefined) this.set(key, older);
    return older;
  }

  set(key: string, value: T): void {
    this.young.set(key, value);
    if (this.young.size < this.max) return;
    this.old = this.young;
    this.young = new Map();
  }

  delete(key: string): void {
    this.young.delete(key);
    this.old.delete(key);
  }
}

/** A text longer than this is not kept: few rows with lists of thousands of names must not fill the memory. */
export const RECENT_CHARS_MAX = 4096;
