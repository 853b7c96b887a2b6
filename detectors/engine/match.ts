// A match: the few facts of an event that a rule keeps, so that no event is held.

import type { Alert } from '../../core/alert.ts';
import type { AuditEvent } from '../../core/event.ts';
import type { CompiledRule } from './rule.ts';

/** What an alert takes over from its first event. */
export interface MatchFacts {
  event: { action: string; category: string[]; outcome: string; type: string[] };
  ip?: string;
  message: string;
  user: { id: string; name?: string };
  vault: Pick<Alert['vault'], 'caller' | 'request' | 'secret'>;
}

/** One rule's match of one call. A JSON value. */
export interface Match {
  facts: MatchFacts;
  group: string;
  /** `event.id`. */
  id: string;
  revision: 0 | 1 | 2;
  rule: string;
  time: string;
}

export function matchOf(rule: CompiledRule, event: AuditEvent, group: string): Match {
  return {
    facts: factsOf(event, rule.message(event)),
    group,
    id: event.event.id,
    revision: event.vault.revision,
    rule: rule.id,
    time: event['@timestamp'],
  };
}

/** What an alert says of `event`, in the words of `message`. */
export function factsOf(event: AuditEvent, message: string): MatchFacts {
  const { action, category, outcome, type } = event.event;
  const ip = event.source?.ip;
  return {
    event: { action, category, outcome, type },
    ...(ip === undefined ? {} : { ip }),
    message,
    user: { id: event.user.id, ...(event.user.name === undefined ? {} : { name: event.user.name }) },
    vault: vaultFacts(event),
  };
}

function vaultFacts({ vault }: AuditEvent): MatchFacts['vault'] {
  const { auth_method, kind } = vault.caller;
  const { namespace, operation, path } = vault.request;
  return {
    caller: { ...(auth_method === undefined ? {} : { auth_method }), kind },
    request: {
      ...(namespace === undefined ? {} : { namespace }),
      ...(operation === undefined ? {} : { operation }),
      ...(path === undefined ? {} : { path }),
    },
    ...(vault.secret === undefined ? {} : { secret: { path: vault.secret.path } }),
  };
}

/** Names a rule's match of a call: each rule counts a call once. */
export const matchKey = (rule: string, eventId: string): string => `${rule} ${eventId}`;

/** Order in which matches are counted: time, then id. Both are text of equal form, so code units decide. */
export function byTimeAndId(a: Match, b: Match): number {
  if (a.time !== b.time) return a.time < b.time ? -1 : 1;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}
