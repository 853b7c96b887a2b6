// A match: the few facts of an event that a rule keeps, so that no event is held.

import type { Alert } from '../../core/alert.ts';
import type { AuditEvent } from '../../core/event.ts';
import { fieldReader } from '../../core/match/fields.ts';
import type { Root } from './rule-set.ts';
import { compileTemplate } from './template.ts';

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
  /** Class of the caller by the lists; absent where no class has a threshold of its own. */
  className?: string;
  facts: MatchFacts;
  /** Of the root: what all that may be counted together has in common. */
  group: string;
  /** `event.id`. */
  id: string;
  /** The event rule that matched, where it is not the root itself. */
  leaf?: string;
  revision: 0 | 1 | 2;
  /** Id of the root: what raises the alert. */
  rule: string;
  time: string;
  /** As text, by field: what the correlations of the root group by and count (`Root.needs`); what the event lacks is absent. */
  values?: Record<string, string>;
}

export function matchOf(
  rule: { id: string; message: (event: AuditEvent) => string },
  event: AuditEvent,
  group: string,
): Match {
  return {
    facts: factsOf(event, rule.message(event)),
    group,
    id: event.event.id,
    revision: event.vault.revision,
    rule: rule.id,
    time: event['@timestamp'],
  };
}

/** The match of `leaf`, one of the root's event rules. */
export function leafMatch(
  root: Root,
  leaf: string,
  event: AuditEvent,
  group: string,
  className?: string,
): Match {
  const { message, values } = readersOf(root);
  const match = matchOf({ id: root.top.id, message }, event, group);
  if (className !== undefined) match.className = className;
  if (leaf !== root.top.id) match.leaf = leaf;
  const kept = values.get(leaf)?.map(([field, read]) => [field, read(event)] as const) ?? [];
  const there = kept.filter((entry): entry is [string, string] => entry[1] !== undefined);
  if (there.length > 0) match.values = Object.fromEntries(there);
  return match;
}

type Reader = (event: object) => string | undefined;
interface Readers {
  message: (event: object) => string;
  values: Map<string, [field: string, read: Reader][]>;
}
const readers = new WeakMap<Root, Readers>();

/** Compiled once for each root. */
function readersOf(root: Root): Readers {
  let found = readers.get(root);
  if (found === undefined) {
    const values = Object.entries(root.needs).map(
      ([leaf, fields]) => [leaf, fields.map((field) => [field, fieldReader(field)])] as const,
    ) as [string, [string, Reader][]][];
    found = { message: compileTemplate(keepNumbers(root.top.messageTemplate)), values: new Map(values) };
    readers.set(root, found);
  }
  return found;
}

const numberNames = ['count', 'distinct', 'value', 'timespan'] as const;
const mark = (name: string): string => `\u0001${name}\u0001`;

/** Numbers of the window, which are known when the alert is written: a mark stands for `{count}`. */
const keepNumbers = (template: string): string =>
  numberNames.reduce((text, name) => text.replaceAll(`{${name}}`, mark(name)), template);

/** Puts the numbers into a message of `leafMatch`; what is not known reads `unknown`. */
export const fillNumbers = (
  message: string,
  numbers: Partial<Record<(typeof numberNames)[number], string | number | undefined>>,
): string =>
  numberNames.reduce(
    (text, name) => text.replaceAll(mark(name), String(numbers[name] ?? 'unknown')),
    message,
  );

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

/** Order in which matches are counted: time, then id, then leaf. All are text of equal form, so code units decide. */
export function byTimeAndId(a: Match, b: Match): number {
  return compare(a.time, b.time) || compare(a.id, b.id) || compare(a.leaf ?? '', b.leaf ?? '');
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
