import { base64url, compactVerify, errors } from 'jose'
import { InvalidToken } from '../errors.ts'
import { isRecord, parseJson } from '../json.ts'
import type { VerificationKey } from './keys.ts'

/** An access token as sent: nothing in it has been verified yet. */
export interface Jws {
  readonly alg: string
  readonly kid: string
  readonly claims: Readonly<Record<string, unknown>>
}

/**
 * Parses an access token in compact serialization, and in no other form (RFC 7515, section 3.1; RFC 9068, section 2.1). jose's `decodeProtectedHeader` and
 * `decodeJwt` would also accept padding, stray bits, a byte order mark and duplicate member names.
 * @throws token_invalid
 */
export function parseJws(token: string): Jws {
  const [, header, claims, signature] = /^([\w-]+)\.([\w-]+)\.([\w-]+)$/.exec(token) ?? []
  if (header === undefined || claims === undefined || signature === undefined) throw refused('no compact JWS')
  decodeBase64url(signature)
  return { ...readHeader(decodeObject(header)), claims: decodeObject(claims) }
}

/** Returns whether a token accepted by `parseJws` is signed with this key. ECDSA signatures are r and s in 32 bytes each, never DER (RFC 7518, section 3.4). */
export async function verifySignature(token: string, { alg, key }: VerificationKey): Promise<boolean> {
  try {
    await compactVerify(token, key, { algorithms: [alg] })
    return true
  } catch (error) {
    if (error instanceof errors.JOSEError) return false
    throw error
  }
}

/** Creates an InvalidToken whose cause gives the reason, for logs. Callers of a service are not told the reason. */
export function refused(reason: string): InvalidToken {
  return new InvalidToken({ cause: reason })
}

/** Header members that select a key of the sender's choice, or change what is signed. The issuer uses none of them; jose understands `crit` and `b64`. */
const refusedMembers = ['jwk', 'jku', 'x5u', 'x5c', 'x5t', 'crit', 'b64', 'enc', 'zip', 'p2c']

function readHeader(header: Readonly<Record<string, unknown>>): { alg: string; kid: string } {
  const { typ, alg, kid } = header
  // RFC 8725, section 3.11: rejects ID tokens, logout tokens and anything else signed with the same key.
  if (typeof typ !== 'string' || !/^(?:application\/)?at\+jwt$/i.test(typ)) throw refused('no access token')
  if (refusedMembers.some((name) => Object.hasOwn(header, name))) throw refused('a header member that is not taken')
  if (typeof alg !== 'string' || typeof kid !== 'string') throw refused('no alg or no kid')
  return { alg, kid }
}

/** Decodes base64url without padding and without unused bits set: otherwise one token would have several texts. */
function decodeBase64url(text: string): Uint8Array {
  if (text.length % 4 === 1) throw refused('no base64url')
  const bytes = base64url.decode(text)
  if (base64url.encode(bytes) !== text) throw refused('no canonical base64url')
  return bytes
}

function decodeObject(text: string): Record<string, unknown> {
  const json = decodeUtf8(decodeBase64url(text))
  const value = parseJson(json)
  if (!isRecord(value)) throw refused('no JSON object')
  // RFC 7519, section 4: if a name occurs twice, another parser may have used the other value.
  if (namesIn(json) !== countNames(value)) throw refused('a name occurs twice')
  return value
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw refused('no UTF-8')
  }
}

/** Returns the number of member names in a JSON text: strings followed by a colon. */
function namesIn(json: string): number {
  return [...json.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/g)].filter(([, colon]) => colon !== undefined).length
}

/** Returns the number of member names that a parser kept. Not recursive, so that deep nesting cannot overflow the stack. */
function countNames(value: unknown): number {
  const left = [value]
  let count = 0
  while (left.length > 0) {
    const next = left.pop()
    if (typeof next !== 'object' || next === null) continue
    if (!Array.isArray(next)) count += Object.keys(next).length
    left.push(...Object.values(next))
  }
  return count
}
