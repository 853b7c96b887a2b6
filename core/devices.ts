// Vault's audit devices and where sealwatch reads them: one schema for all inputs, and what a device's lines can prove.
//
// A device is what Vault calls one: it has a salt of its own. An input is one place where its lines come in; a file device
// has one input per node.

import { z } from 'zod';

const port = z.coerce.number().int().min(0).max(65_535);
const flag = z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')]);
const file = z.string().min(1).max(4096);
const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'letters, digits, `.`, `_` and `-`, at most 64');
const host = z.string().min(1).max(253);

const cidr = z.union([z.cidrv4(), z.cidrv6()], 'an address range such as 10.0.0.0/8');

const tls = z
  .strictObject({
    certFile: file.describe('certificate chain of this listener, PEM'),
    keyFile: file.describe('its key, PEM'),
    caFile: file
      .optional()
      .describe('authority that signs the certificates of the senders; makes the TLS mutual'),
  })
  .describe('TLS of the listener');

/** Path under which Vault knows the device: `vault audit list` shows it. */
export const auditPath = z
  .string()
  .regex(/^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*\/?$/, 'a path as `vault audit list` shows it')
  .max(256)
  .transform((path) => path.replace(/\/$/, ''))
  .optional()
  .describe('path under which Vault knows the device');

/** What every input says. */
const common = {
  auditPath,
  device: name.describe(
    'name of the audit device; inputs of one name are nodes of one device, with one salt',
  ),
  cluster: name.optional().describe('cluster that the device belongs to; else that of the configuration'),
  node: name.optional().describe('Vault node whose lines come here, when they are of one node only'),
  filtered: flag
    .optional()
    .describe('the device has a `filter`: what it does not show is no gap of it (Vault Enterprise)'),
  quotaMiB: z.coerce
    .number()
    .int()
    .min(1)
    .optional()
    .describe('most that lines of this input may take of the spool on disk'),
};
/** What every input says that anybody may be able to reach. */
const open = {
  allow: z.array(cidr).max(1000).default([]).describe('addresses that may send; none listed means any'),
  nodes: z
    .record(z.union([z.ipv4(), z.ipv6()]), name)
    .default({})
    .describe('names of the Vault nodes by their address'),
};
const plain = flag.default(false).describe('take lines from other hosts without TLS; needs `allow`');

/** The inputs that may be listed under `devices`. */
const shapes = {
  tcp: { host: host.default('127.0.0.1'), port, tls: tls.optional(), allowPlain: plain, ...open },
  unix: { path: z.string().min(1).max(100) },
  udp: { host: host.default('127.0.0.1'), port, allowPlain: plain, ...open },
  http: {
    host: host.default('127.0.0.1'),
    port,
    tls: tls.optional(),
    tokenFile: file.describe('file with the bearer token that OpenBao sends'),
    httpDurableWaitMs: z.coerce.number().int().min(0).max(2_000).default(200),
    ...open,
  },
  syslog: {
    host: host.default('127.0.0.1'),
    port: port.optional(),
    fd: z.coerce
      .number()
      .int()
      .min(3)
      .max(1023)
      .optional()
      .describe('Unix datagram socket that systemd hands over'),
    tls: tls.optional(),
    allowPlain: plain,
    ...open,
  },
  file: { path: file },
};

const entry = <T extends keyof typeof shapes>(type: T) =>
  z.strictObject({ type: z.literal(type), ...common, ...shapes[type] });

export const deviceSchema = z
  .discriminatedUnion('type', [
    entry('tcp').superRefine(reachable),
    entry('unix'),
    entry('udp').superRefine(reachable),
    entry('http').superRefine(reachable),
    entry('syslog')
      .superRefine(reachable)
      .refine(
        (input) => (input.port === undefined) !== (input.fd === undefined),
        'a syslog input has either `port` or `fd`',
      ),
    entry('file'),
  ])
  .describe('an audit device that is read beside `tcp`, `unix` and `file`');

/** The parts of an input that can be set for the ready-made `tcp` device, beside its address. */
export const tcpOptions = { auditPath, tls: shapes.tcp.tls, allowPlain: shapes.tcp.allowPlain, ...open };

export type Input = z.output<typeof deviceSchema>;
export type InputOf<T extends Input['type']> = Extract<Input, { type: T }>;
export type Tls = z.output<typeof tls>;

/** `127.0.0.0/8`, `::1` and `localhost`: only this host can send there. */
export const isLoopback = (address: string): boolean =>
  address === 'localhost' || address === '::1' || /^(::ffff:)?127(\.\d{1,3}){3}$/.test(address);

interface Reachable {
  type?: string | undefined;
  host: string;
  tls?: Tls | undefined;
  allowPlain?: boolean | undefined;
  allow: string[];
}

