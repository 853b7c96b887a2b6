// Which alerts an output takes: a Sigma selection, or several under a condition, over the alert's fields.

import type { Alert } from './alert.ts';
import { fieldsOf, readFilter } from './match/filter.ts';
import { predicateOf } from './match/predicate.ts';
import { meant } from './strict-yaml.ts';

/** What a filter may ask for; beside these `evidence.facts.` and the name of any fact. */
export const alertFields = [
  '@timestamp',
  'alert.count',
  'alert.first_seen',
  'alert.id',
  'alert.last_seen',
  'alert.late',
  'event.action',
  'event.category',
  'event.outcome',
  'event.severity',
  'event.type',
  'evidence.event_ids',
  'incident.id',
  'message',
  'related.ip',
  'related.user',
  'rule.id',
  'rule.level',
  'rule.name',
  'rule.reference',
  'rule.version',
  'source.ip',
  'threat.technique.id',
  'user.id',
  'user.name',
  'vault.caller.auth_method',
  'vault.caller.kind',
  'vault.cluster',
  'vault.request.namespace',
  'vault.request.operation',
  'vault.request.path',
  'vault.secret.path',
] as const;

/** Throws an Error that says what is wrong: a field that no alert has would keep every alert back in silence. */
export function alertFilter(match: unknown): (alert: Alert) => boolean {
  const expr = readFilter(match);
  const stranger = fieldsOf(expr).find((field) => !isAlertField(field));
  if (stranger !== undefined)
    throw new Error(`alerts have no field ${stranger}${meant(stranger, alertFields)}`);
  return predicateOf(expr);
}

const isAlertField = (field: string): boolean =>
  field.startsWith('evidence.facts.') || (alertFields as readonly string[]).includes(field);
