import { type CompactJWSHeaderParameters, compactVerify, decodeProtectedHeader, SignJWT } from 'jose'
import { type BoundedMap, createBoundedMap } from '../kernel/bounded-map.ts'
import { type Clock, second } from '../kernel/clock.ts'
import { AuthError } from '../kernel/errors.ts'
import { isUuid, newId, type SessionId, sha256, type UserId } from '../kernel/ids.ts'
import type { Random } from '../kernel/random.ts'
import type { Cached } from './cached.ts'
import { isClientId } from './service-clients.ts'
import { publishedAt, type SigningKey, signerAt } from './signing-keys.ts'

/** The claims that every access token has (RFC 9068, section 2.2). Times are in seconds. */
interface CommonClaims {
  readonly iss: string
  readonly sub: string
  readonly aud: string
  readonly exp: number
  readonly iat: number
  readonly jti: string
  readonly client_id: string
}

/** The claims of a genuine access token of a signed-in user. */
export interface AccessTokenClaims extends CommonClaims {
  readonly sub: UserId
  readonly sid: SessionId
  readonly roles: readonly string[]
}

/** The claims of a genuine access token of a service client, which represents itself and has no session. */
export interface ClientTokenClaims extends CommonClaims {
  /** Separated by spaces (RFC 6749, section 3.3). */
  readonly scope: string
}

/** The claims of either kind of access token. No token is valid as both kinds. */
export type AnyClaims =
  | { readonly kind: 'user'; readonly claims: AccessTokenClaims }
  | { readonly kind: 'client'; readonly claims: ClientTokenClaims }

export interface SignedToken {
  readonly text: string
  readonly jti: string
  /** In whole seconds. */
  readonly expiresIn: number
}

export interface AccessTokens {
  /** Signs a token for a session. */
  sign(subject: { userId: UserId; sessionId: SessionId; roles: readonly string[] }): Promise<SignedToken>
  /** Signs a token for a service client itself (RFC 6749, section 4.4). */
  signForClient(subject: { clientId: string; scope: string }): Promise<SignedToken>
  /**
   * Returns the claims of a user's token that this server signed for itself (RFC 9068, section 4). Does not check the session.
   * @throws token_invalid also for a client's token, and for an expired one unless `allowExpired`
   */
  verify(text: string, options?: { allowExpired?: boolean }): Promise<AccessTokenClaims>
  /** Returns the claims of a token of either kind. Does not check the session or the client. @throws token_invalid */
  verifyAny(text: string): Promise<AnyClaims>
  /** Like `verify`, but synchronous and only for a token that was verified before; otherwise undefined. @throws token_invalid */
  recall(text: string): AccessTokenClaims | undefined
  /** Returns the public keys as a JWK Set (RFC 7517). */
  jwks(): Promise<{ keys: object[] }>
}

export interface AccessTokenSettings {
  readonly issuer: string
  readonly audience: string
  /** In ms. */
  readonly ttl: number
}

