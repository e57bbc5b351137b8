import { base64url, compactVerify, errors } from 'jose'
import { InvalidToken } from '../errors.ts'
import { isRecord, parseJson } from '../json.ts'
import type { VerificationKey } from './keys.ts'

/** An access token as it was sent: nothing in it is proved yet. */
export interface Jws {
  readonly alg: string
  readonly kid: string
  readonly claims: Readonly<Record<string, unknown>>
}

/**
 * Reads an access token in the compact serialization, and no other (RFC 7515, section 3.1; RFC 9068, section 2.1). `decodeProtectedHeader` and `decodeJwt` of
 * jose would also read padding, spare bits, a byte order mark and a name that occurs twice.
 * @throws token_invalid
 */
export function parseJws(token: string): Jws {
  const [, header, claims, signature] = /^([\w-]+)\.([\w-]+)\.([\w-]+)$/.exec(token) ?? []
  if (header === undefined || claims === undefined || signature === undefined) throw refused('no compact JWS')
  decodeBase64url(signature)
  return { ...readHeader(decodeObject(header)), claims: decodeObject(claims) }
}

/** Whether a token that `parseJws` could read is signed by this key. Of ECDSA that is r and s in 32 bytes each, never DER (RFC 7518, section 3.4). */
export async function verifySignature(token: string, { alg, key }: VerificationKey): Promise<boolean> {
  try {
    await compactVerify(token, key, { algorithms: [alg] })
    return true
  } catch (error) {
    if (error instanceof errors.JOSEError) return false
    throw error
  }
}

/** An InvalidToken whose cause says why, for logs; callers of a service learn no reason. */
export function refused(reason: string): InvalidToken {
  return new InvalidToken({ cause: reason })
}

/** Members that lead to a key of the sender's own choice, or change what is signed. The issuer uses none of them; jose understands `crit` and `b64`. */
const refusedMembers = ['jwk', 'jku', 'x5u', 'x5c', 'x5t', 'crit', 'b64', 'enc', 'zip', 'p2c']

function readHeader(header: Readonly<Record<string, unknown>>): { alg: string; kid: string } {
  const { typ, alg, kid } = header
  // RFC 8725, section 3.11: no ID token, no logout token and nothing else that the same key may sign.
  if (typeof typ !== 'string' || !/^(?:application\/)?at\+jwt$/i.test(typ)) throw refused('no access token')
  if (refusedMembers.some((name) => Object.hasOwn(header, name))) throw refused('a header member that is not taken')
  if (typeof alg !== 'string' || typeof kid !== 'string') throw refused('no alg or no kid')
  return { alg, kid }
}

/** Unpadded, and with no bit set that stands for nothing: else one token would have several texts. */
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
  // RFC 7519, section 4: of a name that occurs twice, another parser may have read the other value.
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

/** How many member names stand in a JSON text: strings with a colon behind them. */
function namesIn(json: string): number {
  return [...json.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/g)].filter(([, colon]) => colon !== undefined).length
}

/** How many of them a parser kept. Without recursion: a nest of brackets must not fill the stack. */
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
