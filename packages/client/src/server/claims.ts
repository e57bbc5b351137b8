import type { User } from '../generated.ts'
import { refused } from './jws.ts'

interface Claims {
  readonly iss: string
  readonly sub: string
  readonly aud: string | readonly string[]
  readonly client_id: string
  readonly jti: string
  /** When the token expires. s since 1970 */
  readonly exp: number
  /** s since 1970 */
  readonly iat: number
  /** Scopes separated by spaces; empty if there are none. */
  readonly scope: string
}

/** A signed-in user: `sub` is the user ID. */
export interface UserClaims extends Claims {
  readonly kind: 'user'
  /** The session ID. Only introspection notices that the session has ended before the token expires. */
  readonly sid: string
  readonly roles: readonly string[]
  /** The current account; only with introspection. */
  readonly user?: User
}

/** A service client that acts for itself: `sub` is its `client_id`. */
export interface ClientClaims extends Claims {
  readonly kind: 'client'
}

/** A program with a user's API token. It may do what the scopes allow, and has no roles. Only with introspection. */
export interface ApiTokenClaims extends Claims {
  readonly kind: 'api_token'
  /** The current account. */
  readonly user: User
}

/** The caller identified by an access token. */
export type AccessTokenClaims = UserClaims | ClientClaims

/** The caller of a request. */
export type Auth = AccessTokenClaims | ApiTokenClaims

/** The expected values of claims. */
export interface Expected {
  readonly issuer: string
  readonly audience: string
  /** epoch ms */
  readonly now: number
}

type Unchecked = Readonly<Record<string, unknown>>

/** s by which the issuer's clock may be ahead; the expiry is strict */
const leeway = 60
/** The `client_id` in tokens of users who signed in at Gatelodge itself. */
const firstParty = 'gatelodge'

/**
 * Validates the claims of an access token and returns them (RFC 9068, section 4). The two kinds exclude each other: otherwise a client could pass for a user
 * (RFC 8725, section 3.12).
 * @throws token_invalid
 */
export function readAccessClaims(unchecked: Unchecked, expected: Expected): AccessTokenClaims {
  const claims = readCommonClaims(unchecked, expected)
  const { sid, roles, scope } = unchecked
  if (claims.client_id !== firstParty) {
    if (claims.sub !== claims.client_id) throw refused('a client acts for itself')
    if (sid !== undefined || roles !== undefined || scope === undefined) throw refused('no token of a client')
    return { kind: 'client', ...claims }
  }
  if (claims.sub === firstParty || scope !== undefined) throw refused('no token of a user')
  if (!isText(sid)) throw refused('no session')
  if (!isTexts(roles)) throw refused('roles are no list of texts')
  return { kind: 'user', ...claims, sid, roles }
}

/** Validates the claims that introspection returns for an API token, except its user. @throws token_invalid */
export function readApiTokenClaims(unchecked: Unchecked, expected: Expected): Omit<ApiTokenClaims, 'user'> {
  const claims = readCommonClaims(unchecked, expected)
  if (claims.client_id !== firstParty || unchecked.scope === undefined) throw refused('no API token')
  return { kind: 'api_token', ...claims }
}

/**
 * Validates the claims that every token has (RFC 8725, sections 3.8 to 3.10). jose's `jwtVerify` requires a signature, which introspection does not have, and
 * accepts an infinite `exp`, an `iat` in the future and numbers in the audience.
 */
function readCommonClaims(unchecked: Unchecked, { issuer, audience, now }: Expected): Claims {
  const { iss, sub, aud, client_id, jti, exp, nbf = 0, iat, scope = '' } = unchecked
  const seconds = now / 1_000
  if (iss !== issuer) throw refused('another issuer')
  if (!isText(aud) && !isTexts(aud)) throw refused('no audience')
  if (!(isText(aud) ? [aud] : aud).includes(audience)) throw refused('another audience')
  if (!isTime(exp) || exp <= seconds) throw refused('expired')
  if (!isTime(nbf) || nbf - leeway > seconds) throw refused('not valid yet')
  if (!isTime(iat) || iat - leeway > seconds) throw refused('issued in the future')
  if (!isText(sub) || !isText(client_id) || !isText(jti)) throw refused('no sub, no client_id or no jti')
  if (typeof scope !== 'string') throw refused('scope is no text')
  return { iss: issuer, sub, aud, client_id, jti, exp, iat, scope }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isText)
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}
