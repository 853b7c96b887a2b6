// Evidence as CSV (RFC 4180, safe to open in a spreadsheet) and as JSON lines.

import type { Answer, PopulationRow } from './schemas.ts';

const list = (values: string[]) => values.join(' ');

const csvColumns: { name: string; value: (row: PopulationRow) => string }[] = [
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

/** A cell that a spreadsheet would take for a formula is made text; callers choose paths and names. */
function csvCell(value: string): string {
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

const csvLine = (cells: string[]) => `${cells.map(csvCell).join(',')}\r\n`;

/** The population as CSV, line by line, the names first. */
export function* csvLines({ population }: Answer): Generator<string> {
  yield csvLine(csvColumns.map(({ name }) => name));
  for (const row of population) yield csvLine(csvColumns.map(({ value }) => value(row)));
}

/** First a header object with everything but the population, then one row a line. */
export function* jsonLines({ population, ...header }: Answer): Generator<string> {
  yield `${JSON.stringify(header)}\n`;
  for (const row of population) yield `${JSON.stringify(row)}\n`;
}
