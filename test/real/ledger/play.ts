// Plays all stories side by side, round by round; after each round Vault is asked what lives.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Cast, Story } from './cast.ts';
import { eachOf } from './each.ts';
import { leaseStories } from './lease-stories.ts';
import { mountStories } from './mount-stories.ts';
import { tokenStories } from './token-stories.ts';
import type { Checkpoint, Truth } from './truth.ts';

/** When rounds begin, in seconds since the first: what lives 5, 8, 20, 60 seconds expires between them. */
const roundSeconds = [0, 10, 20, 31, 45, 66] as const;
/** Between two rounds at least, however slow the machine: what is short lives on for a while, or dies. */
const REST_SECONDS = 4;
const SEED = 20_261_123;

/** The order is shuffled, always the same way. `every`: only one of so many copies of a story, but at least one. */
function cues(every: number): [Story, number][] {
  const all = [...leaseStories, ...tokenStories, ...mountStories].flatMap(([story, copies]) =>
    Array.from({ length: copies }, (_, n): [Story, number] => [story, n]).filter(([, n]) => n % every === 0),
  );
  const random = randomOf(SEED);
  for (let i = all.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [all[i], all[j]] = [all[j] as [Story, number], all[i] as [Story, number]];
  }
  return all;
}

/** mulberry32: good enough to shuffle, the same on every machine. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export interface PlayOptions {
  truth: Truth;
  /** Whether a checkpoint's listing looks each up, by the round's number. */
  details: (round: number) => boolean;
  every?: number;
  /** Called with each checkpoint before the play goes on. */
  checkpoint?: (checkpoint: Checkpoint, round: number) => Promise<void>;
}

/** Returns the checkpoints. Throws what a story throws, with its name. */
export async function play(cast: Cast, options: PlayOptions): Promise<Checkpoint[]> {
  await cast.begin();
  const running = cues(options.every ?? 1).map(([story, n]) => ({ story, n, run: story(cast, n) }));
  const began = Date.now();
  const checkpoints: Checkpoint[] = [];
  for (const [round, second] of roundSeconds.entries()) {
    const rest = round === 0 ? 0 : REST_SECONDS * 1000;
    await sleep(Math.max(rest, began + second * 1000 - Date.now()));
    await eachOf(running, ({ story, n, run }) =>
      run.next().catch((cause: unknown) => {
        throw new Error(`${story.name} ${n} in round ${round}: ${cause}`, { cause });
      }),
    );
    const listed = await options.truth.checkpoint(options.details(round));
    const checkpoint = { ...listed, unusable: [...cast.unusable] };
    checkpoints.push(checkpoint);
    await options.checkpoint?.(checkpoint, round);
  }
  return checkpoints;
}
