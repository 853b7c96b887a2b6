// Searching: whole answers or an error, several pages of one moment, and nothing more once nobody waits for it.

import type { ElasticsearchSettings } from '../../../core/config-scale.ts';
import { limits } from '../../../core/limits.ts';
import { wanted } from '../../../core/wanted.ts';
import { asking, type Client, type estypes, isMissing } from './client.ts';
import type { Source } from './document.ts';
import type { Condition } from './query.ts';

/** A search, without where. */
export interface Search {
  query?: Condition;
  sort?: estypes.SortCombinations[];
  size?: number;
  track_total_hits?: boolean;
  search_after?: estypes.SortResults;
  aggs?: Record<string, estypes.AggregationsAggregationContainer>;
  docvalue_fields?: string[];
  _source?: false;
  stored_fields?: '_none_';
}
export type Found = Pick<estypes.SearchResponse<Source>, 'hits' | 'aggregations'>;
/** Does a search. */
export type Searcher = (search: Search) => Promise<Found>;

/** Rows of one call: the most that Elasticsearch gives (`index.max_result_window`). */
export const HITS_MAX = 10_000;

/** How long a moment lasts beyond the last search of it. */
const MOMENT = '1m';

const nothing: Found = { hits: { hits: [] } };

export class Searches {
  readonly client: Client;
  private readonly settings: ElasticsearchSettings;

  constructor(client: Client, settings: ElasticsearchSettings) {
    this.client = client;
    this.settings = settings;
  }

  /** A call of the client; its errors are those of `client.ts`. */
  private call<T>(work: (client: Client, options: CallOptions) => Promise<T>): Promise<T> {
    const signal = wanted();
    const options = { requestTimeout: limits.elasticsearchReadMs, maxRetries: 0, ...(signal && { signal }) };
    return asking(this.settings, () => work(this.client, options));
  }

  /** The same; an index that is not there yet gives `missing`. */
  ask<T, M>(work: (client: Client, options: CallOptions) => Promise<T>, missing: M): Promise<T | M> {
    return this.call(async (client, options) => {
      try {
        return await work(client, options);
      } catch (error) {
        if (isMissing(error)) return missing;
        throw error;
      }
    });
  }

  /** One search of `index`. An index that is not there is empty; a part of it that does not answer is an error. */
  search(index: string, search: Search): Promise<Found> {
    return this.ask(
      (client, options) =>
        client.search<Source>({ ...search, index, ...wholeAnswers, ...openAndClosed }, options),
      nothing,
    );
  }

  /** Searches that all see `index` as it is now. */
  async atOneMoment<T>(index: string, work: (search: Searcher) => Promise<T>): Promise<T> {
    const moment = await this.ask(
      (client, options) => client.openPointInTime({ index, keep_alive: MOMENT, ...openAndClosed }, options),
      undefined,
    );
    if (moment === undefined) return work(async () => nothing);
    // Each answer may name it anew.
    let { id } = moment;
    try {
      return await work(async (search) => {
        const found = await this.call((client, options) =>
          client.search<Source>({ ...search, pit: { id, keep_alive: MOMENT }, ...wholeAnswers }, options),
        );
        id = found.pit_id ?? id;
        return found;
      });
    } finally {
      // It ends by itself as well: nobody waits for that.
      void this.client.closePointInTime({ id }, { maxRetries: 0 }).catch(() => undefined);
    }
  }
}

interface CallOptions {
  requestTimeout: number;
  maxRetries: number;
  signal?: AbortSignal;
}

/** Without it, shards that fail are left out of the answer. */
const wholeAnswers = { allow_partial_search_results: false } as const;

/** A closed index is an error. */
const openAndClosed = { expand_wildcards: ['open', 'closed'] } satisfies Partial<estypes.SearchRequest>;

/** All hits of a search that is sorted so that no two are alike, page by page. */
export async function* allHits(search: Searcher, asked: Search): AsyncGenerator<estypes.SearchHit<Source>> {
  let after: estypes.SortResults | undefined;
  do {
    const page = { ...asked, size: HITS_MAX, track_total_hits: false, ...(after && { search_after: after }) };
    const { hits } = (await search(page)).hits;
    yield* hits;
    after = hits.length === HITS_MAX ? hits.at(-1)?.sort : undefined;
  } while (after !== undefined);
}
