// The shape of answers about access. Field names are part of the contract with auditors: add, do not rename.

import { z } from 'zod';

const texts = z.array(z.string());

const who = z.object({
  kind: z.enum(['entity', 'token', 'root', 'role']),
  id: z.string().meta({ description: '`user.id` of its calls; of a role its path' }),
  name: z.string().optional(),
  namespace: z.string(),
});

export const couldRowSchema = z.object({
  who,
  policies: texts.meta({
    description: 'policies that give it; those of another namespace than the root begin with it',
  }),
  through: z.array(
    z.object({
      kind: z.enum(['token', 'entity', 'group', 'role']),
      id: z.string().meta({ description: 'of tokens one example' }),
      name: z.string().optional(),
    }),
  ),
  conditions: z
    .array(z.enum(['parameters', 'wrapping', 'mfa', 'control_group']))
    .meta({ description: 'what a policy asks for beside the capability, and is not evaluated' }),
  tokens: z.int().meta({ description: 'live tokens that could' }),
  facts: texts.meta({ description: 'ids in `facts` that it rests on' }),
});

export type CouldRow = z.infer<typeof couldRowSchema>;

const citedSchema = z.object({
  id: z.string(),
  what: z.enum(['policy', 'group', 'role', 'entity', 'token']),
  namespace: z.string(),
  key: z.string(),
  at: z.string().meta({ description: 'from when on it was so; of a token when it was issued' }),
  age_s: z.int().meta({ description: 'seconds from then to the time asked for' }),
  source: z.enum(['audit', 'vault']),
  proof: z.string().meta({ description: 'event id, or the request id of an answer of Vault' }),
});

const notEvaluatedSchema = z.object({
  reason: z.enum([
    'policy_unknown',
    'policy_not_understood',
    'template_unknown',
    'template_invalid',
    'entity_unknown',
    'group_unknown',
    'group_other_namespace',
    'role_unknown',
    'role_default_unknown',
    'token_unknown',
  ]),
  policy: z.object({ namespace: z.string(), name: z.string() }).optional(),
  detail: z.string().optional(),
  subjects: z.int().meta({ description: 'identities and roles that it is true of' }),
  examples: texts,
});

export type NotEvaluated = z.infer<typeof notEvaluatedSchema>;

/** What both answers say beside their rows. */
export const groundsSchema = z.object({
  at: z.string(),
  known: z
    .object({ policies: z.int(), groups: z.int(), roles: z.int(), entities: z.int(), live_tokens: z.int() })
    .meta({ description: 'how many of each are known at that time' }),
  facts: z.array(citedSchema),
  not_evaluated: z.array(notEvaluatedSchema).meta({
    description: 'whoever is named here may be able to read although no row says so',
  }),
});
export type Grounds = z.infer<typeof groundsSchema>;

export const accessSchema = groundsSchema.extend({
  cluster: z.string(),
  namespace: z.string(),
  path: z.string(),
  capability: z.literal('read'),
  could: z
    .array(couldRowSchema)
    .optional()
    .meta({ description: 'absent when no policy is known: then nothing can be said' }),
  limits: texts,
  complete: z.boolean().meta({ description: 'nothing was cut and everything could be evaluated' }),
});
export type AccessAnswer = z.infer<typeof accessSchema>;
