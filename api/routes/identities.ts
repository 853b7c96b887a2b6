// GET /v1/identities/{id}: what is known of one identity; /blast-radius: what it can still use, and what it already has.

import { z } from 'zod';
import type { App } from '../bare-app.ts';
import { blastOf, blastSchema } from '../identities/blast-radius.ts';
import { summaryOf, summarySchema } from '../identities/summary.ts';
import { logNow } from '../leases/alive.ts';
import type { ApiOptions } from '../options.ts';
import { ProblemError } from '../problem.ts';
import { inOrder, period, problemsOfOne, time, toNotAfterFrom } from '../schemas.ts';
import { allTime } from '../time.ts';

const joined =
  'An id of the form `token:HASH` is joined with those of the same token: each audit device hashes under a salt of its own, and calls that two devices showed tell which hashes are one. What is joined here is not joined in `/v1/events`, where `user.id` is what the first-ranked device showed.';
const config = { area: 'identities' } as const;
const BLAST = '/blast-radius';

export function addIdentities(app: App, options: ApiOptions): void {
  const { reader, now } = options;
  const querystring = z.strictObject(period).refine(inOrder, toNotAfterFrom);
  const answer = async (id: string, { from = allTime.from, to = allTime.to }: z.infer<typeof querystring>) =>
    summaryOf(reader, id, { from, to }, await logNow(reader, now));
  app.get(
    '/v1/identities/:id',
    {
      config,
      schema: {
        summary: 'What one identity did and holds; the id is `user.id`, encoded',
        description: joined,
        params: z.object({ id: z.string() }),
        querystring,
        response: { 200: summarySchema, ...problemsOfOne },
      },
    },
    (request) => answer(request.params.id, request.query),
  );
  const blast = addBlastRadius(app, options);
  const either = z.strictObject({ ...period, at: time.optional() }).refine(inOrder, toNotAfterFrom);
  app.get(
    '/v1/identities/*',
    { config, schema: { hide: true, params: z.object({ '*': z.string() }), querystring: either } },
    (request) => {
      const { '*': id } = request.params;
      const { at } = request.query;
      if (id.endsWith(BLAST)) return blast(id.slice(0, -BLAST.length), request.query);
      if (at !== undefined) throw new ProblemError('invalid-request', 'at: only of blast-radius');
      return answer(id, request.query);
    },
  );
}

/** Adds the route and returns what answers it. */
function addBlastRadius(app: App, { reader, devices, nodes, now }: ApiOptions) {
  const expected = { reader, devices, nodes };
  const querystring = z
    .strictObject({
      ...period,
      at: time
        .optional()
        .meta({ description: 'tokens and leases alive then; by default how far event time has come' }),
    })
    .refine(inOrder, toNotAfterFrom);
  const answer = async (id: string, { from, to = allTime.to, at }: z.infer<typeof querystring>) => {
    const begin = from ?? (await reader.extent()).first ?? allTime.from;
    return blastOf(expected, id, { from: begin, to, at: at ?? (await logNow(reader, now)) });
  };
  app.get(
    `/v1/identities/:id${BLAST}`,
    {
      config,
      schema: {
        summary: 'What an identity can still use, and what it already has',
        description: `\`contain\` is what revocation ends, \`rotate\` what it does not take back. Without \`from\` the period begins with the log. ${joined}`,
        params: z.object({ id: z.string() }),
        querystring,
        response: { 200: blastSchema, ...problemsOfOne },
      },
    },
    (request) => answer(request.params.id, request.query),
  );
  return answer;
}
