// Alerts on groups of a rule that had to be forgotten: a flood may have been sent to hide a slow attack in. Not a Sigma rule: what
// was forgotten has no event. Pure, as the rest of the engine. Guarantee 3 does not hold for what follows an eviction.

import type { Alert } from '../../../core/alert.ts';
import { bucketOf, shortHash } from '../alert.ts';
import { builtInAlert } from '../built-in.ts';
import type { RuleInfo } from '../rule.ts';

export const evictionRule: RuleInfo & { level: 'medium' } = {
  alerts: true,
  description:
    'A rule had more groups to count than fit into its memory, and forgot the oldest. Attacks that were under way there may be missed.',
  falsePositives: ['A rule that groups by something with very many values, such as an id of each request.'],
  file: 'detectors/engine/count/evictions.ts',
  groupBy: ['rule'],
  id: '5c6a3c6e-4f6f-4c39-9f0b-2f4d6c2a9b17',
  level: 'medium',
  references: ['https://attack.mitre.org/techniques/T1562/'],
  runbook:
    'Look which values the rule groups by: who sends so many of them? If it is the usual traffic, let the rule group by less or shorten its timespan.',
  status: 'test',
  techniques: ['T1562'],
  threshold: 1,
  timespanSeconds: 0,
  title: 'Detection state evicted',
  version: '1',
};

/** The open alert of one rule. A JSON value. */
interface Evicted {
  /** Groups in this alert. */
  count: number;
  first: string;
  last: string;
  /** Of the rule. */
  title: string;
}

/** A JSON value. */
export interface EvictionsSnapshot {
  open: [rule: string, Evicted][];
  /** As told last. */
  totals: [rule: string, total: number][];
}

export class Evictions {
  readonly #cluster: string;
  readonly #changed = new Set<string>();
  /** Of each rule: no more than there are rules. */
  readonly #open: Map<string, Evicted>;
  readonly #place: string;
  readonly #totals: Map<string, number>;

  /** @param place names the detector (`vault.audit.events/3`): each has a memory of its own, and alerts of its own */
  constructor(cluster: string, place: string, state?: EvictionsSnapshot) {
    this.#cluster = cluster;
    this.#place = place;
    this.#open = new Map(state?.open);
    this.#totals = new Map(state?.totals);
  }

  /** How many groups of `rule` have been evicted in all, when event time is at `time`. */
  tell(rule: Pick<RuleInfo, 'id' | 'title'>, total: number, time: string): void {
    const before = this.#totals.get(rule.id) ?? 0;
    if (total === before) return;
    this.#totals.set(rule.id, total);
    // The rule began anew.
    if (total < before) return;
    let open = this.#open.get(rule.id);
    if (open === undefined || bucketOf(open.first) !== bucketOf(time))
      open = { count: 0, first: time, last: time, title: rule.title };
    this.#open.set(rule.id, { ...open, count: open.count + total - before, last: time });
    this.#changed.add(rule.id);
  }

  /** Alerts that are new or changed since the last take. */
  take(): { body: Alert; revision: number }[] {
    const taken = [...this.#changed].sort().map((rule) => {
      const evicted = this.#open.get(rule) as Evicted;
      return { body: this.#bodyOf(rule, evicted), revision: evicted.count };
    });
    this.#changed.clear();
    return taken;
  }

  snapshot(): EvictionsSnapshot {
    return { open: [...this.#open], totals: [...this.#totals] };
  }

  #bodyOf(rule: string, { count, first, last, title }: Evicted): Alert {
    const said = {
      rule: evictionRule,
      id: shortHash(evictionRule.id, this.#place, rule, bucketOf(first)),
      ...{ first, last, count, eventIds: [] },
      facts: { groups: count, place: this.#place, rule, rule_name: title },
      message: `The rule "${title}" forgot ${count} group(s) that it was counting, because there were too many: attacks that were under way there may be missed.`,
      action: 'detection-state-evicted',
      subject: `rule:${rule}`,
    };
    return builtInAlert(said, this.#cluster);
  }
}
