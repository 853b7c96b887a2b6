// GET /v1/coverage: how complete the record of a period is.

import { z } from 'zod';
import type { EvidenceReader } from '../../core/ports.ts';
import type { App } from '../app.ts';
import { coverageOf, coveragePageSchema, hourRows } from '../coverage.ts';
import { inOrder, period, problems, toNotAfterFrom } from '../schemas.ts';
import { allTime } from '../time.ts';

export function addCoverage(app: App, reader: EvidenceReader): void {
  const querystring = z.strictObject(period).refine(inOrder, toNotAfterFrom);
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
      const items = await hourRows(reader, from, to);
      return { ...coverageOf(items), items, next_cursor: null, extent: await reader.extent() };
    },
  );
}
