// Exact groups by composite aggregations: counts, first and last times page by page, all of one moment; then the ids of the last rows.

import type { Group } from '../../../core/query.ts';
import { columnName } from '../columns.ts';
import { type FineGroup, type GroupAnswer, type GroupOptions, Groups } from '../groups.ts';
import { spanTime } from '../spans.ts';
import type { estypes } from './client.ts';
import { type Condition, fieldName, indicesOf, queryOf } from './query.ts';
import { allHits, type Searcher, type Searches } from './search.ts';

/** Fine groups of one page: the rows are gone through once for each page. */
const PAGE = 20_000;

/** Times that are looked up at once. */
const TIMES = 10_000;

/** `limit` is cut to `limits.evidenceRowsMax`; more groups than that give `complete: false`. */
export async function groupRows(
  searches: Searches,
  prefix: string,
  options: GroupOptions,
): Promise<GroupAnswer> {
  const { kind = 'events' } = options;
  const asked = {
    query: queryOf(kind, options),
    by: options.by.map((field) => fieldName(columnName(kind, field))),
    collect: options.collect.map((field) => fieldName(columnName(kind, field))),
  };
  return searches.atOneMoment(indicesOf(prefix, kind, options), async (search) => {
    const groups = new Groups(options.limit);
    let complete = true;
    for await (const fine of fineGroups(search, asked)) {
      complete = groups.add(fine);
      if (!complete) break;
    }
    await addLastIds(search, asked, groups.groups);
    return { groups: groups.groups, complete };
  });
}

interface Asked {
  query: Condition;
  by: string[];
  collect: string[];
}

/** What `aggregations` of a page hold. Keys are named by their place: `0`, `1`. */
interface Page {
  after_key?: estypes.AggregationsCompositeAggregateKey;
  buckets: Bucket[];
}
interface Bucket {
  key: Record<string, string | number | null>;
  doc_count: number;
  first: { value: number };
  last: { value: number };
}

/** In the order of their values, absent before any; `last_id` is left empty. */
async function* fineGroups(search: Searcher, { query, by, collect }: Asked): AsyncGenerator<FineGroup> {
  const sources = [...by, ...collect, fieldName('span')].map((field, i) => ({
    [i]: { terms: { field, missing_bucket: true, missing_order: 'first' as const } },
  }));
  let after: Page['after_key'];
  do {
    const { aggregations } = await search({
      size: 0,
      track_total_hits: false,
      query,
      aggs: { page: { composite: { size: PAGE, sources, ...(after && { after }) }, aggs: times } },
    });
    const page = aggregations?.['page'] as Page | undefined;
    for (const bucket of page?.buckets ?? []) yield fineGroup(bucket, by.length, collect.length);
    after = page?.buckets.length === PAGE ? page.after_key : undefined;
  } while (after !== undefined);
}

/** Aggregations count in doubles: within a span these are exact. */
const times = {
  first: { min: { field: fieldName('nanos') } },
  last: { max: { field: fieldName('nanos') } },
};

function fineGroup({ key, doc_count: n, first, last }: Bucket, by: number, collect: number): FineGroup {
  const values = Array.from({ length: by + collect }, (_, i) => textOf(key[i]));
  const span = Number(key[by + collect]);
  return {
    by: values.slice(0, by),
    collect: values.slice(by),
    n,
    first: spanTime({ span, nanos: first.value }),
    last: spanTime({ span, nanos: last.value }),
    last_id: '',
  };
}

const textOf = (value: unknown): string | undefined =>
  value === null || value === undefined ? undefined : String(value);

/** The rows at the last times of the groups; of several at one time the last by id. */
async function addLastIds(search: Searcher, { query, by }: Asked, groups: readonly Group[]): Promise<void> {
  const byKey = new Map(groups.map((group) => [JSON.stringify(group.by), group]));
  const last = [...new Set(groups.map((group) => group.last))];
  for (let at = 0; at < last.length; at += TIMES) {
    const rows = allHits(search, {
      query: { bool: { filter: [query, { terms: { [fieldName('ts')]: last.slice(at, at + TIMES) } }] } },
      sort: [{ [fieldName('ts')]: 'asc' }, { [fieldName('id')]: 'asc' }],
      docvalue_fields: by,
      _source: false,
      stored_fields: '_none_',
    });
    for await (const { fields, sort } of rows) {
      const group = byKey.get(JSON.stringify(by.map((field) => textOf(fields?.[field]?.[0]))));
      if (group !== undefined && group.last === sort?.[0]) group.last_id = String(sort[1]);
    }
  }
}
