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

/** What a resource server knows of its issuer. */
export interface ResourceServerOptions {
  /** The public URL of Gatelodge, to the letter as its tokens name it: `https://auth.example.com`. */
  readonly issuer: string
  /** Whom tokens must be for; the issuer unless `GATELODGE_TOKEN_AUDIENCE` names another. */
  readonly audience?: string
  /** The credentials of a service client, with which introspection is asked. */
  readonly clientId?: string | undefined
  readonly clientSecret?: string | undefined
  /** What tokens may be signed with: `EdDSA`, `ES256` and `RS256` unless given. */
  readonly algorithms?: readonly Algorithm[]
  /** How long one answer of Gatelodge may take, in ms; 5 000 unless given. */
  readonly timeout?: number
  readonly fetch?: Fetch
  /** epoch ms */
  readonly now?: () => number
}

/** Says whether a request needs nobody to be signed in. */
export type SkipPolicy = (method: string, path: string) => boolean | Promise<boolean>

/** Whose access token it is. */
type Kind = AccessTokenClaims['kind']

/**
 * What an API of yours does with the tokens it gets. Functions raise subclasses of AuthError, but for faults of the program: a TypeError where introspection
 * has no client credentials, and whatever a policy raises.
 */
export interface ResourceServer {
  readonly issuer: string
  /**
   * The claims of an access token, by the keys of the issuer and without asking it (RFC 9068, RFC 8725). A session that has ended is not noticed before
   * the token ends. With `kind`, tokens of the other kind are refused.
   * @throws token_invalid; service_unavailable when the keys could not be had
   */
  verifyAccessToken<K extends Kind = Kind>(
    token: string | null | undefined,
    wanted?: { readonly kind?: K },
  ): Promise<Extract<AccessTokenClaims, { kind: K }>>
  /** The claims and the user as they are now, by asking the issuer (RFC 7662). @throws token_invalid, service_unavailable */
  introspectRemote(token: string | null | undefined): Promise<Auth>
  /**
   * Who sends a request: by introspection where there are client credentials, else by the token alone. Null when the policy says that nobody need be.
   * Reads no header.
   * @throws token_invalid, also when the token is missing; service_unavailable
   */
  authenticateRequest(
    shouldSkipAuthentication: SkipPolicy,
    request: { readonly method: string; readonly path: string; readonly token: string | null | undefined },
  ): Promise<Auth | null>
  /** The token of an Authorization header (RFC 6750, section 2.1). @throws not_authenticated when there is none in it */
  getToken(authorizationHeader: string | null | undefined): string
}

const defaultAlgorithms: readonly Algorithm[] = ['EdDSA', 'ES256', 'RS256']

/** Makes the resource server's half of the client. @throws TypeError for options that can never work */
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
    if (!credentials) throw new TypeError('introspection needs a clientId and a clientSecret')
    return introspect(service, `${issuer}/oauth2/introspect`, credentials, asToken(text), expected())
  }

  return {
    issuer,
    verifyAccessToken,
    introspectRemote,
    async authenticateRequest(shouldSkipAuthentication, { method, path, token }) {
      // Awaited and compared: a promise is truthy, and would skip everything.
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

/** The issuer is compared to the letter with what tokens say, so a slash at its end would refuse them all. */
function assertIssuer(issuer: string): void {
  const isHttp = URL.canParse(issuer) && /^https?:$/.test(new URL(issuer).protocol)
  if (!isHttp || issuer.endsWith('/') || !/^[\w.:/[\]-]+$/.test(issuer))
    throw new TypeError('issuer must be the public URL of Gatelodge, without a slash at its end')
}

function readCredentials({ clientId, clientSecret }: ResourceServerOptions): ClientCredentials | undefined {
  if (clientId === undefined && clientSecret === undefined) return undefined
  // With one of them only, tokens would be verified without asking, against what was meant.
  if (!clientId || !clientSecret) throw new TypeError('clientId and clientSecret go together')
  return { id: clientId, secret: clientSecret }
}

/** The server takes no longer ones itself. */
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
