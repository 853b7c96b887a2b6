// Operations on a hash: applied at once when it is known what it stands for, else kept until it is, with their own time and proof.

import { limits } from '../../../core/limits.ts';
import type { Answer, HashPair } from '../../../core/records.ts';
import { addSeconds } from '../../../core/time.ts';
import type { Change, Ended, LifetimeTold } from '../change.ts';
import { Bounded, type ReadMemory } from './bounded.ts';
import { type Call, isHash, objectIn, proofOf, textOf, tokenId } from './call.ts';
import { type CandidateOptions, Candidates } from './candidates.ts';
import { type How, Names } from './names.ts';
import type { Questions } from './questions.ts';
import { isWord, secondsOf } from './words.ts';

/** What a hash may stand for. `word`: the lifetime that a renewal asks for, the period of a new token. */
type Target = 'lease' | 'accessor' | 'token' | 'mount' | 'word';
interface Waiting {
  target: Target;
  change: Change;
}

export class Joins {
  readonly names: Names;
  private readonly candidates: Candidates;
  private readonly memory: ReadMemory;
  /** Ends have a space of their own: whoever may look leases up must not be able to hide a revocation behind look-ups. */
  private readonly ends: Bounded<Waiting[]>;
  private readonly waiting: Bounded<Waiting[]>;
  /** Hashes of accessors whose tokens somebody ended. */
  private readonly endedTokens: Bounded<true>;

  constructor(memory: ReadMemory, questions: Questions, options: CandidateOptions) {
    this.memory = memory;
    this.names = new Names(memory);
    this.candidates = new Candidates(memory, this.names, questions, options);
    this.ends = new Bounded(memory, 'read/ends', limits.readingWaitingMax);
    this.waiting = new Bounded(memory, 'read/waiting', limits.readingWaitingMax);
    this.endedTokens = new Bounded(memory, 'read/ended-tokens', limits.readingWaitingMax);
  }

  /** `change` of the lease that the call names, in plain or by its hash. Its own `id` is not looked at. */
  onLease(call: Call, shown: string | undefined, change: Change): Change[] {
    if (shown === undefined) return [];
    if (!isHash(shown)) return this.aim(change, shown, undefined);
    const found = this.names.name(shown);
    if (found !== undefined) return this.aim(change, found.name, found.how);
    this.wait(shown, 'lease', change);
    this.candidates.askLeases(call);
    return [];
  }

  /** As `onLease`, of the token with an accessor. */
  onAccessor(call: Call, shown: string | undefined, change: Change): Change[] {
    if (shown === undefined) return [];
    const found = this.names.tokenByAccessor(shown);
    if (found !== undefined) return [aimed(change, found.id, found.how)];
    this.wait(shown, 'accessor', change);
    this.candidates.askAccessors(call);
    return [];
  }

  /** As `onLease`, of a token that is named by its hash: only calls that show the token elsewhere can explain it. */
  onToken(hash: string | undefined, change: Change): Change[] {
    if (hash === undefined || !isHash(hash)) return [];
    const id = this.names.tokenByHash(hash);
    if (id !== undefined) return [aimed(change, id, undefined)];
    this.wait(hash, 'token', change);
    return [];
  }

  /** `change` ends what is under a mount that is named in data (`sys/remount`). */
  onMount(call: Call, shown: string | undefined, change: Change): Change[] {
    if (shown === undefined) return [];
    if (!isHash(shown)) return [aimed(change, shown, undefined)];
    const found = this.names.name(shown);
    if (found !== undefined) return [aimed(change, found.name, found.how)];
    this.wait(shown, 'mount', change);
    this.candidates.askMounts(call);
    return [];
  }

  /** Seconds of a lifetime in the data of a sys, auth or role path; the usual ones are asked for when it is hashed and unknown. */
  seconds(call: Call, value: unknown): { seconds: number; how: How } | 'unknown' | undefined {
    if (typeof value === 'number') return { seconds: value, how: 'shown' };
    if (typeof value !== 'string' || value === '') return undefined;
    const found = isHash(value) ? this.names.name(value) : { name: value, how: 'shown' as const };
    const seconds = found && secondsOf(found.name);
    if (seconds !== undefined && found !== undefined) return { seconds, how: found.how };
    if (found === undefined) this.candidates.askWords(call);
    return 'unknown';
  }

  /** `change` tells the lifetime, or of a token the period, that the hash stands for, if it is one of the dictionary's. */
  whenWord(hash: string, change: LifetimeTold): void {
    this.wait(hash, 'word', change);
  }

  sawMount(mount: string): void {
    this.candidates.sawMount(mount);
  }

