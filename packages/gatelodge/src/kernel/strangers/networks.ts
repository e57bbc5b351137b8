import { isIPv4 } from 'node:net'

/** How many leading bits name a network: of IPv4 in bytes, of IPv6 in groups of 16. */
export interface NetworkBits {
  readonly ipv4: 16 | 24
  readonly ipv6: 32 | 48
}

/** The network of a client's address as `clientIp()` gives it, such as 203.0.113.0/24; empty for none. */
export function blockOf(ip: string | null, { ipv4, ipv6 }: NetworkBits): string {
  if (ip === null) return ''
  if (isIPv4(ip)) {
    const bytes = ip.split('.').map((byte, index) => (index < ipv4 / 8 ? byte : '0'))
    return `${bytes.join('.')}/${ipv4}`
  }
  const groups = ip.split(':', ipv6 / 16).map((group) => group || '0')
  return `${groups.join(':')}::/${ipv6}`
}
