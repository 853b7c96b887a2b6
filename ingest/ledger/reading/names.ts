// Which lease, accessor or word a hash stands for. A hash is of one salt and one text, so what it stands for never changes; only
// what a text is called on a device does, with each new salt (vault-audit.md 2).

import { limits } from '../../../core/limits.ts';
import type { HashPair } from '../../../core/records.ts';
import { Bounded, type ReadMemory } from './bounded.ts';
import { isHash, tokenId } from './call.ts';

/** `shown`: the audit log has both. `asked`: Vault told it. */
export type How = 'shown' | 'asked';
export interface Name {
  name: string;
  how: How;
}

export class Names {
  private readonly memory: ReadMemory;
  private readonly ofHash: Bounded<Name>;
  /** Hash of a token, in any of its two forms, to the id of its row. */
  private readonly ofToken: Bounded<string>;
  /** What a device other than the first-ranked shows, to what that one showed. */
  private readonly same: Bounded<string>;
  /** Accessors that stand in the log in plain: the candidates for a hashed one. */
  private readonly plain: Bounded<true>;
  /** Salts of devices by path, counted up at each enabling, with the time. */
  private readonly salts: Bounded<{ count: number; at: string }>;
  /** Texts that a device's salt has been asked for. */
  private readonly hashed: Bounded<true>;

  constructor(memory: ReadMemory) {
    this.memory = memory;
    this.ofHash = new Bounded(memory, 'read/names', limits.readingNamesMax);
    this.ofToken = new Bounded(memory, 'read/tokens', limits.readingNamesMax);
    this.same = new Bounded(memory, 'read/same', limits.readingNamesMax);
    this.plain = new Bounded(memory, 'read/accessors', limits.readingNamesMax);
    this.salts = new Bounded(memory, 'read/salts', limits.readingSaltsMax);
    this.hashed = new Bounded(memory, 'read/hashed', limits.readingNamesMax);
  }

  name(hash: string): Name | undefined {
    return this.ofHash.get(hash);
  }

  learn(hash: string, name: Name): void {
    if (isHash(hash) && this.ofHash.get(hash) === undefined) this.ofHash.set(hash, name);
  }

  /** Row of the token with this accessor, as any line or data shows it; undefined when nobody knows yet. */
  tokenByAccessor(shown: string): { id: string; how?: How } | undefined {
    const id = tokenId(this.canonical(shown));
    if (!isHash(shown) || this.memory.held(id) !== undefined) return { id };
    const found = this.name(shown);
    return found && { id: tokenId(this.canonical(found.name)), how: found.how };
  }

  /** Row of the token of which this is a hash, as `auth.client_token`, `request.client_token` or in data. */
  tokenByHash(hash: string): string | undefined {
    const id = this.ofToken.get(hash) ?? this.ofToken.get(this.canonical(hash));
    if (id !== undefined) return tokenId(this.canonical(id.slice(tokenId('').length)));
    // A batch token has no other name.
    const own = tokenId(this.canonical(hash));
    return this.memory.held(own) === undefined ? undefined : own;
  }

  /** Whether that was news. */
  learnToken(hash: string | undefined, id: string): boolean {
    if (hash === undefined || this.ofToken.get(hash) === id) return false;
    this.ofToken.set(hash, id);
    return true;
  }

  /** The token has shown its accessor in plain: a hash may be one of it. */
  sawAccessor(shown: string | undefined): void {
    if (shown !== undefined && !isHash(shown) && this.plain.get(shown) === undefined)
      this.plain.set(shown, true);
  }

  newestAccessors(limit: number): string[] {
    return this.plain.newest(limit);
  }

  /** What a token or accessor was first called: two devices, or two salts of one, show it differently. */
  canonical(shown: string): string {
    let name = shown;
    for (let step = 0; step < limits.sameHashesMax; step++) {
      const next = this.same.get(name);
      if (next === undefined) break;
      name = next;
    }
    return name;
  }

  /** Both hashes are one from now on; the one that has no row is called like the other. Returns the one that lost its name. */
  pair({ ranked, other }: HashPair): string | undefined {
    const first = this.canonical(ranked.hash);
    const second = this.canonical(other.hash);
    if (first === second) return undefined;
    const has = (name: string) => this.memory.held(tokenId(name)) !== undefined;
    const [kept, lost] = has(second) && !has(first) ? [second, first] : [first, second];
    this.same.set(lost, kept);
    return lost;
  }

  /** A device that is enabled again hashes under a new salt: what was asked of the old one is to be asked again. */
  newSalt(path: string, at: string): void {
    this.salts.set(path, { count: (this.salts.get(path)?.count ?? 0) + 1, at });
  }

  /** Names a device's present salt. */
  salt(path: string): string {
    return `${path}@${this.salts.get(path)?.count ?? 0}`;
  }

  isHashed(salt: string, name: string): boolean {
    return this.hashed.get(`${salt} ${name}`) === true;
  }

  wasHashed(salt: string, name: string): void {
    this.hashed.set(`${salt} ${name}`, true);
  }
}
