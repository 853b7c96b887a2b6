// The network that an address is in, as far as addresses that differ mean places that differ.

import ipaddr from 'ipaddr.js';

/** `10.1.2.0/24`, of IPv6 the /64; an address that is none as it is. */
export function networkOf(ip: string): string {
  const dots = ip.lastIndexOf('.');
  if (!ip.includes(':')) return dots < 0 ? ip : `${ip.slice(0, dots)}.0/24`;
  if (!ipaddr.IPv6.isValid(ip)) return ip;
  const parsed = ipaddr.IPv6.parse(ip);
  if (parsed.isIPv4MappedAddress()) return networkOf(parsed.toIPv4Address().toString());
  const parts = parsed.parts.slice(0, 4);
  return `${parts.map((part) => part.toString(16)).join(':')}::/64`;
}

/** Whether two networks of `networkOf` lie in the same /16 (of IPv6 /48): pods of one cluster, floors of one office. */
export function isNear(a: string, b: string): boolean {
  const [separator, parts] = a.includes(':') ? [':', 3] : ['.', 2];
  const head = (network: string) => network.split(separator).slice(0, parts).join(separator);
  return head(a) === head(b);
}
