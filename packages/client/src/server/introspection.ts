import { AuthServiceUnavailable } from '../errors.ts'
import { isRecord } from '../json.ts'
import { isUser } from '../user.ts'
import { type Auth, type Expected, readAccessClaims, readApiTokenClaims } from './claims.ts'
import { refused } from './jws.ts'
import { askService, type Service, unavailable } from './service.ts'

/** Of a service client (RFC 6749, section 2.3.1). */
export interface ClientCredentials {
  readonly id: string
  readonly secret: string
}

/**
 * Asks the server about a token (RFC 7662). Whatever is not a clear yes is no yes.
 * @throws token_invalid when the server says no, or says yes of another kind of token or for another audience; service_unavailable otherwise
 */
export async function introspect(
  service: Service,
  url: string,
  credentials: ClientCredentials,
  token: string,
  expected: Expected,
): Promise<Auth> {
  const { response, body } = await askService(service, url, {
    method: 'POST',
    headers: { authorization: basic(credentials), 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ token }).toString(),
  })
  // A 401 is about our own credentials: whoever sent the token can do nothing about it.
  if (response.status !== 200 || !isRecord(body) || typeof body.active !== 'boolean') throw unavailable(response, body)
  if (!body.active) throw refused('not active')
  if (body.token_type !== 'Bearer') throw refused('no access token') // elsewhere a refresh token is active too

  const auth = toAuth(body, expected)
  if ('user' in auth && auth.user?.id !== auth.sub) throw new AuthServiceUnavailable({ cause: 'a user of another id' })
  return auth
}

function toAuth(body: Readonly<Record<string, unknown>>, expected: Expected): Auth {
  const { user } = body
  if (user === undefined) return readAccessClaims(body, expected)
  if (!isUser(user)) throw new AuthServiceUnavailable({ cause: 'a user without id or address' })
  if (body.sid === undefined) return { ...readApiTokenClaims(body, expected), user }
  const auth = readAccessClaims({ ...body, roles: user.roles }, expected)
  if (auth.kind !== 'user') throw refused('a client is no user')
  return { ...auth, user }
}

/** RFC 6749, section 2.3.1: both parts are form-encoded before RFC 7617 puts a colon between them. */
function basic({ id, secret }: ClientCredentials): string {
  return `Basic ${btoa(`${formEncode(id)}:${formEncode(secret)}`)}`
}

function formEncode(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1)
}
