// The shape of a lists file, as people write it (docs/detections/living-with-rules.md).

import { z } from 'zod';
import { utcTime } from '../time.ts';

const text = z.string('must be text').trim().min(1, 'must not be empty').max(1000);
const name = z.string('must be text').regex(/^[\w.-]{1,128}$/, 'may hold letters, digits, _ . and -');
const word = z.string('must be text').regex(/^[A-Za-z][\w-]{0,63}$/, 'must be a word such as ci-runners');
const selection = z.unknown().refine((value) => value !== undefined && value !== null, 'is missing');

/** A time, or a day, which stands for its begin; `end`: for its last moment. In UTC, 9 digits. */
const moment = (edge: 'begin' | 'end') =>
  z.string('must be a day or a time').transform((value, context) => {
    const clock = edge === 'begin' ? '00:00:00Z' : '23:59:59.999999999Z';
    const time = utcTime(/^\d{4}-\d{2}-\d{2}$/.test(value) ? `${value}T${clock}` : value);
    if (time !== undefined) return time;
    context.addIssue('must be a day (2027-03-31) or a time with its zone (2027-03-31T18:00:00Z)');
    return z.NEVER;
  });

/** `'*'` is every rule and behaviour. */
const rules = z.array(z.string().min(1), 'must be a list of ids, names or titles of rules, or ["*"]').min(1);
/** Why it is so, for the record of changes. */
const reason = text.optional();

export const allowSchema = z.strictObject({
  name,
  rules,
  match: selection,
  owner: text,
  reason: text,
  until: moment('end'),
});

export const maintenanceSchema = z
  .strictObject({
    name,
    from: moment('begin'),
    to: moment('end'),
    owner: text,
    reason: text,
    match: z.unknown().optional(),
    rules: rules.optional(),
  })
  .refine(({ from, to }) => from < to, { path: ['to'], message: 'must be after from' });

const classSchema = z.strictObject({ name: word, match: selection, reason });

const thresholdSchema = z.strictObject({
  rule: z.string().min(1),
  class: word,
  count: z.number('must be a number').int().min(1).max(1_000_000),
  reason,
});

/** The settings themselves stand beside `behaviour` and `class`. */
const settingSchema = z
  .object({ behaviour: word, class: word.optional(), reason })
  .catchall(z.number('must be a number').min(0).max(1e12));

const entries = <T extends z.ZodType>(schema: T) => z.array(schema, 'must be a list').max(10_000).default([]);

export const listsSchema = z.strictObject({
  allow: entries(allowSchema),
  maintenance: entries(maintenanceSchema),
  classes: entries(classSchema),
  thresholds: entries(thresholdSchema),
  settings: entries(settingSchema),
  placeholders: z
    .record(
      word,
      z
        .array(z.union([text, z.number()], 'must be text or a number'))
        .min(1)
        .max(10_000),
    )
    .default({}),
  texts: z.strictObject({ canaries: entries(text), networks: entries(text) }).prefault({}),
});

export type ListsDocument = z.output<typeof listsSchema>;
