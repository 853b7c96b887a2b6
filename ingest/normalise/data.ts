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
  /** What was too large and left out. */
  truncated: string[] | undefined;
  /** JSON.stringify writes all of it in canonical order. */
  sorted: boolean;
}

const parts = ['request', 'response', 'unknown'] as const;

/** Data of a call from its entries; undefined when it is nested too deep to be written. */
export function dataOf(request: Entry | undefined, response: Entry | undefined): CallData | undefined {
  const data = read(request, response);
  for (const part of parts) {
    const sorted = isSorted(data[part], limits.nestingMax);
    if (sorted === 'deep') return undefined;
    if (!sorted) data.sorted = false;
  }
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
  // Only a long line can hold that much.
  if (main.line.length <= limits.eventDataBytesMax) return data;
  for (const part of ['request', 'response'] as const) {
    const path = `${part}.data`;
    const isLong = main.cut.includes(path) || isOver(data[part]);
    if (!isLong) continue;
    data[part] = undefined;
    leaveOut(data, path);
  }
  for (const path of main.cut) if (!data.truncated?.includes(path)) leaveOut(data, path);
  return data;
}

/** What is nested too deep to be written is told apart from what is too long by `dataOf`. */
const isOver = (data: JsonObject | undefined): boolean =>
  data !== undefined &&
  isSorted(data, limits.nestingMax) !== 'deep' &&
  JSON.stringify(data).length > limits.eventDataBytesMax;

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
