// The shape of a Sigma document as zod sees it. Source: Sigma rules and correlation specifications 2.0.0.

import { z } from 'zod';
import { levels } from '../../core/alert.ts';

const text = z.string().trim().min(1);
const texts = z.array(text);
const day = z.string().regex(/^\d{4}-\d{2}-\d{2}$/, 'must be a day, YYYY-MM-DD');
const fieldName = z.string().regex(/^@?[\w-]+(\.[\w-]+)*$/, 'must be a field name such as user.id');

export const statuses = ['stable', 'test', 'experimental', 'deprecated', 'unsupported'] as const;

const common = {
  author: text.optional(),
  date: day.optional(),
  description: text,
  falsepositives: texts.min(1),
  fields: texts.optional(),
  id: z.string().regex(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/, 'must be a UUID in lower case'),
  level: z.enum(levels),
  license: text.optional(),
  message: text,
  modified: day.optional(),
  name: z
    .string()
    .regex(/^[\w-]+$/, 'may hold letters, digits, _ and -')
    .optional(),
  references: texts.optional(),
  related: z.array(z.strictObject({ id: text, type: text })).optional(),
  runbook: text,
  scope: texts.optional(),
  status: z.enum(statuses),
  tags: z
    .array(z.string().regex(/^[a-z0-9_-]+(\.[a-z0-9_-]+)+$/, 'must look like attack.t1562.008'))
    .refine(
      (tags) => tags.some((tag) => techniqueOf(tag) !== undefined),
      'needs an ATT&CK technique, attack.tNNNN',
    ),
  taxonomy: text.optional(),
  title: text.max(256),
  version: z.union([text, z.number().transform(String)]).optional(),
};

export const ruleSchema = z.strictObject({
  ...common,
  detection: z.record(z.string(), z.unknown()),
  'group-by': z.array(fieldName).min(1).optional(),
  logsource: z.strictObject({
    category: text.optional(),
    definition: text.optional(),
    product: z.literal('vault'),
    service: z.literal('audit'),
  }),
});

export const correlationSchema = z.strictObject({
  ...common,
  correlation: z.strictObject({
    condition: z.record(z.string(), z.unknown()),
    generate: z.boolean().optional(),
    'group-by': z.array(fieldName).min(1),
    rules: z.array(text).min(1),
    timespan: z.string().regex(/^[1-9]\d{0,5}[smhd]$/, 'must be a number and s, m, h or d, such as 5m'),
    type: z.literal('event_count', 'only event_count is supported'),
  }),
  generate: z.boolean().optional(),
});

export type RuleDocument = z.infer<typeof ruleSchema>;
export type CorrelationDocument = z.infer<typeof correlationSchema>;

/** `T1562.008` of the tag `attack.t1562.008`; undefined for other tags. */
export function techniqueOf(tag: string): string | undefined {
  return /^attack\.(t\d{4}(?:\.\d{3})?)$/.exec(tag)?.[1]?.toUpperCase();
}
