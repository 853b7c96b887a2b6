// Brings the two halves of a call together, and the copies of other devices, whatever order they come in.
//
// P = pairWaitSeconds, L = allowedLatenessSeconds, D = P - L. A half is due when the watermark passes its time + P; a
// whole call when every configured device has shown it, or the watermark passes its answer's time + L. A call that took
// longer than D always goes out twice, half and whole, so that the order of arrival cannot tell (decision 0002).

import type { Scrub } from '../../core/raw.ts';

export type Half = 'request' | 'response';

export interface Copy {
  device: string;
  node: string | undefined;
  scrub: Scrub | undefined;
  /** It came when event time had passed it. */
  late: boolean;
  line: Buffer;
  /** Where the object begins in the line. */
  start: number;
  time: string;
}

export interface PendingCall {
  id: string;
  requestId: string | undefined;
  /** Offset of its first line: a restart reads on from the oldest of these. */
  offset: number;
  request: Copy[];
  response: Copy[];
  /** No other half will come, by design (vault-audit.md 7.3). */
  lone: boolean;
  /** Went out as a half already. */
  halfSent: boolean;
  /** How its half was counted as unpaired: taken back when the other half comes. */
  unpaired: Unpaired | undefined;
}

export interface Unpaired {
  devices: string[];
  time: string;
  lacks: 'no_response' | 'no_request';
}

/** A call of which nothing is known yet; one without a request id has no other half to meet. */
export const newCall = (id: string, requestId: string | undefined, offset: number): PendingCall => ({
  id,
  requestId,
  offset,
  request: [],
  response: [],
  lone: requestId === undefined,
  halfSent: false,
  unpaired: undefined,
});

export const hasBoth = (call: PendingCall): boolean => call.request.length > 0 && call.response.length > 0;

/**
 * Adds a copy of a half. False when the device had shown it on this node: the copy that sorts first stays, so that order
 * cannot matter.
 */
export function addCopy(call: PendingCall, half: Half, copy: Copy): boolean {
  const copies = call[half];
  const same = copies.findIndex((other) => other.device === copy.device && other.node === copy.node);
  if (same < 0) {
    copies.push(copy);
    return true;
  }
  if (Buffer.compare(copy.line, (copies[same] as Copy).line) < 0) copies[same] = copy;
  return false;
}

/** The copy of the highest rank: devices in the order of the configuration, others by name, then nodes by name. */
export function firstRanked(copies: readonly Copy[], ranks: readonly string[]): Copy | undefined {
  let best = copies[0];
  for (let i = 1; i < copies.length; i++) {
    const copy = copies[i] as Copy;
    const order =
      rankOf(copy.device, ranks) - rankOf((best as Copy).device, ranks) ||
      compare(copy.device, (best as Copy).device) ||
      compare(copy.node ?? '', (best as Copy).node ?? '');
    if (order < 0) best = copy;
  }
  return best;
}

const compare = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1);

function rankOf(device: string, ranks: readonly string[]): number {
  const index = ranks.indexOf(device);
  return index < 0 ? ranks.length : index;
}

/** Names of the nodes of these copies, sorted, each once; undefined when none is known. */
export function nodesOf(...lists: (readonly Copy[])[]): string[] | undefined {
  let nodes: string[] | undefined;
  for (const copies of lists) {
    for (const { node } of copies) {
      if (node === undefined || nodes?.includes(node)) continue;
      nodes ??= [];
      nodes.push(node);
    }
  }
  return nodes?.sort();
}

/** Names of the devices of these copies, sorted, each once. */
export function namesOf(...lists: (readonly Copy[])[]): string[] {
  const names: string[] = [];
  for (const copies of lists)
    for (const { device } of copies) if (!names.includes(device)) names.push(device);
  return names.length > 1 ? names.sort() : names;
}

/** Names of the devices that showed either half. */
export const devicesOf = (call: PendingCall): string[] => namesOf(call.request, call.response);

/** Whether every configured device has shown all that it can show of the call. */
export function isComplete(call: PendingCall, configured: readonly string[]): boolean {
  // Cheaper than looking, and true of nearly every first half.
  const wanted = call.lone ? configured.length : configured.length * 2;
  if (call.request.length + call.response.length < wanted) return false;
  const has = (copies: Copy[], device: string) => copies.some((copy) => copy.device === device);
  return configured.every((device) => has(call.request, device) && (call.lone || has(call.response, device)));
}

/** The time that orders the call: its request's, else its answer's. */
export function callTime(call: PendingCall): string {
  const copies = call.request.length > 0 ? call.request : call.response;
  let first = (copies[0] as Copy).time;
  for (const { time } of copies) if (time < first) first = time;
  return first;
}

/** When the call was last answered, over all copies; its own time while it is not. */
export function answerTime(call: PendingCall): string {
  let last = callTime(call);
  for (const { time } of call.response) if (time > last) last = time;
  return last;
}
