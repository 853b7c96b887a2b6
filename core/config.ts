// Configuration: YAML and SEALWATCH_* variables, checked as one; every unknown key is refused.

import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse, YAMLParseError } from 'yaml';
import { z } from 'zod';
import { alertFilter } from './alert-filter.ts';
import { elasticsearchSettings, kafkaSettings, stageSettings } from './config-scale.ts';
import { vaultSettings } from './config-vault.ts';
import {
  auditPath,
  type Device,
  deviceSchema,
  devicesOf,
  type Input,
  inputId,
  placeOf,
  reachable,
  tcpOptions,
} from './devices.ts';
import { SealwatchError } from './errors.ts';
import { nearest } from './nearest.ts';
import type { StageName } from './records.ts';
import { isOddRef, REF_SHAPE, type SecretRef, secretRef } from './secret-ref.ts';

/** A file, or a reference to a secret in Vault. */
const secret = z
  .string()
  .min(1)
  .refine((text) => !isOddRef(text), REF_SHAPE);

const port = z.coerce.number().int().min(0).max(65_535);
const flag = z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')]);
const count = (min: number, max: number) => z.coerce.number().int().min(min).max(max);

/** Which alerts an output takes; all without it. */
const alertMatch = z
  .record(z.string(), z.unknown())
  .superRefine((match, context) => {
    try {
      alertFilter(match);
    } catch (error) {
      context.addIssue(error instanceof Error ? error.message : String(error));
    }
  })
  .optional();

/** Members of `data` that are no secrets, and that operators tune to be plain on purpose (vault-audit.md 4, Setup). */
export const plainKeysDefault = [
  'accessor',
  'secret_id_accessor',
  'lease_id',
  'role',
  'role_name',
  'type',
  'prefix',
  'path',
];

