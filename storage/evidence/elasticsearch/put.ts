// Writing rows, whatever stands in them: an attacker writes what our events say, and Elasticsearch does not take everything.

import { SealwatchError } from '../../../core/errors.ts';
import type { AuditEvent } from '../../../core/event.ts';
import type { CoverageRow, Reject } from '../../../core/records.ts';
import { UNKNOWN_DEVICE } from '../../../core/records.ts';
import type { Logger } from '../../../core/telemetry.ts';
import { bulk, type Operation, type Outcome, type Target } from './bulk.ts';
import { documentText, opaqueText } from './document.ts';
import type { Row } from './rows.ts';

/**
 * Writes `rows`. One that Elasticsearch refuses for what stands in it is written again with its columns alone and its text beside
 * them. Returns those that it does not take even so, when others in the same index show that it is not the index's fault.
 */
export async function putRows(target: Target, log: Logger, rows: readonly Row[]): Promise<Row[]> {
  const first = await bulk(target, operationsOf(rows, documentText));
  const refused = refusedOf(rows, first);
  if (refused.length === 0) return [];
  tell(
    log,
    refused,
    'Elasticsearch does not take documents as they are: kept as text, found by their columns',
  );
  const opaque = refused.map(({ row }) => row);
  const second = await bulk(target, operationsOf(opaque, opaqueText));
  const lost = refusedOf(opaque, second);
  if (lost.length === 0) return [];
  const taken = new Set([...takenBy(rows, first), ...takenBy(opaque, second)]);
  const unproven = lost.find(({ row }) => !taken.has(row.index));
  if (unproven !== undefined) throw indexRefuses(unproven.row.index, unproven.reason);
  tell(log, lost, 'Elasticsearch refuses documents for good: a reject stands in their place');
  return lost.map(({ row }) => row);
}

function* operationsOf(
  rows: readonly Row[],
  textOf: (text: string, row: object) => string,
): Generator<Operation> {
  for (const { index, id, version, text, columns } of rows)
    yield {
      ...{ index, id, text: textOf(text, columns) },
      ...(version === undefined ? { does: 'create' } : { does: 'put', version }),
    };
}

interface Refused {
  row: Row;
  reason: string;
}

const refusedOf = (rows: readonly Row[], outcomes: readonly Outcome[]): Refused[] =>
  rows.flatMap((row, i) => {
    const outcome = outcomes[i];
    return outcome?.became === 'refused' ? [{ row, reason: outcome.reason }] : [];
  });

const takenBy = (rows: readonly Row[], outcomes: readonly Outcome[]): string[] =>
  rows.filter((_, i) => outcomes[i]?.became === 'done').map(({ index }) => index);

/** Ids are shown to this length. */
const ID_CHARS = 100;

function tell(log: Logger, refused: readonly Refused[], message: string): void {
  const { row, reason } = refused[0] as Refused;
  log.warn({ count: refused.length, index: row.index, id: row.id.slice(0, ID_CHARS), reason }, message);
}

export const indexRefuses = (index: string, reason: string) =>
  new SealwatchError(
    'ELASTICSEARCH_UNUSABLE',
    `the index ${index} takes no documents (${reason})`,
    'Run `sealwatch doctor`: it checks the templates. An ingest pipeline or a mapping of your own may be the cause; nothing is lost.',
  );

/** What the evidence says of rows that are not in it: a reject for each, and of events a hole in their hour. */
export function holesOf(lost: readonly Row[]): { rejects: Reject[]; coverage: CoverageRow[] } {
  const rejects: Reject[] = [];
  const coverage: CoverageRow[] = [];
  for (const { index, id, text } of lost) {
    const event = JSON.parse(text) as Partial<AuditEvent>;
    const device = event.vault?.devices?.[0] ?? UNKNOWN_DEVICE;
    const time = event['@timestamp'];
    const name = `refused-${index}-${id}`;
    rejects.push({
      ...{ id: name, bytes: Buffer.byteLength(text), device, reason: 'internal' },
      ...(time !== undefined && { '@timestamp': time }),
      ...(event.event?.hash !== undefined && { hash: event.event.hash }),
    });
    coverage.push({
      ...{ id: name, device, partition: 0, origin: 'recorded', revision: 0 },
      ...(time !== undefined && { hour: `${time.slice(0, 13)}:00:00.000000000Z` }),
      counts: { dropped: 1, gaps: 1 },
    });
  }
  return { rejects, coverage };
}
