// Incidents in Elasticsearch: made anew from the alerts of an id by whoever has written one of them, over what he has read only.

import { setTimeout } from 'node:timers/promises';
import type { Alert } from '../../../core/alert.ts';
import { SealwatchError } from '../../../core/errors.ts';
import { incidentOf } from '../../../core/incident.ts';
import { limits } from '../../../core/limits.ts';
import type { EvidenceBatch } from '../../../core/ports.ts';
import { columnText } from '../columns.ts';
import { ask, bulk, type Operation, type Outcome, type Target } from './bulk.ts';
import { foundOf, refusal } from './client.ts';
import { documentText, rowOf, type Source } from './document.ts';
import { documentId, indexName } from './names.ts';
import { indexRefuses } from './put.ts';
import { type Row, rowOfKind } from './rows.ts';

/** Alerts or incidents that are asked for in one call. */
const ALERTS_AT_ONCE = 1_000;
const INCIDENTS_AT_ONCE = 10;

/** Incidents that an alert was in before, which it remembers: the last ones. */
const BEFORE_MAX = 8;

type AlertSource = Source & { row: { incident_id: string; incidents_before?: string[] } };

/**
 * The rows of alerts, each with the incidents that it was in: should this process end before these are made anew, the next one
 * finds them there. And all incidents that are to be made anew.
 */
export async function alertRows(
  target: Target,
  alerts: EvidenceBatch['alerts'],
): Promise<{ rows: Row[]; touched: Set<string> }> {
  const { prefix } = target.settings;
  const rows = new Map<string, Row>();
  const touched = new Set<string>();
  for (let i = 0; i < alerts.length; i += ALERTS_AT_ONCE) {
    const part = alerts.slice(i, i + ALERTS_AT_ONCE);
    const stored = await incidentsOf(
      target,
      part.map(({ body }) => body.alert.id),
    );
    part.forEach(({ body, revision }, j) => {
      const id = body.alert.id;
      const row = rowOfKind(prefix, 'alerts', { body, id, revision });
      const known = rows.get(row.id);
      const before = new Set([...(stored[j] ?? []), ...(known === undefined ? [] : beforeOf(known))]);
      before.delete(columnText(body.incident.id));
      for (const incident of [...before, columnText(body.incident.id)]) touched.add(incident);
      if (known !== undefined && revision < (known.version ?? 0)) return;
      const kept = [...before].slice(-BEFORE_MAX);
      const columns = { severity: body.event.severity, count: body.alert.count, incidents_before: kept };
      rows.set(row.id, { ...row, columns: { ...row.columns, ...columns } });
    });
  }
  return { rows: [...rows.values()], touched };
}

const beforeOf = ({ columns }: Row): string[] => {
  const { incident_id, incidents_before = [] } = columns as AlertSource['row'];
  return [...incidents_before, incident_id];
};

/** Of each alert, the incidents that it was in and is in, as they stand now. */
async function incidentsOf(target: Target, ids: string[]): Promise<string[][]> {
  const index = indexName(target.settings.prefix, 'alerts');
  const stored = await ask(target, async () => {
    const { docs } = await target.client.mget<AlertSource>({
      index,
      ids: ids.map(documentId),
      _source_includes: ['row.incident_id', 'row.incidents_before'],
    });
    return foundOf(docs);
  });
  return stored.map((doc) => {
    if (doc?._source === undefined) return [];
    const { incident_id, incidents_before = [] } = doc._source.row;
    return [...incidents_before, incident_id];
  });
}

/** Makes the incidents of these ids anew until each is what its alerts say, whoever else does the same at the same time. */
export async function refreshIncidents(target: Target, ids: Iterable<string>): Promise<void> {
  let left = [...ids];
  for (let attempt = 0; left.length > 0; attempt++) {
    if (attempt === limits.incidentTries) throw contended(left.length);
    if (attempt > 1) await setTimeout(limits.bulkBackoffMsMin * attempt * Math.random());
    const next: string[] = [];
    for (let i = 0; i < left.length; i += INCIDENTS_AT_ONCE)
      next.push(...(await refreshSome(target, left.slice(i, i + INCIDENTS_AT_ONCE))));
    left = next;
  }
}

