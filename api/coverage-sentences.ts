// The coverage of a period in plain sentences: what came, what is known to be missing, and how sure the rest is.

import { limits } from '../core/limits.ts';
import type { Counts, Coverage, DeviceRow } from './coverage.ts';

export type Facts = Omit<Coverage, 'statement'>;
type Sentence = string | false;

/** All that is to be said. */
export function statementOf(facts: Facts): string[] {
  const { devices, totals, untimed } = facts;
  const { received, paired, unpaired, by_design: byDesign, duplicate, late, scrubbed } = totals;
  const shown = devices.filter((device) => device.received > 0).map(({ device }) => device);
  const missingUntimed = untimed.rejected + untimed.dropped;
  return kept([
    shown.length === 0
      ? 'No line was received in the hours of this period.'
      : `In the hours of this period ${received} lines were received from ${shown.length} audit device(s) (${shown.join(', ')}).`,
    `Counted as paired: ${paired}, as unpaired: ${unpaired}, as halves that have no other by design: ${byDesign}, as shown again by the same device: ${duplicate}, as late: ${late}. A secret was found and taken out before storage ${scrubbed} time(s).`,
    totals.rejected + totals.dropped + totals.unread === 0
      ? 'No line is known to be missing.'
      : `Known to be missing: ${totals.rejected} line(s) that could not be read and ${totals.dropped} that could not be kept.`,
    missingUntimed > 0 && `${missingUntimed} of these have no usable time and can belong to any period.`,
    totals.gaps_between_devices > 0 &&
      `${totals.gaps_between_devices} time(s) a device that was alive did not show a call that another showed.`,
    ...warningsOf(facts),
    "Times are those of the clocks of Vault's nodes.",
    'Unwitnessed: nothing outside of sealwatch proves that this record was not changed.',
  ]);
}

/** What somebody should mend, or know before leaning on the record. */
export const warningsOf = (facts: Facts): string[] =>
  kept([...lossesOf(facts.totals), ...heartbeatsOf(facts), ...originsOf(facts.devices), ...nodesSaid(facts)]);

function lossesOf(totals: Counts): Sentence[] {
  const {
    unread,
    oversize,
    unconfirmed,
    refused,
    lost_at_close: cut,
    log_raw: raw,
    token_in_plain: plain,
  } = totals;
  const { jsonx = 0, bad_time: badTime = 0 } = totals.rejected_by_reason;
  return [
    unread > 0 &&
      `${unread} time(s) a file went away before it was read to its end; nobody can count its lines.`,
    oversize > 0 && `${oversize} line(s) were longer than ${limits.lineBytesMax} bytes.`,
    cut > 0 &&
      `${cut} time(s) a connection ended inside a line; Vault writes such a line again on its next one.`,
    unconfirmed > 0 && `${unconfirmed} line(s) were answered to the HTTP device before they were durable.`,
    refused > 0 &&
      `${refused} connection(s) or datagram(s) were refused: not from an allowed address, or one too many.`,
    jsonx > 0 && `${jsonx} line(s) were JSONx and were refused: set format=json on the audit device.`,
    badTime > 0 && `${badTime} line(s) have no usable time, or one that is more than a day in the future.`,
    raw > 0 &&
      `${raw} line(s) came from a device with log_raw=true, which writes secrets in clear: turn it off.`,
    plain > 0 && `${plain} line(s) held a token where Vault does not hash, such as a path; it was taken out.`,
  ];
}

function heartbeatsOf({ devices, totals, all_blind_hours: allBlind }: Facts): Sentence[] {
  const { heartbeat_seen: seen, heartbeat_missed: missed } = totals;
  const unanswered = Math.max(0, ...devices.map((device) => device.heartbeat_unanswered));
  const silent = devices.filter((device) => device.silent).map(({ device }) => device);
  return [
    silent.length > 0 && `Configured, but silent in all of these hours: ${silent.join(', ')}.`,
    seen + missed === 0
      ? "No look-up of sealwatch's own was answered in these hours, so a quiet device cannot be told from a blind one."
      : missed === 0 && `Each look-up of sealwatch's own came back on every device.`,
    ...devices
      .filter((device) => device.heartbeat_missed > 0)
      .map(
        (device) =>
          `${device.device} was blind: ${device.heartbeat_missed} of ${device.heartbeat_missed + device.heartbeat_seen} look-ups of sealwatch's own did not come back on it in time.`,
      ),
    allBlind.length > 0 &&
      `In ${allBlind.length} hour(s) every device missed one, so calls may be missing that nothing shows.`,
    unanswered > 0 &&
      `${unanswered} look-up(s) were not answered by Vault; they say nothing about the devices.`,
  ];
}

function originsOf(devices: readonly DeviceRow[]): Sentence[] {
  const named = (origin: DeviceRow['origin']) =>
    devices.filter((row) => row.origin === origin && row.received > 0).map(({ device }) => device);
  const [unverified, unprovable] = [named('unverified'), named('unprovable')];
  return [
    unverified.length > 0 &&
      `Origin unverified (${unverified.join(', ')}): lines came from other hosts without TLS, so whoever holds an allowed address could have written them.`,
    unprovable.length > 0 &&
      `Origin unprovable (${unprovable.join(', ')}): UDP lets any sender claim any address, and what it loses is not seen.`,
  ];
}

function nodesSaid({ nodes }: Facts): Sentence[] {
  const missing = [...new Set(nodes.filter(({ collected }) => !collected).map(({ node }) => node))];
  const [named, more] = [missing.slice(0, NAMED_MAX), missing.length - NAMED_MAX];
  return [
    missing.length > 0 &&
      `Lines name node(s) that forwarded calls and whose own lines are not known to be collected: ${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}.`,
  ];
}

const NAMED_MAX = limits.collectedValuesMax;

const kept = (sentences: readonly Sentence[]): string[] => sentences.filter((sentence) => sentence !== false);
