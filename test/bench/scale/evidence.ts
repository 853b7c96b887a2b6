// Events into Elasticsearch: `sealwatch PREFIX LINES` with the writer of the evidence store, `bare PREFIX LINES` with `_bulk` alone and
// documents that are text already. LINES is an audit log.

import { readFileSync } from 'node:fs';
import { Client } from '@elastic/elasticsearch';
import { normaliseLines } from '../../../commands/replay-lines.ts';
import { canonicalJson } from '../../../core/canonical.ts';
import { elasticsearchSettings } from '../../../core/config-scale.ts';
import { limits } from '../../../core/limits.ts';
import type { EvidenceBatch } from '../../../core/ports.ts';
import { documentText } from '../../../storage/evidence/elasticsearch/document.ts';
import { rowsOf } from '../../../storage/evidence/elasticsearch/rows.ts';
import { dayWindow } from '../../../storage/evidence/elasticsearch/window.ts';
import { openElasticsearchWriter } from '../../../storage/evidence/elasticsearch/writer.ts';
import { measured } from './measured.ts';

const [how = '', prefix = '', input = ''] = process.argv.slice(2);
const node = process.env['ES_URL'] ?? '';
const settings = elasticsearchSettings.parse({ nodes: [node], prefix, replicas: 0 });
/** As many events as the indexer has at hand: a step reads so many bytes of each partition. */
const EVENTS_A_BATCH = Math.round((3 * limits.indexBytesMax) / 2_000);
/** Requests on the way at once, as many as the writer has. */
const IN_FLIGHT = 2;

const events = normaliseLines(readFileSync(input, 'utf8').trim().split('\n'));
// Flat, as the stream gives them: one that is put together lazily would be so at the cost of whoever looks first.
const texts = events.map((event) => Buffer.from(canonicalJson(event)).toString());
const nothing = {
  ...{ leases: [], alerts: [], rejects: [], coverage: [], hashes: [], nodes: [], facts: [] },
  ...{ triage: [], changes: [], baselines: [], offsets: [] },
};
const batches: EvidenceBatch[] = [];
for (let at = 0; at < events.length; at += EVENTS_A_BATCH) {
  const some = events.slice(at, at + EVENTS_A_BATCH);
  batches.push({
    ...nothing,
    events: some.map((event, i) => ({ event, text: texts[at + i] as string })),
  });
}

/** An action and a document a line, in requests as large as the writer's. */
function requests(): string[][] {
  const all: string[][] = [];
  let open: string[] = [];
  let chars = 0;
  for (const row of batches.flatMap((batch) =>
    rowsOf(prefix, batch, { watermark: '', window: dayWindow(prefix, batch, { eventDays: 400, nowMs: 0 }) }),
  )) {
    const { index, id, version } = row;
    const text = documentText(row.text, row.columns);
    if (open.length >= 2 * limits.bulkDocumentsMax || chars + text.length > limits.bulkCharsMax) {
      all.push(open);
      open = [];
      chars = 0;
    }
    chars += text.length;
    open.push(
      `{"index":{"_index":"${index}","_id":${JSON.stringify(id)},"version":${version},"version_type":"external_gte"}}`,
      text,
    );
  }
  return [...all, open];
}

async function bulks(client: Client, left: string[][]): Promise<number> {
  const send = async () => {
    for (let operations = left.shift(); operations !== undefined; operations = left.shift()) {
      const { items, errors } = await client.bulk({ operations, filter_path: ['errors', 'items.*.status'] });
      if (errors) throw new Error(`refused: ${JSON.stringify(items[0])}`);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, send));
  return events.length;
}

// Templates and indices are made before anything is measured.
const log = { debug() {}, info() {}, warn() {}, error() {} };
const writer = await openElasticsearchWriter(settings, { eventDays: 400, log: log as never });
if (how === 'bare') {
  const client = new Client({ node });
  const prepared = requests();
  await measured(() => bulks(client, prepared));
} else
  await measured(async () => {
    for (const batch of batches) await writer.write(batch);
    return events.length;
  });
for (const path of [
  `${prefix}-*`,
  `_index_template/${prefix}-*`,
  `_component_template/${prefix}-*`,
  `_ilm/policy/${prefix}-lifecycle`,
])
  await fetch(`${node}/${path}`, { method: 'DELETE' });
process.exit(0);