/** The whole of the configuration; `x.y` is also the variable `SEALWATCH_X_Y`. */
const settings = z.strictObject({
  cluster: z.string().min(1).max(128).default('vault').describe('name of the Vault cluster, on each event'),
  dataDir: z.string().min(1).default('data').describe('folder for everything sealwatch keeps'),
  partitions: count(1, 64).default(3).describe('partitions of the stream; fixed at the first start'),
  stream: z
    .enum(['embedded', 'kafka'])
    .default('embedded')
    .describe('where records travel; `kafka` carries what one process cannot'),
  evidence: z
    .enum(['embedded', 'elasticsearch'])
    .default('embedded')
    .describe('where events, leases and alerts are kept'),
  kafka: kafkaSettings.prefault({}).describe('with stream: kafka'),
  elasticsearch: elasticsearchSettings.prefault({}).describe('with evidence: elasticsearch'),
  stage: stageSettings.prefault({}).describe('a stage that runs alone'),
  logLevel: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace']).default('info'),
  api: z
    .strictObject({ host: z.string().default('127.0.0.1'), port: port.default(8320) })
    .prefault({})
    .describe('HTTP API and web page'),
  tcp: z
    .strictObject({
      enabled: flag.default(true),
      host: z.string().default('127.0.0.1'),
      port: port.default(8321),
      ...tcpOptions,
    })
    .superRefine(reachable)
    .prefault({})
    .describe('listener for a socket audit device, socket_type=tcp'),
  unix: z
    .strictObject({ path: z.string().min(1).max(100).optional(), auditPath })
    .prefault({})
    .describe('listener for a socket audit device, socket_type=unix'),
  file: z
    .strictObject({ path: z.string().min(1).optional(), auditPath })
    .prefault({})
    .describe('the file of a file audit device'),
  devices: z
    .array(deviceSchema)
    .max(64)
    .default([])
    .describe('further audit devices: other nodes, other clusters, UDP, HTTP, syslog'),
  scrub: z
    .strictObject({
      plainKeys: z
        .array(z.string().min(1).max(256))
        .max(1000)
        .default(plainKeysDefault)
        .describe('members of data that stay as they are where a device does not hash them'),
    })
    .prefault({}),
  time: z
    .strictObject({
      pairWaitSeconds: count(1, 3600).default(6).describe('how long a half waits for its other half'),
      allowedLatenessSeconds: count(0, 3600).default(3).describe('how far out of order a line may come'),
      dedupeSeconds: count(1, 3600)
        .default(120)
        .describe('how long a call that went out is remembered, to know a late copy of it'),
    })
    .prefault({})
    .refine(
      (time) => time.pairWaitSeconds > time.allowedLatenessSeconds,
      'pairWaitSeconds must be greater than allowedLatenessSeconds',
    ),
  callers: z
    .array(
      z
        .strictObject({
          mount: z.string().min(1).max(512).optional(),
          role: z.string().min(1).max(512).optional(),
          name: z.string().min(1).max(512).optional(),
          entity: z.string().min(1).max(128).optional(),
          kind: z.enum(['human', 'workload']),
        })
        .refine(
          ({ kind: _, ...who }) => Object.keys(who).length > 0,
          'say whom it is about: mount, role, name or entity',
        ),
    )
    .max(1000)
    .default([])
    .describe('who is a person and who a program, where metadata and display name do not tell'),
  retention: z
    .strictObject({
      streamHours: count(1, 24 * 365)
        .default(72)
        .describe('how long the stream keeps what is already indexed'),
      eventDays: count(1, 3660).default(400).describe('how long the evidence store keeps events'),
    })
    .prefault({}),
  rules: z
    .strictObject({
      dir: z
        .string()
        .min(1)
        .optional()
        .describe('a folder of Sigma rules of your own, beside the built-in ones'),
      lists: z
        .string()
        .min(1)
        .optional()
        .describe('a file with allow-list, maintenance windows, classes and thresholds'),
    })
    .prefault({})
    .describe('both are read again while sealwatch runs'),
  vault: vaultSettings
    .prefault({})
    .describe('the Vault to ask: a look-up each minute must come back on every device'),
  posture: z
    .strictObject({
      leaseMinutes: count(1, 60 * 24 * 3660)
        .default(60)
        .describe('longest lifetime that a lease should have'),
      tokenMinutes: count(1, 60 * 24 * 3660)
        .default(720)
        .describe('longest lifetime that a token should have'),
      staticTokenDays: count(1, 3660)
        .default(1)
        .describe('age past which a token that a token made counts as static'),
      rotationDays: count(1, 3660).default(90).describe('age past which a secret is overdue for rotation'),
    })
    .prefault({})
    .describe('what posture is held against'),
  outputs: z
    .strictObject({
      file: z
        .strictObject({ path: z.string().min(1).optional(), match: alertMatch })
        .prefault({})
        .describe('alerts as JSON lines; default alerts.jsonl in the data folder'),
      webhook: z
        .strictObject({
          url: z.url({ protocol: /^https?$/ }).optional(),
          secretFile: secret.optional(),
          match: alertMatch,
        })
        .prefault({})
        .refine(
          (hook) => hook.url === undefined || hook.secretFile !== undefined,
          'a webhook needs secretFile, the key that signs each call',
        ),
    })
    .prefault({}),
  keys: z
    .array(
      z.strictObject({
        name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/),
        role: z.enum(['auditor', 'analyst', 'responder', 'admin']),
        file: secret.describe('file that holds the key'),
      }),
    )
    .max(1000)
    .default([])
    .describe('API keys beside the admin key'),
});

