// What a batch becomes: one document for each row, with its index, its id and the version that decides which stays.

import type { EvidenceBatch } from '../../../core/ports.ts';
import type { QueryKind, Rows } from '../../../core/query.ts';
import { msOf } from '../../../core/time.ts';
import { columnText, rowColumns } from '../columns.ts';
import { documentId, indexName, type SingleIndex } from './names.ts';
import type { DayWindow } from './window.ts';

/** A document that is to be written. */
export interface Row {
  index: string;
  /** `_id`. */
  id: string;
  /** Absent: what is there stays. */
  version?: number;
  /** JSON text of the row alone. */
  text: string;
  /** What stands in `row`. */
  columns: object;
}

/** A version must not be negative: milliseconds since the year 0, so that times before 1970 keep their order. */
const MS_BEFORE_1970 = -msOf('0000-01-01T00:00:00.000000000Z');

/** All rows but alerts, which know where they were, and offsets, which come last. Of an id only the one that would stay. */
export function rowsOf(
  prefix: string,
  batch: EvidenceBatch,
  { watermark, window }: { watermark: string; window: Pick<DayWindow, 'indexOf'> },
): Row[] {
  const rows = new Map<string, Row>();
  const add = (row: Row, group: string = row.index) => {
    const key = `${group} ${row.id}`;
    const known = rows.get(key);
    if (known === undefined || (row.version !== undefined && row.version >= (known.version ?? 0)))
      rows.set(key, row);
  };
  for (const { event, text } of batch.events) add(eventRow(window, event, text), 'events');
  const told = <K extends QueryKind & SingleIndex>(
    kind: K,
    body: Told<K>['body'] & { id: string },
    revision: number,
  ) => add(rowOfKind(prefix, kind, { body, id: body.id, revision }));
  for (const { body, revision } of batch.leases) told('leases', body, revision);
  for (const fact of batch.facts) told('facts', fact, 1);
  for (const record of batch.triage) told('triage', record, 1);
  for (const change of batch.changes) told('changes', change, 1);
  // The one whose last call is the latest holds.
  for (const learned of batch.baselines) told('baselines', learned, msOf(learned.at) + MS_BEFORE_1970);
  for (const row of ownRows(prefix, batch, watermark)) add(row);
  return [...rows.values()];
}

interface Told<K extends QueryKind> {
  body: Rows[K];
  id: string;
  revision: number;
}

function eventRow(window: Pick<DayWindow, 'indexOf'>, event: Rows['events'], text: string): Row {
  const { id } = event.event;
  const { revision } = event.vault;
  return {
    ...{ index: window.indexOf(event['@timestamp']), id: documentId(id), version: revision, text },
    columns: rowColumns('events', event, { id, revision }),
  };
}

export const rowOfKind = <K extends QueryKind & SingleIndex>(
  prefix: string,
  kind: K,
  { body, id, revision }: Told<K>,
): Row => ({
  ...{ index: indexName(prefix, kind), id: documentId(id), version: revision, text: JSON.stringify(body) },
  columns: rowColumns(kind, body, { id, revision }),
});

/** Of the kinds that the store alone knows. */
function* ownRows(prefix: string, batch: EvidenceBatch, watermark: string): Generator<Row> {
  const row = (kind: SingleIndex, body: { id: string }, columns: object, version?: number): Row => ({
    ...{ index: indexName(prefix, kind), id: documentId(body.id), text: JSON.stringify(body) },
    columns: { id: columnText(body.id), ...columns },
    ...(version !== undefined && { version }),
  });
  // A reject without a time of its own stands where event time was when it came, so that it ages like the others.
  for (const reject of batch.rejects) yield row('rejects', reject, { ts: reject['@timestamp'] ?? watermark });
  for (const count of batch.coverage) {
    const { device, hour = '', partition, revision } = count;
    yield row('coverage', count, { device: columnText(device), hour, part: partition }, revision);
  }
  for (const seen of batch.nodes) {
    const { node, how, hour } = seen;
    yield row('nodes', seen, { node: columnText(node), how, hour });
  }
  // Either hash leads to the other.
  for (const pair of batch.hashes)
    yield row('hashes', pair, { hashes: [pair.ranked.hash, pair.other.hash].map(columnText) });
}

/** Offsets are put only over lower ones: a process that lost the partition and does not know it sets nothing back. */
export function offsetRows(prefix: string, offsets: EvidenceBatch['offsets']): Row[] {
  return offsets.map((offset) => {
    const id = `${offset.topic}/${offset.partition}`;
    return {
      ...{ index: indexName(prefix, 'offsets'), id, version: offset.next, text: JSON.stringify(offset) },
      columns: { id },
    };
  });
}
