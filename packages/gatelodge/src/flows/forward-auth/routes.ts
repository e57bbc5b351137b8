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
    summary: 'Whether a reverse proxy may let a request through',
    description:
      'For `auth_request` of nginx, `forward_auth` of Caddy and their like; answers to every method and changes nothing. 200 says in its headers who asks. 401 says nobody does; with `?redirect`, 302 leads to the sign-in page and back, unless a bearer token is refused beside a session cookie. With `?scope=NAME`, API tokens that have the scope are taken as well.',
    access: { by: ['anyone', 'session', 'api_token'] },
    everyMethod: true,
    origin: 'read',
    limit: 'none',
    query: z.strictObject({ redirect: z.string().max(16).optional(), scope: textField(64, 1).optional() }),
    answers: {
      200: {
        description: 'Let through: `X-Auth-User`, `X-Auth-Username`, `X-Auth-Email`, `X-Auth-Roles`',
        schema: null,
      },
      302: { description: 'To the sign-in page', schema: null },
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
