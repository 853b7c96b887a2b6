// GET /v1/coverage: how complete the record of a period is.

import { z } from 'zod';
import type { App } from '../bare-app.ts';
import { coverageOf, coveragePageSchema, type HourRow, rowId } from '../coverage.ts';
import { decodeCursor, encodeCursor, queryHash } from '../list.ts';
import type { ApiOptions } from '../options.ts';
import { inOrder, paging, period, problems, toNotAfterFrom } from '../schemas.ts';
import { allTime } from '../time.ts';

export function addCoverage(app: App, options: ApiOptions): void {
  const querystring = z.strictObject({ ...period, ...paging }).refine(inOrder, toNotAfterFrom);
  app.get(
    '/v1/coverage',
    {
      config: { area: 'coverage' },
      schema: {
        summary: 'What was received per device and hour, and what is known to be missing',
        querystring,
        response: { 200: coveragePageSchema, ...problems },
      },
    },
    async (request) => {
      const { from = allTime.from, to = allTime.to } = request.query;
      const { coverage, rows, sentences } = await coverageOf(options, from, to);
      return {
        ...coverage,
        sentences,
        ...pageOf(rows, request.query),
        extent: await options.reader.extent(),
      };
    },
  );
}

interface Paging {
  from?: string | undefined;
  to?: string | undefined;
  order: 'asc' | 'desc';
  limit: number;
  cursor?: string | undefined;
}

/** One page of `rows`, which are in ascending order. Throws the problem `invalid-cursor`. */
function pageOf(rows: HourRow[], { from, to, order, limit, cursor }: Paging) {
  const identity = queryHash({ kind: 'coverage', from, to, order });
  const sorted = order === 'asc' ? rows : rows.toReversed();
  const after = cursor === undefined ? undefined : decodeCursor(cursor, identity);
  const isAfter = (row: HourRow) => {
    if (after === undefined) return true;
    const [time, id] = [row.hour ?? '', rowId(row)];
    const isHigher = time > after.time || (time === after.time && id > after.id);
    const isSame = time === after.time && id === after.id;
    return !isSame && isHigher === (order === 'asc');
  };
  const left = sorted.filter(isAfter);
  const items = left.slice(0, limit);
  const last = items.at(-1);
  const isEnd = last === undefined || left.length <= limit;
  return {
    items,
    next_cursor: isEnd ? null : encodeCursor({ time: last.hour ?? '', id: rowId(last) }, identity),
  };
}
