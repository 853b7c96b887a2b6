// What an evidence answer cannot say, in sentences, and whether anything is known to be missing from it.

import { limits } from '../../core/limits.ts';
import { accessLimits } from '../access/ask.ts';
import type { Coverage } from '../coverage.ts';
import { warningsOf } from '../coverage-sentences.ts';
import type { Answer } from './schemas.ts';

interface Known {
  period: { from: string; to: string };
  extent: { first?: string; watermark?: string };
  coverage: Coverage;
  reconcile: { sum_of_rows: number; count_of_events: number; equal: boolean };
  /** False when there were more groups than `limits.evidenceRowsMax`. */
  whole: boolean;
  access: Answer['access'];
}

const always = [
  'Vault writes no audit line for some requests: malformed or too large ones, unknown or locked namespaces, a sealed Vault, tokens with a bad signature. None of these gives out a secret.',
  'The record is unwitnessed: nothing outside of sealwatch proves that it was not changed.',
];

export function limitsOf(known: Known): { sentences: string[]; complete: boolean } {
  const { period, extent, coverage, reconcile, whole, access } = known;
  const { rejected, dropped, unread, gaps_between_devices: between, late } = coverage.totals;
  // Nobody can count what a file that went away still held, nor what came while every device was blind.
  const isBlind = unread > 0 || coverage.all_blind_hours.length > 0;
  // Each of these means that reads of the period may be missing from the rows.
  const missing = [
    !whole &&
      `More than ${limits.evidenceRowsMax} groups: the rows beyond are cut off. Ask for a shorter period.`,
    !reconcile.equal &&
      `The rows add up to ${reconcile.sum_of_rows}, but the store counts ${reconcile.count_of_events} reads: it took in events of this period meanwhile, or rows were cut.`,
    (extent.watermark === undefined || extent.watermark < period.to) &&
      `The period is not closed: event time has come to ${extent.watermark ?? 'no known point'}, the period ends at ${period.to}.`,
    rejected > 0 && `${rejected} line(s) could not be read; they can hold reads of this period.`,
    dropped > 0 && `${dropped} line(s) could not be kept; they can hold reads of this period.`,
  ].filter((sentence) => sentence !== false);
  const notes = [
    extent.first === undefined && 'No events are held at all.',
    extent.first !== undefined &&
      extent.first > period.from &&
      `The first event held is of ${extent.first}; nothing is known of the time before it.`,
    between > 0 &&
      `${between} call(s) of these hours are missing on an audit device that was alive; another device showed them, so they are held.`,
    late > 0 && `${late} line(s) of these hours came late; they are counted here.`,
    ...access.limits,
    access.not_evaluated.length > 0 &&
      `Who could read is not complete: ${access.not_evaluated.length} kind(s) of doubt are listed in access.not_evaluated.`,
  ].filter((sentence) => sentence !== false);
  return {
    sentences: [...missing, ...notes, ...warningsOf(coverage), ...accessLimits, ...always],
    complete: missing.length === 0 && !isBlind,
  };
}
