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
  /** Offset of its record in raw. */
  offset: number;
  /** Where the object begins in the line. */
  start: number;
  /** Where all of it lies but time and type, when they stand together at one end; an end of 0 when they do not. */
  body: { from: number; to: number };
  time: string;
}

export interface PendingCall {
  id: string;
  requestId: string | undefined;
  /** Offset of its first line: a restart reads on from the oldest of these. */
  offset: number;
  /** Bytes of its lines. */
  bytes: number;
  request: Copy[];
  response: Copy[];
  /** It may have gone out so long ago that nobody remembers: it must not take the place of what went out then. */
  again: boolean;
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
export const newCall = (
  id: string,
  requestId: string | undefined,
  offset: number,
  again: boolean,
): PendingCall => ({
  id,
  requestId,
  offset,
  bytes: 0,
  again,
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
    call.bytes += copy.line.length;
    return true;
  }
  const other = copies[same] as Copy;
  if (Buffer.compare(copy.line, other.line) < 0) {
    copies[same] = copy;
    call.bytes += copy.line.length - other.line.length;
  }
  return false;
}

/** The copies of a call that its event is made of. */
export interface Chosen {
  request: Copy | undefined;
  response: Copy | undefined;
}

/**
 * Of each half the copy of the highest rank: devices in the order of the configuration, others by name. Of several nodes of
 * one device the one that another node passed the call on to, which did the work; else the first by name.
 */
export function chosen(call: PendingCall, ranks: readonly string[]): Chosen {
  const { request, response } = call;
  if (request.length < 2 && response.length < 2) return { request: request[0], response: response[0] };
  const workers = workersOf(call);
  return {
    request: firstRanked(request, ranks, workers),
    response: firstRanked(response, ranks, workers),
  };
}

function firstRanked(
  copies: readonly Copy[],
  ranks: readonly string[],
  workers: ReadonlySet<string>,
): Copy | undefined {
  const node = (copy: Copy) => copy.node ?? '';
  const order = (a: Copy, b: Copy) =>
    rankOf(a.device, ranks) - rankOf(b.device, ranks) ||
    compare(a.device, b.device) ||
    Number(workers.has(node(b))) - Number(workers.has(node(a))) ||
    compare(node(a), node(b));
  let best = copies[0];
  for (let i = 1; i < copies.length; i++) {
    const copy = copies[i] as Copy;
    if (order(copy, best as Copy) < 0) best = copy;
  }
  return best;
}

/** Nodes that say the call was passed on to them, when more than one node shows it. */
function workersOf({ request, response }: PendingCall): ReadonlySet<string> {
  const isAlone = request.every(({ node }) => node === request[0]?.node);
  if (isAlone && response.every(({ node }) => node === response[0]?.node)) return nobody;
  const copies = [...request, ...response].filter(({ line }) => line.includes(FORWARDED));
  return new Set(copies.map(({ node }) => node ?? ''));
}

const nobody: ReadonlySet<string> = new Set();
const FORWARDED = Buffer.from('"forwarded_from":"');

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
