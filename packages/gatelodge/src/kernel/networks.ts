import { isIPv4, isIPv6 } from 'node:net'

/** An IPv4 address that came as IPv6 (RFC 4291, section 2.5.5.2) in its own form. */
export function plainAddress(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  return mapped ?? address
}

/** The first four groups of an IPv6 address, its /64, in one spelling. */
export function firstGroups(address: string): readonly string[] {
  const [head = '', tail] = address.split('%', 1)[0]?.split('::') ?? []
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const groups =
    tail === undefined ? left : [...left, ...Array(Math.max(0, 8 - left.length - right.length)).fill('0'), ...right]
  return groups.slice(0, 4).map((group) => (Number.parseInt(group, 16) || 0).toString(16))
}

/** The networks that an address lies in, the largest first: /32, /48 and /64 of IPv6; /16, /24 and the address itself of IPv4. Another text is a network by itself. */
export function networksOf(text: string): readonly string[] {
  const address = plainAddress(text)
  if (isIPv4(address)) return [2, 3, 4].map((bytes) => address.split('.').slice(0, bytes).join('.'))
  if (!isIPv6(address)) return [text, text, text]

  const groups = firstGroups(address)
  return [2, 3, 4].map((count) => `${groups.slice(0, count).join(':')}::`)
}
