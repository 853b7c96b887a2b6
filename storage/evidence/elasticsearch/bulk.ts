// Many documents at once: bounded requests, two on the way, each refusal sorted out for its own document.

import { setTimeout } from 'node:timers/promises';
import type { ElasticsearchSettings } from '../../../core/config-scale.ts';
import { SealwatchError } from '../../../core/errors.ts';
import { limits } from '../../../core/limits.ts';
import { asking, type Client, explained, reasonOf, refusal, statusOf } from './client.ts';

/** One document to write or to delete. */
export interface Operation {
  index: string;
  /** `_id`. */
  id: string;
  /** `put` keeps what is there when its version is higher; `create` keeps it in any case. */
  does: 'put' | 'create' | 'delete';
  /** Of `put`. */
  version?: number;
  /** Only over what was read: of `put` and `delete`. */
  seen?: { seqNo: number; primaryTerm: number };
  /** JSON text of the document. */
  text?: string;
}

/** What became of it. `older`: what is there stays. `refused`: it would be at each further try as well. */
export type Outcome = { became: 'done' | 'older' } | { became: 'refused'; reason: string };

export interface Target {
  client: Client;
  settings: ElasticsearchSettings;
}

/**
 * The outcome of each operation, in their order. What the cluster cannot take now is sent again after a while, alone.
 * Rejects with a SealwatchError when it cannot take all within `limits.bulkTries`, or does not let us; some may then be written.
 */
export async function bulk(target: Target, operations: readonly Operation[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = new Array(operations.length);
  const chunks = chunksOf(operations);
  const send = async () => {
    for (let chunk = chunks.shift(); chunk !== undefined; chunk = chunks.shift())
      await sendChunk(target, operations, chunk, outcomes);
  };
  await Promise.all(Array.from({ length: Math.min(IN_FLIGHT, chunks.length) }, send));
  return outcomes;
}

/** While one is being indexed, the next is made. */
const IN_FLIGHT = 2;

/** Numbers of operations, to bounds of bytes and count. */
function chunksOf(operations: readonly Operation[]): number[][] {
  const chunks: number[][] = [];
  let open: number[] = [];
  let chars = 0;
  operations.forEach(({ text = '' }, i) => {
    if (
      open.length === limits.bulkDocumentsMax ||
      (chars + text.length > limits.bulkCharsMax && open.length > 0)
    ) {
      chunks.push(open);
      open = [];
      chars = 0;
    }
    open.push(i);
    chars += text.length;
  });
  if (open.length > 0) chunks.push(open);
  return chunks;
}

/** Sends `numbers` until none is left that the cluster could not take just then. */
async function sendChunk(
  target: Target,
  operations: readonly Operation[],
  numbers: readonly number[],
  outcomes: Outcome[],
): Promise<void> {
  let left = numbers;
  let reason = '';
  for (let attempt = 0; attempt < limits.bulkTries; attempt++) {
    if (attempt > 0) await setTimeout(waitMs(attempt));
    const answer = await sendOnce(
      target,
      left.map((i) => operations[i] as Operation),
    );
    const again: number[] = [];
    left.forEach((number, i) => {
      const item = answer === undefined ? { status: 429 } : (answer[i] as Item);
      const outcome = outcomeOf(item, target);
      if (outcome !== 'later') outcomes[number] = outcome;
      else {
        again.push(number);
        reason = reasonOf(item.error ?? { type: 'too many requests' });
      }
    });
    if (again.length === 0) return;
    left = again;
  }
  throw new SealwatchError(
    'ELASTICSEARCH_UNREACHABLE',
    `Elasticsearch cannot take ${left.length} documents now (${reason})`,
    'Check that the cluster is healthy, has disk and is not overloaded; nothing is lost, they are sent again.',
  );
}

/** Doubles from try to try, to a bound; a part of it by chance, so that several processes do not come at once. */
const waitMs = (attempt: number): number =>
  Math.min(limits.bulkBackoffMsMax, limits.bulkBackoffMsMin * 2 ** (attempt - 1)) * (0.5 + Math.random() / 2);

interface Item {
  status: number;
  error?: { type?: string; reason?: string | null; caused_by?: { reason?: string | null } };
}

/** An item for each operation; undefined when the cluster takes nothing at all now. */
async function sendOnce(
  { client, settings }: Target,
  operations: readonly Operation[],
): Promise<Item[] | undefined> {
  const lines: string[] = [];
  for (const operation of operations) {
    lines.push(actionOf(operation));
    if (operation.does !== 'delete') lines.push(operation.text ?? '{}');
  }
  try {
    const { items = [] } = await client.bulk({ operations: lines, filter_path: ANSWERED });
    if (items.length !== operations.length)
      throw refusal(502, { type: `${items.length} answers to ${operations.length} documents` });
    return items.map((item) => Object.values(item)[0] as Item);
  } catch (error) {
    if (statusOf(error) === 429) return undefined;
    if (statusOf(error) !== 413) throw explained(error, settings);
  }
  return sendHalves({ client, settings }, operations);
}

/** More at once than the cluster, or a proxy before it, takes: in halves. One document that is too long alone is refused for good. */
async function sendHalves(target: Target, operations: readonly Operation[]): Promise<Item[] | undefined> {
  if (operations.length === 1) return [{ status: 400, error: { type: 'request_too_long' } }];
  const middle = Math.ceil(operations.length / 2);
  const first = await sendOnce(target, operations.slice(0, middle));
  const second = first && (await sendOnce(target, operations.slice(middle)));
  return second && [...first, ...second];
}

/** All that is looked at of an answer: parsing the rest costs as much as making the request. */
const ANSWERED = [
  'items.*.status',
  'items.*.error.type',
  'items.*.error.reason',
  'items.*.error.caused_by.reason',
];

function actionOf({ does, index, id, version, seen }: Operation): string {
  const target = `"_index":${JSON.stringify(index)},"_id":${JSON.stringify(id)}`;
  if (does === 'create') return `{"create":{${target}}}`;
  const verb = does === 'put' ? 'index' : 'delete';
  if (seen !== undefined)
    return `{"${verb}":{${target},"if_seq_no":${seen.seqNo},"if_primary_term":${seen.primaryTerm}}}`;
  return version === undefined
    ? `{"${verb}":{${target}}}`
    : `{"${verb}":{${target},"version":${version},"version_type":"external_gte"}}`;
}

/** `later`: not the document is at fault. Throws when the cluster will not let us, whatever the document. */
function outcomeOf({ status, error }: Item, { settings }: Target): Outcome | 'later' {
  // 404: there was nothing to delete.
  if (status < 300 || (status === 404 && error === undefined)) return { became: 'done' };
  if (status === 409) return { became: 'older' };
  if (status === 429 || status >= 500) return 'later';
  const reason = reasonOf({ ...error, reason: `${error?.reason ?? ''} ${error?.caused_by?.reason ?? ''}` });
  if (status === 400) return { became: 'refused', reason };
  throw explained(refusal(status, error ?? {}), settings);
}

/** A call that answers or rejects with an error that the user can mend. */
export const ask = <T>({ settings }: Target, work: () => Promise<T>): Promise<T> => asking(settings, work);
