// The ledger: calls, answers and hash pairs in; leases, facts, own tokens and questions out, worked in the order in which Vault
// had done them. Pure: what it knows is in its memory, and its only clock is the watermark of the raw partitions.

import { limits } from '../../core/limits.ts';
import type { LedgerMemory } from '../../core/ports.ts';
import { type Kind, type Question, tokenShown, type Watermark } from '../../core/records.ts';
import { addSeconds } from '../../core/time.ts';
import type { LedgerInput, LedgerSink } from './change.ts';
import { inputOf } from './input.ts';
import type { LedgerParts } from './join.ts';
import { keyOf, Order, throughTime } from './order.ts';
import { OpenQuestions } from './questions.ts';
import { Bounded } from './reading/bounded.ts';

export interface LedgerOptions {
  memory: LedgerMemory;
  sink: LedgerSink;
  /** Partitions of raw: time is where the slowest of them is. */
  partitions: number;
  parts: (memory: LedgerMemory, sink: LedgerSink) => LedgerParts;
}

/** What a restart needs beside the memory. */
export interface LedgerState {
  /** Everything up to this key is worked in. */
  through: string;
  watermark: string;
  /** By raw partition. */
  marks: [source: number, time: string][];
  /** Latest time of what was worked; absent in states of versions before. */
  last?: string;
}

export class Ledger {
  /**
   * `late`: calls behind the watermark. `early`: worked before their turn, for want of room. `failed`: our own code stumbled.
   */
  readonly counters = { records: 0, late: 0, early: 0, failed: 0, questions: 0 };
  private readonly options: LedgerOptions;
  private readonly parts: LedgerParts;
  private readonly order = new Order();
  private readonly questions: OpenQuestions;
  /** Tokens that were seen in use. */
  private readonly tokens: Bounded<true>;
  private readonly marks: Map<number, string>;
  private through: string;
  private watermark: string;
  /** What came behind its turn while something else was worked. */
  private overdue: LedgerInput[] = [];
  private isWorking = false;
  /** Latest time of what was worked. */
  private last: string;

  constructor(options: LedgerOptions, state?: LedgerState) {
    const { memory, sink } = options;
    this.options = options;
    this.questions = new OpenQuestions(memory);
    this.tokens = new Bounded(memory, 'ledger/token', limits.ledgerTokensMax);
    this.parts = options.parts(memory, {
      lease: (revision, body) => sink.lease(revision, body),
      fact: (fact) => sink.fact(fact),
      own: (token) => sink.own(token),
      watermark: (time) => sink.watermark(time),
      ask: (question) => this.ask(question),
    });
    this.through = state?.through ?? '';
    this.watermark = state?.watermark ?? '';
    this.marks = new Map(state?.marks);
    this.last = state?.last ?? '';
  }

  /** Latest time of what was worked; empty before there was any. */
  get time(): string {
    return this.last;
  }

  /** How many records wait for their turn. */
  get waiting(): number {
    return this.order.size;
  }

  /** State for a restart, and the offset to read on from: what waits is read again, not kept. */
  snapshot(nextOffset: number): { state: LedgerState; offset: number } {
    const { through, watermark, marks, last } = this;
    return {
      state: { through, watermark, marks: [...marks], last },
      offset: this.order.lowestOffset(nextOffset),
    };
  }

  /** A record from before the restart: it waits again when it did. */
  restore(kind: Kind, value: unknown, offset: number): void {
    const input = inputOf(kind, value);
    if (input !== undefined && keyOf(input) > this.through) this.order.push(input, offset);
  }

  /** Questions that nobody had answered before the restart. */
  openQuestions(): Question[] {
    return this.questions.all();
  }

