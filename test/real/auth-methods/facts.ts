// What a scene says of its callers, without ids, times and hashes: the same for recorded lines and for a live Vault.

import { normaliseLines } from '../../../commands/replay-lines.ts';
import type { AuditEvent } from '../../../core/event.ts';

/** One line per call: what was done and how it ended; who called; which token was given out. */
export const factsOf = (lines: string[]): string[] => normaliseLines(lines).map(factOf);

function factOf({ event, user, vault }: AuditEvent): string {
  const { caller, issued } = vault;
  const who = [
    caller.kind,
    caller.auth_method ?? '-',
    caller.auth_mount ?? '-',
    `name=${user.name ?? '-'}`,
    `role=${caller.role ?? '-'}`,
    `subject=${caller.subject ?? '-'}`,
    `id=${idKind(user.id)}`,
    caller.credential,
  ];
  const given =
    issued === undefined
      ? 'nothing'
      : `${issued.type ?? 'token'} for ${issued.ttl_s ?? '-'} s, ${issued.entity_id === undefined ? 'no entity' : 'entity'}`;
  const outcome = event.reason === undefined ? event.outcome : `${event.outcome} (${event.reason})`;
  return `${event.action} ${outcome} | ${who.join(' ')} | gave ${given}`;
}

/** `user.id` with ids and hashes left out. */
const idKind = (id: string): string =>
  /^[0-9a-f-]{36}$/.test(id) ? 'entity' : id.replace(/^(token):.*/, '$1');
