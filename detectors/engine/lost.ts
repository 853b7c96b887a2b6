// Alerts on lines that came and could not be kept: whoever reads the record must hear of a hole in it, and an attacker may
// have made it. Not a Sigma rule: what is lost has no event. Pure, as the rest of the engine.

import type { Alert } from '../../core/alert.ts';
import { limits } from '../../core/limits.ts';
import type { Reject, RejectReason } from '../../core/records.ts';
import { bucketOf, shortHash } from './alert.ts';
import { builtInAlert } from './built-in.ts';
import { Aged } from './count/aged.ts';
import type { RuleInfo } from './rule.ts';

/** What the alert says of each reason that loses lines for good; the others lose none. */
const whys: Partial<Record<RejectReason, string>> = {
  dropped: 'the spool could not take them: the disk is full or too slow',
  quota: 'the input had used up its part of the spool',
  line_too_long: 'they were longer than a line may be, or unfinished lines took too much memory',
  internal: 'sealwatch stumbled over them, which is a bug: please report it',
  unread: 'their file went away before it was read to its end',
  unreadable: 'the stream had them, and the disk does not give them back',
};

export const lostLinesRule: RuleInfo & { level: 'high' } = {
  alerts: true,
  description: 'An audit device brought lines that could not be kept. The record has a hole there.',
  falsePositives: ['A disk that filled up by itself, or a file that was deleted by hand.'],
  file: 'detectors/engine/lost.ts',
  groupBy: ['device', 'reason'],
  id: '1d0f6f0e-6f0a-4a55-9d6c-0a3f4f6c1e7b',
  level: 'high',
  references: ['https://developer.hashicorp.com/vault/docs/audit'],
  runbook:
    'Look at GET /v1/coverage for the hours and the device. Make room on the disk or find who floods the input. The file device of the same Vault has the lines: they are read from there by themselves; without a file device they are gone.',
  status: 'test',
  techniques: ['T1562.008'],
  threshold: 1,
  timespanSeconds: 0,
  title: 'Audit lines lost',
  version: '1',
};

/** One alert as it grows. A JSON value. */
interface Lost {
  bytes: number;
  device: string;
  first: string;
  ids: string[];
  last: string;
  lines: number;
  reason: RejectReason;
  revision: number;
}

export class LostLines {
  private readonly cluster: string;
  private readonly where: string;
  /** By id of the alert, the last that was added to last: partitions are not at the same time. */
  private readonly open: Aged<Lost>;
  private readonly changed = new Map<string, Lost>();

  /** @param where tells alerts of several places of loss apart */
  constructor(cluster: string, state: [string, Lost][] = [], where = '') {
    this.cluster = cluster;
    this.where = where;
    this.open = new Aged(state);
  }

  /**
   * A reject as it comes, of any partition; others than lost lines are left out, and so is what was lost before event time was
   * known. What the alert says does not hang on which comes first.
   */
  reject({ '@timestamp': time, bytes, device, id, lines = 0, reason }: Reject): void {
    if (time === undefined || !(reason in whys)) return;
    const alert = shortHash(lostLinesRule.id, this.where, device, reason, bucketOf(time));
    const none = { bytes: 0, device, first: time, ids: [], last: time, lines: 0, reason, revision: 0 };
    const lost: Lost = this.open.get(alert) ?? none;
    lost.bytes += bytes;
    lost.lines += lines;
    if (time < lost.first) lost.first = time;
    if (time > lost.last) lost.last = time;
    lost.revision++;
    lost.ids = [...lost.ids, id].sort().slice(0, limits.alertEventIdsMax);
    this.open.set(alert, lost);
    this.changed.set(alert, lost);
    if (this.open.size > limits.lostAlertsMax) this.open.deleteOldest();
  }

  take(): { body: Alert; revision: number }[] {
    const alerts = [...this.changed].map(([id, lost]) => ({
      body: this.bodyOf(id, lost),
      revision: lost.revision,
    }));
    this.changed.clear();
    return alerts;
  }

  snapshot(): [string, Lost][] {
    return structuredClone([...this.open]);
  }

  private bodyOf(id: string, { bytes, device, first, ids, last, lines, reason }: Lost): Alert {
    const why = whys[reason] ?? reason;
    return builtInAlert(
      {
        rule: lostLinesRule,
        ...{ id, first, last, count: Math.max(lines, ids.length), eventIds: ids.slice() },
        action: 'audit-lines-lost',
        facts: { bytes, device, lines, reason },
        message: `${lines === 0 ? 'An unknown number of' : lines} audit line(s) of the device ${device} could not be kept: ${why}.`,
        subject: `device:${device}`,
      },
      this.cluster,
    );
  }
}
