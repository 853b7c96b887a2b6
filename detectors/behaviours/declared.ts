// Networks that the operator calls known (the list `networks`): being seen there for the first time is nothing.

import ipaddr from 'ipaddr.js';

/** Whether `ip` lies in one of `networks`, CIDR or single addresses; what is neither fits nothing. */
export function isDeclared(ip: string, networks: readonly string[]): boolean {
  if (!ipaddr.isValid(ip)) return false;
  const address = addressOf(ip);
  return networks.some((text) => {
    if (ipaddr.isValid(text)) return addressOf(text).toString() === address.toString();
    if (!ipaddr.isValidCIDR(text)) return false;
    const [network, bits] = ipaddr.parseCIDR(text);
    return network.kind() === address.kind() && address.match([network, bits]);
  });
}

/** An IPv4 address that is written as IPv6 is the IPv4 address. */
function addressOf(text: string): ipaddr.IPv4 | ipaddr.IPv6 {
  const parsed = ipaddr.parse(text);
  return parsed instanceof ipaddr.IPv6 && parsed.isIPv4MappedAddress() ? parsed.toIPv4Address() : parsed;
}
