// An alert: what a rule found, in words that a person on call can act on (design section 4).

export const levels = ['informational', 'low', 'medium', 'high', 'critical'] as const;
export type Level = (typeof levels)[number];

/** ECS `event.severity` of each level, the scale that Elastic's rules use. */
export const severityOf: Record<Level, number> = {
  informational: 10,
  low: 21,
  medium: 47,
  high: 73,
  critical: 99,
};

export interface Alert {
  /** Event time of the last match: when the alert was last true. */
  '@timestamp': string;
  alert: { count: number; first_seen: string; id: string; last_seen: string; late: boolean };
  ecs: { version: string };
  event: {
    action: string;
    category: string[];
    dataset: 'vault.alert';
    kind: 'alert';
    outcome?: string;
    severity: number;
    type: string[];
  };
  evidence: { event_ids: string[]; facts: Record<string, string | number | boolean> };
  incident: { id: string };
  message: string;
  related: { ip?: string[]; user?: string[] };
  rule: { id: string; level: Level; name: string; reference?: string; version: string };
  source?: { ip?: string };
  threat?: { technique: { id: string[] } };
  user: { id: string; name?: string };
  vault: {
    caller: { auth_method?: string; kind: string };
    cluster: string;
    request: { namespace?: string; operation?: string; path?: string };
    secret?: { path: string };
  };
}
