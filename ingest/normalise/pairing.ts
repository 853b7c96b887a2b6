// Brings the two halves of a call together, and the copies of other devices, whatever order they come in.
//
// P = pairWaitSeconds, L = allowedLatenessSeconds, D = P - L. A half is due when the watermark passes its time + P; a
// whole call when every configured device has shown it, or the watermark passes its answer's time + L. A call that took
// longer than D always goes out twice, half and whole, so that the order of arrival cannot tell (decision 0002).

export type Half = 'request' | 'response';

export interface Copy {
  device: string;
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
}

/** Adds a copy of a half. False when the device had shown it: the copy that sorts first stays, so that order cannot matter. */
export function addCopy(call: PendingCall, half: Half, copy: Copy): boolean {
  const copies = call[half];
  const same = copies.findIndex((other) => other.device === copy.device);
  if (same < 0) {
    copies.push(copy);
    return true;
  }
  if (Buffer.compare(copy.line, (copies[same] as Copy).line) < 0) copies[same] = copy;
  return false;
}

/** The copy of the highest rank: devices in the order of the configuration, others by name. */
export function firstRanked(copies: readonly Copy[], ranks: readonly string[]): Copy | undefined {
  const rank = (device: string) => {
    const index = ranks.indexOf(device);
    return index < 0 ? ranks.length : index;
  };
  return copies.reduce<Copy | undefined>((best, copy) => {
    if (best === undefined) return copy;
    const order = rank(copy.device) - rank(best.device) || (copy.device < best.device ? -1 : 1);
    return order < 0 ? copy : best;
  }, undefined);
}

/** Names of the devices of these copies, sorted. */
export const namesOf = (copies: readonly Copy[]): string[] =>
  copies.length === 1 ? [(copies[0] as Copy).device] : [...new Set(copies.map((copy) => copy.device))].sort();

/** Names of the devices that showed either half. */
export const devicesOf = (call: PendingCall): string[] => namesOf([...call.request, ...call.response]);

/** Whether every configured device has shown all that it can show of the call. */
export function isComplete(call: PendingCall, configured: readonly string[]): boolean {
  const has = (copies: Copy[], device: string) => copies.some((copy) => copy.device === device);
  return configured.every((device) => has(call.request, device) && (call.lone || has(call.response, device)));
}

/** The time that orders the call: its request's, else its answer's. */
export const callTime = (call: PendingCall): string => {
  const copies = call.request.length > 0 ? call.request : call.response;
  return copies.reduce((first, copy) => (copy.time < first ? copy.time : first), (copies[0] as Copy).time);
};

/** When the call was last answered, over all copies. */
export const answerTime = (call: PendingCall): string =>
  call.response.reduce((last, copy) => (copy.time > last ? copy.time : last), callTime(call));
