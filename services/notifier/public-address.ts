import { BlockList, isIP, isIPv4 } from 'node:net'

/** Where nobody outside this host or network is: IANA's special-purpose registries (RFC 6890 and later). */
const privateRanges = new BlockList()
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const) {
  privateRanges.addSubnet(network, prefix, 'ipv4')
}
// Teredo and the rest of the protocol assignments, documentation, 6to4 (which wraps an IPv4 address).
for (const [network, prefix] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const) {
  privateRanges.addSubnet(network, prefix, 'ipv6')
}
const globalUnicast = new BlockList()
globalUnicast.addSubnet('2000::', 3, 'ipv6')

/**
 * Whether an IP address is one of the public Internet. False for anything that is not an IP address, and for
 * every IPv6 address that wraps an IPv4 one (mapped, NAT64, 6to4), because the wrapped one may be private.
 */
export function isPublicAddress(address: string): boolean {
  if (isIP(address) === 0) return false
  if (isIPv4(address)) return !privateRanges.check(address, 'ipv4')
  return globalUnicast.check(address, 'ipv6') && !privateRanges.check(address, 'ipv6')
}