const schema = settings.superRefine((config, context) => {
  if (secretRefsOf(config).length > 0 && config.vault.address === undefined)
    context.addIssue({ code: 'custom', path: ['vault'], message: 'a secret in Vault needs vault.address' });
  const say = (message: string) => context.addIssue({ code: 'custom', path: ['devices'], message });
  const inputs = inputsOf(config);
  const ids = new Set<string>();
  for (const input of inputs) {
    const id = inputId(input);
    if (ids.has(id)) say(`two inputs are called ${id}: give each a device of its own, or a node`);
    ids.add(id);
    const first = inputs.find(({ device }) => device === input.device);
    if (first !== undefined && (first.cluster ?? config.cluster) !== (input.cluster ?? config.cluster))
      say(`the device ${input.device} stands in two clusters`);
    const other = inputs.find((known) => placeOf(known) === placeOf(input));
    if (other !== input && placeOf(input) !== undefined && other !== undefined)
      say(`${inputId(other)} and ${id} are both read at ${placeOf(input)}`);
  }
});

export type Config = z.output<typeof settings>;

/** Everything that is read, in order of rank: files first, since they are what sockets are filled from. */
export function inputsOf({ tcp, unix, file, devices }: Config): Input[] {
  const ready: Input[] = [];
  if (file.path !== undefined) ready.push({ type: 'file', device: 'file', ...file, path: file.path });
  if (unix.path !== undefined) ready.push({ type: 'unix', device: 'unix', ...unix, path: unix.path });
  if (tcp.enabled) {
    const { enabled: _, ...options } = tcp;
    ready.push({ type: 'tcp', device: 'tcp', ...options });
  }
  const all = [...ready, ...devices];
  return [...all.filter(({ type }) => type === 'file'), ...all.filter(({ type }) => type !== 'file')];
}

/** The devices that are read, in order of rank; a call is whole when each of its cluster has shown it. */
export const configuredDevices = (config: Config): Device[] => devicesOf(inputsOf(config), config.cluster);

/** Own secrets that lie in Vault, each reference once. */
export function secretRefsOf({
  outputs,
  keys,
}: Pick<Config, 'outputs' | 'keys'>): (SecretRef & { ref: string })[] {
  const texts = new Set([outputs.webhook.secretFile ?? '', ...keys.map(({ file }) => file)]);
  return [...texts].flatMap((ref) => {
    const found = secretRef(ref);
    return found === undefined ? [] : [{ ref, ...found }];
  });
}

const PREFIX = 'SEALWATCH_';
/** Variables that are not part of the configuration itself. */
const otherVariables = new Set(['SEALWATCH_CONFIG', 'SEALWATCH_DEBUG']);

/** `apiPort` and `['api', 'port']` both become `API_PORT`. */
const variableName = (path: readonly string[]) =>
  PREFIX + path.map((key) => key.replace(/[A-Z]/g, (c) => `_${c}`).toUpperCase()).join('_');

/** A node of a zod schema: an object, what wraps one (`innerType`), or the begin of what is transformed (`in`). */
interface ZodNode {
  def?: { innerType?: ZodNode; in?: ZodNode; type?: string };
  shape?: Record<string, ZodNode>;
}

/** Each setting that a variable can carry: its path, by variable name. Lists come by YAML only. */
function variablePaths(): Map<string, string[]> {
  const paths = new Map<string, string[]>();
  const visit = (node: ZodNode, path: string[]) => {
    let inner = node as ZodNode;
    while (inner.shape === undefined && (inner.def?.innerType ?? inner.def?.in) !== undefined)
      inner = (inner.def?.innerType ?? inner.def?.in) as ZodNode;
    if (inner.shape !== undefined)
      for (const [key, child] of Object.entries(inner.shape)) visit(child, [...path, key]);
    else if (inner.def?.type !== 'array' && inner.def?.type !== 'record') paths.set(variableName(path), path);
  };
  visit(schema as ZodNode, []);
  return paths;
}

/** What stands behind the prefix is compared, in small letters: all have the prefix. */
function meantVariable(name: string, known: readonly string[]): string {
  const words = known.map((one) => one.slice(PREFIX.length).toLowerCase());
  const near = nearest(name.slice(PREFIX.length), words);
  return near === undefined ? '' : `Did you mean ${PREFIX}${near.toUpperCase()}? `;
}

