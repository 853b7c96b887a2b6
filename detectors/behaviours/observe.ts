// What behaviours see of a call.

import type { AuditEvent, JsonObject } from '../../core/event.ts';
import type { Lists } from '../../core/lists.ts';
import type { MatchFacts } from '../engine/match.ts';
import type { Observation } from './behaviour.ts';

export interface ObserveOptions {
  lists: Lists;
  /** Ids of the behaviours that may be silenced. */
  behaviours: readonly string[];
  /** The call is sealwatch's own (guarantee 9): it teaches nothing. */
  isOwn?: boolean;
}

/** What behaviours see of `event`; undefined when none of them wants to know: Vault's own try of a new device. */
export function observationOf(event: AuditEvent, options: ObserveOptions): Observation | undefined {
  const { vault, user } = event;
  const { action, outcome, reason } = event.event;
  if (action === 'audit-device-test') return undefined;
  const { caller, request, secret, issued, lease } = vault;
  const silenced = silencedOn(event, options);
  // Members that are undefined are absent: objects of one shape are made and read many times faster.
  const seen: Record<keyof Observation, unknown> = {
    id: event.event.id,
    time: event['@timestamp'],
    revision: vault.revision,
    facts: factsOf(event),
    user: user.id,
    className: options.lists.classOf(event),
    role: caller.role,
    auth_mount: caller.auth_mount,
    accessor: caller.accessor,
    token_issued_at: caller.token_issued_at,
    token_ttl_s: caller.token_ttl_s,
    entity_id: caller.entity_id,
    policies: caller.policies,
    ip: event.source?.ip,
    user_agent: event.user_agent?.original,
    action,
    operation: request.operation,
    mount: request.mount_point,
    mount_type: request.mount_type,
    path: request.path,
    secret,
    lease: lease?.id,
    issued,
    outcome,
    reason,
    secret_id: secretIdOf(event),
    wrap: action === 'response-unwrap' ? undefined : vault.wrap?.accessor,
    silenced: silenced.length === 0 ? undefined : silenced,
    teaches: outcome === 'success' && caller.kind !== 'anonymous' && options.isOwn !== true,
  };
  return seen as unknown as Observation;
}

/** As a match keeps them; the words are the behaviour's that finds something. */
function factsOf({ event, source, user, vault: { caller, request, secret } }: AuditEvent): MatchFacts {
  const { action, category, outcome, type } = event;
  const facts: Record<keyof MatchFacts, unknown> = {
    event: { action, category, outcome, type },
    ip: source?.ip,
    message: '',
    user: { id: user.id, name: user.name },
    vault: {
      caller: { auth_method: caller.auth_method, kind: caller.kind },
      request: { namespace: request.namespace, operation: request.operation, path: request.path },
      secret: secret === undefined ? undefined : { path: secret.path },
    },
  };
  return facts as MatchFacts;
}

function silencedOn(event: AuditEvent, { lists, behaviours }: ObserveOptions): string[] {
  return lists.version === '' ? [] : behaviours.filter((id) => lists.silencedBy(id, event) !== undefined);
}

/** AppRole shows the same hash where a secret-id is given out, unwrapped, and where it logs in (vault-audit.md 4). */
function secretIdOf({ event, vault: { request, response } }: AuditEvent): string | undefined {
  if (request.mount_type !== 'approle' && event.action !== 'response-unwrap') return undefined;
  return textOf(response?.data, 'secret_id') ?? textOf(request.data, 'secret_id');
}

function textOf(data: JsonObject | undefined, name: string): string | undefined {
  const value = data?.[name];
  return typeof value === 'string' ? value : undefined;
}
