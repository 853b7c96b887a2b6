// The calls that wait: for their other half, for a device that has not shown them yet, or for the watermark.
//
// Looking through all of them at each tick would cost more than all else when many wait, so the time at which the next one
// is due is known: a tick before it costs nothing.

import { limits } from '../../core/limits.ts';
import { addSeconds, nanosBetween } from '../../core/time.ts';
import type { Found } from './find.ts';
import { isLoneHalf } from './lone.ts';
import {
  addCopy,
  answerTime,
  type Copy,
  callTime,
  chosen,
  hasBoth,
  newCall,
  type PendingCall,
  type Unpaired,
} from './pairing.ts';

export interface WaitingState {
  /** Ids of calls that wait, halves that went out among them. */
  pending: string[];
  /** Calls that went out as a half and wait for the other, and the devices counted as unpaired. */
  halves: [id: string, unpaired: Unpaired | null][];
  /** Calls that may have gone out before they came here. */
  again: string[];
  /** Offsets of their lines that were late. */
  late: number[];
}

const BEGIN = '';
const END = '9999-12-31T23:59:59.999999999Z';

export class WaitingCalls {
  private readonly calls = new Map<string, PendingCall>();
  private readonly ranks: readonly string[];
  private readonly slowNanos: number;
  /** What the snapshot says of the calls that are built up again. */
  private readonly restored: { ids: Set<string>; halves: Map<string, Unpaired | null>; again: Set<string> };
  private readonly restoredLate: Set<number>;
  private bytes = 0;
  /** No call is due before this time. */
  private next = BEGIN;

  /** `ranks`: names of devices in order of rank. `slowNanos`: a call that took longer goes out twice (decision 0002). */
  constructor(ranks: readonly string[], slowNanos: number, state?: WaitingState) {
    this.ranks = ranks;
    this.slowNanos = slowNanos;
    this.restored = {
      ids: new Set(state?.pending),
      halves: new Map(state?.halves),
      again: new Set(state?.again),
    };
    this.restoredLate = new Set(state?.late);
  }

  /** The oldest offset among the lines that wait, at most `nextOffset`: the lines are read again after a restart, not kept. */
  snapshot(nextOffset: number): { state: WaitingState; offset: number } {
    const state: WaitingState = { pending: [...this.calls.keys()], halves: [], again: [], late: [] };
    let offset = nextOffset;
    for (const call of this.calls.values()) {
      offset = Math.min(offset, call.offset);
      if (call.halfSent) state.halves.push([call.id, call.unpaired ?? null]);
      if (call.again) state.again.push(call.id);
      for (const copies of [call.request, call.response])
        for (const copy of copies) if (copy.late) state.late.push(copy.offset);
    }
    return { state, offset };
  }

  /** A line from before the snapshot: it waits again when its call did. */
  restore({ id, requestId, half, copy }: Found): void {
    if (!this.restored.ids.has(id)) return;
    const call = this.calls.get(id) ?? this.begin(id, requestId, copy.offset, this.restored.again.has(id));
    copy.late = this.restoredLate.has(copy.offset);
    this.add(call, half, copy);
    call.halfSent = this.restored.halves.has(id);
    call.unpaired = this.restored.halves.get(id) ?? undefined;
  }

  get(id: string): PendingCall | undefined {
    return this.calls.get(id);
  }

  /** A call of which nothing is known yet. */
  begin(id: string, requestId: string | undefined, offset: number, again: boolean): PendingCall {
    const call = newCall(id, requestId, offset, again);
    this.calls.set(id, call);
    return call;
  }

  /** False when the device had shown this half on this node before. */
  add(call: PendingCall, half: Found['half'], copy: Copy): boolean {
    const before = call.bytes;
    const isNew = addCopy(call, half, copy);
    this.bytes += call.bytes - before;
    call.lone = call.lone || isLoneHalf(copy, half);
    const time = callTime(call);
    if (time < this.next) this.next = time;
    return isNew;
  }

  remove({ id, bytes }: PendingCall): void {
    if (this.calls.delete(id)) this.bytes -= bytes;
  }

  /** The call that has waited longest, when there are more than memory is meant for. */
  get surplus(): PendingCall | undefined {
    const isFull = this.calls.size > limits.pendingCallsMax || this.bytes > limits.pendingBytesMax;
    return isFull ? (this.calls.values().next().value as PendingCall) : undefined;
  }

  /** Hands out each call that is due by `time`, in the order of their coming; `take` says whether it is gone. */
  takeDue(time: string, take: (call: PendingCall) => boolean): void {
    if (time < this.next) return;
    this.next = END;
    for (const call of this.calls.values()) {
      let due = this.dueTime(call);
      if (due <= time) {
        if (take(call)) continue;
        due = this.dueTime(call);
      }
      if (due < this.next) this.next = due;
    }
  }

  /** Hands out all that wait, and forgets them. */
  takeAll(take: (call: PendingCall) => void): void {
    for (const call of this.calls.values()) take(call);
    this.calls.clear();
    this.bytes = 0;
  }

  /**
   * When something is to be done with the call, less the time that a half is waited for: a half goes out, then waits for its
   * other half, then is given up; of a slow whole every copy that is not late is here by its answer's time (decision 0002).
   */
  private dueTime(call: PendingCall): string {
    const time = callTime(call);
    if (hasBoth(call)) return call.halfSent && this.isSlow(call) ? answerTime(call) : time;
    return call.halfSent ? addSeconds(time, limits.halfMemorySeconds) : time;
  }

  isSlow(call: PendingCall): boolean {
    const { request, response } = chosen(call, this.ranks);
    if (request === undefined || response === undefined) return false;
    return nanosBetween(request.time, response.time) > this.slowNanos;
  }
}
