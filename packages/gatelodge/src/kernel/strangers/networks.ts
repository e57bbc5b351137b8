import { isIPv4 } from 'node:net'

/** Prefix length of a network, in bits: a multiple of 8 for IPv4 and of 16 for IPv6. */
export interface NetworkBits {
  readonly ipv4: 16 | 24
  readonly ipv6: 32 | 48
}

/** Returns the network of an address from `clientIp()`, for example 203.0.113.0/24, or an empty text without an address. */
export function blockOf(ip: string | null, { ipv4, ipv6 }: NetworkBits): string {
  if (ip === null) return ''
  if (isIPv4(ip)) {
    const bytes = ip.split('.').map((byte, index) => (index < ipv4 / 8 ? byte : '0'))
    return `${bytes.join('.')}/${ipv4}`
  }
  const groups = ip.split(':', ipv6 / 16).map((group) => group || '0')
  return `${groups.join(':')}::/${ipv6}`
}
