// Evidence as CSV (RFC 4180, safe to open in a spreadsheet) and as JSON lines.

import type { Answer, CouldRow, PopulationRow } from './schemas.ts';

const list = (values: string[]) => values.join(' ');

type Columns<R> = { name: string; value: (row: R) => string }[];

const didColumns: Columns<PopulationRow> = [
  { name: 'user_id', value: (row) => row.who.id },
  { name: 'user_name', value: (row) => row.who.name ?? '' },
  { name: 'caller_kind', value: (row) => row.who.kind },
  { name: 'auth_method', value: (row) => row.who.auth_method ?? '' },
  { name: 'role', value: (row) => row.who.role ?? '' },
  { name: 'policies', value: (row) => list(row.who.policies) },
  { name: 'secret', value: (row) => row.secret ?? '' },
  { name: 'action', value: (row) => row.action },
  { name: 'reads', value: (row) => String(row.reads) },
  { name: 'first_read', value: (row) => row.first_read },
  { name: 'last_read', value: (row) => row.last_read },
  { name: 'addresses', value: (row) => list(row.addresses) },
  { name: 'example_event_id', value: (row) => row.example_event_id },
];

const couldColumns: Columns<CouldRow> = [
  { name: 'id', value: (row) => row.who.id },
  { name: 'kind', value: (row) => row.who.kind },
  { name: 'name', value: (row) => row.who.name ?? '' },
  { name: 'namespace', value: (row) => row.who.namespace },
  { name: 'secret', value: (row) => row.secret },
  { name: 'policies', value: (row) => list(row.policies) },
  { name: 'through', value: (row) => list(row.through.map(({ kind, id, name }) => `${kind}:${name ?? id}`)) },
  { name: 'conditions', value: (row) => list(row.conditions) },
  { name: 'live_tokens', value: (row) => String(row.tokens) },
  { name: 'reads', value: (row) => String(row.did?.reads ?? 0) },
  { name: 'last_read', value: (row) => row.did?.last_read ?? '' },
  { name: 'facts', value: (row) => list(row.facts) },
];

/** A cell that a spreadsheet would take for a formula is made text; callers choose paths and names. */
function csvCell(value: string): string {
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

const csvLine = (cells: string[]) => `${cells.map(csvCell).join(',')}\r\n`;

/** The rows that an answer is given out as, in formats that have room for one list only. */
export const parts = ['did', 'could', 'granted_unused'] as const;
export type Part = (typeof parts)[number];

/** One part as CSV, line by line, the names first. What is absent has no rows. */
export function csvLines(answer: Answer, part: Part): Generator<string> {
  return part === 'did' ? csvOf(didColumns, answer.population) : csvOf(couldColumns, answer[part] ?? []);
}

function* csvOf<R>(columns: Columns<R>, rows: readonly R[]): Generator<string> {
  yield csvLine(columns.map(({ name }) => name));
  for (const row of rows) yield csvLine(columns.map(({ value }) => value(row)));
}

/** First a header object with everything but the rows, then one row a line. */
export function* jsonLines(answer: Answer, part: Part): Generator<string> {
  const { [part === 'did' ? 'population' : part]: rows = [], ...header } = answer;
  yield `${JSON.stringify(header)}\n`;
  for (const row of rows) yield `${JSON.stringify(row)}\n`;
}
