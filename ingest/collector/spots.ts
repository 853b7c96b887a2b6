// Finds the few places of a chunk where a secret may stand or show, 16 bytes at a time: a dot after `s`, `b` or `r`, a key
// that ends in `en`, a backslash, a percent sign, a NUL, `aw`. Native searches stop at each dot of each address and time,
// which costs three times as much.

/** A byte of interest, and the byte before it under a mask; a mask of 0 takes any. */
interface Spot {
  byte: string;
  before?: { mask: number; is: string };
}

/** No two of these bytes have the same low four bits: those are what the tables are indexed by. */
const spots: Spot[] = [
  // `b`, `r`, `s` and, for the sake of the mask, `c`.
  { byte: '.', before: { mask: 0xee, is: 'b' } },
  // Only after `en`: see `refined`.
  { byte: '"', before: { mask: 0xff, is: 'n' } },
  { byte: 'w', before: { mask: 0xff, is: 'a' } },
  { byte: '\\' },
  { byte: '%' },
  { byte: '\0' },
];

/** The compiler's own libraries are those of the language alone. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => { exports: object };
};

const LANES = 16;
/** Bytes searched in one call. A longer chunk is searched piece by piece. */
const WINDOW_BYTES = 128 * 1024;
/** What stands before the first byte of a window, for the looks back. */
const BEFORE = 2;
const tables = { bytes: 0, masks: 16, befores: 32, low: 48, quote: 64, e: 80 };
const WINDOW_AT = 96;
const PAGE_BYTES = 64 * 1024;

/** Searches one buffer after the other; as with Finder, ask with a `from` that grows within one. */
export class Spots {
  private readonly memory: Uint8Array;
  private readonly search: (at: number, end: number) => number;
  private bytes: Buffer | undefined;
  private asked = 0;
  private next = 0;
  /** The part of `bytes` that lies in the memory. */
  private windowFrom = 0;
  private windowTo = 0;

  constructor() {
    const instance = new WebAssembly.Instance(new WebAssembly.Module(program()));
    const exported = instance.exports as {
      memory: { buffer: ArrayBuffer };
      search: (at: number, end: number) => number;
    };
    this.memory = new Uint8Array(exported.memory.buffer);
    this.search = exported.search;
    this.fillTables();
  }

  private fillTables(): void {
    const { memory } = this;
    // A row without a spot holds 0, which only a NUL equals, and that has row 0.
    for (const { byte, before } of spots) {
      const row = byte.charCodeAt(0) % LANES;
      memory[tables.bytes + row] = byte.charCodeAt(0);
      memory[tables.masks + row] = before?.mask ?? 0;
      memory[tables.befores + row] = before?.is.charCodeAt(0) ?? 0;
    }
    memory.fill(LANES - 1, tables.low, tables.quote);
    memory.fill(34, tables.quote, tables.e);
    memory.fill(101, tables.e, WINDOW_AT);
  }

  /** The first spot in `bytes[from, to)`, or -1. */
  find(bytes: Buffer, from: number, to: number): number {
    if (bytes !== this.bytes || from <= this.asked) {
      this.bytes = bytes;
      this.windowTo = 0;
      this.next = this.searchFrom(bytes, from);
    } else if (this.next < from) this.next = this.searchFrom(bytes, from);
    this.asked = from;
    return this.next < to ? this.next : -1;
  }

  private searchFrom(bytes: Buffer, from: number): number {
    for (let at = from; at < bytes.length; at = this.windowTo) {
      if (at < this.windowFrom || at >= this.windowTo) this.load(bytes, at);
      const shift = WINDOW_AT + BEFORE - this.windowFrom;
      const found = this.search(at + shift - BEFORE, this.windowTo + shift - BEFORE) - shift + BEFORE;
      if (found < this.windowTo) return found;
    }
    return Number.POSITIVE_INFINITY;
  }

  private load(bytes: Buffer, from: number): void {
    this.windowFrom = from;
    this.windowTo = Math.min(from + WINDOW_BYTES, bytes.length);
    const before = Math.min(BEFORE, from);
    this.memory.set(bytes.subarray(from - before, this.windowTo), WINDOW_AT + BEFORE - before);
  }
}

