// Who sends to an input: whether it may, which Vault node it is, and whose limits it counts for.

import { BlockList, isIPv4, isIPv6, SocketAddress } from 'node:net';
import { type Input, isLoopback } from '../../core/devices.ts';
import { limits } from '../../core/limits.ts';
import type { LossReason } from '../../core/records.ts';
import type { LineSink, Source } from './intake.ts';
import { THIS_HOST } from './partial.ts';

/** What an input says about its senders. */
export interface PeersOptions extends Pick<Input, 'device' | 'node'> {
  allow?: readonly string[];
  nodes?: Readonly<Record<string, string>>;
}

export class Peers {
  private readonly input: PeersOptions;
  private readonly intake: LineSink;
  private readonly allowed: BlockList | undefined;
  private readonly nodes: ReadonlyMap<string, string>;
  /** By address, the longest unused first. */
  private readonly sources = new Map<string, Source>();

  constructor(input: PeersOptions, intake: LineSink) {
    this.input = input;
    this.intake = intake;
    this.allowed = blockListOf(input.allow ?? []);
    this.nodes = new Map(
      Object.entries(input.nodes ?? {}).map(([address, node]) => [plainAddress(address), node]),
    );
  }

  /** Addresses that are remembered. */
  get size(): number {
    return this.sources.size;
  }

  /** Whether lines may come from `address`; without a list they may from everywhere. */
  mayBe(address: string): boolean {
    if (this.allowed === undefined) return true;
    const plain = plainAddress(address);
    if (isIPv4(plain)) return this.allowed.check(plain) || this.allowed.check(`::ffff:${plain}`, 'ipv6');
    return isIPv6(plain) && this.allowed.check(plain, 'ipv6');
  }

  /** Where lines from `address` come from: the input's node, else the node that has this address, else the address. */
  source(address?: string): Source {
    const plain = address === undefined ? THIS_HOST : plainAddress(address);
    const known = this.sources.get(plain);
    const source = known ?? this.intake.source(this.input, this.nodeOf(plain));
    // The last one used stands last.
    if (known !== undefined) this.sources.delete(plain);
    this.sources.set(plain, source);
    const [oldest] = this.sources.keys();
    if (this.sources.size > limits.sourcesMax && oldest !== undefined) this.sources.delete(oldest);
    return source;
  }

  /** Counts a connection or datagram that was not taken. */
  refused(): void {
    this.lost('refused', 0);
  }

  lost(reason: LossReason, bytes: number): void {
    this.intake.lost(this.source().feed, reason, bytes);
  }

  private nodeOf(plain: string): string | undefined {
    return this.input.node ?? this.nodes.get(plain) ?? (isThisHost(plain) ? undefined : plain);
  }
}

/** Whose limits a connection from `address` counts for: this host as one, an IPv4 address, an IPv6 network. */
export function peerOf(address: string): string {
  const plain = plainAddress(address);
  if (isThisHost(plain)) return THIS_HOST;
  return isIPv6(plain) ? network64(plain) : plain;
}

const isThisHost = (plain: string) => plain === THIS_HOST || isLoopback(plain);

/** One spelling for each address: no zone, no IPv4 in the guise of IPv6. */
function plainAddress(address: string): string {
  const [bare = ''] = address.split('%', 1);
  const plain = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare)?.[1] ?? bare;
  return isIPv6(plain) ? new SocketAddress({ address: plain, family: 'ipv6' }).address : plain;
}

/** A host has at least a /64 network to take IPv6 addresses from. */
function network64(address: string): string {
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const last = tail === '' ? [] : tail.split(':');
    while (groups.length + last.length < 8) groups.push('0');
    groups.push(...last);
  }
  return `${groups.slice(0, 4).join(':')}::/64`;
}

function blockListOf(ranges: readonly string[]): BlockList | undefined {
  if (ranges.length === 0) return undefined;
  const list = new BlockList();
  for (const range of ranges) {
    const [net = '', prefix] = range.split('/');
    list.addSubnet(net, Number(prefix), isIPv6(net) ? 'ipv6' : 'ipv4');
  }
  return list;
}
