// Which questions of the directory wait, were answered, or have to be asked again.

import { limits } from '../../../core/limits.ts';
import type { LedgerMemory } from '../../../core/ports.ts';
import type { Question } from '../../../core/records.ts';
import { addSeconds, END_OF_TIME } from '../../../core/time.ts';
import { Bounded } from '../reading/bounded.ts';

interface Asked {
  /** Event time of the last question. */
  asked?: string;
  /** It waits for its answer. */
  open?: boolean;
  /** What it asks about has changed then: an older answer says nothing. */
  changed?: string;
  /** How often it was asked in vain since it was last answered. */
  tries?: number;
  /** Vault refused to say. */
  refused?: boolean;
}

export interface Wish {
  namespace: string;
  /** Without `/v1/`. */
  path: string;
  at: string;
  /** When what it asks about was changed, if it was. */
  changed?: string;
  /** An answer is good for so many seconds; for ever when absent. */
  refreshSeconds?: number;
}

export class Questions {
  private readonly states: Bounded<Asked>;
  private readonly out: (question: Question) => void;
  /** Questions of which `want` has nothing to do before `due`, for changes up to `asked`: most calls raise none that is new. */
  private readonly settled = new Map<string, { due: string; asked: string }>();

  constructor(memory: LedgerMemory, out: (question: Question) => void) {
    this.states = new Bounded(memory, 'dir/asked', limits.directoryFactsMax);
    this.out = out;
  }

  /** Asks, unless it is known, or waits for its answer already. */
  want({ namespace, path, at, changed, refreshSeconds }: Wish): void {
    const key = keyOf(namespace, path);
    const settled = this.settled.get(key);
    if (settled !== undefined && at < settled.due && (changed ?? '') <= settled.asked) return;
    const state = this.read(key);
    const isNews = changed !== undefined && changed > (state.changed ?? '');
    if (isNews) state.changed = changed;
    const due = dueAt(state, refreshSeconds);
    if (at < due) {
      if (isNews) this.write(key, state);
      this.settle(key, due, state.asked ?? '');
    } else this.ask(key, namespace, path, at, state);
  }

  /** What it asks about is gone: nobody needs to ask, but an answer that was on its way says nothing any more. */
  gone(namespace: string, path: string, at: string): void {
    const key = keyOf(namespace, path);
    this.settled.delete(key);
    this.write(key, { changed: at, asked: at });
  }

  /**
   * An answer came. False when it is older than the last change of what it tells: it is asked again then, unless the question was
   * asked after that change already, and whoever answers has nothing newer.
   */
  answered(namespace: string, path: string, at: string, outcome: 'told' | 'refused'): boolean {
    const key = keyOf(namespace, path);
    const state = this.read(key);
    this.settled.delete(key);
    const isOld = state.changed !== undefined && at < state.changed;
    if (isOld && (state.asked ?? '') < (state.changed as string)) {
      this.ask(key, namespace, path, state.changed as string, state);
      return false;
    }
    const { open: _, refused: __, changed, asked = at } = state;
    const since = changed !== undefined && changed > asked ? changed : asked;
    this.write(key, {
      asked: since,
      ...(changed !== undefined && { changed }),
      ...(outcome === 'refused' && { refused: true }),
    });
    return !isOld;
  }

  private ask(key: string, namespace: string, path: string, at: string, state: Asked): void {
    const { refused: _, ...rest } = state;
    this.write(key, { ...rest, asked: at, open: true, tries: (state.tries ?? 0) + 1 });
    this.settled.delete(key);
    this.out({ at, method: 'GET', path, need: 'directory', ...(namespace !== '' && { namespace }) });
  }

  private settle(key: string, due: string, asked: string): void {
    if (this.settled.size >= SETTLED_MAX) this.settled.clear();
    this.settled.set(key, { due, asked });
  }

  /** A copy: what the memory gives is frozen. */
  private read = (key: string): Asked => ({ ...this.states.get(key) });

  private write(key: string, state: Asked): void {
    this.states.set(key, state);
  }
}

const keyOf = (namespace: string, path: string) => `${namespace}\n${path}`;

/** Before this time it need not be asked: it waits, or its answer still holds. */
function dueAt(state: Asked, refreshSeconds: number | undefined): string {
  const { asked, open, changed, refused, tries = 1 } = state;
  if (asked === undefined) return '';
  if (open) return addSeconds(asked, waitSeconds(tries));
  if (changed !== undefined && changed > asked) return '';
  const holds = refused ? limits.directoryRefusedSeconds : refreshSeconds;
  return holds === undefined ? END_OF_TIME : addSeconds(asked, holds);
}

/** Each time in vain doubles the wait: where nobody may ask Vault, questions are few. */
const waitSeconds = (tries: number): number =>
  Math.min(limits.directoryRetrySeconds * 2 ** (tries - 1), limits.directoryRefusedSeconds);

const SETTLED_MAX = 20_000;
