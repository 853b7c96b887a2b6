// The facts as they stand, in the ledger's memory; what changes goes out as a new fact, what is told again does not.

import { createHash } from 'node:crypto';
import { canonicalJson } from '../../../core/canonical.ts';
import { type Fact, type FactKind, type FactValues, factKinds } from '../../../core/directory.ts';
import { limits } from '../../../core/limits.ts';
import type { LedgerMemory } from '../../../core/ports.ts';
import { addSeconds } from '../../../core/time.ts';
import { Bounded } from '../reading/bounded.ts';

/** What a fact is about, without its kind. */
export interface Subject {
  cluster: string;
  /** With its closing slash; empty for the root namespace. */
  namespace: string;
  key: string;
}

/** Who says so, and when. */
export interface Told extends Pick<Fact, 'at' | 'source' | 'proof'> {
  /** Of the name, when somebody else told it. */
  nameSource?: Fact['source'] | undefined;
}

export class FactStore {
  private readonly memory: LedgerMemory;
  private readonly spaces: Record<FactKind, Bounded<Fact>>;
  private readonly out: (fact: Fact) => void;

  constructor(memory: LedgerMemory, out: (fact: Fact) => void) {
    this.memory = memory;
    this.out = out;
    const spaces = factKinds.map((what) => [
      what,
      new Bounded(memory, `dir/${what}`, limits.directoryFactsMax),
    ]);
    this.spaces = Object.fromEntries(spaces) as Record<FactKind, Bounded<Fact>>;
  }

  current<W extends FactKind>(what: W, subject: Subject): Fact<W> | undefined {
    return this.spaces[what].get(keyOf(subject)) as Fact<W> | undefined;
  }

  /** Its value as last known; undefined when nothing is known, or when it was removed. */
  value<W extends FactKind>(what: W, subject: Subject): FactValues[W] | undefined {
    return this.current(what, subject)?.value ?? undefined;
  }

  /** Facts whose key begins with `subject.key`, by key, those of what was removed left out. */
  under<W extends FactKind>(what: W, subject: Subject): Fact<W>[] {
    const rows = this.memory.list(`dir/${what}`, keyOf(subject), limits.directoryListMax);
    return rows
      .map(({ value }) => (value as unknown as [number, Fact<W>])[1])
      .filter(({ value }) => value !== null);
  }

  /**
   * From now on it is as `value` says. Goes out when that is another value or name than before. What is told late stands behind
   * what was told already: a fact never begins before the one that it follows.
   */
  tell<W extends FactKind>(
    what: W,
    subject: Subject,
    value: FactValues[W] | null,
    told: Told,
    name?: string,
  ): void {
    const last = this.current(what, subject);
    const known = value === null ? null : (present(value) as FactValues[W]);
    // What is gone is still called what it was.
    const called = name ?? (value === null ? last?.name : undefined);
    const shown = called === subject.key ? undefined : called;
    if (last !== undefined && last.name === shown && canonicalJson(last.value) === canonicalJson(known))
      return;
    const lastSource = name === undefined ? (last?.name_source ?? last?.source) : undefined;
    const nameSource = told.nameSource ?? lastSource ?? told.source;
    const at = last === undefined || told.at > last.at ? told.at : behind(last, told.source);
    const { cluster, namespace, key } = subject;
    const fact: Fact<W> = {
      id: idOf([what, cluster, namespace, key, at, told.source]),
      what,
      cluster,
      namespace,
      key,
      ...(shown !== undefined && { name: shown }),
      ...(shown !== undefined && nameSource !== told.source && { name_source: nameSource }),
      at,
      value: known,
      source: told.source,
      proof: told.proof,
    };
    this.spaces[what].set(keyOf(subject), fact as Fact);
    this.out(fact as Fact);
  }
}

/** Namespaces end with a slash and hold no line break, so neither part can be taken for the other. */
export const keyOf = ({ cluster, namespace, key }: Subject): string => `${cluster}\n${namespace}\n${key}`;

const idOf = (parts: string[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);

/** The time of a fact that follows `last` though it was told of before it; another id than that of `last`. */
const behind = (last: Fact, source: Fact['source']): string =>
  source === last.source ? nextNano(last.at) : last.at;

function nextNano(time: string): string {
  const nanos = Number(time.slice(20, 29)) + 1;
  if (nanos < 1e9) return `${time.slice(0, 20)}${String(nanos).padStart(9, '0')}Z`;
  return addSeconds(`${time.slice(0, 20)}000000000Z`, 1);
}

/** Without members that are undefined: what is not known is absent. */
export function present<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const known = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(known) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
