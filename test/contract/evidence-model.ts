// The evidence store as plain loops over an array: slow and plainly right, to hold the adapters against.

import type { AuditEvent } from '../../core/event.ts';
import { limits } from '../../core/limits.ts';
import type { Clause, Field, Group } from '../../core/query.ts';

export interface Asked {
  from: string;
  to: string;
  where: Clause<'events'>[];
  order: 'asc' | 'desc';
  by: Field[];
  collect: Field[];
}

/** The value at a dotted name: `user.id` of `{user: {id}}`. */
function valueAt(event: AuditEvent, field: string): string | undefined {
  let node: unknown = event;
  for (const key of field.split('.')) node = (node as Record<string, unknown> | undefined)?.[key];
  // Numbers are told as text.
  return node === undefined ? undefined : String(node);
}

function matches(event: AuditEvent, clause: Clause<'events'>): boolean {
  const value = valueAt(event, clause.field);
  if (clause.op === 'exists') return (value !== undefined) === clause.value;
  if (value === undefined) return false;
  if (clause.op === 'in') return clause.value.includes(value);
  if (clause.op === 'after_or_absent' || clause.op === 'over') throw new Error(`not of events: ${clause.op}`);
  // UTF-8 bytes, as the stores compare.
  if (clause.op === 'after') return Buffer.compare(Buffer.from(value), Buffer.from(clause.value)) > 0;
  return clause.op === 'eq' ? value === clause.value : value.startsWith(clause.value);
}

const keyOf = (event: AuditEvent) => event['@timestamp'] + event.event.id;

export function findModel(events: AuditEvent[], { from, to, where, order }: Asked): AuditEvent[] {
  const found = events
    .filter((event) => event['@timestamp'] >= from && event['@timestamp'] < to)
    .filter((event) => where.every((clause) => matches(event, clause)))
    .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  return order === 'asc' ? found : found.reverse();
}

export const countModel = (events: AuditEvent[], asked: Asked): number => findModel(events, asked).length;

export function groupModel(events: AuditEvent[], asked: Asked): Group[] {
  const members = new Map<string, AuditEvent[]>();
  for (const event of findModel(events, { ...asked, order: 'asc' })) {
    const key = JSON.stringify(asked.by.map((field) => valueAt(event, field) ?? null));
    members.set(key, [...(members.get(key) ?? []), event]);
  }
  return [...members.values()].map((group) => groupOf(group, asked)).sort(byValues);
}

function groupOf(members: AuditEvent[], { by, collect }: Asked): Group {
  const [first, last] = [members[0] as AuditEvent, members.at(-1) as AuditEvent];
  const distinct = (field: Field) => [
    ...new Set(members.map((event) => valueAt(event, field)).filter((value) => value !== undefined)),
  ];
  return {
    by: by.map((field) => valueAt(first, field)),
    n: members.length,
    first: first['@timestamp'],
    last: last['@timestamp'],
    last_id: last.event.id,
    collected: collect.map((field) => distinct(field).sort().slice(0, limits.collectedValuesMax)),
  };
}

/** Absent before any value; else by UTF-8 bytes. */
function byValues(a: Group, b: Group): number {
  for (let i = 0; i < a.by.length; i++) {
    const [left, right] = [a.by[i], b.by[i]];
    if (left === right) continue;
    if (left === undefined || right === undefined) return left === undefined ? -1 : 1;
    return Buffer.compare(Buffer.from(left), Buffer.from(right));
  }
  return 0;
}
