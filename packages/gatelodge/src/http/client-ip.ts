import { BlockList, isIP, isIPv4 } from 'node:net'
import type { UntrustedPeers } from '../domain/untrusted-peers.ts'
import { firstGroups, plainAddress } from '../kernel/networks.ts'
import { trimBlanks } from '../kernel/wire-text.ts'

/** Finds the client's address: the socket's peer, or the address that trusted proxies wrote in `X-Forwarded-For`. */
export type ClientIp = (peer: string | null, forwardedFor: string | undefined) => string | null

/**
 * Creates the only reader of forwarding headers. `X-Forwarded-For` is read from the right, skipping trusted proxies (addresses or CIDR ranges), and only if the
 * peer is a trusted proxy. Anything that is not an address stops the reading and counts as the proxy that wrote it; entries further left could have been
 * written by anyone and are never used. IPv6 addresses are truncated to their /64, the smallest block a client gets. `told` is notified of each untrusted peer
 * that sends the header, and of each header from a trusted proxy that cannot be read.
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

/** Drops empty items: proxies leave them behind when they remove an entry (RFC 9110, section 5.6.1). */
function isNotEmpty(text: string): boolean {
  return text !== ''
}

const longestHop = 100

/** Reads an address as proxies write it: bare, in brackets, with the client's port (Azure, HAProxy, AWS), or in quotes (RFC 7239). */
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