  /** What a hash stands for: the changes that waited for it. Those that `except` proves are told elsewhere. */
  explain(hash: string, name: string, how: How, at: string, except?: string): Change[] {
    this.names.learn(hash, { name, how });
    return this.release(hash, at, (target) => (target === 'accessor' ? tokenId(name) : name), how, except);
  }

  /** A call shows which token a hash is of. */
  explainToken(hash: string | undefined, id: string, at: string): Change[] {
    // Nothing waits for what is known.
    if (hash === undefined || !this.names.learnToken(hash, id)) return [];
    return this.release(hash, at, () => id, undefined);
  }

  pair(pair: HashPair): Change[] {
    const lost = this.names.pair(pair);
    if (lost === undefined) return [];
    const id = tokenId(this.names.canonical(lost));
    return this.memory.held(id) === undefined ? [] : this.release(lost, pair.at, () => id, undefined);
  }

  /** An answer of `sys/audit-hash`: its text is one that was asked for. */
  hashAnswered(answer: Answer, salt: string | undefined): Change[] {
    const input = textOf(answer.body ?? {}, 'input');
    const data = objectIn(answer.response?.['data']);
    const hash = textOf(data, 'hash') ?? textOf(answer.response ?? {}, 'hash');
    if (input === undefined || hash === undefined || !isHash(hash)) return [];
    if (salt !== undefined) this.names.wasHashed(salt, input);
    const changes = this.explain(hash, input, 'asked', answer.at, proofOf(answer));
    // As long as somebody's end of a token is not explained, the answer for one accessor asks for the next.
    if (salt !== undefined && this.endedTokens.newest(1).length > 0)
      this.candidates.askNextAccessor(answer, salt);
    return changes;
  }

  /** Vault knows a lease in its own namespace alone: that it is not in another says nothing. */
  private aim(change: Change, id: string, how: How | undefined): Change[] {
    const row = change.change === 'gone' ? this.memory.held(id)?.lease : undefined;
    const isElsewhere = row?.kind === 'lease' && (row.namespace ?? '') !== change.namespace;
    return isElsewhere ? [] : [aimed(change, id, how)];
  }

  private wait(hash: string, target: Target, change: Change): void {
    const space = change.change === 'ended' ? this.ends : this.waiting;
    const waiting = space.get(hash) ?? [];
    if (waiting.some((other) => other.change.proof === change.proof && other.target === target)) return;
    if (target === 'accessor' && change.change === 'ended') this.endedTokens.set(hash, true);
    // What the memory gives is everybody's: never changed in place.
    if (waiting.length < limits.readingWaitingPerHashMax) space.set(hash, [...waiting, { target, change }]);
  }

  private release(
    hash: string,
    at: string,
    idOf: (target: Target) => string,
    how: How | undefined,
    except?: string,
  ): Change[] {
    const waiting = [...taken(this.ends, hash), ...taken(this.waiting, hash)];
    if (waiting.length === 0) return [];
    this.endedTokens.delete(hash);
    const oldest = addSeconds(at, -limits.readingWaitingSeconds);
    return waiting
      .filter(({ change }) => change.proof !== except && change.at >= oldest)
      .flatMap(({ target, change }) => {
        if (target === 'word') return lasting(change, idOf(target));
        // A word can be neither a lease nor a token.
        return isWord(idOf(target)) ? [] : this.aim(change, idOf(target), how);
      });
  }
}

/** What waits for the hash, and waits no longer. */
function taken(space: Bounded<Waiting[]>, hash: string): Waiting[] {
  const waiting = space.get(hash);
  if (waiting !== undefined) space.delete(hash);
  return waiting ?? [];
}

/** The change, made of what its hash turned out to be. */
function aimed(change: Change, id: string, how: How | undefined): Change {
  if (change.change === 'ended') return { ...change, what: whatOf(change.what, id) };
  if (change.change === 'lifetime' && how === 'asked')
    return { ...change, id, life: { ...change.life, source: 'hmac_join' } };
  return { ...change, id };
}

function whatOf(what: Ended['what'], id: string): Ended['what'] {
  if ('lease' in what) return { lease: id };
  if ('token' in what) return { ...what, token: id };
  return { prefix: id.endsWith('/') ? id : `${id}/` };
}

/** What the change says, now that the word is known. 0 is the role's own, and no period. */
function lasting(change: Change, word: string): Change[] {
  const seconds = secondsOf(word);
  if (change.change !== 'lifetime' || seconds === undefined || seconds === 0) return [];
  const { life, token } = change;
  if (token === undefined) return [{ ...change, life: { ...life, ttl_s: seconds } }];
  return [{ ...change, token: { ...token, period_s: seconds, periodic: 'told' } }];
}