const contended = (count: number) =>
  new SealwatchError(
    'ELASTICSEARCH_UNREACHABLE',
    `${count} incidents are changed by others all the time`,
    'Nothing is lost, they are made anew later.',
  );

/** What stands there, and under which number: only over that it may be written. */
interface Seen {
  text?: string;
  seen?: { seqNo: number; primaryTerm: number };
}

/** Ids that have to be looked at again: somebody else wrote in between, or they were new. */
async function refreshSome(target: Target, ids: string[]): Promise<string[]> {
  const { prefix } = target.settings;
  const seen = await seenOf(target, ids);
  // Before the alerts are searched: what is written from here on is a conflict.
  await ask(target, () => target.client.indices.refresh({ index: indexName(prefix, 'alerts') }));
  const made = await madeOf(target, ids);
  const operations: { id: string; operation: Operation }[] = [];
  ids.forEach((id, i) => {
    const operation = changeOf(indexName(prefix, 'incidents'), id, seen[i] as Seen, made[i]);
    if (operation !== undefined) operations.push({ id, operation });
  });
  const outcomes = await bulk(
    target,
    operations.map(({ operation }) => operation),
  );
  const refused = outcomes.find((outcome) => outcome.became === 'refused');
  if (refused !== undefined) throw indexRefuses(indexName(prefix, 'incidents'), refused.reason);
  return operations
    .filter(({ operation: { does } }, i) => does === 'create' || (outcomes[i] as Outcome).became !== 'done')
    .map(({ id }) => id);
}

/** What is to be done with an incident; undefined when it stands there already. */
function changeOf(
  index: string,
  id: string,
  { text, seen }: Seen,
  made: Row | undefined,
): Operation | undefined {
  const target = { index, id: documentId(id) };
  if (made === undefined) return seen && { does: 'delete', ...target, seen };
  const document = documentText(made.text, made.columns);
  if (seen === undefined) return { does: 'create', ...target, text: document };
  return text === document ? undefined : { does: 'put', ...target, seen, text: document };
}

async function seenOf(target: Target, ids: string[]): Promise<Seen[]> {
  const stored = await ask(target, async () => {
    const { docs } = await target.client.mget<Source>({
      index: indexName(target.settings.prefix, 'incidents'),
      ids: ids.map(documentId),
    });
    return foundOf(docs);
  });
  return stored.map((doc) => {
    if (doc === undefined) return {};
    const { _source, _seq_no = 0, _primary_term = 0 } = doc;
    return { text: JSON.stringify(_source), seen: { seqNo: _seq_no, primaryTerm: _primary_term } };
  });
}

interface Sums {
  revision: { value: number };
  matches: { value: number };
}

/** The incident of each id; undefined when it has no alert. Its revision is the sum of those of its alerts, the same in any order. */
async function madeOf(target: Target, ids: string[]): Promise<(Row | undefined)[]> {
  const { prefix } = target.settings;
  const answers = await ask(target, async () => {
    const { responses } = await target.client.msearch<Source, Sums>({
      index: indexName(prefix, 'alerts'),
      // An incident made of some of its alerts would stand until the next of them comes.
      searches: ids.flatMap((id) => [{ allow_partial_search_results: false }, questionOf(id)]),
    });
    return responses.map((answer) => {
      if ('hits' in answer) return answer;
      throw refusal(answer.status, answer.error);
    });
  });
  return answers.map((answer) => {
    const alerts = answer.hits.hits.map((hit) => rowOf<Alert>(hit._source as Source));
    const { total } = answer.hits;
    const count = typeof total === 'number' ? total : (total?.value ?? 0);
    if (count === 0) return undefined;
    const { revision, matches } = answer.aggregations as unknown as Sums;
    const body = incidentOf(alerts, { alerts: count, matches: matches.value });
    return rowOfKind(prefix, 'incidents', { body, id: body.id, revision: revision.value });
  });
}

/** Worst first, as the embedded store has it. */
const questionOf = (id: string) => ({
  size: limits.incidentAlertsMax,
  track_total_hits: true,
  query: { term: { 'row.incident_id': id } },
  sort: [{ 'row.severity': 'desc' as const }, { 'row.ts': 'asc' as const }, { 'row.id': 'asc' as const }],
  aggs: { revision: { sum: { field: 'row.revision' } }, matches: { sum: { field: 'row.count' } } },
});
