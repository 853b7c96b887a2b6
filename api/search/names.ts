// The fields that a search may ask for: those of an event and of an alert. A name that is none finds nothing and reads like a clean
// answer, so it is refused. A member that the types gain or lose fails to compile here.

import type { Alert } from '../../core/alert.ts';
import type { AuditEvent } from '../../core/event.ts';

/** Dotted names down to plain values, through lists; of an object with any keys its own name. */
type Names<T, At extends string = ''> = T extends (infer Item)[]
  ? Names<Item, At>
  : T extends object
    ? string extends keyof T
      ? At
      : { [K in keyof T & string]-?: Names<NonNullable<T[K]>, At extends '' ? K : `${At}.${K}`> }[keyof T &
          string]
    : At;

const leaf = false;
/** Anything may stand below it. */
const open = true;

const eventNames: Record<Names<AuditEvent>, boolean> = {
  '@timestamp': leaf,
  'ecs.version': leaf,
  'error.message': leaf,
  'event.action': leaf,
  'event.category': leaf,
  'event.dataset': leaf,
  'event.duration': leaf,
  'event.hash': leaf,
  'event.id': leaf,
  'event.kind': leaf,
  'event.outcome': leaf,
  'event.reason': leaf,
  'event.type': leaf,
  'related.ip': leaf,
  'related.user': leaf,
  'source.ip': leaf,
  'source.port': leaf,
  'user.domain': leaf,
  'user.id': leaf,
  'user.name': leaf,
  'user.roles': leaf,
  'user_agent.original': leaf,
  'vault.authorization.allowed': leaf,
  'vault.authorization.granting_policies': leaf,
  'vault.caller.accessor': leaf,
  'vault.caller.auth_method': leaf,
  'vault.caller.auth_mount': leaf,
  'vault.caller.credential': leaf,
  'vault.caller.display_name': leaf,
  'vault.caller.entity_id': leaf,
  'vault.caller.kind': leaf,
  'vault.caller.policies': leaf,
  'vault.caller.role': leaf,
  'vault.caller.subject': leaf,
  'vault.caller.token_expires_at': leaf,
  'vault.caller.token_issued_at': leaf,
  'vault.caller.token_ttl_s': leaf,
  'vault.cluster': leaf,
  'vault.devices': leaf,
  'vault.flags': leaf,
  'vault.forwarded_from': leaf,
  'vault.issued.accessor': leaf,
  'vault.issued.entity_id': leaf,
  'vault.issued.num_uses': leaf,
  'vault.issued.policies': leaf,
  'vault.issued.ttl_s': leaf,
  'vault.issued.type': leaf,
  'vault.lease.id': leaf,
  'vault.nodes': leaf,
  'vault.pair': leaf,
  'vault.request.data': open,
  'vault.request.id': leaf,
  'vault.request.mount_point': leaf,
  'vault.request.mount_type': leaf,
  'vault.request.namespace': leaf,
  'vault.request.operation': leaf,
  'vault.request.path': leaf,
  'vault.request.wrap_ttl_s': leaf,
  'vault.response.data': open,
  'vault.response.warnings': leaf,
  'vault.revision': leaf,
  'vault.schema': leaf,
  'vault.secret.engine': leaf,
  'vault.secret.path': leaf,
  'vault.secret.version': leaf,
  'vault.truncated': leaf,
  'vault.unknown': open,
  'vault.wrap.accessor': leaf,
  'vault.wrap.creation_path': leaf,
};

const alertNames: Record<Names<Alert>, boolean> = {
  '@timestamp': leaf,
  'alert.count': leaf,
  'alert.first_seen': leaf,
  'alert.id': leaf,
  'alert.last_seen': leaf,
  'alert.late': leaf,
  'ecs.version': leaf,
  'event.action': leaf,
  'event.category': leaf,
  'event.dataset': leaf,
  'event.kind': leaf,
  'event.outcome': leaf,
  'event.severity': leaf,
  'event.type': leaf,
  'evidence.event_ids': leaf,
  'evidence.facts': open,
  'incident.id': leaf,
  message: leaf,
  'related.ip': leaf,
  'related.user': leaf,
  'rule.id': leaf,
  'rule.level': leaf,
  'rule.name': leaf,
  'rule.reference': leaf,
  'rule.version': leaf,
  'source.ip': leaf,
  'threat.technique.id': leaf,
  'user.id': leaf,
  'user.name': leaf,
  'vault.caller.auth_method': leaf,
  'vault.caller.kind': leaf,
  'vault.cluster': leaf,
  'vault.request.namespace': leaf,
  'vault.request.operation': leaf,
  'vault.request.path': leaf,
  'vault.secret.path': leaf,
};

const names = { events: eventNames, alerts: alertNames };

/** Names of the fields of a kind. */
export const namesOf = (kind: keyof typeof names): string[] => Object.keys(names[kind]);

/** Whether rows of the kind can have the field. */
export function isField(kind: keyof typeof names, name: string): boolean {
  return Object.entries(names[kind]).some(
    ([known, isOpen]) =>
      name === known || (isOpen && name.startsWith(`${known}.`)) || known.startsWith(`${name}.`),
  );
}
