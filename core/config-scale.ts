// Settings of what one process cannot carry: the stream on Kafka, the evidence in Elasticsearch, stages that run alone.

import { z } from 'zod';

/** A list, or a text with commas: a variable can carry the second. */
const list = (item: z.ZodType<string>) =>
  z.preprocess(
    (value) => (typeof value === 'string' ? value.split(',').map((part) => part.trim()) : value),
    z.array(item).min(1).max(64),
  );

const file = z.string().min(1);
const count = (min: number, max: number) => z.coerce.number().int().min(min).max(max);
const flag = z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')]);

/** How sealwatch shows Kafka who it is. */
export type SaslSettings =
  | { mechanism: 'scram-sha-256' | 'scram-sha-512' | 'plain'; username: string; passwordFile: string }
  | { mechanism: 'oauthbearer'; tokenFile: string };

/** Flat, so that variables can carry it; undefined without a mechanism. */
const sasl = z
  .strictObject({
    mechanism: z.enum(['scram-sha-256', 'scram-sha-512', 'plain', 'oauthbearer']).optional(),
    username: z.string().min(1).optional(),
    passwordFile: file.optional().describe('file that holds the password'),
    tokenFile: file.optional().describe('file that holds the token; read again before each login'),
  })
  .prefault({})
  .transform(({ mechanism, username, passwordFile, tokenFile }, context): SaslSettings | undefined => {
    const password = username !== undefined || passwordFile !== undefined;
    if (mechanism === undefined && !password && tokenFile === undefined) return undefined;
    if (mechanism === 'oauthbearer' && tokenFile !== undefined && !password) return { mechanism, tokenFile };
    if (mechanism !== undefined && mechanism !== 'oauthbearer' && tokenFile === undefined)
      if (username !== undefined && passwordFile !== undefined) return { mechanism, username, passwordFile };
    context.addIssue('oauthbearer needs tokenFile alone, every other mechanism username and passwordFile');
    return z.NEVER;
  });

export const kafkaSettings = z.strictObject({
  brokers: list(z.string().regex(/^[^\s,]+:\d{1,5}$/, 'must be host:port'))
    .default(['127.0.0.1:9092'])
    .describe('brokers to begin with, host:port, with commas between them'),
  clientId: z.string().min(1).max(249).default('sealwatch'),
  prefix: z
    .string()
    .regex(/^[a-zA-Z0-9._-]{0,100}$/)
    .default('')
    .describe('stands before each topic and group, for a Kafka that several sealwatches share'),
  replicationFactor: count(1, 32)
    .optional()
    .describe("of the topics that `doctor --fix` makes; the broker's default without it"),
  tls: z
    .strictObject({
      enabled: flag.default(false),
      caFile: file.optional(),
      certFile: file.optional(),
      keyFile: file.optional(),
    })
    .prefault({})
    .refine(({ certFile, keyFile }) => (certFile === undefined) === (keyFile === undefined), {
      message: 'certFile and keyFile belong together',
    })
    .refine(({ enabled, caFile, certFile }) => enabled || (caFile === undefined && certFile === undefined), {
      message: 'files of TLS are set, but enabled is not: nothing would be encrypted',
    }),
  sasl: sasl.describe('how sealwatch shows who it is'),
});
export type KafkaSettings = z.output<typeof kafkaSettings>;

/** Addresses are shown in logs and by doctor. */
const node = z
  .url({ protocol: /^https?$/ })
  .refine((address) => !address.includes('@'), 'must hold no login: name files for it');

export const elasticsearchSettings = z
  .strictObject({
    nodes: list(node).default(['http://127.0.0.1:9200']).describe('addresses, with commas between them'),
    prefix: z
      .string()
      .regex(/^[a-z0-9][a-z0-9._-]{0,100}$/, 'must be small letters, digits, dots, hyphens')
      .default('sealwatch')
      .describe('stands before each index and template'),
    apiKeyFile: file.optional().describe('file that holds the API key, in its encoded form'),
    username: z.string().min(1).optional(),
    passwordFile: file.optional(),
    caFile: file.optional().describe('certificates of the authority that signed those of the nodes'),
    shards: count(1, 64).default(1).describe('primary shards of each index of a day'),
    replicas: count(0, 8).default(1).describe('copies of each shard'),
  })
  .refine(({ username, passwordFile }) => (username === undefined) === (passwordFile === undefined), {
    message: 'username and passwordFile belong together',
  })
  .refine(({ apiKeyFile, username }) => apiKeyFile === undefined || username === undefined, {
    message: 'either apiKeyFile or username and passwordFile',
  });
export type ElasticsearchSettings = z.output<typeof elasticsearchSettings>;

/** Where a stage that runs alone tells of its health and its numbers. */
export const stageSettings = z.strictObject({
  host: z.string().default('127.0.0.1'),
  port: count(0, 65_535)
    .optional()
    .describe('/healthz, /readyz and /metrics of a stage that runs alone; 0 is any free port'),
});
