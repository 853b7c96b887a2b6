// The network that an address is in, as far as addresses that differ mean places that differ.

import { isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

/** `10.1.2.0/24`, of IPv6 the /64; an address that is none as it is. */
export function networkOf(ip: string): string {
  const dots = ip.lastIndexOf('.');
  if (!ip.includes(':')) return dots < 0 ? ip : `${ip.slice(0, dots)}.0/24`;
  if (!isIPv6(ip)) return ip;
  const parsed = ipaddr.process(ip);
  if (parsed.kind() === 'ipv4') return networkOf(parsed.toString());
  const parts = (parsed as ipaddr.IPv6).parts.slice(0, 4);
  return `${parts.map((part) => part.toString(16)).join(':')}::/64`;
}

/** Whether two networks of `networkOf` lie in the same /16 (of IPv6 /48): pods of one cluster, floors of one office. */
export function isNear(a: string, b: string): boolean {
  const [separator, parts] = a.includes(':') ? [':', 3] : ['.', 2];
  const head = (network: string) => network.split(separator).slice(0, parts).join(separator);
  return head(a) === head(b);
}
