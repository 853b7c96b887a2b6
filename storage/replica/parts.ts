// Values that were cut into parts, whole again.

import { limits } from '../../core/limits.ts';
import type { Entry } from './wire.ts';

type Part = Extract<Entry, { kind: 'part' }>;

interface Gathered {
  of: Part;
  bytes: Buffer[];
}

export class Parts {
  /** Each writer writes the parts of a value in turn; those of two writers may lie in between each other. */
  private readonly gathered = new Map<string, Gathered>();

  /** The whole value when this part was the last of it; null when the row went away, undefined while there is nothing to do. */
  add(entry: Part): Buffer | null | undefined {
    const { writer, commit } = entry.origin;
    if (entry.parts === 0) return null;
    if (entry.bytes === null) return undefined;
    if (entry.parts === 1) return entry.bytes;
    if (entry.part === 0) this.begin(entry);
    const known = this.gathered.get(writer);
    const isNext =
      known !== undefined &&
      known.of.name === entry.name &&
      known.of.table === entry.table &&
      known.of.origin.commit === commit &&
      known.bytes.length === entry.part;
    // Compaction has taken parts that came before: a later version of them all is to come.
    if (!isNext) return undefined;
    known.bytes.push(entry.bytes);
    if (known.bytes.length < entry.parts) return undefined;
    this.gathered.delete(writer);
    return Buffer.concat(known.bytes);
  }

  private begin(of: Part): void {
    const { writer } = of.origin;
    this.gathered.delete(writer);
    this.gathered.set(writer, { of, bytes: [] });
    if (this.gathered.size > limits.memoryWritersMax)
      this.gathered.delete(this.gathered.keys().next().value as string);
  }
}
