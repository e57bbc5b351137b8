import { AuthServiceUnavailable } from '../errors.ts'
import { isRecord } from '../json.ts'
import { isUser } from '../user.ts'
import { type Auth, type Expected, readAccessClaims, readApiTokenClaims } from './claims.ts'
import { refused } from './jws.ts'
import { askService, type Service, unavailable } from './service.ts'

/** The credentials of a service client (RFC 6749, section 2.3.1). */
export interface ClientCredentials {
  readonly id: string
  readonly secret: string
}

/**
 * Asks the server about a token (RFC 7662). Anything but a clear yes is treated as a no.
 * @throws token_invalid if the token is not active, of another kind or for another audience; service_unavailable otherwise
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
  // A 401 concerns our own credentials: the caller who sent the token cannot do anything about it.
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

/** RFC 6749, section 2.3.1: both parts are form-encoded before they are joined with a colon as in RFC 7617. */
function basic({ id, secret }: ClientCredentials): string {
  return `Basic ${btoa(`${formEncode(id)}:${formEncode(secret)}`)}`
}

function formEncode(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1)
}
