// A call as the directory looks at it, and an answer likewise.

import type { AuditEvent, JsonObject } from '../../../core/event.ts';
import type { Questions } from './questions.ts';
import type { FactStore, Told } from './store.ts';

/** What the parts of the directory share. */
export interface Desk {
  store: FactStore;
  questions: Questions;
}

export interface Seen {
  event: AuditEvent;
  cluster: string;
  namespace: string;
  told: Told;
  /** The cluster is the one that may be asked. */
  mayAsk: boolean;
  path: string;
  verb: 'read' | 'write' | 'delete' | 'other';
  request: JsonObject;
  /** Data of the answer; undefined when it held none. */
  response: JsonObject | undefined;
}

/** What Vault answered to us, with the status 200, or `null` for 404. */
export interface Told200 {
  cluster: string;
  namespace: string;
  told: Told;
  data: JsonObject | null;
}

const verbs: Record<string, Seen['verb']> = {
  read: 'read',
  create: 'write',
  update: 'write',
  patch: 'write',
  delete: 'delete',
};

export function seenIn(event: AuditEvent, cluster: string): Seen {
  const { request, response } = event.vault;
  return {
    event,
    cluster: event.vault.cluster,
    namespace: request.namespace ?? '',
    told: { at: event['@timestamp'], source: 'audit', proof: event.event.id },
    mayAsk: event.vault.cluster === cluster,
    path: request.path ?? '',
    verb: verbs[request.operation ?? ''] ?? 'other',
    request: request.data ?? {},
    response: response?.data,
  };
}

/** Vault has done it: its answer was seen, and is none of an error. */
export const isDone = ({ event }: Seen): boolean =>
  event.event.outcome === 'success' && event.vault.pair !== 'request_only';
