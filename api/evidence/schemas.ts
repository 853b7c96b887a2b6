// The shape of an evidence answer. Field names are part of the contract with auditors: add, do not rename.

import { z } from 'zod';
import { couldRowSchema, groundsSchema } from '../access/schemas.ts';
import { coverageSchema } from '../coverage.ts';

const texts = z.array(z.string());

export const definitionSchema = z.object({
  control: z.string(),
  version: z
    .string()
    .meta({ description: 'of this definition; counts up when the meaning of the answer changes' }),
  title: z.string(),
  question: z.string().meta({ description: 'as an auditor asks it' }),
  population: z.string(),
  exceptions: z.record(z.string(), z.string()),
  parameters: z.record(z.string(), z.string()),
  how_to_read: texts,
  does_not_show: texts,
  references: texts,
});
export type Definition = z.infer<typeof definitionSchema>;

const populationRow = z.object({
  who: z.object({
    id: z.string(),
    name: z.string().nullable(),
    names: texts,
    kind: z.string(),
    auth_method: z.string().nullable(),
    auth_methods: texts,
    role: z.string().nullable(),
    roles: texts,
    policies: texts,
  }),
  secret: z.string().nullable(),
  action: z.string(),
  reads: z.int(),
  first_read: z.string(),
  last_read: z.string(),
  addresses: texts,
  example_event_id: z.string(),
});
export type PopulationRow = z.infer<typeof populationRow>;

const couldRow = couldRowSchema.extend({
  secret: z.string(),
  did: z
    .object({ reads: z.int(), last_read: z.string() })
    .nullable()
    .meta({ description: 'what it did read in the period; of a role, whoever held a token of it' }),
});
export type CouldRow = z.infer<typeof couldRow>;

const exceptionRow = z.object({
  who: z.object({ id: z.string(), names: texts, kind: z.string() }),
  secret: z.string().nullable(),
  action: z.string(),
  calls: z.int(),
  first: z.string(),
  last: z.string(),
  reasons: texts,
  addresses: texts,
  example_event_id: z.string(),
});
export type ExceptionRow = z.infer<typeof exceptionRow>;

export const exceptionKinds = [
  'denied',
  'root',
  'anonymous',
  'unknown_caller',
  'no_data',
  'half_pair',
] as const;
export type ExceptionKind = (typeof exceptionKinds)[number];

export const answerSchema = z.object({
  control: z.string(),
  definition: definitionSchema,
  period: z
    .object({ from: z.string(), to: z.string() })
    .meta({ description: 'from inclusive, to exclusive' }),
  generated_at: z.string(),
  requested_by: z.object({ key: z.string(), role: z.string() }),
  parameters: z.record(z.string(), z.union([z.string(), texts])),
  query_sha256: z
    .string()
    .meta({ description: 'SHA-256 of the canonical JSON of {control, version, parameters}' }),
  source: z.object({ cluster: z.string(), product: z.string(), version: z.string() }),
  coverage: coverageSchema,
  totals: z.object({
    rows: z.int(),
    reads: z.int(),
    callers: z.int(),
    secrets: z.int(),
    exceptions: z.int().meta({ description: 'rows over all kinds; a call can be in more than one' }),
  }),
  reconcile: z.object({
    sum_of_rows: z.int(),
    count_of_events: z.int().meta({ description: 'by a query of its own' }),
    equal: z.boolean(),
  }),
  population: z.array(populationRow).meta({ description: 'who did' }),
  could: z.array(couldRow).optional().meta({
    description:
      'who could when the period ended; absent when no policy is known, which does not mean nobody',
  }),
  granted_unused: z
    .array(couldRow)
    .optional()
    .meta({ description: 'rows of `could` that did not read in the period' }),
  access: groundsSchema
    .extend({ secrets: z.int(), limits: texts, complete: z.boolean() })
    .meta({ description: 'what `could` rests on, and what of it could not be evaluated' }),
  exceptions: z.array(
    z.object({
      kind: z.enum(exceptionKinds),
      title: z.string(),
      calls: z.int(),
      rows: z.array(exceptionRow),
    }),
  ),
  limits: texts,
  complete: z.boolean().meta({
    description:
      'the period is closed, nothing was cut, the numbers add up and no line is known to be missing',
  }),
});
export type Answer = z.infer<typeof answerSchema>;
