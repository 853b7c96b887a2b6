// Alerts of sealwatch on itself: what has no event of its own. Their documents have the form of all others.

import { type Alert, type Level, severityOf } from '../../core/alert.ts';
import { ECS_VERSION } from '../../core/event.ts';
import { incidentId } from '../../core/incident.ts';
import type { RuleInfo } from './rule.ts';

export interface Said {
  rule: RuleInfo & { level: Level };
  id: string;
  first: string;
  last: string;
  count: number;
  eventIds: string[];
  facts: Alert['evidence']['facts'];
  message: string;
  action: string;
  /** What it is about, in the place of a user: `device:file`. */
  subject: string;
}

/** The document, its keys in order so that JSON.stringify of it is canonical. */
export function builtInAlert(said: Said, cluster: string): Alert {
  const { rule, first, last } = said;
  const user = { id: said.subject };
  return {
    '@timestamp': last,
    alert: { count: said.count, first_seen: first, id: said.id, last_seen: last, late: false },
    ecs: { version: ECS_VERSION },
    event: {
      action: said.action,
      category: ['configuration'],
      dataset: 'vault.alert',
      kind: 'alert',
      severity: severityOf[rule.level],
      type: ['error'],
    },
    evidence: { event_ids: said.eventIds, facts: said.facts },
    incident: { id: incidentId(user.id, first) },
    message: said.message,
    related: {},
    rule: {
      id: rule.id,
      level: rule.level,
      name: rule.title,
      reference: rule.references[0] as string,
      version: rule.version,
    },
    threat: { technique: { id: rule.techniques } },
    user,
    vault: { caller: { kind: 'unknown' }, cluster, request: {} },
  };
}