export const firstPartyClient = 'gatelodge'
const typ = 'at+jwt'
const verifiedTokens = 10_000
const longestToken = 4_096
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Creates the signer and verifier of access tokens, which uses the keys in the database. */
export function createAccessTokens(
  keptKeys: Cached<readonly SigningKey[]>,
  settings: AccessTokenSettings,
  clock: Clock,
  random: Random,
): AccessTokens {
  // A signature is verified once: each later use of the same text costs a digest. Expiry is checked every time.
  const verified = createBoundedMap<string, AnyClaims>(verifiedTokens)
  let verifiedUnder: readonly SigningKey[] = []

  async function verifyAny(text: string, options: { allowExpired?: boolean } = {}): Promise<AnyClaims> {
    const keys = await keptKeys.get()
    const digest = sha256(text)
    const known = verifiedBefore(keys).get(digest)
    const held = known ?? (await verifySignature(text, keys))
    if (!known) remember(digest, held, keys)
    if (!options.allowExpired) assertUnexpired(held.claims)
    return held
  }

  /** Returns the tokens verified under these keys. When the keys change, all are forgotten, so that a withdrawn key invalidates everything it signed. */
  function verifiedBefore(keys: readonly SigningKey[]): BoundedMap<string, AnyClaims> {
    if (keys !== verifiedUnder) verified.clear()
    verifiedUnder = keys
    return verified
  }

  function assertUnexpired(claims: CommonClaims): void {
    if (claims.exp * 1000 <= clock.now()) throw new AuthError('token_invalid')
  }

  async function verifySignature(text: string, keys: readonly SigningKey[]): Promise<AnyClaims> {
    if (text.length > longestToken) throw new AuthError('token_invalid')

    const kid = headerKid(text)
    const key = publishedAt(keys, clock.now()).find((each) => each.kid === kid)
    if (!key) throw new AuthError('token_invalid')
    try {
      const { protectedHeader, payload } = await compactVerify(text, key.publicKey, { algorithms: [key.alg] })
      assertAccessToken(protectedHeader)
      return asClaims(JSON.parse(utf8.decode(payload)), settings)
    } catch (cause) {
      throw new AuthError('token_invalid', { cause })
    }
  }

  function remember(digest: string, held: AnyClaims, keys: readonly SigningKey[]): void {
    if (keys !== verifiedUnder) return // the keys changed while the signature was being verified

    verified.set(digest, held)
  }

  async function sign(sub: string, claims: Readonly<Record<string, unknown>>): Promise<SignedToken> {
    const now = clock.now()
    const signer = signerAt(await keptKeys.get(), now)
    const issuedAt = Math.floor(now / second)
    // No token outlives its key: a longer lifetime applies from the next key on.
    const ends = Math.min(now + settings.ttl, signer.retiresAt ?? Number.POSITIVE_INFINITY)
    const expiresIn = Math.max(1, Math.round((ends - now) / second))
    const jti = newId(random)
    const text = await new SignJWT({ ...claims })
      .setProtectedHeader({ alg: signer.alg, kid: signer.kid, typ })
      .setIssuer(settings.issuer)
      .setSubject(sub)
      .setAudience(settings.audience)
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + expiresIn)
      .setJti(jti)
      .sign(signer.privateKey)
    return { text, jti, expiresIn }
  }

  return {
    verifyAny,
    async verify(text, options) {
      const held = await verifyAny(text, options)
      if (held.kind !== 'user') throw new AuthError('token_invalid')
      return held.claims
    },
    recall(text) {
      const keys = keptKeys.peek()
      const known = keys && verifiedBefore(keys).get(sha256(text))
      if (known?.kind !== 'user') return undefined
      assertUnexpired(known.claims)
      return known.claims
    },
    sign: ({ userId, sessionId, roles }) =>
      sign(userId, { sid: sessionId, client_id: firstPartyClient, roles: [...roles] }),
    signForClient: ({ clientId, scope }) => sign(clientId, { client_id: clientId, scope }),
    async jwks() {
      return { keys: publishedAt(await keptKeys.get(), clock.now()).map(({ publicJwk }) => publicJwk) }
    },
  }
}

function headerKid(text: string): string | undefined {
  try {
    return decodeProtectedHeader(text).kid
  } catch {
    return undefined // not a JWS
  }
}

/**
 * Checks the protected header (RFC 9068, section 4). Our tokens have no critical parameter, such as one that says the claims are not encoded (RFC 7797).
 * @throws token_invalid
 */
function assertAccessToken({ typ, crit }: CompactJWSHeaderParameters): void {
  if (!/^(?:application\/)?at\+jwt$/i.test(String(typ)) || crit !== undefined) throw new AuthError('token_invalid')
}

/**
 * Validates each claim except the expiry, which the caller judges: it may need the session of an expired token. Each kind must lack the claims that only the
 * other kind has, so no token is ever both.
 * @throws token_invalid; TypeError for null, which has no claims
 */
function asClaims(payload: Readonly<Record<string, unknown>>, settings: AccessTokenSettings): AnyClaims {
  const { iss, sub, aud, exp, nbf, iat, jti, sid, client_id, roles, scope } = payload
  const isGenuine =
    iss === settings.issuer &&
    aud === settings.audience &&
    [sub, jti, client_id].every((text) => typeof text === 'string') &&
    [exp, iat].every(Number.isFinite) &&
    nbf === undefined // our tokens are valid immediately, so a token with `nbf` is not ours
  const isOfUser =
    client_id === firstPartyClient &&
    isUuid(String(sub)) &&
    typeof sid === 'string' &&
    Array.isArray(roles) &&
    scope === undefined
  const isOfClient =
    isClientId(String(client_id)) &&
    sub === client_id &&
    sid === undefined &&
    roles === undefined &&
    typeof scope === 'string'
  // Every claim was checked just above.
  if (isGenuine && isOfUser) return { kind: 'user', claims: payload as unknown as AccessTokenClaims }
  if (isGenuine && isOfClient) return { kind: 'client', claims: payload as unknown as ClientTokenClaims }
  throw new AuthError('token_invalid')
}
