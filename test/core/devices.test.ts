// Which inputs the configuration takes, which it refuses and with what words, and what their lines can prove.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { configuredDevices, inputsOf, loadConfig } from '../../core/config.ts';
import { isLoopback } from '../../core/devices.ts';

const folder = mkdtempSync(join(tmpdir(), 'sealwatch-devices-'));
afterAll(() => rmSync(folder, { recursive: true }));

function load(tree: Record<string, unknown>) {
  const file = join(folder, 'sealwatch.yaml');
  writeFileSync(file, stringify(tree));
  return loadConfig({}, file);
}
const withDevices = (...devices: object[]) => load({ tcp: { enabled: false }, devices });

const server = { certFile: 'a.crt', keyFile: 'a.key' };
const mutual = { ...server, caFile: 'ca.crt' };
const lan = ['10.0.0.0/8', '2001:db8::/32'];
const tcp = { type: 'tcp', device: 'a', port: 8331 };
const udp = { ...tcp, type: 'udp' };
const http = { ...tcp, type: 'http', tokenFile: 'token' };
const syslog = { ...tcp, type: 'syslog' };

describe('what is taken, and what its lines prove', () => {
  test.each<[name: string, input: object, origin: string]>([
    ['TCP on this host', tcp, 'local'],
    ['TCP on this host with TLS', { ...tcp, tls: server }, 'verified'],
    ['TCP by mutual TLS', { ...tcp, host: '0.0.0.0', tls: mutual }, 'verified'],
    ['TCP by mutual TLS from listed addresses', { ...tcp, host: '::', tls: mutual, allow: lan }, 'verified'],
    [
      'plain TCP from listed addresses',
      { ...tcp, host: '10.0.0.2', allowPlain: true, allow: lan },
      'unverified',
    ],
    ['UDP on this host', udp, 'unprovable'],
    ['UDP from listed addresses', { ...udp, host: '0.0.0.0', allowPlain: true, allow: lan }, 'unprovable'],
    ['HTTP on this host', http, 'local'],
    ['HTTP by TLS, with the token alone', { ...http, host: '0.0.0.0', tls: server }, 'verified'],
    ['HTTP by mutual TLS', { ...http, host: '0.0.0.0', tls: mutual, allow: lan }, 'verified'],
    ['a Unix socket', { type: 'unix', device: 'a', path: '/run/a.sock' }, 'local'],
    ['a file', { type: 'file', device: 'a', path: '/var/log/a.log' }, 'local'],
    ['names of nodes', { ...tcp, nodes: { '10.0.0.1': 'vault-1', '2001:db8::1': 'vault-2' } }, 'local'],
  ])('%s', (_, input, origin) => {
    const config = withDevices(input);
    expect(configuredDevices(config)).toMatchObject([{ name: 'a', cluster: 'vault', origin }]);
  });

  test('the ready-made tcp device takes the same options', () => {
    const config = load({
      tcp: { host: '0.0.0.0', tls: mutual, allow: lan, nodes: { '10.0.0.1': 'vault-1' } },
    });
    expect(inputsOf(config)).toMatchObject([
      {
        type: 'tcp',
        device: 'tcp',
        host: '0.0.0.0',
        tls: mutual,
        allow: lan,
        nodes: { '10.0.0.1': 'vault-1' },
      },
    ]);
  });

  test('nodes of one device are one device, as unsure as the least sure of them', () => {
    const config = withDevices(
      { ...tcp, node: 'vault-1' },
      { ...tcp, node: 'vault-2', port: 8332, host: '10.0.0.2', allowPlain: true, allow: lan },
    );
    expect(configuredDevices(config)).toMatchObject([{ name: 'a', origin: 'unverified' }]);
  });

  test('a UDP and a TCP input may have one port number', () => {
    expect(inputsOf(withDevices(tcp, { ...udp, device: 'b' }))).toHaveLength(2);
  });
});

