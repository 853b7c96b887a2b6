// A document: the row as it is, for Kibana and for reading back, and beside it `row`, the columns that all our questions go to.

import type { RowColumns } from '../columns.ts';

/** What Elasticsearch gives back. Never ask it to filter a source: it would write the row anew, and half a surrogate pair fails there. */
export interface Source {
  row: RowColumns & { hashes?: string[] };
  /** JSON text of a row that Elasticsearch does not take as it is; the row's own members are then absent. */
  body?: string;
}

/** The JSON text of the document of a row whose JSON text (of an object with members) is `text`. */
export const documentText = (text: string, row: object): string =>
  `${text.slice(0, -1)},"row":${JSON.stringify(row)}}`;

/** The document of a row that Elasticsearch refused for what stands in it: kept and found by its columns, and not taken apart. */
export const opaqueText = (text: string, row: object): string => JSON.stringify({ body: text, row });

/** The row that a document holds. */
export function rowOf<T>(source: Source): T {
  if (source.body !== undefined) return JSON.parse(source.body) as T;
  const { row: _, ...own } = source;
  return own as T;
}
