// GET /v1/secrets: the inventory.

import { z } from 'zod';
import { limits } from '../../core/limits.ts';
import { addSeconds } from '../../core/time.ts';
import type { App } from '../bare-app.ts';
import { logNow } from '../leases/alive.ts';
import { decodeCursor, encodeCursor, queryHash } from '../list.ts';
import type { ApiOptions } from '../options.ts';
import { listOf, paging, problems, text } from '../schemas.ts';
import { inventoryPage, secretRow } from '../secrets/inventory.ts';

const seconds: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400 };
const flag = z.enum(['true', 'false']).transform((given) => given === 'true');

const querystring = z.strictObject({
  limit: paging.limit,
  cursor: paging.cursor,
  prefix: text.optional().meta({ description: 'path begins so' }),
  engine: text.optional().meta({ examples: ['kv-v2', 'kv-v1', 'database', 'pki'] }),
  never_read: flag.optional(),
  written_never_read: flag.optional(),
  older_than: z
    .string()
    .regex(/^\d{1,5}[smhd]$/, 'up to five digits and s, m, h or d')
    .optional()
    .meta({
      description:
        'last rotated longer ago than this, by event time; one never rotated in the log counts when the log itself is older',
      examples: ['90d'],
    }),
});

const notes = [
  'Known is what was written, read or looked at by its own path since the log began. Names that only a LIST showed are hashed and are not here.',
  'What a mount took with it when it was disabled is still shown as it was.',
];

const answer = listOf(secretRow).extend({
  since: z
    .string()
    .nullable()
    .meta({ description: 'time of the first event held: nothing is known of before' }),
  as_of: z.string().meta({ description: 'how far event time has come' }),
  notes: z.array(z.string()),
});

export function addSecrets(app: App, { reader, now }: ApiOptions): void {
  app.get(
    '/v1/secrets',
    {
      config: { area: 'secrets' },
      schema: {
        summary: 'Inventory of secrets, by path',
        description: `From the events held, exactly. With a filter a page can hold fewer rows than \`limit\`, or none: one call looks at no more than ${limits.inventoryScanMax} secrets; go on until \`next_cursor\` is null.`,
        querystring,
        response: { 200: answer, ...problems },
      },
    },
    async ({ query }) => {
      const { limit, cursor, older_than: age, ...wanted } = query;
      const identity = queryHash({ kind: 'secrets', age, ...wanted });
      const as_of = await logNow(reader, now);
      const { first: since } = await reader.extent();
      const after = cursor === undefined ? '' : decodeCursor(cursor, identity).id;
      const before = age === undefined ? undefined : addSeconds(as_of, -secondsOf(age));
      const asked = { ...wanted, rotated_before: before, limit, after };
      const { rows, next } = await inventoryPage(reader, asked, since);
      const next_cursor = next === undefined ? null : encodeCursor({ time: '', id: next }, identity);
      return { items: rows, next_cursor, since: since ?? null, as_of, notes };
    },
  );
}

const secondsOf = (age: string): number => Number(age.slice(0, -1)) * (seconds[age.slice(-1)] ?? 1);
