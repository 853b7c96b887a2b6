// Fields of our event (core/event.ts), so that a slip in a rule is told. A rule on another field is taken: other tools may fill it.

import type { Expr } from '../../core/match/expr.ts';
import { nearest } from '../../core/nearest.ts';

/** Every field of an event; what lies below `openFields` is Vault's own. A test holds it against core/event.ts. */
export const eventFields: readonly string[] = [
  '@timestamp',
  'ecs.version',
  'error.message',
  ...['action', 'category', 'dataset', 'duration', 'hash', 'id', 'kind', 'outcome', 'reason', 'type'].map(
    (name) => `event.${name}`,
  ),
  ...['related.ip', 'related.user', 'source.ip', 'source.port'],
  ...['user.domain', 'user.id', 'user.name', 'user.roles', 'user_agent.original'],
  ...['vault.authorization.allowed', 'vault.authorization.granting_policies'],
  ...[
    ...[
      'accessor',
      'auth_method',
      'auth_mount',
      'credential',
      'display_name',
      'entity_id',
      'kind',
      'policies',
    ],
    ...['role', 'subject', 'token_expires_at', 'token_issued_at', 'token_ttl_s'],
  ].map((name) => `vault.caller.${name}`),
  ...['vault.cluster', 'vault.devices', 'vault.flags', 'vault.forwarded_from'],
  ...['accessor', 'entity_id', 'num_uses', 'policies', 'ttl_s', 'type'].map((name) => `vault.issued.${name}`),
  ...['vault.lease.id', 'vault.nodes', 'vault.pair'],
  ...['id', 'mount_point', 'mount_type', 'namespace', 'operation', 'path', 'wrap_ttl_s'].map(
    (name) => `vault.request.${name}`,
  ),
  ...['vault.response.warnings', 'vault.revision', 'vault.schema'],
  ...['vault.secret.engine', 'vault.secret.path', 'vault.secret.version'],
  ...['vault.truncated', 'vault.wrap.accessor', 'vault.wrap.creation_path'],
];

const openFields = ['vault.request.data', 'vault.response.data', 'vault.unknown'] as const;

/** What to say of `field`: undefined when events have it. */
export function doubtOf(field: string): string | undefined {
  if (
    eventFields.includes(field) ||
    openFields.some((open) => field === open || field.startsWith(`${open}.`))
  )
    return undefined;
  const near = nearest(field, eventFields);
  return `${field} is no field of an event${near === undefined ? '' : `; did you mean ${near}?`}`;
}

/** The fields that `expr` asks for, each once. */
export function fieldsIn(expr: Expr): string[] {
  const found = new Set<string>();
  const walk = (one: Expr): void => {
    if ('parts' in one) for (const part of one.parts) walk(part);
    else if (one.kind === 'not') walk(one.part);
    else if (one.kind === 'field') {
      found.add(one.field);
      if (one.test.kind === 'field') found.add(one.test.field);
    }
  };
  walk(expr);
  return [...found];
}
