// The writer of the evidence store in Elasticsearch. It has no transactions: order and versions stand for them. Rows first, then what
// is made of them, the offsets last; whatever ends it in between, the same is written again with the same result.

import type { ElasticsearchSettings } from '../../../core/config-scale.ts';
import type { EvidenceBatch, EvidenceWriter, IndexOffset } from '../../../core/ports.ts';
import type { Logger } from '../../../core/telemetry.ts';
import { lowestWatermark } from '../../watermark.ts';
import { ask, type Target } from './bulk.ts';
import { connect } from './client.ts';
import { settleDays } from './days.ts';
import { alertRows, refreshIncidents } from './incidents.ts';
import { indexName } from './names.ts';
import { holesOf, putRows } from './put.ts';
import { retainDays } from './retention.ts';
import { offsetRows, type Row, rowsOf } from './rows.ts';
import { makeIndex, setup } from './setup.ts';
import { type DayWindow, dayWindow } from './window.ts';

/**
 * Opens the store at `settings` and gets it ready (`setup`).
 * @param eventDays how long events are kept
 * Throws SealwatchError ELASTICSEARCH_UNREACHABLE, ELASTICSEARCH_DENIED, ELASTICSEARCH_UNUSABLE, CONFIG_INVALID; so do its calls.
 */
export async function openElasticsearchWriter(
  settings: ElasticsearchSettings,
  { eventDays, log }: { eventDays: number; log: Logger },
): Promise<EvidenceWriter> {
  const client = await connect(settings);
  try {
    await setup(client, settings, eventDays);
  } catch (error) {
    await client.close();
    throw error;
  }
  return new ElasticsearchWriter({ client, settings }, { eventDays, log });
}

const emptyBatch: EvidenceBatch = {
  ...{ events: [], leases: [], alerts: [], rejects: [], coverage: [], hashes: [], nodes: [], facts: [] },
  ...{ triage: [], changes: [], baselines: [], offsets: [] },
};

/** Offsets that one answer holds: of each topic at most 64 partitions. */
const OFFSETS_MAX = 1_000;

class ElasticsearchWriter implements EvidenceWriter {
  private readonly target: Target;
  private readonly log: Logger;
  private readonly eventDays: number;
  /** Indices of days that are there. */
  private readonly days = new Set<string>();

  constructor(target: Target, { eventDays, log }: { eventDays: number; log: Logger }) {
    this.target = target;
    this.eventDays = eventDays;
    this.log = log;
  }

  async offsets(): Promise<IndexOffset[]> {
    const { client, settings } = this.target;
    const index = indexName(settings.prefix, 'offsets');
    const answer = await ask(this.target, async () => {
      await client.indices.refresh({ index });
      return client.search<IndexOffset & { row: object }>({
        ...{ index, allow_partial_search_results: false },
        size: OFFSETS_MAX,
        sort: [{ topic: 'asc' }, { partition: 'asc' }],
      });
    });
    return answer.hits.hits.map(({ _source }) => {
      const { row: _, ...offset } = _source as IndexOffset & { row: object };
      return offset;
    });
  }

  async write(batch: EvidenceBatch): Promise<void> {
    try {
      await this.writeAll(batch);
    } catch (error) {
      // Somebody may have deleted one.
      this.days.clear();
      throw error;
    }
  }

  private async writeAll(batch: EvidenceBatch): Promise<void> {
    const { prefix } = this.target.settings;
    const window = this.windowOf(batch);
    const rows = rowsOf(prefix, batch, { watermark: await this.watermark(batch), window });
    await this.makeDays(batch.events, window);
    const { rows: alerts, touched } = await alertRows(this.target, batch.alerts);
    await this.put([...alerts, ...rows], batch);
    await settleDays(this.target, batch.events, window);
    await refreshIncidents(this.target, touched);
    await putRows(this.target, this.log, offsetRows(prefix, batch.offsets));
  }

  private windowOf(batch: EvidenceBatch): DayWindow {
    const { eventDays, target } = this;
    return dayWindow(target.settings.prefix, batch, { eventDays, nowMs: Date.now() });
  }

  /** Only rejects need it. */
  private async watermark({ rejects, offsets }: EvidenceBatch): Promise<string> {
    if (rejects.length === 0) return '';
    const key = ({ topic, partition }: IndexOffset) => `${topic}/${partition}`;
    const stored = (await this.offsets()).map((offset) => [key(offset), offset] as const);
    const all = new Map([...stored, ...offsets.map((offset) => [key(offset), offset] as const)]);
    return lowestWatermark([...all.values()]) ?? '';
  }

  private async makeDays(events: EvidenceBatch['events'], window: DayWindow): Promise<void> {
    for (const { event } of events) {
      const index = window.indexOf(event['@timestamp']);
      if (this.days.has(index)) continue;
      await makeIndex(this.target, index);
      this.days.add(index);
    }
  }

  /** Writes `rows`; what is refused for good leaves a reject and a hole in the coverage, and the rest goes on. */
  private async put(rows: readonly Row[], batch: EvidenceBatch): Promise<void> {
    const lost = await putRows(this.target, this.log, rows);
    if (lost.length === 0) return;
    const holes = { ...emptyBatch, ...holesOf(lost) };
    const watermark = await this.watermark({ ...batch, ...holes });
    const { prefix } = this.target.settings;
    const window = this.windowOf(batch);
    await putRows(this.target, this.log, rowsOf(prefix, holes, { watermark, window }));
  }

  retain(before: string): Promise<number> {
    this.days.clear();
    return retainDays(this.target, before);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.target.client.close();
  }
}
