import { decodeProtectedHeader, jwtVerify, SignJWT } from 'jose'
import type { Clock } from '../kernel/clock.ts'
import { AuthError } from '../kernel/errors.ts'
import { isUuid, newId, type SessionId, sha256, type UserId } from '../kernel/ids.ts'
import type { Random } from '../kernel/random.ts'
import type { SigningKey } from './signing-keys.ts'

/** What a genuine access token says (RFC 9068, section 2.2). Times are in seconds. */
export interface AccessTokenClaims {
  readonly iss: string
  readonly sub: UserId
  readonly aud: string
  readonly exp: number
  readonly iat: number
  readonly jti: string
  readonly sid: SessionId
  readonly client_id: string
  readonly roles: readonly string[]
}

export interface AccessTokens {
  /** Signs a token for a session; `expiresIn` is in whole seconds. */
  sign(subject: {
    userId: UserId
    sessionId: SessionId
    roles: readonly string[]
  }): Promise<{ text: string; expiresIn: number }>
  /**
   * The claims of a token that this server signed for itself (RFC 9068, section 4). Says nothing of its session.
   * @throws token_invalid also when it has expired, unless `allowExpired`
   */
  verify(text: string, options?: { allowExpired?: boolean }): Promise<AccessTokenClaims>
  /** The same at once for a token that `verify` accepted before; undefined when it has to be asked. @throws token_invalid when it has expired */
  recall(text: string): AccessTokenClaims | undefined
  /** The public keys, as RFC 7517 has them. */
  jwks(): { keys: object[] }
}

export interface AccessTokenSettings {
  readonly issuer: string
  readonly audience: string
  /** ms */
  readonly ttl: number
}

export const firstPartyClient = 'gatelodge'
const typ = 'at+jwt'
const verifiedTokens = 10_000
const longestToken = 4_096

/** Signs and verifies access tokens with the given keys, of which the first signs. */
export function createAccessTokens(
  keys: readonly SigningKey[],
  settings: AccessTokenSettings,
  clock: Clock,
  random: Random,
): AccessTokens {
  const signer = keys[0]
  if (!signer) throw new Error('there is no signing key')
  // A signature is verified once: later uses of the same text cost a digest. Expiry is looked at each time.
  const verified = new Map<string, AccessTokenClaims>()

  async function verify(text: string, options: { allowExpired?: boolean } = {}): Promise<AccessTokenClaims> {
    const digest = sha256(text)
    const known = verified.get(digest)
    const claims = known ?? (await verifySignature(text))
    if (!known) remember(digest, claims)
    if (!options.allowExpired) assertUnexpired(claims)
    return claims
  }

  function recall(text: string): AccessTokenClaims | undefined {
    const known = verified.get(sha256(text))
    if (known) assertUnexpired(known)
    return known
  }

  function assertUnexpired(claims: AccessTokenClaims): void {
    if (claims.exp * 1000 <= clock.now()) throw new AuthError('token_invalid')
  }

  async function verifySignature(text: string): Promise<AccessTokenClaims> {
    if (text.length > longestToken) throw new AuthError('token_invalid')

    const key = keys.find(({ kid }) => kid === headerKid(text))
    if (!key) throw new AuthError('token_invalid')
    try {
      const { payload } = await jwtVerify(text, key.publicKey, {
        algorithms: [key.alg],
        typ,
        issuer: settings.issuer,
        audience: settings.audience,
        requiredClaims: ['sub', 'sid', 'exp', 'iat', 'jti', 'client_id'],
        currentDate: new Date(0), // expiry is judged by the caller, who may need the session of an expired token
        clockTolerance: Number.MAX_SAFE_INTEGER,
      })
      return asClaims(payload)
    } catch (cause) {
      throw new AuthError('token_invalid', { cause })
    }
  }

  function remember(digest: string, claims: AccessTokenClaims): void {
    const oldest = verified.size >= verifiedTokens ? verified.keys().next().value : undefined
    if (oldest !== undefined) verified.delete(oldest)
    verified.set(digest, claims)
  }

  return {
    verify,
    recall,
    async sign({ userId, sessionId, roles }) {
      const issuedAt = Math.floor(clock.now() / 1000)
      const expiresIn = Math.max(1, Math.round(settings.ttl / 1000))
      const text = await new SignJWT({ sid: sessionId, client_id: firstPartyClient, roles: [...roles] })
        .setProtectedHeader({ alg: signer.alg, kid: signer.kid, typ })
        .setIssuer(settings.issuer)
        .setSubject(userId)
        .setAudience(settings.audience)
        .setIssuedAt(issuedAt)
        .setExpirationTime(issuedAt + expiresIn)
        .setJti(newId(random))
        .sign(signer.privateKey)
      return { text, expiresIn }
    },
    jwks: () => ({ keys: keys.map(({ publicJwk }) => publicJwk) }),
  }
}

function headerKid(text: string): string | undefined {
  try {
    return decodeProtectedHeader(text).kid
  } catch {
    return undefined // no JWS at all
  }
}

function asClaims(payload: Readonly<Record<string, unknown>>): AccessTokenClaims {
  const { iss, sub, aud, exp, nbf, iat, jti, sid, client_id, roles } = payload
  const texts = [iss, sub, aud, jti, sid, client_id]
  const genuine =
    texts.every((text) => typeof text === 'string') &&
    typeof exp === 'number' &&
    typeof iat === 'number' &&
    nbf === undefined && // ours are valid from the start; one that is not is not ours
    Array.isArray(roles) &&
    isUuid(String(sub))
  if (!genuine) throw new AuthError('token_invalid')
  return payload as unknown as AccessTokenClaims // every claim was looked at just above
}
