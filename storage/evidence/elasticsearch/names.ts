// Names of indices and documents in Elasticsearch.

import { createHash } from 'node:crypto';
import type { IndexOffset } from '../../../core/ports.ts';
import type { QueryKind } from '../../../core/query.ts';

/** Kinds of document that have one index each, beside events, which have one for each UTC day. */
export const singleIndices = [
  'leases',
  'alerts',
  'incidents',
  'facts',
  'triage',
  'changes',
  'baselines',
  'rejects',
  'coverage',
  'nodes',
  'hashes',
  'offsets',
] as const;
export type SingleIndex = (typeof singleIndices)[number];

export const indexName = (prefix: string, kind: SingleIndex): string => `${prefix}-${kind}`;

/** The index of events of the UTC day of a canonical time. */
export const eventsIndex = (prefix: string, time: string): string =>
  `${prefix}-events-${time.slice(0, 10).replaceAll('-', '.')}`;

/**
 * The day whose index also holds events of days that have none of their own (`window.ts`). A day like the others, so that patterns,
 * templates and lifecycle management know it, and one that retention never comes to.
 */
const OTHER_DAY = '9999-12-31';

/** The index of events of all other days. */
export const otherIndex = (prefix: string): string => eventsIndex(prefix, OTHER_DAY);

/** All indices of events. A pattern with dots, so that it takes in no other prefix's. */
export const eventsPattern = (prefix: string): string => `${prefix}-events-*.*.*`;

/** The UTC day, `2026-11-23`, that an index of events holds; undefined for any other index. */
export function dayOfIndex(prefix: string, index: string): string | undefined {
  const begin = `${prefix}-events-`;
  const day = index.startsWith(begin) ? index.slice(begin.length) : '';
  return /^\d{4}\.\d{2}\.\d{2}$/.test(day) ? day.replaceAll('.', '-') : undefined;
}

/** Where rows of a kind are searched. */
export const searchIndex = (prefix: string, kind: QueryKind): string =>
  kind === 'events' ? eventsPattern(prefix) : indexName(prefix, kind);

/** Longest `_id` that Elasticsearch takes. */
const ID_BYTES_MAX = 512;
const HASHED = 'sha256:';

/** `_id` of the document of a row: its id, or the hash of one that Elasticsearch does not take (lease ids hold whole paths). */
export function documentId(id: string): string {
  const fits = id !== '' && !id.startsWith(HASHED) && Buffer.byteLength(id) <= ID_BYTES_MAX;
  return fits && !/[\0\p{Cs}]/u.test(id)
    ? id
    : HASHED + createHash('sha256').update(id, 'utf16le').digest('hex');
}

/** `_id` of the offset of a partition. */
export const offsetId = ({ topic, partition }: Pick<IndexOffset, 'topic' | 'partition'>): string =>
  `${topic}/${partition}`;
