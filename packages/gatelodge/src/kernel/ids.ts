import { hash, timingSafeEqual } from 'node:crypto'
import type { Clock, Instant } from './clock.ts'
import type { Random } from './random.ts'

declare const brand: unique symbol
/** ID of a user: a UUID, version 7. */
export type UserId = string & { readonly [brand]: 'UserId' }
/** ID of a session: public, shown in lists, never a credential. */
export type SessionId = string & { readonly [brand]: 'SessionId' }

/** A new token: `text` is sent to its holder once, `id` and `hash` are stored. */
export interface NewToken {
  readonly id: string
  readonly secret: string
  readonly text: string
  readonly hash: string
}

/** Creates a UUID, version 7 (RFC 9562, section 5.7), that sorts by creation within this process. Not a credential. */
export function uuidv7(clock: Clock, random: Random): string {
  advance(clock.now())
  const bytes = random.bytes(16)
  bytes.writeUIntBE(newest.millisecond, 0, 6)
  bytes.writeUInt16BE(0x7000 | newest.count, 6)
  bytes[8] = 0x80 | (bytes.readUInt8(8) & 0x3f)
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

const newest = { millisecond: 0, count: 0 }

/** RFC 9562, section 6.2, method 1: a counter keeps the order within one millisecond, and moves on to the next when it is full. */
function advance(now: Instant): void {
  if (now > newest.millisecond) Object.assign(newest, { millisecond: now, count: 0 })
  else if (newest.count < 0xfff) newest.count += 1
  else Object.assign(newest, { millisecond: newest.millisecond + 1, count: 0 })
}

/** Returns whether the text has the form of a UUID in lowercase. */
export function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(text)
}

/** Creates a public ID: 128 random bits, base64url. */
export function newId(random: Random): string {
  return random.bytes(16).toString('base64url')
}

/** Creates a bearer token `id.secret` with a 256-bit secret. Only the SHA-256 of the secret may be stored. */
export function newToken(random: Random, id = newId(random)): NewToken {
  return tokenOf(id, random.bytes(32).toString('base64url'))
}

/** Assembles a token from an ID and a 256-bit secret, both base64url. */
export function tokenOf(id: string, secret: string): NewToken {
  return { id, secret, text: `${id}.${secret}`, hash: sha256(secret) }
}

/** Splits an `id.secret` token into its parts. Returns undefined if the text has another form. */
export function parseToken(text: string): { id: string; secret: string } | undefined {
  const match = /^([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})$/.exec(text)
  return match ? { id: match[1] as string, secret: match[2] as string } : undefined
}

/** Returns the SHA-256 of a text, base64url. */
export function sha256(text: string): string {
  return hash('sha256', text, 'base64url')
}

/** Compares two texts in constant time. The time reveals only their lengths. */
export function sameText(a: string, b: string): boolean {
  const left = Buffer.from(a)
  const right = Buffer.from(b)
  return left.length === right.length && timingSafeEqual(left, right)
}
