import { BlockList, isIP, isIPv4 } from 'node:net'
import { firstGroups, plainAddress } from '../kernel/networks.ts'
import { trimBlanks } from '../kernel/wire-text.ts'

/** Finds the client's address: the socket's peer, or what trusted proxies wrote in `X-Forwarded-For`. */
export type ClientIp = (peer: string | null, forwardedFor: string | undefined) => string | null

/**
 * Makes the one reader of forwarding headers. `X-Forwarded-For` is read from the right, past trusted proxies (addresses or CIDR ranges), and only
 * when the peer is one of them; anything malformed there ends the reading. IPv6 addresses are cut to their /64, the least that one client holds.
 * `noteUntrusted` hears of each peer that sent such a header and is no trusted proxy.
 */
export function createClientIp(
  trustedProxies: readonly string[],
  noteUntrusted: (peer: string) => void = () => {},
): ClientIp {
  const trusted = new BlockList()
  for (const entry of trustedProxies) {
    const [address = '', prefix] = entry.split('/')
    const family = isIPv4(address) ? 'ipv4' : 'ipv6'
    if (prefix === undefined) trusted.addAddress(address, family)
    else trusted.addSubnet(address, Number(prefix), family)
  }
  const isTrusted = (address: string) => trusted.check(address, isIPv4(address) ? 'ipv4' : 'ipv6')

  return (peer, forwardedFor) => {
    if (peer === null) return null

    let client = plainAddress(peer)
    if (forwardedFor === undefined) return cutAddress(client)
    if (trustedProxies.length === 0 || !isTrusted(client)) {
      noteUntrusted(client)
      return cutAddress(client)
    }
    const hops = forwardedFor.split(',')
    while (isTrusted(client) && hops.length > 0) {
      const next = plainAddress(trimBlanks(hops.pop() ?? ''))
      if (isIP(next) === 0) break
      client = next
    }
    return cutAddress(client)
  }
}

function cutAddress(address: string): string {
  return isIPv4(address) ? address : `${firstGroups(address).join(':')}::`
}
