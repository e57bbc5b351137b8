import type { User } from '../generated.ts'
import { refused } from './jws.ts'

interface Claims {
  readonly iss: string
  readonly sub: string
  readonly aud: string | readonly string[]
  readonly client_id: string
  readonly jti: string
  /** When the token ends. s since 1970 */
  readonly exp: number
  /** s since 1970 */
  readonly iat: number
  /** Scopes with blanks between them; empty where there are none. */
  readonly scope: string
}

/** A person who is signed in: `sub` is the id of the user. */
export interface UserClaims extends Claims {
  readonly kind: 'user'
  /** The session. That it has ended, only introspection knows before the token ends. */
  readonly sid: string
  readonly roles: readonly string[]
  /** The account as it is now; of introspection only. */
  readonly user?: User
}

/** A service client that acts for itself: `sub` is its `client_id`. */
export interface ClientClaims extends Claims {
  readonly kind: 'client'
}

/** A program with an API token that a person made for it: it may do what the scopes say, and has no roles. Of introspection only. */
export interface ApiTokenClaims extends Claims {
  readonly kind: 'api_token'
  /** The account as it is now. */
  readonly user: User
}

/** Who an access token stands for. */
export type AccessTokenClaims = UserClaims | ClientClaims

/** Who sends a request. */
export type Auth = AccessTokenClaims | ApiTokenClaims

/** What the claims are compared with. */
export interface Expected {
  readonly issuer: string
  readonly audience: string
  /** epoch ms */
  readonly now: number
}

type Unchecked = Readonly<Record<string, unknown>>

/** s by which the clock of the issuer may be ahead; the end of a token is strict */
const leeway = 60
/** The `client_id` of tokens of people who signed in at Gatelodge itself. */
const firstParty = 'gatelodge'

/**
 * The claims of an access token (RFC 9068, section 4). Its two kinds exclude each other: a client that could be read as a user would be one (RFC 8725,
 * section 3.12).
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

/** What introspection says of an API token, but for its user. @throws token_invalid */
export function readApiTokenClaims(unchecked: Unchecked, expected: Expected): Omit<ApiTokenClaims, 'user'> {
  const claims = readCommonClaims(unchecked, expected)
  if (claims.client_id !== firstParty || unchecked.scope === undefined) throw refused('no API token')
  return { kind: 'api_token', ...claims }
}

/**
 * The claims that every token has, each looked at (RFC 8725, sections 3.8 to 3.10). `jwtVerify` of jose wants a signature, which introspection does not have, and
 * takes an `exp` that is infinite, an `iat` in the future and numbers among the audiences.
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
