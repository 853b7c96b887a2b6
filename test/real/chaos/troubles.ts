// Troubles in the order of a seed: each kind at least once, again and again while time is left.

import { setTimeout as sleep } from 'node:timers/promises';
import type { SmallDisk } from '../small-disk.ts';
import type { OwnServer } from './servers.ts';
import type { Member, Stages } from './stages.ts';

export interface Playground {
  stages: Stages;
  kafka: OwnServer;
  elasticsearch: OwnServer;
  /** Where the collector's data lie. */
  disk?: SmallDisk;
  random: () => number;
}

/** How long a zombie sleeps: longer than a session of a group lasts, so that its partitions are another's when it wakes. */
const FROZEN_MS = 20_000;
const FULL_MS = 6_000;

type Trouble = [name: string, play: (ground: Playground) => Promise<void>];

/** Those that have work, if any say so: whoever kills the ledger that stands by has troubled nobody. */
async function working(members: readonly Member[]): Promise<readonly Member[]> {
  const have = await Promise.all(members.map(hasWork));
  const busy = members.filter((_, i) => have[i]);
  return busy.length > 0 ? busy : members;
}

async function hasWork({ process, isFrozen }: Member): Promise<boolean> {
  if (isFrozen) return true;
  const signal = AbortSignal.timeout(2_000);
  const said = await process.fetch('/readyz', { signal }).then(
    (response) => response.text(),
    () => '',
  );
  return !/ stands by| waits for/.test(said);
}

const kill = (stage: Member['stage']): Trouble => [
  `kill ${stage}`,
  async ({ stages, random }) => {
    const member = oneOf(await working(stages.of(stage)), random);
    if (member !== undefined) await stages.kill(member);
  },
];

/** It wakes with its partitions lost, and does not know. The collector is spared: a frozen host stalls Vault, as the docs say. */
const freeze = (stage: Member['stage']): Trouble => [
  `freeze ${stage}`,
  async ({ stages, random }) => {
    const awake = stages.of(stage).filter(({ isFrozen }) => !isFrozen);
    const member = oneOf(await working(awake), random);
    if (member === undefined) return;
    stages.freeze(member);
    await sleep(FROZEN_MS);
    stages.thaw(member);
  },
];

/** One more, and after a while one of those that were there before less. */
const scale = (stage: Member['stage']): Trouble => [
  `add and remove ${stage}`,
  async ({ stages, random }) => {
    const old = oneOf(
      stages.of(stage).filter(({ isFrozen }) => !isFrozen),
      random,
    );
    await stages.add(stage);
    await sleep(5_000 + random() * 10_000);
    if (old !== undefined) await stages.remove(old);
  },
];

const bounce = (server: 'kafka' | 'elasticsearch', how: 'stop' | 'kill'): Trouble => [
  `${how} ${server}`,
  async (ground) => {
    await ground[server][how]();
    await sleep(2_000 + ground.random() * 6_000);
    await ground[server].start();
  },
];

const fullDisk: Trouble = [
  'full disk',
  async ({ disk }) => {
    await disk?.fill();
    await sleep(FULL_MS);
    await disk?.makeRoom();
  },
];

/** Away for `ms`, one server after the other has gone, so that for a while both are. */
export const outage = async (ground: Playground, ms: number): Promise<void> => {
  await ground.kafka.kill();
  await sleep(ms / 2);
  await ground.elasticsearch.kill();
  await sleep(ms / 2);
  const kafka = ground.kafka.start();
  await sleep(ms / 2);
  await Promise.all([kafka, ground.elasticsearch.start()]);
};

const all: Trouble[] = [
  ...(['collect', 'normalise', 'ledger', 'detect', 'index', 'deliver', 'serve'] as const).map(kill),
  kill('normalise'),
  kill('detect'),
  ...(['normalise', 'ledger', 'detect', 'index'] as const).map(freeze),
  ...(['normalise', 'detect'] as const).map(scale),
  bounce('kafka', 'stop'),
  bounce('kafka', 'kill'),
  bounce('elasticsearch', 'stop'),
  bounce('elasticsearch', 'kill'),
  fullDisk,
];

const oneOf = <T>(list: readonly T[], random: () => number): T | undefined =>
  list[Math.floor(random() * list.length)];

/**
 * Plays troubles for `seconds`, and until each kind has begun; begins one every `everyMs` or so, several at once. A server is stopped, the disk filled and a stage
 * frozen by one at a time. Resolves when all is well again; `say` is told what begins.
 */
export async function play(
  ground: Playground,
  seconds: number,
  everyMs: number,
  say: (text: string) => void,
): Promise<void> {
  const endMs = Date.now() + seconds * 1000;
  const running = new Map<string, Promise<void>>();
  let waiting: Trouble[] = [];
  for (let begun = 0; Date.now() < endMs || begun < all.length; ) {
    if (waiting.length === 0) waiting = shuffled(all, ground.random);
    // Two things cannot be done to the same server at once.
    const next = waiting.findIndex(([name]) => !running.has(keyOf(name)));
    if (next >= 0) {
      const [[name, trouble]] = waiting.splice(next, 1) as [Trouble];
      say(name);
      begun++;
      const done = trouble(ground).finally(() => running.delete(keyOf(name)));
      running.set(keyOf(name), done);
    }
    await Promise.race([sleep(everyMs * (0.5 + ground.random())), failed(running)]);
  }
  await Promise.all(running.values());
}

/** Rejects with the first trouble that could not be made. */
const failed = (running: Map<string, Promise<void>>): Promise<never> =>
  new Promise((_, reject) => {
    for (const trouble of running.values()) trouble.catch(reject);
  });

const keyOf = (name: string): string => (/kafka|elasticsearch|disk/.exec(name) ?? [name])[0];

function shuffled<T>(list: readonly T[], random: () => number): T[] {
  const rest = [...list];
  return list.map(() => rest.splice(Math.floor(random() * rest.length), 1)[0] as T);
}
