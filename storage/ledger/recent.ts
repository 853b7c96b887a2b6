// What both tables of the ledger's memory have in common: the texts used last, and when what waits is written.

export interface Writes {
  /** Opens the transaction when none is open. */
  begin(): void;
  /** Changes of one table that wait in memory. */
  waitingMax: number;
}

/** SQLite takes a text to end at a NUL: as a key it becomes U+FFFD. */
export const cleanText = (text: string): string =>
  text.includes('\0') ? text.replaceAll('\0', '\u{fffd}') : text;

/** Texts by key, the least recently used forgotten first. */
export class Recent {
  private readonly texts = new Map<string, string>();
  private readonly max: number;

  constructor(max: number) {
    this.max = max;
  }

  get(key: string): string | undefined {
    const text = this.texts.get(key);
    if (text === undefined) return undefined;
    this.texts.delete(key);
    this.texts.set(key, text);
    return text;
  }

  set(key: string, text: string): void {
    this.texts.delete(key);
    // A row may hold lists of thousands of names; few of those must not fill the memory.
    if (text.length > TEXT_CHARS_MAX) return;
    this.texts.set(key, text);
    if (this.texts.size > this.max) this.texts.delete(this.texts.keys().next().value as string);
  }

  delete(key: string): void {
    this.texts.delete(key);
  }
}

const TEXT_CHARS_MAX = 4096;
