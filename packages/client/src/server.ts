import type { Fetch } from './ask.ts'
import { InvalidAuthorizationHeader } from './errors.ts'
import { type AccessTokenClaims, type Auth, readAccessClaims } from './server/claims.ts'
import { type ClientCredentials, introspect } from './server/introspection.ts'
import { parseJws, refused, verifySignature } from './server/jws.ts'
import { type Algorithm, createKeys } from './server/keys.ts'

export type { Fetch } from './ask.ts'
export {
  AuthError,
  type AuthErrorOptions,
  AuthServiceUnavailable,
  type ErrorCode,
  type Fault,
  InvalidAuthorizationHeader,
  InvalidToken,
  NotAuthenticated,
} from './errors.ts'
export type { User } from './generated.ts'
export type { AccessTokenClaims, ApiTokenClaims, Auth, ClientClaims, UserClaims } from './server/claims.ts'
export type { Algorithm } from './server/keys.ts'

/** The configuration of a resource server. */
export interface ResourceServerOptions {
  /** The public URL of Gatelodge, exactly as in its tokens: `https://auth.example.com`. */
  readonly issuer: string
  /** The required audience of tokens. Defaults to the issuer; set it if `GATELODGE_TOKEN_AUDIENCE` is set. */
  readonly audience?: string
  /** The credentials of a service client, used for introspection. */
  readonly clientId?: string | undefined
  readonly clientSecret?: string | undefined
  /** Accepted signature algorithms; `EdDSA`, `ES256` and `RS256` by default. */
  readonly algorithms?: readonly Algorithm[]
  /** Timeout of a request to Gatelodge, in ms; 5 000 by default. */
  readonly timeout?: number
  readonly fetch?: Fetch
  /** Returns the current time. epoch ms */
  readonly now?: () => number
}

/** Returns whether a request requires no signed-in user. */
export type SkipPolicy = (method: string, path: string) => boolean | Promise<boolean>

/** The kinds of callers with an access token. */
type Kind = AccessTokenClaims['kind']

/**
 * Verifies the tokens sent to your API. Its functions throw subclasses of AuthError, except for programming errors: a TypeError if introspection has no
 * client credentials, and whatever a policy throws.
 */
export interface ResourceServer {
  readonly issuer: string
  /**
   * Verifies an access token with the keys of the issuer, without a request per token, and returns its claims (RFC 9068, RFC 8725). Does not notice that a
   * session has ended before the token expires. With `kind`, tokens of the other kind are rejected.
   * @throws token_invalid; service_unavailable if the keys cannot be fetched
   */
  verifyAccessToken<K extends Kind = Kind>(
    token: string | null | undefined,
    wanted?: { readonly kind?: K },
  ): Promise<Extract<AccessTokenClaims, { kind: K }>>
  /** Asks the issuer about a token and returns its claims and the current user (RFC 7662). @throws token_invalid, service_unavailable */
  introspectRemote(token: string | null | undefined): Promise<Auth>
  /**
   * Returns the caller of a request: by introspection if there are client credentials, otherwise by verifying the token. Returns null if the policy requires
   * no user. Reads no header.
   * @throws token_invalid, also if the token is missing; service_unavailable
   */
  authenticateRequest(
    shouldSkipAuthentication: SkipPolicy,
    request: { readonly method: string; readonly path: string; readonly token: string | null | undefined },
  ): Promise<Auth | null>
  /** Returns the token of an Authorization header (RFC 6750, section 2.1). @throws not_authenticated if it contains none */
  getToken(authorizationHeader: string | null | undefined): string
}

const defaultAlgorithms: readonly Algorithm[] = ['EdDSA', 'ES256', 'RS256']

/** Creates a resource server. @throws TypeError for options that can never work */
export function createResourceServer(options: ResourceServerOptions): ResourceServer {
  const { issuer, audience = issuer, timeout = 5_000, now = () => Date.now() } = options
  assertIssuer(issuer)
  const credentials = readCredentials(options)
  const fetch: Fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init))
  const service = { fetch, timeout, now }
  const keys = createKeys(service, `${issuer}/.well-known/jwks.json`, options.algorithms ?? defaultAlgorithms)
  const expected = () => ({ issuer, audience, now: now() })

  async function verifyAccessToken<K extends Kind>(
    text: string | null | undefined,
    wanted: { readonly kind?: K } = {},
  ): Promise<Extract<AccessTokenClaims, { kind: K }>> {
    const token = asToken(text)
    const { alg, kid, claims } = parseJws(token)
    const auth = readAccessClaims(claims, expected())
    if (!isOfKind(auth, wanted.kind)) throw refused('another kind of token')

    const key = await keys.find(kid)
    if (!key || key.alg !== alg) throw refused('no such key')
    if (!(await verifySignature(token, key))) throw refused('another signature')
    return auth
  }

  async function introspectRemote(text: string | null | undefined): Promise<Auth> {
    if (!credentials) throw new TypeError('introspection requires a clientId and a clientSecret')
    return introspect(service, `${issuer}/oauth2/introspect`, credentials, asToken(text), expected())
  }

  return {
    issuer,
    verifyAccessToken,
    introspectRemote,
    async authenticateRequest(shouldSkipAuthentication, { method, path, token }) {
      // Awaited and compared with true: a promise is truthy, and would skip authentication for every request.
      if ((await shouldSkipAuthentication(method, path)) === true) return null
      return credentials ? introspectRemote(token) : verifyAccessToken(token)
    },
    getToken,
  }
}

function isOfKind<K extends Kind>(
  auth: AccessTokenClaims,
  kind: K | undefined,
): auth is Extract<AccessTokenClaims, { kind: K }> {
  return kind === undefined || auth.kind === kind
}

/** The issuer must equal the `iss` of tokens exactly; with a trailing slash it would reject all of them. */
function assertIssuer(issuer: string): void {
  const isHttp = URL.canParse(issuer) && /^https?:$/.test(new URL(issuer).protocol)
  if (!isHttp || issuer.endsWith('/') || !/^[\w.:/[\]-]+$/.test(issuer))
    throw new TypeError('issuer must be the public URL of Gatelodge, without a trailing slash')
}

function readCredentials({ clientId, clientSecret }: ResourceServerOptions): ClientCredentials | undefined {
  if (clientId === undefined && clientSecret === undefined) return undefined
  // With only one of them, tokens would be verified without introspection, contrary to the intention.
  if (!clientId || !clientSecret) throw new TypeError('clientId and clientSecret must be set together')
  return { id: clientId, secret: clientSecret }
}

/** The server rejects anything longer. */
const longestToken = 4_096

function asToken(text: string | null | undefined): string {
  if (typeof text !== 'string' || text.length > longestToken || !/^[\w.~+/-]+=*$/.test(text)) throw refused('no token')
  return text
}

function getToken(header: string | null | undefined): string {
  const token = typeof header === 'string' ? /^Bearer +([\w.~+/-]+=*)$/i.exec(header)?.[1] : undefined
  if (token === undefined) throw new InvalidAuthorizationHeader()
  return token
}
