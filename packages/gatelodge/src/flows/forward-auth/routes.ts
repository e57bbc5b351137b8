import { z } from 'zod'
import { readCredential } from '../../http/authenticate.ts'
import { route } from '../../http/route.ts'
import { textField } from '../../http/wire.ts'
import { AuthError } from '../../kernel/errors.ts'
import { identityHeaders } from './identity-headers.ts'
import { loginFor } from './login-for.ts'

export const forwardAuthRoutes = [
  route({
    method: 'GET',
    path: '/forward-auth',
    surface: 'json',
    tag: 'Tokens',
    summary: 'Authorize a request for a reverse proxy',
    description:
      'For `auth_request` of nginx, `forward_auth` of Caddy and similar. Accepts every method and changes nothing. A 200 response identifies the caller in its headers. A request without a valid credential gets 401. With `?redirect`, it gets 302 to the sign-in page and back instead, unless it has both a rejected bearer token and a session cookie. With `?scope=NAME`, API tokens that have the scope are also accepted.',
    access: { by: ['anyone', 'session', 'api_token'] },
    everyMethod: true,
    origin: 'read',
    limit: 'none',
    query: z.strictObject({ redirect: z.string().max(16).optional(), scope: textField(64, 1).optional() }),
    answers: {
      200: {
        description: 'Allowed: `X-Auth-User`, `X-Auth-Username`, `X-Auth-Email`, `X-Auth-Roles`',
        schema: null,
      },
      302: { description: 'Redirects to the sign-in page', schema: null },
    },
    errors: ['not_authenticated', 'token_invalid', 'insufficient_scope'],
    handle(deps, { me, query, header, cookies }) {
      if (me?.kind === 'api_token' && !(query.scope !== undefined && me.token.scopes.includes(query.scope)))
        throw new AuthError('insufficient_scope')
      if (me) return { status: 200, headers: identityHeaders(me) }

      const cookie = cookies.session.read(header('cookie'))
      const brought = readCredential(header('authorization'), cookie)
      // The sign-in page would recognise the browser by its cookie and send it back, only to be rejected for its bearer token again and again.
      const wouldLoop = cookie !== undefined && brought?.kind !== 'cookie'
      if (query.redirect !== undefined && !wouldLoop) return { status: 302, location: loginFor(deps.config, header) }
      throw new AuthError(brought ? 'token_invalid' : 'not_authenticated')
    },
  }),
]
