// The configured inputs: can they be read, is what they take trustworthy, and can Vault always write one device.

import { createSocket } from 'node:dgram';
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { BlockList, connect, createServer, isIP, type NetConnectOpts } from 'node:net';
import { dirname } from 'node:path';
import { type Config, configuredDevices, inputsOf } from '../../core/config.ts';
import { type Device, type Input, type InputOf, inputId, originOf } from '../../core/devices.ts';
import { systemCode } from '../../core/errors.ts';
import { checkSecret, checkTls } from './files.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

/** `isRunning`: whether a sealwatch of this configuration holds the addresses. */
export async function checkInputs(config: Config, isRunning: boolean, nowMs: number): Promise<Finding[]> {
  const inputs = inputsOf(config);
  const each = await Promise.all(inputs.map((input) => checkInput(input, isRunning, nowMs)));
  return [...checkClusters(configuredDevices(config)), ...each.flat(), ...checkTcpAlone(inputs)];
}

/** Vault serves a request only when a device has taken it: each cluster needs one that no frozen reader can hold up. */
export function checkClusters(devices: readonly Device[]): Finding[] {
  if (devices.length === 0)
    return [fail('no audit device is configured', 'Set SEALWATCH_FILE_PATH to the file of a file device.')];
  return [...new Set(devices.map(({ cluster }) => cluster))].flatMap((cluster) => {
    const own = devices.filter((device) => device.cluster === cluster);
    if (own.some((device) => device.isFile)) return [];
    return [
      fail(
        `a socket would be the only device of the cluster ${cluster}: a frozen host stalls Vault, and nothing fills gaps`,
        own.length === devices.length
          ? 'Enable a file device in Vault and set SEALWATCH_FILE_PATH to its file.'
          : `Enable a file device in that Vault and add it to \`devices\` with type file and cluster ${cluster}.`,
      ),
    ];
  });
}

function checkTcpAlone(inputs: readonly Input[]): Finding[] {
  const has = (...types: Input['type'][]) => inputs.some(({ type }) => types.includes(type));
  if (has('tcp') && !has('unix'))
    return [
      warn(
        'a TCP socket loses a line at each restart',
        'On the same host use SEALWATCH_UNIX_PATH: a Unix socket loses none.',
      ),
    ];
  return has('tcp', 'unix', 'udp', 'http', 'syslog')
    ? []
    : [ok('file device only: alerts come a little later')];
}

async function checkInput(input: Input, isRunning: boolean, nowMs: number): Promise<Finding[]> {
  const name = inputId(input);
  if (input.type === 'file') return [checkFile(name, input.path)];
  if (input.type === 'unix') return [await checkUnix(name, input.path, isRunning)];
  const bound = input.port === undefined || input.port === 0 ? [] : [await checkPort(name, input, isRunning)];
  const tls = 'tls' in input && input.tls !== undefined ? checkTls(name, input.tls, nowMs) : [];
  const token = input.type === 'http' ? [checkSecret(`the bearer token of ${name}`, input.tokenFile)] : [];
  return [...bound, ...tls, ...token, ...checkOrigin(name, input), ...checkAllowed(name, input)];
}

function checkFile(name: string, path: string): Finding {
  try {
    accessSync(path, constants.R_OK);
    return ok(`audit file ${path} of ${name}`);
  } catch {
    return fail(
      `the audit file ${path} of ${name} cannot be read`,
      'Vault writes it with mode 0600: run sealwatch as the same group and enable the device with mode=0640.',
    );
  }
}

