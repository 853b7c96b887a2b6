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
 * The outcome of each operation, in their order. They are taken a request at a time, so that the next is made while the cluster works.
 * What the cluster cannot take now is sent again after a while, alone.
 * Rejects with a SealwatchError when it cannot take all within `limits.bulkTries`, or does not let us; some may then be written.
 */
export async function bulk(target: Target, operations: Iterable<Operation>): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const requests = requestsOf(operations);
  const send = async () => {
    for (const { at, operations: some } of requests)
      for (const [i, outcome] of (await sendAll(target, some)).entries()) outcomes[at + i] = outcome;
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, send));
  return outcomes;
}

/** While one is being indexed, the next is made. */
const IN_FLIGHT = 2;

/** To bounds of bytes and count; `at` is the number of the first operation. */
function* requestsOf(operations: Iterable<Operation>): Generator<{ at: number; operations: Operation[] }> {
  let open: Operation[] = [];
  let at = 0;
  let chars = 0;
  for (const operation of operations) {
    const length = operation.text?.length ?? 0;
    const isFull = open.length === limits.bulkDocumentsMax || chars + length > limits.bulkCharsMax;
    if (isFull && open.length > 0) {
      yield { at, operations: open };
      at += open.length;
      open = [];
      chars = 0;
    }
    open.push(operation);
    chars += length;
  }
  if (open.length > 0) yield { at, operations: open };
}

/** Sends `operations` until none is left that the cluster could not take just then; the outcome of each. */
async function sendAll(target: Target, operations: readonly Operation[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = new Array(operations.length);
  let left = operations.map((_, number) => number);
  let reason = '';
  for (let attempt = 0; attempt < limits.bulkTries; attempt++) {
    if (attempt > 0) await setTimeout(waitMs(attempt));
    const answer = await sendOnce(
      target,
      left.map((number) => operations[number] as Operation),
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
    if (again.length === 0) return outcomes;
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
