// The lists that judge beside the rules: who is allowed what until when, windows of maintenance, classes of callers, thresholds
// and settings of each class, words that rules refer to. All of it pure: event time decides, never a clock.

import type { AuditEvent } from './event.ts';

/** What keeps an alert from being written. */
export interface Silence {
  kind: 'allow' | 'maintenance';
  /** Name of the entry. */
  name: string;
}

export interface Lists {
  /** Hash of the content. */
  version: string;
  /** The entry that silences `rule` (id) on `event`, by the event's own time; undefined when none does. */
  silencedBy(rule: string, event: AuditEvent): Silence | undefined;
  /** The first class that the event's caller belongs to; every caller is at least of the class that is its kind (`human`). */
  classOf(event: AuditEvent): string;
  /** What replaces the count of `rule` for callers of `className`. */
  threshold(rule: string, className: string): number | undefined;
  /**
   * A setting of a behaviour for a class, else for all, else of the configuration (core/lists/posture.ts), else `fallback`:
   * `lease-lifetime` `maxSeconds`.
   */
  setting(behaviour: string, name: string, className: string, fallback: number): number;
  /** Words behind Sigma's `|expand`: `%admins%`. */
  placeholders: Readonly<Record<string, readonly (string | number)[]>>;
  /** Lists of texts that behaviours use: `canaries` (path patterns), `networks`. */
  texts(name: string): readonly string[];
}

/** Nothing is silenced, nothing is set. */
export const noLists: Lists = {
  version: '',
  silencedBy: () => undefined,
  classOf: ({ vault }) => vault.caller.kind,
  threshold: () => undefined,
  setting: (_behaviour, _name, _class, fallback) => fallback,
  placeholders: {},
  texts: () => [],
};
