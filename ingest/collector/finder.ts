// Searches a chunk of lines for a rare text once, not once per line: what lies ahead is remembered until it is reached.

export class Finder {
  private readonly needle: Buffer;
  private bytes: Buffer | undefined;
  private asked = 0;
  private next = 0;

  constructor(needle: string) {
    this.needle = Buffer.from(needle);
  }

  get length(): number {
    return this.needle.length;
  }

  /**
   * Where the text begins in `bytes[from, to)`, or -1. Within one chunk ask with a `from` that grows: one that does not
   * means that the buffer has been filled anew.
   */
  find(bytes: Buffer, from: number, to: number): number {
    if (bytes !== this.bytes || from <= this.asked) this.search(bytes, from);
    else if (this.next < from) this.search(bytes, from);
    this.asked = from;
    return this.next < to ? this.next : -1;
  }

  private search(bytes: Buffer, from: number): void {
    const at = bytes.indexOf(this.needle, from);
    this.bytes = bytes;
    this.next = at < 0 ? Number.POSITIVE_INFINITY : at;
  }
}
