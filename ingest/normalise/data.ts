// What of a call's data its event keeps: bounded, in canonical order, every number as it was.

import { isSorted } from '../../core/canonical.ts';
import type { Json, JsonObject } from '../../core/event.ts';
import { limits } from '../../core/limits.ts';
import { type Entry, objectOf, withExactNumbers } from './entry.ts';
import { unknownOf } from './unknown.ts';

export interface CallData {
  /** `request.data`. */
  request: JsonObject | undefined;
  /** `response.data`. */
  response: JsonObject | undefined;
  /** Members that nobody knows, by path. */
  unknown: JsonObject | undefined;
  /** What was too large or nested too deep, and left out. */
  truncated: string[] | undefined;
  /** JSON.stringify writes all of it in canonical order. */
  sorted: boolean;
}

const parts = ['request', 'response', 'unknown'] as const;

/**
 * Data of a call from its entries. What cannot be kept is left out and named: a caller chooses the data, and must not be able to
 * choose that there is no event.
 */
export function dataOf(request: Entry | undefined, response: Entry | undefined): CallData {
  const data = read(request, response);
  if (!parts.some((part) => isInexact(data[part]))) return data;
  const exact = read(request && withExactNumbers(request), response && withExactNumbers(response));
  return { ...exact, sorted: data.sorted };
}

function read(request: Entry | undefined, response: Entry | undefined): CallData {
  // The response's entry repeats the request.
  const main = (response ?? request) as Entry;
  const unknown = unknownOf(request, response);
  const data: CallData = {
    request: objectOf(main.request, 'data'),
    response: objectOf(response?.response, 'data'),
    unknown: unknown?.members,
    truncated: undefined,
    sorted: true,
  };
  if (unknown?.isCut) leaveOut(data, 'unknown');
  if (isSorted(data.unknown, limits.nestingMax) !== true) data.sorted = false;
  // Only a long line can hold that much.
  const isLong = main.line.length > limits.eventDataBytesMax;
  for (const part of ['request', 'response'] as const) {
    const path = `${part}.data`;
    const sorted = isSorted(data[part], limits.nestingMax);
    if (!main.cut.includes(path) && sorted !== 'deep' && !(isLong && isOver(data[part]))) {
      if (!sorted) data.sorted = false;
      continue;
    }
    data[part] = undefined;
    leaveOut(data, path);
  }
  for (const path of main.cut) if (!data.truncated?.includes(path)) leaveOut(data, path);
  return data;
}

const isOver = (data: JsonObject | undefined): boolean =>
  data !== undefined && JSON.stringify(data).length > limits.eventDataBytesMax;

function leaveOut(data: CallData, path: string): void {
  data.truncated = [...(data.truncated ?? []), path].sort();
}

/** Whether JSON.parse has changed a number of the value: whole ones over 2^53 lose digits, and 1e400 is no number. */
function isInexact(value: Json | undefined): boolean {
  if (typeof value === 'number') return !Number.isFinite(value) || Math.abs(value) > Number.MAX_SAFE_INTEGER;
  if (typeof value !== 'object' || value === null) return false;
  for (const key in value) if (isInexact((value as JsonObject)[key])) return true;
  return false;
}
