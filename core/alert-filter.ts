// Which alerts an output takes: a Sigma selection, or several under a condition, over the alert's fields.

import type { Alert } from './alert.ts';
import { predicateOf } from './match/predicate.ts';
import { readSelection } from './match/read.ts';
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
export function alertFilter(match: Record<string, unknown>): (alert: Alert) => boolean {
  const selections: [string, unknown][] = [['match', match]];
  for (const [name, selection] of selections) refuseUnknownFields(name, selection);
  return predicateOf(readSelection(match));
}

function refuseUnknownFields(name: string, selection: unknown): void {
  const maps = Array.isArray(selection) ? selection : [selection];
  for (const map of maps) {
    if (typeof map !== 'object' || map === null) continue;
    for (const key of Object.keys(map)) {
      const [field = ''] = key.split('|');
      const known = field === '' || field.startsWith('evidence.facts.') || isAlertField(field);
      if (!known) throw new Error(`${name}: alerts have no field ${field}${meant(field, alertFields)}`);
    }
  }
}

const isAlertField = (field: string): boolean => (alertFields as readonly string[]).includes(field);
