// Reads the evidence that Elasticsearch holds: the same questions and answers as the embedded store's.

import type { ElasticsearchSettings } from '../../../core/config-scale.ts';
import type { CoverageHour, EvidenceReader } from '../../../core/ports.ts';
import type { Clause, Page, Query, QueryKind, Rows } from '../../../core/query.ts';
import type { CoverageRow, NodeSeen } from '../../../core/records.ts';
import { columnText } from '../columns.ts';
import { addToHours, afterLastHour, firstHour } from '../hours.ts';
import { placeOf } from '../pages.ts';
import { connect, type estypes } from './client.ts';
import { rowOf, type Source } from './document.ts';
import { storedWatermark } from './extent.ts';
import { groupRows } from './group.ts';
import { sameHashes } from './hashes.ts';
import {
  documentId,
  eventsPattern,
  indexName,
  type SingleIndex,
  searchIndex,
  singleIndices,
} from './names.ts';
import { type Condition, fieldName, indicesOf, queryOf } from './query.ts';
import { allHits, HITS_MAX, type Search, Searches } from './search.ts';

/** A reader of the cluster of `settings`, which may be away: then questions fail, and later they do not. Throws SealwatchError CONFIG_INVALID. */
export const openElasticReader = async (settings: ElasticsearchSettings): Promise<EvidenceReader> =>
  new ElasticReader(new Searches(await connect(settings), settings), settings.prefix);

class ElasticReader implements EvidenceReader {
  private readonly searches: Searches;
  private readonly prefix: string;
  /** The watermark up to which everything can be searched. */
  private refreshed: string | undefined;

  constructor(searches: Searches, prefix: string) {
    this.searches = searches;
    this.prefix = prefix;
  }

  async find<K extends QueryKind>(query: Query<K>): Promise<Page<K>> {
    const { kind, order, after, from, to } = query;
    // One row more than asked for says whether there is a next page.
    const limit = Math.min(query.limit, HITS_MAX - 1);
    const where = query.where as Clause[];
    const rows = await this.rows(indicesOf(this.prefix, kind, query), {
      query: queryOf(kind, { from, to, where }),
      sort: [{ [fieldName('ts')]: order }, { [fieldName('id')]: order }],
      size: limit + 1,
      ...(after && { search_after: [after.time, columnText(after.id)] }),
    });
    const items = rows.slice(0, limit).map((row) => rowOf<Rows[K]>(row));
    return rows.length > limit ? { items, next: placeOf(kind, items) } : { items };
  }

  async get<K extends QueryKind>(kind: K, id: string): Promise<Rows[K] | undefined> {
    return (await this.getAll(kind, [id])).get(id);
  }

  /** By a search, though a document is there sooner than searches find it: whoever waits for a row then finds it in lists as well. */
  async getAll<K extends QueryKind>(kind: K, ids: readonly string[]): Promise<Map<string, Rows[K]>> {
    const found = new Map<string, Rows[K]>();
    if (ids.length === 0) return found;
    const byDocument = new Map(ids.map((id) => [documentId(id), id]));
    const { hits } = await this.searches.search(searchIndex(this.prefix, kind), {
      query: { ids: { values: [...byDocument.keys()] } },
      sort: [{ [fieldName('revision')]: 'desc' }],
      size: byDocument.size * PLACES_MAX,
      track_total_hits: false,
    });
    for (const hit of hits.hits) {
      const id = byDocument.get(hit._id ?? '');
      // The highest revision comes first.
      if (id !== undefined && !found.has(id)) found.set(id, rowOf<Rows[K]>(sourceOf(hit)));
    }
    return found;
  }

  async group<K extends QueryKind>(options: Parameters<EvidenceReader['group']>[0] & { kind?: K }) {
    return groupRows(this.searches, this.prefix, options);
  }

  async count(kind: QueryKind, options: { from?: string; to?: string; where: Clause[] }): Promise<number> {
    const { hits } = await this.searches.search(indicesOf(this.prefix, kind, options), {
      query: queryOf(kind, options),
      size: 0,
      track_total_hits: true,
    });
    return typeof hits.total === 'number' ? hits.total : (hits.total?.value ?? 0);
  }

  async coverage(from: string, to: string): Promise<CoverageHour[]> {
    const [device, hour, part] = ['device', 'hour', 'part'].map(fieldName) as [string, string, string];
    const hours: CoverageHour[] = [];
    const search = {
      query: { bool: { should: [{ term: { [hour]: '' } }, hoursOf(from, to)] } },
      sort: [{ [device]: 'asc' }, { [hour]: 'asc' }, { [part]: 'asc' }, { [fieldName('id')]: 'asc' }],
    } satisfies Search;
    await this.each<CoverageRow>('coverage', search, ({ partition, origin, counts, ...row }) =>
      addToHours(hours, { ...row, hour: row.hour ?? '', part: partition, origin, counts }),
    );
    return hours;
  }

  async nodes(from: string, to: string): Promise<NodeSeen[]> {
    const seen: NodeSeen[] = [];
    const search: Search = {
      query: hoursOf(from, to),
      sort: ['node', 'how', 'hour', 'id'].map((column) => ({ [fieldName(column)]: 'asc' })),
    };
    await this.each<NodeSeen>('nodes', search, (row) => seen.push(row));
    return seen;
  }

  sameHashes(hash: string): Promise<string[]> {
    return sameHashes(this.searches, indexName(this.prefix, 'hashes'), hash);
  }

  async extent(): ReturnType<EvidenceReader['extent']> {
    const watermark = await this.watermark();
    const [first, last] = await Promise.all([this.outermost('asc'), this.outermost('desc')]);
    return { ...(first && { first }), ...(last && { last }), ...(watermark && { watermark }) };
  }

  /** What was written up to it is there to be searched from then on, holes too: it is told of rows that no search finds yet. */
  private async watermark(): Promise<string | undefined> {
    const watermark = await storedWatermark(this.searches, this.prefix);
    if (watermark !== this.refreshed) {
      const index = [
        eventsPattern(this.prefix),
        ...singleIndices.map((kind) => indexName(this.prefix, kind)),
      ];
      await this.searches.ask(
        (client, options) => client.indices.refresh({ index, ...ifThere }, options),
        undefined,
      );
      this.refreshed = watermark;
    }
    return watermark;
  }

  private async outermost(order: 'asc' | 'desc'): Promise<string | undefined> {
    const sort = [{ [fieldName('ts')]: order }];
    return (await this.rows(eventsPattern(this.prefix), { sort, size: 1 }))[0]?.row.ts;
  }

  private async rows(index: string, search: Search): Promise<Source[]> {
    const { hits } = await this.searches.search(index, { ...search, track_total_hits: false });
    return hits.hits.map(sourceOf);
  }

  /** Every row of an index, of one moment, page by page. */
  private async each<T>(kind: SingleIndex, search: Search, take: (row: T) => unknown): Promise<void> {
    await this.searches.atOneMoment(indexName(this.prefix, kind), async (searcher) => {
      for await (const hit of allHits(searcher, search)) take(rowOf<T>(sourceOf(hit)));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.searches.client.close();
  }
}

/** Indices of days in which an event may stand for a moment (`days.ts`). */
const PLACES_MAX = 4;

const ifThere = { ignore_unavailable: true, allow_no_indices: true } as const;

const sourceOf = ({ _source: source }: estypes.SearchHit<Source>): Source => source as Source;

/** Hours that the period touches. */
const hoursOf = (from: string, to: string): Condition => ({
  range: { [fieldName('hour')]: { gte: firstHour(from), lt: afterLastHour(to) } },
});
