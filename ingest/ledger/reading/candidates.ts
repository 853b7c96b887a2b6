// What may stand behind a hash that nothing explains, and asking the device that made it for the hashes of that.

import { limits } from '../../../core/limits.ts';
import type { Answer } from '../../../core/records.ts';
import { addSeconds } from '../../../core/time.ts';
import { Bounded, type ReadMemory } from './bounded.ts';
import { type Call, isHash } from './call.ts';
import type { Names } from './names.ts';
import type { Questions } from './questions.ts';
import { words } from './words.ts';

export interface CandidateOptions {
  auditPathOf: (device: string) => string;
  /** Devices in order of rank: an event shows the hashes of the first of its own. */
  ranks: readonly string[];
}

export class Candidates {
  private readonly memory: ReadMemory;
  private readonly names: Names;
  private readonly questions: Questions;
  private readonly options: CandidateOptions;
  private readonly mounts: Bounded<true>;
  /** Salt to the time when its words were asked for. */
  private readonly wordsAsked: Bounded<string>;
  /** Salt and caller to the time when many rows were looked through for what to ask. */
  private readonly searched: Bounded<string>;

  constructor(memory: ReadMemory, names: Names, questions: Questions, options: CandidateOptions) {
    this.memory = memory;
    this.names = names;
    this.questions = questions;
    this.options = options;
    this.mounts = new Bounded(memory, 'read/mounts', limits.readingMountsMax);
    this.wordsAsked = new Bounded(memory, 'read/words', limits.readingSaltsMax);
    this.searched = new Bounded(memory, 'read/searched', limits.readingCandidateCallersMax);
  }

  sawMount(mount: string): void {
    if (mount !== '' && this.mounts.get(mount) === undefined) this.mounts.set(mount, true);
  }

  /** Mounts with leases, with and without the closing slash. */
  askMounts(call: Call): void {
    const mounts = this.mounts.newest(limits.readingMountsMax);
    this.ask(
      call,
      mounts.flatMap((mount) => [mount, mount.slice(0, -1)]),
    );
  }

  /** The dictionary, of which each word is asked for once per salt. Most calls find that it was a moment ago. */
  askWords(call: Call): void {
    const salt = this.names.salt(this.deviceOf(call));
    const before = this.wordsAsked.get(salt);
    if (before !== undefined && call.base.at < addSeconds(before, limits.readingWordsSeconds)) return;
    this.wordsAsked.set(salt, call.base.at);
    this.ask(call, words);
  }

  /** Path of the audit device whose hashes the call shows. */
  private deviceOf({ event }: Call): string {
    const { devices } = event.vault;
    return this.options.auditPathOf(
      this.options.ranks.find((device) => devices.includes(device)) ?? devices[0] ?? '',
    );
  }

  /** Asks the device that hashed it for the hashes of `inputs`: of those that it was not asked for under its present salt. */
  private ask(call: Call, inputs: readonly string[], limit = Number.POSITIVE_INFINITY): void {
    const device = this.deviceOf(call);
    const salt = this.names.salt(device);
    const path = `sys/audit-hash/${device}`;
    const { at } = call.base;
    const unasked = this.unaskedOf(path, salt, at, inputs);
    for (const input of new Set(unasked.slice(0, limit))) this.putHash(path, salt, at, input);
  }

  /** Of `inputs` those whose hash is neither known nor asked for: what one operation asks for, the next one need not. */
  private unaskedOf(path: string, salt: string, at: string, inputs: readonly string[]): string[] {
    return inputs.filter(
      (input) => !this.names.isHashed(salt, input) && !this.questions.isOpen(path, { input }, at),
    );
  }

  private putHash(path: string, salt: string, at: string, input: string): void {
    // Audit devices belong to the root namespace.
    this.questions.put({ at, path, body: { input }, need: 'hash', namespace: '' }, { salt });
  }

  /** As `ask`, at most so many of what `newest` of `whose` gives: of few where that will do, else now and then of more. */
  private askSome(call: Call, whose: string, newest: (limit: number) => string[]): void {
    const salt = this.names.salt(this.deviceOf(call));
    const limit = limits.readingCandidatesMax;
    let inputs = newest(2 * limit);
    const unknown = inputs.filter((input) => !this.names.isHashed(salt, input));
    if (unknown.length < limit && inputs.length === 2 * limit && this.maySearch(call, `${salt} ${whose}`))
      inputs = newest(limits.readingCandidateRowsMax);
    this.ask(call, inputs, limit);
  }

  private maySearch({ base }: Call, key: string): boolean {
    const before = this.searched.get(key);
    if (before !== undefined && base.at < addSeconds(before, limits.readingCandidateRowsSeconds))
      return false;
    this.searched.set(key, base.at);
    return true;
  }

  /** Leases that the caller may mean: its own newest ones, then anybody's. What is known of one hash narrows the next. */
  askLeases(call: Call): void {
    for (const holder of [call.event.user.id, undefined])
      this.askSome(call, `leases ${holder ?? ''}`, (limit) =>
        this.memory.newestOpen(holder, limit).map(({ lease }) => lease.id),
      );
  }

  /** Tokens that the caller made, then those that were seen last. Where devices hash accessors there is none to ask for. */
  askAccessors(call: Call): void {
    const { token, base } = call;
    if (token !== undefined)
      this.askSome(call, token, (limit) =>
        this.memory.aliveOf(token, base.at, '', limit).flatMap(({ lease }) => {
          const accessor = lease.token?.accessor;
          return accessor === undefined || isHash(accessor) ? [] : [accessor];
        }),
      );
    this.askSome(call, 'accessors', (limit) => this.names.newestAccessors(limit));
  }

  /** One more, behind the answer for another one: so the search goes on for as long as there is something to explain. */
  askNextAccessor({ at, path }: Answer, salt: string): void {
    const accessors = this.names.newestAccessors(limits.readingCandidateRowsMax);
    const [next] = this.unaskedOf(path, salt, at, accessors);
    if (next !== undefined) this.putHash(path, salt, at, next);
  }
}
