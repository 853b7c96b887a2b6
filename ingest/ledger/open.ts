// Opens a lease where Vault gives one out. Its lifetime is unknown: no audit line carries it (vault-audit.md 4).

import type { AuditEvent } from '../../core/event.ts';
import type { Lease } from '../../core/lease.ts';

/** The lease that the call took, or undefined. A renewal shows a lease id too, but gives out nothing new. */
export function openedLease(event: AuditEvent): Lease | undefined {
  const { vault, user } = event;
  const { lease, request } = vault;
  if (lease === undefined || event.event.outcome !== 'success' || event.event.action === 'lease-renew')
    return undefined;
  // An unwrapped lease belongs to whoever asked for it, not to the wrapping token that opens it (vault-audit.md 7.12).
  const unwrapped = vault.caller.credential === 'wrapping';
  return {
    cluster: vault.cluster,
    end_confirmed: false,
    ...(unwrapped || user.name === undefined ? {} : { holder: user.name }),
    ...(unwrapped ? {} : { holder_id: user.id }),
    id: lease.id,
    issued_at: event['@timestamp'],
    kind: 'lease',
    ...(request.namespace === undefined ? {} : { namespace: request.namespace }),
    path: lease.id.slice(0, lease.id.lastIndexOf('/')),
    proof: { issued: event.event.id },
    renewals: 0,
    requested_by: user.id,
    ...(vault.caller.role === undefined ? {} : { role: vault.caller.role }),
    // Without a lifetime nobody can say whether it still lives.
    state: 'unknown',
    terms: [],
    ttl_source: 'unknown',
  };
}