  /** A record of the credentials topic; kinds that are not the ledger's are passed over. */
  record(kind: Kind, value: unknown, offset: number): void {
    if (kind === 'watermark') this.mark(value as Watermark);
    const input = inputOf(kind, value);
    if (input === undefined) return;
    this.counters.records++;
    if (keyOf(input) > this.through) {
      this.order.push(input, offset);
      while (this.order.isOver && !this.isWorking) this.workEarly();
      return;
    }
    // An answer may be older than the question: who has recorded them answers at once.
    if (input.kind === 'call') this.counters.late++;
    if (this.isWorking) this.overdue.push(input);
    else this.work(input);
  }

  private workEarly(): void {
    const first = this.order.pop(LAST);
    if (first === undefined) return;
    this.counters.early++;
    this.through = first.key;
    this.work(first.input);
  }

  private mark({ source, time }: Watermark): void {
    if (time <= (this.marks.get(source) ?? '')) return;
    this.marks.set(source, time);
    if (this.marks.size < this.options.partitions) return;
    let lowest = time;
    for (const reached of this.marks.values()) if (reached < lowest) lowest = reached;
    // Devices may differ in when a call was answered: it comes when the last of them has come to it.
    this.advance(addSeconds(lowest, -limits.ledgerSlackSeconds));
  }

  /** Time has come to `time`. */
  private advance(time: string): void {
    if (time <= this.watermark) return;
    this.workThrough(throughTime(time));
    this.watermark = time;
    this.guard(() => this.parts.life.advance(time));
    this.workOverdue();
    this.options.sink.watermark(time);
  }

  /** Everything that waits is worked, and time comes to `time`, or to the last of it: the end of a replay. */
  finish(time: string): void {
    this.workThrough(LAST);
    this.advance(time > this.last ? time : this.last);
  }

  /** What is asked on the way may be answered on the way, in its turn. */
  private workThrough(end: string): void {
    for (let first = this.order.pop(end); first !== undefined; first = this.order.pop(end)) {
      this.through = first.key;
      this.work(first.input);
    }
    if (end > this.through && end !== LAST) this.through = end;
  }

  private work(input: LedgerInput): void {
    this.workOne(input);
    this.workOverdue();
  }

  private workOverdue(): void {
    for (let next = this.overdue.shift(); next !== undefined; next = this.overdue.shift()) this.workOne(next);
  }

  private workOne(input: LedgerInput): void {
    if (input.done > this.last) this.last = input.done;
    this.guard(() => {
      const { life, reading, directory } = this.parts;
      life.advance(input.done);
      if (input.kind === 'call' && !this.isNews(input)) return;
      if (input.kind === 'call') directory.call(input.event, input.handles);
      if (input.kind === 'answer') {
        this.questions.answered(input.answer);
        directory.answer(input.answer);
      }
      const changes =
        input.kind === 'call'
          ? reading.call(input.event, input.handles)
          : input.kind === 'answer'
            ? reading.answer(input.answer)
            : reading.hashes(input.pair);
      for (const change of changes) life.apply(change);
    });
  }

  /** Each partition tells of the first call that it saw of a token: how many of them there are must change nothing. */
  private isNews({ event, handles, onlyFirst }: Extract<LedgerInput, { kind: 'call' }>): boolean {
    const token = tokenShown({ event, handles });
    if (token === undefined) return !onlyFirst;
    const isKnown = this.tokens.get(token) !== undefined;
    if (!isKnown) this.tokens.set(token, true);
    return !(onlyFirst && isKnown);
  }

  /**
   * What our own code stumbles over must not stop what comes behind it, now and after every restart. What the memory's disk
   * refuses is another thing: that is tried again.
   */
  private guard(work: () => void): void {
    this.isWorking = true;
    try {
      work();
    } catch (error) {
      if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
      this.counters.failed++;
    } finally {
      this.isWorking = false;
    }
  }

  private ask(question: Question): void {
    this.counters.questions++;
    this.questions.add(question);
    this.options.sink.ask(question);
  }
}

/** Behind every key. */
const LAST = '\u{ffff}';
