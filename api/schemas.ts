// The schemas that several routes share: times, lists, and the stored rows as OpenAPI shows them.

import { z } from 'zod';
import type { Alert } from '../core/alert.ts';
import type { AuditEvent } from '../core/event.ts';
import type { Lease } from '../core/lease.ts';
import { limits } from '../core/limits.ts';
import { utcTime } from '../core/time.ts';
import { problemSchema } from './problem.ts';

/** An RFC 3339 time in any zone, as canonical UTC. A `+` that a client did not encode arrives as a space. */
export const time = z
  .string()
  .transform((text, context) => {
    const utc = utcTime(text.replace(/ (\d{2}:\d{2})$/, '+$1'));
    if (utc !== undefined) return utc;
    context.issues.push({ code: 'custom', message: 'not an RFC 3339 time', input: text });
    return z.NEVER;
  })
  .meta({ description: 'RFC 3339 time in any zone', examples: ['2026-09-01T00:00:00Z'] });

export const period = {
  from: time.optional().meta({ description: 'event time, inclusive' }),
  to: time.optional().meta({ description: 'event time, exclusive' }),
};

/** A period that ends before it begins finds nothing and reads like a clean answer: refuse it. For `refine`. */
export const inOrder = ({ from, to }: { from?: string | undefined; to?: string | undefined }): boolean =>
  from === undefined || to === undefined || from < to;
export const toNotAfterFrom = { path: ['to'], error: 'must be later than from' };

export const text = z.string().min(1).max(limits.textCharsMax);

export const paging = {
  order: z.enum(['asc', 'desc']).default('asc').meta({ description: 'by time, then id' }),
  limit: z.coerce.number().int().min(1).max(limits.pageRowsMax).default(100),
  cursor: z.string().max(8192).optional().meta({ description: '`next_cursor` of the page before' }),
};

export const listOf = <T extends z.ZodType>(item: T) =>
  z.object({
    items: z.array(item),
    next_cursor: z.string().nullable().meta({ description: 'null on the last page' }),
  });

/** Of answers whose rows are judged one by one. */
export const scanned = z.int().optional().meta({
  description:
    'rows that were looked at, when that is more than rows found; a cursor without items means: nothing yet, go on',
});

/** The problems that any route under /v1 can answer with. */
export const problems = { 400: problemSchema, 401: problemSchema, 403: problemSchema, 503: problemSchema };
export const problemsOfOne = { ...problems, 404: problemSchema };

// Rows leave as they are stored; the schemas name their main fields and allow the rest.
export const documented = <T>(schema: z.ZodType, description: string) =>
  schema.meta({ description }) as unknown as z.ZodType<T>;

const fullName = z.string().optional().meta({
  description: 'name that a person gave the entity, as it was then; added on read, no part of the stored row',
});

export const eventSchema = documented<AuditEvent>(
  z.looseObject({
    '@timestamp': z.string(),
    event: z.looseObject({ id: z.string(), action: z.string(), outcome: z.string() }),
    user: z.looseObject({ id: z.string(), name: z.string().optional(), full_name: fullName }),
    source: z.looseObject({ ip: z.string().optional() }).optional(),
    vault: z.looseObject({ revision: z.int(), cluster: z.string(), pair: z.string() }),
  }),
  'One API call of Vault, in ECS names',
);

export const alertSchema = documented<Alert>(
  z.looseObject({
    '@timestamp': z.string(),
    alert: z.looseObject({ id: z.string(), count: z.int() }),
    rule: z.looseObject({ id: z.string(), level: z.string() }),
    user: z.looseObject({ id: z.string(), full_name: fullName }),
    incident: z.looseObject({ id: z.string() }),
    message: z.string(),
    triage: z
      .looseObject({ status: z.string() })
      .nullish()
      .meta({ description: 'the last that a person said of it; null: nothing; no part of the stored row' }),
  }),
  'What a rule found',
);

export const leaseSchema = documented<Lease>(
  z.looseObject({
    id: z.string(),
    kind: z.string(),
    state: z.string(),
    path: z.string().optional(),
    issued_at: z.string(),
    ttl_s: z.number().optional(),
    ttl_source: z.string(),
  }),
  'A credential that Vault gave out',
);
