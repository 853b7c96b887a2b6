// What two devices of one cluster call the same token or accessor: each hashes under a salt of its own (vault-audit.md 2).
//
// A call that both showed tells it. The events keep the hashes of the first-ranked device and never learn more; the pairs
// go beside them and are followed on read (decision 0011).

import { hash } from 'node:crypto';
import { limits } from '../../core/limits.ts';
import type { HashPair } from '../../core/records.ts';
import { type Entry, objectOf, parseEntry, stringOf } from './entry.ts';
import type { Copy } from './pairing.ts';

/** What the first-ranked device shows, what another shows and since when, by device: to know what was told. */
export type HashesState = [device: string, pairs: [ranked: string, other: string, at: string][]][];

interface Told {
  /** As bytes: to be searched for in lines. */
  found: Buffer;
  /** Event time of the first call that showed it. */
  at: string;
}

type What = HashPair['what'];
/** A token or accessor of an entry, and where it stands. */
interface Shown {
  what: What;
  value: string;
  of: (entry: Entry) => string | undefined;
}

const HASHED = /^hmac-sha256:[0-9a-f]{64}$/;
const HASH_CHARS = 'hmac-sha256:'.length + 64;
/** Enough of what stands before a value to know its key: `"client_token":"`, `"accessor":"`. */
const KEY_BYTES = 11;

const tokenOf = ({ auth, request }: Entry) =>
  stringOf(auth, 'client_token') ?? stringOf(request, 'client_token');
const accessorOf = ({ auth, request }: Entry) =>
  stringOf(auth, 'accessor') ?? stringOf(request, 'client_token_accessor');
const inResponse =
  (part: 'auth' | 'wrap_info') =>
  ({ response }: Entry) =>
    stringOf(objectOf(response, part), 'accessor');

export class HashPairs {
  private readonly told: Map<string, Map<string, Told>>;

  constructor(state: HashesState = []) {
    this.told = new Map();
    for (const [device, pairs] of state)
      for (const [value, found, at] of pairs) this.remember(device, value, found, at);
  }

  snapshot(): HashesState {
    return [...this.told].map(([device, pairs]) => [
      device,
      [...pairs].map(([value, { found, at }]) => [value, found.toString('latin1'), at]),
    ]);
  }

  /**
   * `copies` show the half of which `ranked` is the copy of the first-ranked device and `entry` its content. Tells each pair
   * of hashes that is not known to have been told, for the copies of other devices; again for an earlier call, so that the time
   * from which it is known does not hang on which call came first.
   */
  learn(entry: Entry, ranked: Copy, copies: readonly Copy[], tell: (pair: HashPair) => void): void {
    const handle = accessorOf(entry) ?? tokenOf(entry);
    const given = givenOf(entry);
    for (const other of copies) {
      if (other.device === ranked.device) continue;
      const shown = this.isTold(handle, other, entry.time) ? given : callerOf(entry).concat(given);
      if (shown.length > 0) this.tellAll(shown, entry, ranked, other, tell);
    }
  }

  /** Whether the other copy shows the caller by the hash that was told of it: a new salt would show another one. */
  private isTold(handle: string | undefined, { device, line }: Copy, at: string): boolean {
    if (handle === undefined) return true;
    const known = this.told.get(device)?.get(handle);
    return known !== undefined && known.at <= at && line.includes(known.found);
  }

  private tellAll(
    shown: Shown[],
    entry: Entry,
    ranked: Copy,
    other: Copy,
    tell: (pair: HashPair) => void,
  ): void {
    let parsed: Entry | undefined;
    for (const { what, value, of } of shown) {
      let found = sameKey(value, ranked, other);
      if (found === undefined) {
        parsed ??= parsedOrNothing(other);
        found = parsed && of(parsed);
      }
      if (found === undefined) continue;
      this.remember(other.device, value, found, entry.time);
      if (found === value || !isUsable(what, found)) continue;
      const id = `hashes-${hash('sha256', `${value} ${found}`, 'hex').slice(0, 32)}`;
      tell({
        id,
        what,
        ranked: { device: ranked.device, hash: value },
        other: { device: other.device, hash: found },
        at: entry.time,
      });
    }
  }

  private remember(device: string, value: string, found: string, at: string): void {
    let pairs = this.told.get(device);
    if (pairs === undefined) {
      pairs = new Map();
      this.told.set(device, pairs);
    }
    pairs.delete(value);
    pairs.set(value, { found: Buffer.from(found, 'latin1'), at });
    if (pairs.size > limits.hashPairsMax) pairs.delete(pairs.keys().next().value as string);
  }
}

function parsedOrNothing({ line, start }: Copy): Entry | undefined {
  const result = parseEntry(line, start);
  return result.ok ? result.entry : undefined;
}

/** A token is only ever known by its hash; an accessor may be plain on one device and hashed on the other. */
const isUsable = (what: What, value: string): boolean =>
  HASHED.test(value) || (what === 'accessor' && !value.includes(':') && value.length <= HASH_CHARS);

/** The accessor of the caller's token first, which nearly every token has; then the token. */
function callerOf(entry: Entry): Shown[] {
  const list: Shown[] = [];
  push(list, 'accessor', entry, accessorOf);
  push(list, 'token', entry, tokenOf);
  return list;
}

/** The accessors of the tokens that the call gave out. */
function givenOf(entry: Entry): Shown[] {
  const { response } = entry;
  if (response?.['auth'] === undefined && response?.['wrap_info'] === undefined) return nothing;
  const list: Shown[] = [];
  push(list, 'accessor', entry, inResponse('auth'));
  push(list, 'accessor', entry, inResponse('wrap_info'));
  return list;
}

const nothing: Shown[] = [];

function push(list: Shown[], what: What, entry: Entry, of: Shown['of']): void {
  const value = of(entry);
  if (value !== undefined && isUsable(what, value)) list.push({ what, value, of });
}

/**
 * The hash that stands in the other copy where `value` stands in the ranked one. Lines of one call differ in their hashes,
 * which are of one length, and before Vault 1.16 in the digits of the time (vault-audit.md 1), so it is where it is, or as
 * far on as the line is longer. Undefined when there is another key, or no hash, in that place.
 */
function sameKey(value: string, ranked: Copy, other: Copy): string | undefined {
  const at = ranked.line.indexOf(value, ranked.start, 'latin1');
  if (at < KEY_BYTES) return undefined;
  const there = at - ranked.start + other.start;
  const longer = other.line.length - other.start - (ranked.line.length - ranked.start);
  return (
    hashAt(other, there, ranked, at) ?? (longer === 0 ? undefined : hashAt(other, there + longer, ranked, at))
  );
}

function hashAt(other: Copy, there: number, ranked: Copy, at: number): string | undefined {
  if (there < KEY_BYTES || there + HASH_CHARS > other.line.length) return undefined;
  if (other.line.compare(ranked.line, at - KEY_BYTES, at, there - KEY_BYTES, there) !== 0) return undefined;
  const found = other.line.toString('latin1', there, there + HASH_CHARS);
  return HASHED.test(found) ? found : undefined;
}
