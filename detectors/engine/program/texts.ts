// Texts that numbers hang on, found in one pass over a value: whole texts and beginnings by a trie, texts anywhere by an
// Aho-Corasick automaton. Both are tables of (node, class of character), so that letters' case costs nothing.

import { limits } from '../../../core/limits.ts';

/** How a text must stand in a value. */
export type Standing = 'whole' | 'start' | 'within';

/** Receives the numbers of what was found; more than once is no matter. */
export type Mark = (numbers: Int32Array) => void;

interface Built {
  /** By character below 128, upper case as lower; 0 for what is in no text. */
  classes: Uint16Array;
  /** The other characters' classes. */
  wide: Map<number, number>;
  width: number;
  /** The next node by node and class; 0 is the root and "none". */
  next: Int32Array;
  /** Numbers found on coming to the node. */
  found: (Int32Array | undefined)[];
  /** Numbers found when the value ends at the node. */
  ended: (Int32Array | undefined)[];
}

/** A set of texts in lower case, each with numbers. Make it, `add` to it, then `build`. */
export class Texts {
  private readonly children: Map<number, number>[] = [new Map()];
  private readonly ended: Set<number>[] = [new Set()];
  private readonly found: Set<number>[] = [new Set()];
  private readonly chars = new Set<number>();
  private readonly isAnchored: boolean;

  /** @param isAnchored texts stand at the start of the value; else anywhere in it */
  constructor(isAnchored: boolean) {
    this.isAnchored = isAnchored;
  }

  isEmpty = true;

  /** Whether `text` may be added: the table has its bound. */
  hasRoomFor(text: string): boolean {
    return (
      (this.children.length + text.length) * (this.chars.size + text.length + 1) <= limits.ruleTextCellsMax
    );
  }

  add(text: string, standing: Standing, number: number): void {
    this.isEmpty = false;
    let node = 0;
    for (let i = 0; i < text.length; i++) node = this.child(node, text.charCodeAt(i));
    (standing === 'whole' ? this.ended : this.found)[node]?.add(number);
  }

  private child(node: number, code: number): number {
    const known = this.children[node]?.get(code);
    if (known !== undefined) return known;
    const made = this.children.length;
    this.chars.add(code);
    this.children[node]?.set(code, made);
    this.children.push(new Map());
    this.ended.push(new Set());
    this.found.push(new Set());
    return made;
  }

  /** A search that marks the numbers of the texts in a value. May mark more: what it marks is looked at again. */
  build(): (value: string, mark: Mark) => void {
    const built = this.table();
    if (this.isAnchored) return (value, mark) => climb(built, value, mark);
    this.link(built);
    return (value, mark) => scan(built, value, mark);
  }

  private table(): Built {
    const classes = new Uint16Array(128);
    const wide = new Map<number, number>();
    let width = 1;
    for (const code of this.chars) {
      if (code > 127) wide.set(code, width++);
      else {
        classes[code] = width;
        if (code >= 97 && code <= 122) classes[code - 32] = width;
        width++;
      }
    }
    const next = new Int32Array(this.children.length * width);
    const classOf = (code: number) => (code > 127 ? (wide.get(code) as number) : (classes[code] as number));
    for (const [node, children] of this.children.entries()) {
      for (const [code, child] of children) next[node * width + classOf(code)] = child;
    }
    return { classes, ended: this.ended.map(listed), found: this.found.map(listed), next, wide, width };
  }

  /** Aho-Corasick: where no child goes on, the longest end of what was read that begins a text does. */
  private link({ next, width, found }: Built): void {
    const fallback = new Int32Array(this.children.length);
    const queue: number[] = [];
    for (let c = 1; c < width; c++) if (next[c] !== 0) queue.push(next[c] as number);
    for (let at = 0; at < queue.length; at++) {
      const node = queue[at] as number;
      const back = fallback[node] as number;
      if (found[back] !== undefined) {
        for (const number of found[back] as Int32Array) this.found[node]?.add(number);
        found[node] = listed(this.found[node] as Set<number>);
      }
      for (let c = 1; c < width; c++) {
        const child = next[node * width + c] as number;
        const other = next[back * width + c] as number;
        if (child === 0) next[node * width + c] = other;
        else {
          fallback[child] = other;
          queue.push(child);
        }
      }
    }
  }
}

const listed = (numbers: Set<number>): Int32Array | undefined =>
  numbers.size === 0 ? undefined : Int32Array.from(numbers);

/** From the start of the value as far as texts go. */
function climb({ classes, ended, found, next, wide, width }: Built, value: string, mark: Mark): void {
  let node = 0;
  let text = value;
  let isLower = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 127 && !isLower) {
      // Beyond ASCII lower case is not one character for one: begin again with the text as it is compared.
      text = value.toLowerCase();
      isLower = true;
      node = 0;
      i = -1;
      continue;
    }
    const kind = code > 127 ? (wide.get(code) ?? 0) : (classes[code] as number);
    node = kind === 0 ? 0 : (next[node * width + kind] as number);
    if (node === 0) return;
    const numbers = found[node];
    if (numbers !== undefined) mark(numbers);
  }
  const numbers = ended[node];
  if (numbers !== undefined) mark(numbers);
}

/** Over the whole value. */
function scan({ classes, found, next, wide, width }: Built, value: string, mark: Mark): void {
  let node = 0;
  let text = value;
  let isLower = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 127 && !isLower) {
      text = value.toLowerCase();
      isLower = true;
      node = 0;
      i = -1;
      continue;
    }
    const kind = code > 127 ? (wide.get(code) ?? 0) : (classes[code] as number);
    node = kind === 0 ? 0 : (next[node * width + kind] as number);
    const numbers = found[node];
    if (numbers !== undefined) mark(numbers);
  }
}