const op = {
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  end: 0x0b,
  branch: 0x0c,
  branchIf: 0x0d,
  get: 0x20,
  set: 0x21,
  tee: 0x22,
  const: 0x41,
  notLess: 0x4f,
  trailingZeros: 0x68,
  add: 0x6a,
} as const;
const simd = {
  load: 0x00,
  swizzle: 0x0e,
  equal: 0x23,
  notEqual: 0x24,
  and: 0x4e,
  or: 0x50,
  anyTrue: 0x53,
  bitmask: 0x64,
} as const;
const VOID = 0x40;
const I32 = 0x7f;
const V128 = 0x7b;

/**
 * `search(at, end)`: the place two bytes before the first spot at or behind `at + 2`, or a place not before `end`. Written
 * by hand, because a compiler would be one more thing to install for thirty instructions. The format is that of
 * https://webassembly.github.io/spec/core/binary/
 */
function program(): Uint8Array {
  const [at, end, bits, here, row, hit, ...table] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11] as const;
  const [bytes, masks, befores, low, quote, e] = table as [number, number, number, number, number, number];
  const get = (local: number) => [op.get, local];
  const vector = (code: number) => [0xfd, code];
  /** The 16 bytes at `at + offset`. */
  const load = (offset: number) => [...get(at), ...vector(simd.load), 0, offset];
  const tableAt = (offset: number, local: number) => [
    ...[op.const, 0, ...vector(simd.load), 0, offset],
    ...[op.set, local],
  ];
  const lookUp = (local: number) => [...get(local), ...get(row), ...vector(simd.swizzle)];
  const isSpot = [...lookUp(bytes), ...get(here), ...vector(simd.equal)];
  const isAfter = [
    ...[...load(1), ...lookUp(masks), ...vector(simd.and)],
    ...[...lookUp(befores), ...vector(simd.equal)],
  ];
  const refined = [
    ...[...get(here), ...get(quote), ...vector(simd.notEqual)],
    ...[...load(0), ...get(e), ...vector(simd.equal)],
    ...[...vector(simd.or), ...get(hit), ...vector(simd.and), ...vector(simd.bitmask)],
  ];
  const step = [
    ...[...get(at), ...get(end), op.notLess, op.branchIf, 1],
    ...[...load(2), op.tee, here, ...get(low), ...vector(simd.and), op.set, row],
    ...[...isSpot, ...isAfter, ...vector(simd.and), op.tee, hit, ...vector(simd.anyTrue)],
    ...[op.if, VOID, ...refined, op.tee, bits],
    ...[op.if, VOID, ...get(at), ...get(bits), op.trailingZeros, op.add, op.set, at, op.branch, 3, op.end],
    op.end,
    ...[...get(at), op.const, LANES, op.add, op.set, at, op.branch, 0],
  ];
  const body = [
    ...[2, 1, I32, 9, V128],
    ...tableAt(tables.bytes, bytes),
    ...tableAt(tables.masks, masks),
    ...tableAt(tables.befores, befores),
    ...tableAt(tables.low, low),
    ...tableAt(tables.quote, quote),
    ...tableAt(tables.e, e),
    ...[op.block, VOID, op.loop, VOID, ...step, op.end, op.end],
    ...[...get(at), op.end],
  ];
  const pages = Math.ceil((WINDOW_AT + BEFORE + WINDOW_BYTES + 2 * LANES) / PAGE_BYTES);
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 2, I32, I32, 1, I32]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, pages]),
    ...section(7, [2, ...name('memory'), 2, 0, ...name('search'), 0, 0]),
    ...section(10, [1, ...unsigned(body.length), ...body]),
  ]);
}

const name = (text: string) => [text.length, ...Buffer.from(text)];
const section = (id: number, content: number[]) => [id, ...unsigned(content.length), ...content];

/** LEB128. */
function unsigned(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) | 128, ...unsigned(Math.floor(value / 128))];
}
