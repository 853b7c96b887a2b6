// What is said of a line that could not become an event; the line itself is not kept.

import { hash } from 'node:crypto';
import type { CoverageCounter, Loss, LossReason, Reject, RejectReason } from '../../core/records.ts';
import { lineHash } from './find.ts';

export function rejectOf(
  line: Buffer,
  device: string,
  reason: RejectReason,
  { time, bytes = line.length }: { time?: string | undefined; bytes?: number } = {},
): Reject {
  const sum = lineHash(line);
  return {
    // A call that Vault has answered is lost: that is an alert.
    ...(losesCall.has(reason) && time !== undefined ? { '@timestamp': time, lines: 1 } : {}),
    bytes,
    device,
    hash: sum,
    id: `reject-${sum.slice(0, 32)}`,
    reason,
  };
}

/** Why a line of Vault's own may have become no event; what is no entry at all is anybody's noise. */
const losesCall: ReadonlySet<RejectReason> = new Set(['line_too_long', 'internal']);

/** The reject of lines that the collector could not keep, told by the record at `place` (partition/offset) when event time was `time`. */
export function rejectOfLoss({ bytes, count, device, reason }: Loss, place: string, time?: string): Reject {
  const sum = hash('sha256', `${device} ${reason} ${place}`, 'hex');
  return {
    ...(time === undefined ? {} : { '@timestamp': time }),
    bytes,
    device,
    id: `reject-${sum.slice(0, 32)}`,
    // An unread rest is known by its bytes alone.
    lines: reason === 'unread' ? 0 : count,
    reason,
  };
}

/** What each kind of loss counts as. The tail of a broken connection is no gap: Vault writes the whole line again. */
export const lossCounters: Record<LossReason, CoverageCounter[]> = {
  line_too_long: ['dropped', 'oversize', 'gaps'],
  truncated: ['lost_at_close'],
  dropped: ['dropped', 'gaps'],
  quota: ['dropped', 'gaps'],
  unread: ['unread', 'gaps'],
  unconfirmed: ['unconfirmed'],
  refused: ['refused'],
  unreadable: ['dropped', 'gaps'],
};
