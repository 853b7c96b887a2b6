// What behaviours see of a call.

import type { AuditEvent, JsonObject } from '../../core/event.ts';
import type { Lists } from '../../core/lists.ts';
import { isOwnCall, isOwnSecret } from '../../core/own-calls.ts';
import { factsOf } from '../engine/match.ts';
import type { Observation } from './behaviour.ts';

export interface ObserveOptions {
  lists: Lists;
  /** Ids of the behaviours that may be silenced. */
  behaviours: readonly string[];
  /** Paths of sealwatch's own secrets, `<mount>/data/<path>`. */
  ownSecrets?: readonly string[] | undefined;
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
    facts: factsOf(event, ''),
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
    teaches: outcome === 'success' && caller.kind !== 'anonymous' && !isDeclared(event, options.ownSecrets),
  };
  return seen as unknown as Observation;
}

/**
 * A call that sealwatch makes (guarantee 9), whoever made this one: which token is sealwatch's is told at no fixed place among the
 * events. A secret is its own only when it is configured: the role of an engine may be called as a secret is.
 */
function isDeclared({ vault: { request, secret } }: AuditEvent, ownSecrets: readonly string[] = []): boolean {
  const { operation = '', path = '' } = request;
  return secret === undefined ? isOwnCall(operation, path) : isOwnSecret(operation, path, ownSecrets);
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
