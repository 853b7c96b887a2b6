// Reads the evidence that Elasticsearch holds: the same questions and answers as the embedded store's.

import type { ElasticsearchSettings } from '../../../core/config-scale.ts';
import { limits } from '../../../core/limits.ts';
import type { CoverageHour, EvidenceReader } from '../../../core/ports.ts';
import type { Clause, Page, Query, QueryKind, Rows } from '../../../core/query.ts';
import { columnText } from '../columns.ts';
import { connect, type estypes } from './client.ts';
import { rowOf, type Source } from './document.ts';
import { groupRows } from './group.ts';
import { documentId, indexName, searchIndex } from './names.ts';
import { fieldName, indicesOf, queryOf } from './query.ts';
import { Searches } from './search.ts';

/** A reader of the cluster of `settings`, which may be away: then questions fail, and later they do not. Throws SealwatchError CONFIG_INVALID. */
export const openElasticReader = async (settings: ElasticsearchSettings): Promise<EvidenceReader> =>
  new ElasticReader(new Searches(await connect(settings), settings), settings.prefix);

class ElasticReader implements EvidenceReader {
  private readonly searches: Searches;
  private readonly prefix: string;

  constructor(searches: Searches, prefix: string) {
    this.searches = searches;
    this.prefix = prefix;
  }

  async find<K extends QueryKind>(query: Query<K>): Promise<Page<K>> {
    const { kind, order, limit, after } = query;
    const where = query.where as Clause[];
    const { hits } = await this.searches.search(indicesOf(this.prefix, kind, query), {
      query: queryOf(kind, { ...query, where }),
      sort: [{ [fieldName('ts')]: order }, { [fieldName('id')]: order }],
      // One row more than asked for says whether there is a next page.
      size: limit + 1,
      track_total_hits: false,
      ...(after && { search_after: [after.time, columnText(after.id)] }),
    });
    const rows = hits.hits.map(sourceOf);
    const items = rows.slice(0, limit).map((row) => rowOf<Rows[K]>(row));
    const last = rows[limit - 1];
    return rows.length <= limit || last === undefined
      ? { items }
      : { items, next: { time: last.row.ts, id: last.row.id } };
  }
}

const sourceOf = ({ _source: source }: estypes.SearchHit<Source>): Source => source as Source;
