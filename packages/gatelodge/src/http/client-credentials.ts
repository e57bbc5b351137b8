import { type ClientCredentials, isClientId } from '../domain/service-clients.ts'
import { AuthError, invalidField } from '../kernel/errors.ts'
import { isForeignScheme } from './auth-scheme.ts'

/**
 * Returns the credentials a client sent: HTTP Basic, or `client_id` and `client_secret` in the body, but not both (RFC 6749, section 2.3.1). Undefined if it
 * sent none; schemes other than Basic are ignored.
 * @throws invalid_client for unreadable credentials, input_invalid for both methods together
 */
export function readClientCredentials(
  authorization: string | undefined,
  body: { readonly client_id?: string | undefined; readonly client_secret?: string | undefined },
): ClientCredentials | undefined {
  const { client_id: id, client_secret: secret } = body
  if (authorization === undefined || isForeignScheme(authorization, 'basic')) return fromBody(id, secret)
  if (secret !== undefined)
    throw invalidField('client_secret', 'conflict', 'Use only one method to authenticate the client')

  const encoded = /^Basic +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization)?.[1]
  if (encoded === undefined) throw new AuthError('invalid_client')
  const [name, password] = split(Buffer.from(encoded, 'base64').toString('utf8'))
  return { id: formDecoded(name), secret: formDecoded(password) }
}

/**
 * Reads credentials from the body. An id alone may belong to anyone, since clients without a secret send just the id; a service client must also send its
 * secret.
 */
function fromBody(id: string | undefined, secret: string | undefined): ClientCredentials | undefined {
  if (secret === undefined && (id === undefined || !isClientId(id))) return undefined
  if (id === undefined || secret === undefined) throw new AuthError('invalid_client')
  return { id, secret }
}

function split(text: string): [string, string] {
  const colon = text.indexOf(':')
  if (colon < 0) throw new AuthError('invalid_client')
  return [text.slice(0, colon), text.slice(colon + 1)]
}

/** Decodes one part. Both parts are form-encoded before they are joined (RFC 6749, section 2.3.1). */
function formDecoded(text: string): string {
  if (!/[%+]/.test(text)) return text
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    throw new AuthError('invalid_client')
  }
}
