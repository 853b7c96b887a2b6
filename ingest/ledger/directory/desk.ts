// What the parts of the directory work with: facts and questions, a call as they look at it, an answer likewise.

import type { FactKind } from '../../../core/directory.ts';
import type { AuditEvent, JsonObject } from '../../../core/event.ts';
import { limits } from '../../../core/limits.ts';
import type { LedgerMemory } from '../../../core/ports.ts';
import type { LedgerSink } from '../change.ts';
import { Bounded } from '../reading/bounded.ts';
import { Questions } from './questions.ts';
import { FactStore, keyOf, type Subject, type Told } from './store.ts';

/** What the parts of the directory share. */
export class Desk {
  readonly store: FactStore;
  readonly questions: Questions;
  /** Ids of entities and groups by their names. */
  readonly names: Bounded<string>;
  private readonly changes: Bounded<string>;

  constructor(memory: LedgerMemory, sink: Pick<LedgerSink, 'fact' | 'ask'>) {
    this.store = new FactStore(memory, (fact) => sink.fact(fact));
    this.questions = new Questions(memory, (question) => sink.ask(question));
    this.names = new Bounded(memory, 'dir/name', limits.directoryFactsMax);
    this.changes = new Bounded(memory, 'dir/changed', limits.directoryNamespacesMax);
  }

  /** Asks about what a call has changed. An answer must be newer than all that is known of it, also when the call came late. */
  askAnew(what: FactKind, subject: Subject, path: string, told: Told): void {
    const known = this.store.current(what, subject)?.at ?? told.at;
    const at = known > told.at ? known : told.at;
    this.questions.want({ namespace: subject.namespace, path, at, changed: at });
  }

  /** Some of them changed then, and no plain text says which: whatever is seen from then on is asked about anew. */
  someChanged(what: 'entity' | 'group', { cluster, namespace }: Where, at: string): void {
    this.changes.set(keyOf({ cluster, namespace, key: what }), at);
  }

  lastChange(what: 'entity' | 'group', { cluster, namespace }: Where): { changed?: string } {
    const changed = this.changes.get(keyOf({ cluster, namespace, key: what }));
    return changed === undefined ? {} : { changed };
  }
}

export type Where = Pick<Subject, 'cluster' | 'namespace'>;

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
export interface Answered {
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

/** Whether the ledger is told of the call whatever the token that makes it: all of these are what the normaliser picks. */
export function alwaysComes({ event, vault: { issued, lease, wrap, request } }: AuditEvent): boolean {
  if (issued !== undefined || lease !== undefined || wrap !== undefined) return true;
  if (event.action === 'ui-read') return request.path?.startsWith('sys/internal/ui/mounts') === true;
  return ALWAYS.test(event.action);
}

const ALWAYS = /^(?:user|token|lease|role|mount|auth(?!-config)|policy|entity|group)-/;
