// GET /v1/posture: how credentials are kept, per service, role or mount, each number beside that of the period before.

import { z } from 'zod';
import { msOf, timeOfMs } from '../../core/time.ts';
import type { App } from '../bare-app.ts';
import { pageByKey, queryHash } from '../list.ts';
import type { ApiOptions } from '../options.ts';
import { type Numbers, numbersSchema, Tally } from '../posture/numbers.ts';
import type { PostureSettings } from '../posture/settings.ts';
import { groupings, type Period, talliesOf } from '../posture/tallies.ts';
import { inOrder, listOf, paging, problems, time, toNotAfterFrom } from '../schemas.ts';

const item = z.object({
  name: z.string().nullable().meta({ description: 'null: what has no name of this kind' }),
  now: numbersSchema,
  before: numbersSchema,
});
type Item = z.infer<typeof item>;

const periodSchema = z.object({ from: z.string(), to: z.string() });
const answer = listOf(item).extend({
  by: z.enum(groupings),
  period: periodSchema,
  period_before: periodSchema.meta({ description: 'of equal length, ending where the period begins' }),
  before_complete: z.boolean().meta({
    description: 'false when the log begins after the period before does: its numbers are too low',
  }),
  policy: z.object({
    lease_s: z.int(),
    token_s: z.int(),
    static_token_s: z.int(),
    rotation_s: z.int(),
    source: z.string(),
  }),
  complete: z.boolean().meta({ description: 'false when there were too many rows or groups to count all' }),
});

const querystring = z
  .strictObject({
    by: z.enum(groupings).default('service').meta({
      description:
        '`service`: `user.name` of who holds or calls. `role`: of tokens and calls the auth method’s, of leases the engine’s; two of one name stand in one row, where their numbers do not mix. `mount`: of the path that gave it out, or that was called',
    }),
    from: time,
    to: time,
    limit: paging.limit,
    cursor: paging.cursor,
  })
  .refine(inOrder, toNotAfterFrom)
  .refine((query) => !inOrder(query) || 2 * msOf(query.from) >= msOf(query.to), {
    path: ['from'],
    error: 'the period before would begin before 1970',
  });

export function addPosture(app: App, { reader, posture }: ApiOptions): void {
  app.get(
    '/v1/posture',
    {
      config: { area: 'posture' },
      schema: {
        summary: 'Posture per service, role or mount, beside the period before',
        description:
          'Counted exactly from the ledger of leases and tokens and from the events held. `lived in the period`: given out before its end, and not known to have ended before it began. A number says nothing of what the log does not show; what is unknown is counted as unknown.',
        querystring,
        response: { 200: answer, ...problems },
      },
    },
    async ({ query }) => {
      const { by, from, to } = query;
      const before = periodBefore({ from, to });
      const now = await talliesOf(reader, by, { from, to }, posture);
      const then = await talliesOf(reader, by, before, posture);
      const names = new Set([...now.groups.keys(), ...then.groups.keys()]);
      const items = [...names].map((name) => ({
        name: name ?? null,
        now: numbersOf(now.groups.get(name), posture),
        before: numbersOf(then.groups.get(name), posture),
      }));
      items.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
      const { first } = await reader.extent();
      return {
        ...pageByKey(items, keyOf, query, queryHash({ kind: 'posture', by, from, to })),
        by,
        period: { from, to },
        period_before: before,
        before_complete: first !== undefined && first <= before.from,
        policy: policyOf(posture),
        complete: now.complete && then.complete,
      };
    },
  );
}

const keyOf = ({ name }: Item) => name ?? '';

const numbersOf = (tally: Tally | undefined, settings: PostureSettings): Numbers =>
  (tally ?? new Tally()).numbers(settings);

/** To the millisecond. */
const periodBefore = ({ from, to }: Period): Period => ({
  from: timeOfMs(2 * msOf(from) - msOf(to)),
  to: from,
});

const policyOf = (settings: PostureSettings) => ({
  lease_s: settings.leaseSeconds,
  token_s: settings.tokenSeconds,
  static_token_s: settings.staticTokenSeconds,
  rotation_s: settings.rotationSeconds,
  source: 'posture in the configuration of sealwatch',
});
