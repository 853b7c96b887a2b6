// Plays lines into a world: in which order, in which pieces, with which ticks, and where it dies meanwhile.

import type { Written } from './inputs.ts';
import { type Sender, time, type World } from './world.ts';

/** How often something happens, from 0 to 1, at each line. */
export interface Trouble {
  /** Lines come up to this many ms after their time. */
  delayMs: number;
  /** A line comes again. */
  repeat: number;
  /** A chunk ends inside a line, or holds several. */
  chunk: number;
  /** A connection ends inside a line, which comes whole on the next one. */
  cut: number;
  /** 1: each second, as in life. */
  tick: number;
  commit: number;
  turn: number;
  snapshot: number;
  stop: number;
  kill: number;
}

/** Lines in the order of their times, all on the disk before the pipeline looks. */
export const plain: Trouble = {
  delayMs: 0,
  repeat: 0,
  chunk: 0,
  cut: 0,
  tick: 0.3,
  commit: 0,
  turn: 0,
  snapshot: 0,
  stop: 0,
  kill: 0,
};

/** Longest that a line waits for the collector's commit. */
const GROUP_MS = 500;
/** With this delay every line is on time, also one that a kill has delayed. */
export const onTimeMs = time.allowedLatenessSeconds * 1000 - GROUP_MS;
/** The longest delay that is not late. */
export const latestMs = time.allowedLatenessSeconds * 1000;
/** Longest gap that is lived through with a tick each second. */
const TICKED_MS = 100_000;
/** Ticks of a second each at the end: more than `limits.deviceIdleSeconds`, P and L together. */
const LAST_TICKS = 100;

interface Arrival {
  sender: Sender;
  bytes: Buffer;
  atMs: number;
}

export class Player {
  kills = 0;
  stops = 0;
  private readonly world: World;
  private readonly trouble: Trouble;
  private readonly random: () => number;
  private readonly arrivals: Arrival[];
  /** The next line of the same sender. */
  private readonly following = new Map<Arrival, Arrival>();
  /** Bytes of the next line of a sender that its connection has brought already. */
  private readonly begun = new Map<Arrival, number>();
  /** What the collector has taken since its last commit: whoever wrote it would write it again, or it stands in the file. */
  private uncommitted: Arrival[] = [];

  constructor(world: World, written: readonly Written[], trouble: Trouble, random: () => number) {
    this.world = world;
    this.trouble = trouble;
    this.random = random;
    this.arrivals = this.arrive(written);
    const last = new Map<string, Arrival>();
    for (const arrival of this.arrivals) {
      const key = `${arrival.sender.device}@${arrival.sender.node}`;
      const before = last.get(key);
      if (before !== undefined) this.following.set(before, arrival);
      last.set(key, arrival);
    }
  }

  private happens = (chance: number) => chance > 0 && this.random() < chance;

  private arrive(written: readonly Written[]): Arrival[] {
    const arrivals = written.flatMap(({ sender, line, ms }) => {
      const delay = () => Math.round(this.random() * this.trouble.delayMs);
      const arrival = { sender, bytes: Buffer.from(`${line}\n`), atMs: ms + delay() };
      return this.happens(this.trouble.repeat) ? [arrival, { ...arrival, atMs: ms + delay() }] : [arrival];
    });
    return arrivals.sort((a, b) => a.atMs - b.atMs);
  }

  async play(): Promise<void> {
    const { world } = this;
    await world.start();
    for (const arrival of this.arrivals) {
      await this.pass(arrival.atMs);
      this.send(arrival);
      await this.work();
    }
    for (let tick = 0; tick < LAST_TICKS; tick++) {
      world.nowMs += 1000;
      world.tick();
    }
    await world.commit();
    await world.drain();
    await world.end();
    await world.stop();
  }

  /** Time goes on to the next arrival, with ticks on the way. */
  private async pass(toMs: number): Promise<void> {
    const { world } = this;
    // What is written again after a kill must still be on time: a group waits no longer than this.
    if (toMs > (this.uncommitted[0]?.atMs ?? toMs) + GROUP_MS) await this.commit();
    const gap = toMs - world.nowMs;
    if (this.trouble.tick === 1) this.tickUntil(toMs);
    else if (world.nowMs > 0 && gap > 1 && this.happens(this.trouble.tick)) {
      world.nowMs += Math.round(this.random() * gap);
      world.tick();
    }
    world.nowMs = toMs;
    if (this.happens(this.trouble.tick)) world.tick();
  }

  /** A tick each second, as in life; a gap of hours is not lived through. */
  private tickUntil(toMs: number): void {
    const { world } = this;
    world.nowMs = Math.max(world.nowMs, toMs - TICKED_MS);
    for (; world.nowMs + 1000 < toMs; world.nowMs += 1000) world.tick();
  }

  private send(arrival: Arrival): void {
    const { sender, bytes } = arrival;
    const { world, trouble } = this;
    let from = this.begun.get(arrival) ?? 0;
    this.begun.delete(arrival);
    if (this.happens(trouble.cut)) {
      if (from === 0) world.push(sender, bytes.subarray(0, Math.floor(this.random() * bytes.length)));
      world.cut(sender);
      from = 0;
    }
    let rest = bytes.subarray(from);
    const next = this.following.get(arrival);
    if (this.happens(trouble.chunk) && next !== undefined) {
      const begun = Math.floor(this.random() * next.bytes.length);
      this.begun.set(next, begun);
      rest = Buffer.concat([rest, next.bytes.subarray(0, begun)]);
    }
    while (this.happens(trouble.chunk) && rest.length > 1) {
      const end = 1 + Math.floor(this.random() * (rest.length - 1));
      world.push(sender, rest.subarray(0, end));
      rest = rest.subarray(end);
    }
    world.push(sender, rest);
    this.uncommitted.push(arrival);
  }

  private async work(): Promise<void> {
    const { world, trouble } = this;
    if (this.happens(trouble.commit)) await this.commit();
    const dies = this.happens(trouble.kill);
    if (this.happens(trouble.turn) || dies) {
      let steps = dies ? Math.floor(this.random() * 30) : Number.POSITIVE_INFINITY;
      for await (const _ of world.turn(this.happens(trouble.snapshot))) if (steps-- <= 0) break;
    }
    if (dies) await this.die();
    else if (this.happens(trouble.stop)) {
      await world.stop();
      this.stops++;
      await this.startAgain([]);
    }
  }

  private async commit(): Promise<void> {
    await this.world.commit();
    this.uncommitted = [];
  }

  private async die(): Promise<void> {
    const lost = this.uncommitted;
    await this.world.kill();
    this.kills++;
    await this.startAgain(lost);
  }

  private async startAgain(again: Arrival[]): Promise<void> {
    this.begun.clear();
    this.uncommitted = [...again];
    await this.world.start();
    for (const { sender, bytes } of again) this.world.push(sender, bytes);
  }
}