/** Beyond this host lines come by mutual TLS, or plain from listed addresses and then marked as of unverified origin. */
export function reachable(input: Reachable, context: z.RefinementCtx): void {
  const say = (message: string) => context.addIssue({ code: 'custom', message });
  if (isLoopback(input.host)) return;
  if (input.tls !== undefined) {
    // OpenBao's HTTP device shows a bearer token and no certificate.
    if (input.type !== 'http' && input.tls.caFile === undefined)
      say('beyond this host TLS must be mutual: set tls.caFile');
    return;
  }
  if (input.type === 'http') say('beyond this host set `tls`: the bearer token would be readable');
  else if (input.type === 'udp' && input.allowPlain !== true)
    say('UDP has no TLS: beyond this host set `allowPlain: true` with `allow`, or use tcp');
  else if (input.allowPlain !== true) say('beyond this host set `tls`, or `allowPlain: true` with `allow`');
  else if (input.allow.length === 0) say('`allowPlain` needs `allow`, the addresses that may send');
}

/** How sure it is that Vault wrote what came on a device. */
export type Origin = 'local' | 'verified' | 'unverified' | 'unprovable' | 'recorded';

export function originOf(input: Input): Origin {
  if (input.type === 'udp') return 'unprovable';
  if (input.type === 'unix' || input.type === 'file' || (input.type === 'syslog' && input.fd !== undefined))
    return 'local';
  if (input.tls !== undefined) return 'verified';
  return isLoopback(input.host) ? 'local' : 'unverified';
}

/** A device as the stages behind the collector know it. */
export interface Device {
  name: string;
  /** Path under which Vault knows it (`sys/audit-hash/PATH`), when the configuration says it: see `auditDevices`. */
  auditPath?: string;
  cluster: string;
  origin: Origin;
  /** A file keeps what a socket may have lost: a call that is not in it is missing there for good. */
  isFile: boolean;
  /** Lines of several Vault nodes come on it: more than one of them may show the same call. */
  hasManyNodes?: boolean;
  /** It has a filter: what it does not show is no gap of it. */
  isFiltered?: boolean;
}

/** The devices of `inputs`, each once, in order of rank. */
export function devicesOf(inputs: readonly Input[], cluster: string): Device[] {
  const devices = new Map<string, Device>();
  for (const input of inputs) {
    const known = devices.get(input.device);
    const origin = originOf(input);
    const isShared = 'nodes' in input && new Set(Object.values(input.nodes)).size > 1;
    if (known === undefined) {
      devices.set(input.device, {
        name: input.device,
        ...(input.auditPath !== undefined && { auditPath: input.auditPath }),
        cluster: input.cluster ?? cluster,
        origin,
        isFile: input.type === 'file',
        ...(isShared && { hasManyNodes: true }),
        ...(input.filtered === true && { isFiltered: true }),
      });
      continue;
    }
    known.hasManyNodes = true;
    if (weakness.indexOf(origin) > weakness.indexOf(known.origin)) known.origin = origin;
  }
  return [...devices.values()];
}

/** What `sys/audit-hash` needs: the devices in order of rank, and the path under which Vault knows each. */
export function auditDevices(devices: readonly Device[]): {
  ranks: string[];
  auditPathOf: (device: string) => string;
} {
  const paths = new Map(
    devices.map(({ name, auditPath, isFile, origin }) => [
      name,
      auditPath ?? (isFile || origin === 'recorded' ? 'file' : 'sealwatch'),
    ]),
  );
  return { ranks: [...paths.keys()], auditPathOf: (device) => paths.get(device) ?? device };
}

const weakness: Origin[] = ['recorded', 'local', 'verified', 'unverified', 'unprovable'];

/** Where an input is read; no two can be read in one place. Undefined for a free port or a socket that is handed over. */
export function placeOf(input: Input): string | undefined {
  if (input.type === 'file' || input.type === 'unix') return input.path;
  if (input.port === undefined || input.port === 0) return undefined;
  return `${input.type === 'udp' ? 'UDP' : 'TCP'} port ${input.port} of ${input.host}`;
}

/** Names an input among all: its device, and its node when it has one. */
export const inputId = ({ device, node }: Pick<Input, 'device' | 'node'>): string =>
  node === undefined ? device : `${device}@${node}`;

/** The device of an `inputId`: no name holds an `@`. */
export const deviceOfInput = (id: string): string => id.split('@', 1)[0] as string;

/** A device whose lines come from a recorded log: which of Vault's it was is not known; most are of a file device. */
export const recordedDevice = (name: string, cluster = 'vault', auditPath?: string): Device => ({
  name,
  cluster,
  origin: 'recorded',
  isFile: false,
  ...(auditPath !== undefined && { auditPath }),
});
