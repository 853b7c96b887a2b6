// GET /v1/access: who could read a path at a time.

import { z } from 'zod';
import { accessTo } from '../access/ask.ts';
import { accessSchema } from '../access/schemas.ts';
import type { App } from '../bare-app.ts';
import { logNow } from '../leases/alive.ts';
import type { ApiOptions } from '../options.ts';
import { problems, text, time } from '../schemas.ts';

export function addAccess(app: App, { reader, cluster, now }: ApiOptions): void {
  const querystring = z.strictObject({
    path: text.meta({
      description: 'path of the request as policies name it, relative to the namespace',
      examples: ['secret/data/app'],
    }),
    at: time.optional().meta({ description: 'as far as event time has come when it is not given' }),
    namespace: z
      .union([z.literal(''), text.regex(/\/$/, 'ends with a slash')])
      .default('')
      .meta({ description: 'with its closing slash; the root when it is not given' }),
    cluster: text.default(cluster),
  });
  app.get(
    '/v1/access',
    {
      config: { area: 'access' },
      schema: {
        summary: 'Who could read a path at a time',
        description:
          'From the policies, groups, roles and entities known at that time, and the tokens that were alive. What cannot be evaluated is listed.',
        querystring,
        response: { 200: accessSchema, ...problems },
      },
    },
    async (request) => {
      const { query } = request;
      const at = query.at ?? (await logNow(reader, now));
      const answer = await accessTo(reader, { ...query, at });
      request.evidenceRows = answer.could?.length ?? 0;
      return answer;
    },
  );
}
