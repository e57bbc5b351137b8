import { isIPv4, isIPv6 } from 'node:net'

/**
 * Returns an address without its zone. Converts an IPv4-mapped IPv6 address (RFC 4291, section 2.5.5.2) in any notation to IPv4. Returns other texts
 * unchanged.
 */
export function plainAddress(text: string): string {
  if (!isIPv6(text)) return text

  const groups = groupsOf(text)
  if (groups.slice(0, 6).join(':') !== '0:0:0:0:0:ffff') return text.split('%', 1).join()
  return groups
    .slice(6)
    .map((group) => Number.parseInt(group, 16))
    .flatMap((group) => [group >> 8, group & 0xff])
    .join('.')
}

/** Returns the first four groups of an IPv6 address, its /64, in a uniform notation. */
export function firstGroups(address: string): readonly string[] {
  return groupsOf(address).slice(0, 4)
}

/** Returns the eight groups of an IPv6 address in a uniform notation, without its zone. */
function groupsOf(address: string): readonly string[] {
  const [head = '', tail] = address.replace(/%.*/, '').replace(dottedEnd, asGroups).split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const groups =
    tail === undefined ? left : [...left, ...Array(Math.max(0, 8 - left.length - right.length)).fill('0'), ...right]
  return groups.map((group) => (Number.parseInt(group, 16) || 0).toString(16))
}

const dottedEnd = /(\d+)\.(\d+)\.(\d+)\.(\d+)$/

function asGroups(_: string, ...bytes: readonly string[]): string {
  const [a, b, c, d] = bytes.slice(0, 4).map(Number) as [number, number, number, number] // the pattern has four groups
  return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`
}

/**
 * Returns the networks that contain an address, the largest first: /32, /48 and /64 for IPv6; /16, /24 and the address itself for IPv4. A text that is not an
 * address is its own network.
 */
export function networksOf(text: string): readonly string[] {
  const address = plainAddress(text)
  if (isIPv4(address)) return [2, 3, 4].map((bytes) => address.split('.').slice(0, bytes).join('.'))
  if (!isIPv6(address)) return [text, text, text]

  const groups = firstGroups(address)
  return [2, 3, 4].map((count) => `${groups.slice(0, count).join(':')}::`)
}
