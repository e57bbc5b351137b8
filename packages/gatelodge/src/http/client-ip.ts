import { BlockList, isIP, isIPv4 } from 'node:net'
import type { UntrustedPeers } from '../domain/untrusted-peers.ts'
import { firstGroups, plainAddress } from '../kernel/networks.ts'
import { trimBlanks } from '../kernel/wire-text.ts'

/** Finds the client's address: the socket's peer, or what trusted proxies wrote in `X-Forwarded-For`. */
export type ClientIp = (peer: string | null, forwardedFor: string | undefined) => string | null

/**
 * Makes the one reader of forwarding headers. `X-Forwarded-For` is read from the right, past trusted proxies (addresses or CIDR ranges), and only
 * when the peer is one of them. What is no address there ends the reading: it counts as the proxy that wrote it, never as what stands left of it, which
 * anybody may have written. IPv6 addresses are cut to their /64, the least that one client holds. `told` hears of each peer that sent such a header and
 * is no trusted proxy, and of each header of a trusted proxy that cannot be read.
 */
export function createClientIp(
  trustedProxies: readonly string[],
  told: Pick<UntrustedPeers, 'note' | 'noteUnreadable'>,
): ClientIp {
  const trusted = new BlockList()
  for (const entry of trustedProxies) {
    const [address = '', prefix] = entry.split('/')
    const family = isIPv4(address) ? 'ipv4' : 'ipv6'
    if (prefix === undefined) trusted.addAddress(address, family)
    else trusted.addSubnet(address, Number(prefix), family)
  }
  const isTrusted = (address: string) => trusted.check(address, isIPv4(address) ? 'ipv4' : 'ipv6')

  function clientBehind(proxy: string, forwardedFor: string): string {
    const hops = forwardedFor.split(',').map(trimBlanks).filter(isNotEmpty)
    if (hops.length === 0) told.noteUnreadable()

    let client = proxy
    while (isTrusted(client) && hops.length > 0) {
      const next = readAddress(hops.pop() ?? '')
      if (next === undefined) {
        told.noteUnreadable()
        break
      }
      client = next
    }
    return client
  }

  return (peer, forwardedFor) => {
    if (peer === null) return null

    const sender = readAddress(peer) ?? peer
    if (forwardedFor === undefined) return cutAddress(sender)
    if (trustedProxies.length === 0 || !isTrusted(sender)) {
      told.note(sender)
      return cutAddress(sender)
    }
    return cutAddress(clientBehind(sender, forwardedFor))
  }
}

/** Proxies leave empty items behind when they take something out of the list (RFC 9110, section 5.6.1). */
function isNotEmpty(text: string): boolean {
  return text !== ''
}

const longestHop = 100

/** An address as proxies write it: bare, in brackets, with the port of the client behind it (Azure, HAProxy, AWS), in quotes (RFC 7239). */
function readAddress(text: string): string | undefined {
  if (text.length > longestHop) return undefined

  const bare = /^"(.*)"$/.exec(text)?.[1] ?? text
  if (isIP(bare) !== 0) return plainAddress(bare)
  const [, bracketed, ported = ''] = /^(?:\[([^\]]+)\](?::\d{1,5})?|(.+):\d{1,5})$/.exec(bare) ?? []
  const address = bracketed ?? ported
  return isIP(address) === 0 ? undefined : plainAddress(address)
}

function cutAddress(address: string): string {
  return isIPv4(address) ? address : `${firstGroups(address).join(':')}::`
}