describe('what is refused', () => {
  const beyond = 'beyond this host';
  test.each<[name: string, inputs: object[], message: string]>([
    [
      'plain TCP beyond this host',
      [{ ...tcp, host: '0.0.0.0' }],
      `${beyond} set \`tls\`, or \`allowPlain: true\` with \`allow\``,
    ],
    ['plain TCP on all of IPv6', [{ ...tcp, host: '::' }], `${beyond} set \`tls\``],
    ['plain TCP by a name', [{ ...tcp, host: 'vault.example' }], `${beyond} set \`tls\``],
    [
      'plain TCP from anywhere',
      [{ ...tcp, host: '0.0.0.0', allowPlain: true }],
      '`allowPlain` needs `allow`',
    ],
    [
      'TLS that is not mutual',
      [{ ...tcp, host: '0.0.0.0', tls: server }],
      `${beyond} TLS must be mutual: set tls.caFile`,
    ],
    [
      'the same with allowPlain',
      [{ ...tcp, host: '0.0.0.0', tls: server, allowPlain: true, allow: lan }],
      'must be mutual',
    ],
    ['UDP beyond this host', [{ ...udp, host: '0.0.0.0' }], 'UDP has no TLS'],
    ['UDP from anywhere', [{ ...udp, host: '0.0.0.0', allowPlain: true }], '`allowPlain` needs `allow`'],
    ['UDP with TLS', [{ ...udp, tls: mutual }], 'tls'],
    [
      'plain HTTP beyond this host',
      [{ ...http, host: '0.0.0.0', allow: lan }],
      `${beyond} set \`tls\`: the bearer token would be readable`,
    ],
    ['plain HTTP though allowed', [{ ...http, host: '0.0.0.0', allowPlain: true, allow: lan }], 'allowPlain'],
    ['HTTP without a token', [{ ...tcp, type: 'http' }], 'tokenFile'],
    ['an HTTP wait that OpenBao would feel', [{ ...http, httpDurableWaitMs: 2001 }], 'httpDurableWaitMs'],
    ['plain syslog beyond this host', [{ ...syslog, host: '0.0.0.0' }], `${beyond} set \`tls\``],
    ['TLS without a key', [{ ...tcp, tls: { certFile: 'a' } }], 'tls.keyFile'],
    ['an address that is no range', [{ ...tcp, allow: ['10.0.0.1'] }], 'an address range such as 10.0.0.0/8'],
    ['a range of too many bits', [{ ...tcp, allow: ['10.0.0.0/33'] }], 'devices.0.allow.0'],
    ['a node of no address', [{ ...tcp, nodes: { 'vault.example': 'vault-1' } }], 'devices.0.nodes'],
    ['a node of no name', [{ ...tcp, nodes: { '10.0.0.1': 'a b' } }], 'devices.0.nodes.10.0.0.1'],
    ['a device of no name', [{ ...tcp, device: 'a@b' }], 'devices.0.device'],
    ['a type that there is not', [{ ...tcp, type: 'quic' }], 'devices.0.type'],
    ['no port', [{ type: 'tcp', device: 'a' }], 'devices.0.port'],
    ['a key that there is not', [{ ...tcp, allow_plain: true }], 'allow_plain'],
    ['a file with a port', [{ type: 'file', device: 'a', path: '/a', port: 1 }], 'port'],
    ['two inputs of one name', [tcp, { ...tcp, port: 8332 }], 'two inputs are called a'],
    [
      'one port for two',
      [tcp, { ...http, device: 'b' }],
      'a and b are both read at TCP port 8331 of 127.0.0.1',
    ],
    [
      'one file for two',
      ['a', 'b'].map((device) => ({ type: 'file', device, path: '/x' })),
      'a and b are both read at /x',
    ],
    [
      'one device in two clusters',
      [
        { ...tcp, node: '1' },
        { ...tcp, node: '2', port: 1, cluster: 'eu' },
      ],
      'the device a stands in two clusters',
    ],
  ])('%s', (_, inputs, message) => {
    expect(() => withDevices(...inputs)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }) as Error,
    );
    expect(() => withDevices(...inputs)).toThrow(message);
  });

  test('the ready-made tcp device beyond this host, by a variable', () => {
    expect(() => loadConfig({ SEALWATCH_TCP_HOST: '0.0.0.0' })).toThrow(`tcp: ${beyond} set \`tls\``);
  });
});

test.each([
  ['127.0.0.1', true],
  ['127.8.8.8', true],
  ['::1', true],
  ['::ffff:127.0.0.1', true],
  ['localhost', true],
  ['0.0.0.0', false],
  ['::', false],
  ['10.127.0.0', false],
  ['127.0.0.1.example.org', false],
  ['localhost.example.org', false],
  ['', false],
])('only this host can send to %s: %s', (host, only) => expect(isLoopback(host)).toBe(only));
