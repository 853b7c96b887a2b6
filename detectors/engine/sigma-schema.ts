// The shape of a Sigma document as zod sees it. Source: Sigma rules, correlation and filter specifications 2.1.

import { z } from 'zod';
import { levels } from '../../core/alert.ts';
import { correlationTypes } from './rule-set.ts';

const text = z.string().trim().min(1);
const texts = z.array(text);
const textOrTexts = z.union([texts, text.transform((one) => [one])]);
const day = z.string().regex(/^\d{4}[-/]\d{2}[-/]\d{2}$/, 'must be a day, YYYY-MM-DD');
export const fieldName = z.string().regex(/^@?[\w-]+(\.[\w@-]+)*$/, 'must be a field name such as user.id');
const uuid = z
  .string()
  .regex(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i, 'must be a UUID')
  .transform((id) => id.toLowerCase());
const ruleName = z.string().regex(/^[\w.-]+$/, 'may hold letters, digits, _ . and -');

export const statuses = ['stable', 'test', 'experimental', 'deprecated', 'unsupported'] as const;
const relations = ['derived', 'obsolete', 'merged', 'renamed', 'similar', 'correlation'] as const;

/** Attributes that SigmaHQ and its tools use and sealwatch has no use for. */
export const customAttributes = ['regression_tests_path', 'simulation', 'custom', 'logsource', 'generate'];

const common = {
  author: text.optional(),
  date: day.optional(),
  description: text.max(65_535).optional(),
  falsepositives: textOrTexts.optional(),
  fields: texts.optional(),
  id: uuid.optional(),
  level: z.enum(levels).optional(),
  license: text.optional(),
  message: text.optional(),
  modified: day.optional(),
  name: ruleName.optional(),
  references: texts.optional(),
  related: z.array(z.strictObject({ id: text, type: z.enum(relations) })).optional(),
  runbook: text.optional(),
  scope: textOrTexts.optional(),
  status: z.enum(statuses).optional(),
  tags: z
    .array(z.string().regex(/^[a-z0-9_-]+(\.[a-z0-9_-]+)+$/, 'must look like attack.t1562.008'))
    .optional(),
  taxonomy: text.optional(),
  title: text.max(256),
  version: z.union([text, z.number().transform(String)]).optional(),
};

export const logsource = z
  .object({
    category: text.optional(),
    definition: text.optional(),
    product: text.optional(),
    service: text.optional(),
  })
  .loose();

export const ruleSchema = z.object({
  ...common,
  detection: z.record(z.string(), z.unknown()),
  'group-by': z.array(fieldName).min(1).optional(),
  logsource,
});

const number = z.number('must be a number');

/** `gte: 10`, with `field` and `percentile` where the type asks for them; more than one bound makes a range. */
export const boundsSchema = z.strictObject({
  eq: number.optional(),
  field: z.union([fieldName.transform((one) => [one]), z.array(fieldName).min(1)]).optional(),
  gt: number.optional(),
  gte: number.optional(),
  lt: number.optional(),
  lte: number.optional(),
  percentile: number.min(0, 'must be 0 to 100').max(100, 'must be 0 to 100').optional(),
});

export const correlationBody = z.strictObject({
  aliases: z.record(fieldName, z.record(ruleName, fieldName)).optional(),
  condition: z.union([text, z.record(z.string(), z.unknown())], 'must be a map such as gte: 10').optional(),
  generate: z.boolean().optional(),
  'group-by': z.union([z.array(fieldName), fieldName.transform((one) => [one])]).optional(),
  rules: z.union([z.array(text).min(1), text.transform((one) => [one])]).optional(),
  timespan: z.string().regex(/^[1-9]\d{0,5}[smhd]$/, 'must be a number and s, m, h or d, such as 5m'),
  type: z.enum(correlationTypes),
});

export const correlationSchema = z.object({
  ...common,
  correlation: correlationBody,
  generate: z.boolean().optional(),
});

export const filterSchema = z.object({
  ...common,
  filter: z.looseObject({
    condition: z.union([text, z.array(text).min(1)]),
    rules: z.union([z.array(text).min(1), text.transform((one) => [one])]),
  }),
  logsource,
});

export type RuleDocument = z.infer<typeof ruleSchema>;
export type CorrelationDocument = z.infer<typeof correlationSchema>;
export type FilterDocument = z.infer<typeof filterSchema>;

/** `T1562.008` of the tag `attack.t1562.008`; undefined for other tags. */
export function techniqueOf(tag: string): string | undefined {
  return /^attack\.(t\d{4}(?:\.\d{3})?)$/.exec(tag)?.[1]?.toUpperCase();
}
