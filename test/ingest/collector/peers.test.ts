// Who may send, which node it is, and whose limits it counts for, for every way of writing an address.

import { describe, expect, test } from 'vitest';
import { limits } from '../../../core/limits.ts';
import { Intake } from '../../../ingest/collector/intake.ts';
import { Peers, type PeersOptions, peerOf } from '../../../ingest/collector/peers.ts';
import { Redactor } from '../../../ingest/collector/redact.ts';
import { MemorySpool } from './spool.ts';

function peersOf(input: Omit<PeersOptions, 'device'>) {
  const spool = new MemorySpool(1);
  const intake = new Intake(spool, new Redactor(Buffer.alloc(32)));
  const peers = new Peers({ device: 'd', ...input }, intake);
  const nodeOf = (address?: string) => {
    intake.line(peers.source(address), Buffer.from('x'), 0, 1, 0);
    return spool.lines().at(-1)?.head.node;
  };
  return { peers, nodeOf };
}

describe('who may send', () => {
  test.each([
    ['10.0.0.0/8', '10.255.0.1', true],
    ['10.0.0.0/8', '11.0.0.1', false],
    ['10.0.0.0/8', '::ffff:10.1.2.3', true],
    ['10.0.0.0/8', '::ffff:11.1.2.3', false],
    ['10.1.2.3/32', '10.1.2.4', false],
    ['0.0.0.0/0', '203.0.113.9', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['::ffff:10.0.0.0/104', '10.9.9.9', true],
    ['::ffff:10.0.0.0/104', '::ffff:10.9.9.9', true],
    ['2001:db8::/32', '2001:db8:1::1', true],
    ['2001:db8::/32', '2001:db9::1', false],
    ['fe80::/10', 'fe80::1%eth0', true],
    ['::/0', '2001:db8::1', true],
    ['10.0.0.0/8', '', false],
    ['10.0.0.0/8', 'not an address', false],
  ])('of %s, %s: %s', (range, address, may) => {
    expect(peersOf({ allow: ['192.0.2.0/24', range] }).peers.mayBe(address)).toBe(may);
  });

  test('without a list everybody may', () => {
    expect(peersOf({ allow: [] }).peers.mayBe('203.0.113.9')).toBe(true);
    expect(peersOf({}).peers.mayBe('2001:db8::1')).toBe(true);
  });
});

describe('the node of a line', () => {
  const nodes = { '10.0.0.1': 'vault-1', '2001:DB8:0::2': 'vault-2', '127.0.0.1': 'sidecar' };

  test.each([
    ['the name that the address has', '10.0.0.1', 'vault-1'],
    ['the same in the guise of IPv6', '::ffff:10.0.0.1', 'vault-1'],
    ['the same, spelt otherwise', '2001:db8::2', 'vault-2'],
    ['the address, when it has no name', '10.0.0.9', '10.0.0.9'],
    ['the address without its guise', '::ffff:10.0.0.9', '10.0.0.9'],
    ['a name for this host', '127.0.0.1', 'sidecar'],
    ['nothing for this host without a name', '127.0.0.2', undefined],
    ['nothing for this host by IPv6', '::1', undefined],
    ['nothing for a Unix socket', undefined, undefined],
  ])('is %s', (_, address, node) => {
    expect(peersOf({ nodes }).nodeOf(address)).toBe(node);
  });

  test('is what the input says, whatever the address', () => {
    const { nodeOf } = peersOf({ node: 'own', nodes });
    expect([nodeOf('10.0.0.1'), nodeOf('10.0.0.9'), nodeOf()]).toEqual(['own', 'own', 'own']);
  });

  test('is made once for an address; many addresses cost no more memory, and the ones in use stay', () => {
    const { peers } = peersOf({});
    const first = peers.source('10.0.0.1');
    expect(peers.source('::ffff:10.0.0.1')).toBe(first);
    for (let i = 0; i < 3 * limits.sourcesMax; i++) {
      peers.source(`10.${1 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}`);
      if (i % 500 === 0) expect(peers.source('10.0.0.1')).toBe(first);
    }
    expect(peers.size).toBe(limits.sourcesMax);
  });
});

test('the limits of an address: this host is one, so is an IPv6 network of /64', () => {
  const one = (addresses: string[]) => new Set(addresses.map(peerOf)).size;
  expect(one(['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1', ''])).toBe(1);
  expect(one(['10.0.0.1', '::ffff:10.0.0.1'])).toBe(1);
  expect(one(['10.0.0.1', '10.0.0.2'])).toBe(2);
  expect(one(['2001:db8:0:1::1', '2001:db8:0:1:ffff:ffff:ffff:ffff', '2001:db8:0:1::2%eth0'])).toBe(1);
  expect(one(['2001:db8:0:1::1', '2001:db8:0:2::1', '2001:db8::1', '::2'])).toBe(4);
});
