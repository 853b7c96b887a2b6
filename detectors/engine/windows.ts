// Counting: matches of one rule by group, from the first match to an alert and what joins it. Matches come in order of time.

import { limits } from '../../core/limits.ts';
import { addSeconds } from '../../core/time.ts';
import { type AlertState, joinAlert, openAlert } from './alert.ts';
import type { Match } from './match.ts';

/** Matches of a group that are too few for an alert so far, in order of time. */
interface Pending {
  matches: Match[];
  /** The last match's time plus the rule's timespan: what comes later finds nothing here to join. */
  until: string;
}

/** A group with an alert that still takes matches in. */
interface Open {
  alert: AlertState;
  until: string;
}

/** A JSON value. */
export interface WindowsSnapshot {
  open: [string, Open][];
  pending: [string, Pending][];
}

export class RuleWindows {
  evicted = 0;
  readonly #joinSeconds: number;
  // Both in the order of last change, so that what ends first stands (nearly) first.
  readonly #open: Map<string, Open>;
  readonly #pending: Map<string, Pending>;
  readonly #threshold: number;
  readonly #timespanSeconds: number;

  constructor(rule: { threshold: number; timespanSeconds: number }, snapshot?: WindowsSnapshot) {
    this.#threshold = rule.threshold;
    this.#timespanSeconds = rule.timespanSeconds;
    // A window longer than the usual grouping would otherwise open a second alert on the events right after its first.
    this.#joinSeconds = Math.max(limits.alertGroupSeconds, rule.timespanSeconds);
    this.#open = new Map(snapshot?.open);
    this.#pending = new Map(snapshot?.pending);
  }

  /** Counts `match`; returns the alert that it opens or joins. Two matches exactly one timespan apart are together. */
  count(match: Match): AlertState | undefined {
    this.expire(match.time);
    const open = this.#open.get(match.group);
    if (open !== undefined && match.time <= open.until) return joinAlert(open.alert, match);
    if (open !== undefined) this.#open.delete(match.group);
    const matches = this.#recent(match);
    matches.push(match);
    this.#pending.delete(match.group);
    this.#makeRoom();
    if (matches.length < this.#threshold) {
      this.#pending.set(match.group, { matches, until: addSeconds(match.time, this.#timespanSeconds) });
      return undefined;
    }
    const alert = openAlert(matches);
    this.#open.set(match.group, { alert, until: addSeconds(alert.first.time, this.#joinSeconds) });
    return alert;
  }

  /** The group's pending matches that are within the timespan before `match`. */
  #recent(match: Match): Match[] {
    const pending = this.#pending.get(match.group);
    if (pending === undefined) return [];
    const since = addSeconds(match.time, -this.#timespanSeconds);
    return pending.matches.filter((earlier) => earlier.time >= since);
  }

  #makeRoom(): void {
    if (this.#pending.size + this.#open.size < limits.ruleGroupsMax) return;
    const groups = this.#pending.size > 0 ? this.#pending : this.#open;
    for (const oldest of groups.keys()) {
      groups.delete(oldest);
      this.evicted++;
      return;
    }
  }

  /** Drops groups that nothing at or after `time` can add to. */
  expire(time: string): void {
    expireFrom(this.#pending, time);
    expireFrom(this.#open, time);
  }

  snapshot(): WindowsSnapshot {
    return { open: [...this.#open], pending: [...this.#pending] };
  }
}

function expireFrom(groups: Map<string, { until: string }>, time: string): void {
  for (const [group, { until }] of groups) {
    if (until >= time) return;
    groups.delete(group);
  }
}