async function checkUnix(name: string, path: string, isRunning: boolean): Promise<Finding> {
  if (isRunning) {
    if (!(await connects({ path })))
      return fail(
        `nothing listens on ${path} of ${name}`,
        'Give doctor the same configuration as the running sealwatch.',
      );
    const isOpen = (statSync(path).mode & 0o002) !== 0;
    return isOpen
      ? warn(`anybody on this host can write to ${path}`, `chmod o-rw ${path}`)
      : ok(`${name} listens on ${path}`);
  }
  const folder = dirname(path);
  try {
    accessSync(folder, constants.W_OK);
  } catch {
    return fail(
      `the socket ${path} cannot be made: ${folder} is missing or not writable`,
      `Make ${folder} for this user.`,
    );
  }
  return existsSync(path) && (await connects({ path }))
    ? fail(`another program listens on ${path} of ${name}`, 'End it, or set another path.')
    : ok(`${path} of ${name} is free`);
}

type Open = InputOf<'tcp'> | InputOf<'udp'> | InputOf<'http'> | InputOf<'syslog'>;

/** A listener is found by trying to take its address: connecting to it would count as a sender that is refused. */
async function checkPort(name: string, input: Open, isRunning: boolean): Promise<Finding> {
  const { host, port = 0 } = input;
  const at = `${host}:${port}`;
  const fault = input.type === 'udp' ? await takesUdp(host, port) : await takesTcp(host, port);
  if (fault === 'EADDRINUSE')
    return isRunning
      ? ok(`${name} listens on ${at}`)
      : fail(
          `another program listens on ${at} of ${name}`,
          '`ss -lntup` shows which: end it, or set another port.',
        );
  if (fault !== undefined)
    return fail(
      `${name} cannot listen on ${at} (${fault})`,
      'The host must be an address of this machine, the port above 1023.',
    );
  return isRunning
    ? fail(
        `nothing listens on ${at} of ${name}`,
        'Give doctor the same configuration as the running sealwatch.',
      )
    : ok(`${at} of ${name} is free`);
}

/** The system's reason why `host:port` cannot be listened on; undefined when it can. */
function takesTcp(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) => resolve(systemCode(error) ?? 'failed'));
    server.listen({ host, port }, () => server.close(() => resolve(undefined)));
  });
}

function takesUdp(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(isIP(host) === 6 ? 'udp6' : 'udp4');
    socket.once('error', (error) => resolve(systemCode(error) ?? 'failed'));
    socket.bind(port, host, () => socket.close(() => resolve(undefined)));
  });
}

export function connects(where: { path: string } | { host: string; port: number }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ ...where, timeout: 2_000 } as NetConnectOpts);
    const done = (result: boolean) => {
      socket.destroy();
      resolve(result);
    };
    socket
      .once('connect', () => done(true))
      .once('error', () => done(false))
      .once('timeout', () => done(false));
  });
}

function checkOrigin(name: string, input: Open): Finding[] {
  const origin = originOf(input);
  if (origin === 'unverified')
    return [
      warn(
        `origin unverified: ${name} takes lines from other hosts without TLS`,
        'Whoever holds an allowed address can write lines: set `tls` with a caFile, and allowPlain to false.',
      ),
    ];
  if (origin === 'unprovable')
    return [
      warn(
        `unprovable: any sender can claim any address on ${name}, and UDP loses lines unseen`,
        'Use a Unix socket or TCP with TLS; keep the file device beside it.',
      ),
    ];
  return [];
}

/** Ranges that take everybody in, and nodes that the ranges leave out. */
function checkAllowed(name: string, { allow, nodes }: Open): Finding[] {
  const everybody = allow.filter((range) => range.endsWith('/0'));
  const list = new BlockList();
  for (const range of allow) {
    const [address = '', bits = ''] = range.split('/');
    list.addSubnet(address, Number(bits), familyOf(address));
  }
  const left = Object.keys(nodes).filter(
    (address) => allow.length > 0 && !list.check(address, familyOf(address)),
  );
  return [
    ...everybody.map((range) =>
      warn(`${name} allows every address (${range})`, 'List the addresses of the Vault nodes.'),
    ),
    ...left.map((address) => warn(`${name} refuses its own node ${address}`, 'Add its range to `allow`.')),
  ];
}

const familyOf = (address: string) => (isIP(address) === 6 ? 'ipv6' : 'ipv4');