/** Names of all variables that the configuration knows, for `--help` and the docs. */
export const configVariables = (): string[] => [...variablePaths().keys(), ...otherVariables];

/**
 * Reads the YAML at `file` (or `SEALWATCH_CONFIG`), lays `SEALWATCH_*` of `env` over it and checks the whole.
 * Throws SealwatchError CONFIG_UNREADABLE or CONFIG_INVALID, which name each wrong key.
 */
export function loadConfig(env: NodeJS.ProcessEnv = process.env, file = env['SEALWATCH_CONFIG']): Config {
  const tree = file === undefined || file === '' ? {} : readYaml(file);
  const paths = variablePaths();
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith(PREFIX) || otherVariables.has(name) || value === undefined || value === '') continue;
    const path = paths.get(name);
    if (path === undefined)
      throw new SealwatchError(
        'CONFIG_INVALID',
        `the variable ${name} is not known`,
        `${meantVariable(name, [...paths.keys()])}docs/operating/configuration.md lists all of them.`,
      );
    setIn(tree, path, value);
  }
  const result = schema.safeParse(tree);
  if (!result.success) {
    const faults = result.error.issues
      .map((issue) => `${issue.path.join('.') || 'config'}: ${issue.message}`)
      .join('; ');
    throw new SealwatchError(
      'CONFIG_INVALID',
      faults,
      'Mend the named keys; docs/operating/configuration.md lists all of them.',
    );
  }
  return { ...result.data, dataDir: resolve(result.data.dataDir) };
}

function readYaml(file: string): Record<string, unknown> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new SealwatchError(
      'CONFIG_UNREADABLE',
      `cannot read the config file ${file}`,
      'Check the path and its rights.',
      { cause: error },
    );
  }
  try {
    const tree: unknown = parse(text, { maxAliasCount: 20 }) ?? {};
    if (typeof tree === 'object' && !Array.isArray(tree)) return tree as Record<string, unknown>;
  } catch (error) {
    const where = error instanceof YAMLParseError ? error.message.split('\n')[0] : String(error);
    throw new SealwatchError('CONFIG_INVALID', `${file} is not YAML: ${where}`, 'Mend the named line.', {
      cause: error,
    });
  }
  throw new SealwatchError(
    'CONFIG_INVALID',
    `${file} does not hold a YAML mapping`,
    'It must look like `api: {port: 8320}`.',
  );
}

function setIn(tree: Record<string, unknown>, path: string[], value: string): void {
  let node = tree;
  for (const key of path.slice(0, -1)) {
    const next = node[key];
    const child = typeof next === 'object' && next !== null ? (next as Record<string, unknown>) : {};
    node[key] = child;
    node = child;
  }
  node[path.at(-1) as string] = value;
}

/** Files of the data folder, in one place so that no two parts pick the same name. */
export const dataFiles = (dataDir: string) => ({
  adminKey: join(dataDir, 'admin-key'),
  scrubKey: join(dataDir, 'scrub-key'),
  lock: join(dataDir, 'lock.db'),
  stream: join(dataDir, 'stream'),
  evidence: join(dataDir, 'evidence.db'),
  /** Names the spool of this data folder to those who read it from Kafka. */
  spoolId: join(dataDir, 'spool-id'),
  ledger: join(dataDir, 'ledger.db'),
  /** Folder of the detectors' memories, a file for each. */
  detectors: join(dataDir, 'detectors'),
  /** Folder of memories that have a log in Kafka. */
  replicas: join(dataDir, 'replicas'),
  alerts: join(dataDir, 'alerts.jsonl'),
  accessLog: join(dataDir, 'evidence-access.jsonl'),
  doctorLogins: join(dataDir, 'doctor-logins.jsonl'),
});

/** Held by a stage that runs alone on the data folder, beside other stages. */
export const stageLockFile = (dataDir: string, stage: StageName): string => join(dataDir, `lock-${stage}.db`);
