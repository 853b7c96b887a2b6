// GET /v1/credentials: who holds or held one credential, the login it began with, and how it was found.

import { z } from 'zod';
import type { EvidenceReader } from '../../core/ports.ts';
import { takeTurns } from '../access/turns.ts';
import type { App } from '../bare-app.ts';
import { chainOf, chainSchema } from '../credentials/chain.ts';
import {
  byAccessor,
  byLease,
  byToken,
  byUserName,
  type Found,
  type Match,
  ways,
} from '../credentials/find.ts';
import { fullNameOf } from '../directory/entity.ts';
import { ProblemError } from '../problem.ts';
import { leaseSchema, listOf, problems, text } from '../schemas.ts';

const item = z.object({
  credential: leaseSchema,
  state: z.string(),
  holder: z.object({
    id: z.string().nullable(),
    name: z.string().nullable(),
    full_name: z.string().nullable().meta({ description: 'name that a person gave the entity' }),
  }),
  requested_by: z.string().nullable(),
  chain: chainSchema,
  match: z.object({
    by: z.enum(ways),
    certainty: z.enum(['exact', 'only_candidate', 'one_of_several']).meta({
      description:
        '`exact`: the log names it so. A name that only fits the pattern of a default user name is never exact, also when nothing else fits',
    }),
    detail: z.string(),
  }),
});

const id = text.optional();
const querystring = z
  .strictObject({
    lease: id.meta({ description: 'lease id' }),
    accessor: id.meta({
      description: 'accessor of a token as the log shows it: in plain, or its hash on any device',
    }),
    token: id.meta({
      description: "id of a token's row, `token:...`, or the hash of a batch token. Never the token",
    }),
    database_user: id.meta({
      description:
        'user name in the database, or its hash. Exact where the audit log shows the name (`audit_non_hmac_response_keys=username` on the mount) or the hash is asked for (`sys/audit-hash`); else by the default names that Vault gives',
      examples: ['v-approle-app-Ff0bLkq2XUcxTnZr9m1a-1789430401'],
    }),
  })
  .refine((query) => Object.values(query).filter((value) => value !== undefined).length === 1, {
    error: 'give just one of lease, accessor, token and database_user',
  });

/** Credentials that are told before others have their turn: each asks for its chain of tokens. */
const ITEMS_A_TURN = 50;

/** What a Vault token looks like (`hvs.`, `s.` and their kin). */
const PLAIN_TOKEN = /^(hv[sbr]|[sbr])\.[A-Za-z0-9_-]{20,}/;

export function addCredentials(app: App, reader: EvidenceReader): void {
  app.get(
    '/v1/credentials',
    {
      config: { area: 'leases' },
      schema: {
        summary: 'Who holds or held a credential',
        description:
          'Leases and tokens with their holder and the login that the chain of tokens began with. What a token holds: `/v1/leases?holder_token=`.',
        querystring,
        response: {
          200: listOf(item).extend({
            complete: z
              .boolean()
              .meta({ description: 'false when not everything that could match was looked at' }),
          }),
          ...problems,
        },
      },
    },
    async ({ query }) => {
      if (Object.values(query).some((value) => value !== undefined && PLAIN_TOKEN.test(value)))
        throw new ProblemError(
          'invalid-request',
          'This looks like a token itself. Send its accessor or its hash.',
        );
      const { matches, complete } = await find(reader, query);
      const items: z.infer<typeof item>[] = [];
      for (const match of matches) {
        if (items.length % ITEMS_A_TURN === 0) await takeTurns();
        items.push(await tell(reader, match, matches.length));
      }
      return { items, next_cursor: null, complete };
    },
  );
}

function find(reader: EvidenceReader, asked: z.infer<typeof querystring>): Promise<Found> {
  const { lease, accessor, token, database_user: user } = asked;
  if (lease !== undefined) return byLease(reader, lease);
  if (accessor !== undefined) return byAccessor(reader, accessor);
  return token !== undefined ? byToken(reader, token) : byUserName(reader, user ?? '');
}

async function tell(reader: EvidenceReader, match: Match, of: number): Promise<z.infer<typeof item>> {
  const { credential, by, exact, detail } = match;
  const { holder_id: holder, holder: name, requested_by, state } = credential;
  const certainty = exact ? 'exact' : of === 1 ? 'only_candidate' : 'one_of_several';
  return {
    credential,
    state,
    holder: {
      id: holder ?? null,
      name: name ?? null,
      full_name: (holder === undefined ? undefined : await fullNameOf(reader, holder)) ?? null,
    },
    requested_by: requested_by ?? null,
    chain: await chainOf(reader, credential),
    match: { by, certainty, detail },
  };
}
