import assert from 'node:assert/strict'
import { test } from 'node:test'
import type {
  Answer,
  AuthError,
  Body,
  Client,
  Input,
  Message,
  Route,
  Routes,
  Session,
  TokenResponse,
  User,
} from '../src/index.ts'
import * as client from '../src/index.ts'
import type { Auth, ClientClaims, ResourceServer, UserClaims } from '../src/server.ts'

// These assertions are checked by the compiler: `npm run check` fails if one does not hold.

type SignIn = Routes['POST /api/v1/auth/signin']
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
type All<Claims extends readonly true[]> = Claims
type Has<Union, Member> = Member extends Union ? true : false

type Claims = All<
  [
    Same<Routes['GET /api/v1/auth/session']['answers'][200], { user: User; session: Session }>,
    Same<Routes['POST /api/v1/auth/refresh']['answers'][200], TokenResponse>,
    Same<Routes['GET /api/v1/auth/me']['answers'], { 200: User }>,
    Same<Routes['DELETE /api/v1/auth/me/sessions/{id}']['answers'][204], undefined>,
    Same<Routes['DELETE /api/v1/auth/me/sessions/{id}']['params'], { id: string }>,
    Same<Routes['GET /api/v1/auth/username-available']['query'], { username: string }>,
    Same<Routes['GET /docs']['answers'][200], string>,
    Same<User['last_login_at'], string | null>,
    Same<Session['assurance'], 'aal1' | 'aal2'>,
    Same<Extract<SignIn['errors'], 'invalid_credentials'>, 'invalid_credentials'>,
    Same<Extract<SignIn['errors'], 'username_taken'>, never>,
  ]
>

type ClientTypes = All<
  [
    Same<Answer<'GET /api/v1/auth/me'>, User>,
    Same<Answer<'DELETE /api/v1/auth/me/sessions'>, undefined>,
    Same<Answer<'POST /api/v1/auth/forgot-password'>, Message>,
    Same<Body<'PUT /api/v1/auth/me/avatar'>, FormData>,
    Same<Input<'GET /api/v1/auth/me/sessions'> extends { body: unknown } ? true : false, false>,
    Same<Has<Route, 'GET /api/v1/auth/session'>, true>,
    Same<Has<Route, 'GET /docs'>, false>,
    Same<Has<Route, 'GET /api/v1/auth/verify-email'>, false>,
    Same<Has<AuthError['code'], 'rate_limited'>, true>,
    Same<Extract<Auth, { kind: 'user' }>, UserClaims>,
  ]
>

test('bodies are typed: optional members can be omitted, unknown ones are rejected', () => {
  const claims: [Claims['length'], ClientTypes['length']] = [11, 10]
  const body: SignIn['body'] = { email: 'ada@example.org', password: 'quiet harbour 52', session: 'cookie' }
  // @ts-expect-error a password is needed
  const missing: SignIn['body'] = { email: 'ada@example.org' }
  // @ts-expect-error no such field
  const unknown: SignIn['body'] = { ...body, is_staff: true, isStaff: true }
  assert.ok(claims && body && missing && unknown)
})

test('calls are typed: each route has its own input and response', () => {
  const calls = (auth: Client) => {
    const user: Promise<User> = auth.call('GET /api/v1/auth/me')
    const ended: Promise<undefined> = auth.call('DELETE /api/v1/auth/me/sessions/{id}', { params: { id: '1' } })
    auth.call('POST /api/v1/auth/signout')
    auth.call('POST /api/v1/auth/signout', { body: { refresh_token: 'x' } })
    auth.call('DELETE /api/v1/auth/me', { signal: AbortSignal.timeout(1) })
    auth.on('signed-in', (who: User) => who.id)
    // @ts-expect-error its parameter is missing
    auth.call('DELETE /api/v1/auth/me/sessions/{id}')
    // @ts-expect-error its body is missing
    auth.call('POST /api/v1/auth/forgot-password')
    // @ts-expect-error no such field
    auth.call('POST /api/v1/auth/forgot-password', { body: { mail: 'x' } })
    // @ts-expect-error it takes no body
    auth.call('GET /api/v1/auth/me', { body: {} })
    // @ts-expect-error no such route
    auth.call('GET /api/v1/auth/nowhere')
    // @ts-expect-error a page is no JSON
    auth.call('GET /docs')
    // @ts-expect-error the client chooses the kind of session
    auth.signIn({ email: 'x', password: 'x', session: 'token' })
    // @ts-expect-error no such event
    auth.on('signed-up', () => {})
    return { user, ended }
  }
  const claims = async (server: ResourceServer) => {
    const user: UserClaims = await server.verifyAccessToken('x', { kind: 'user' })
    const client: ClientClaims = await server.verifyAccessToken('x', { kind: 'client' })
    // @ts-expect-error not every token has a session
    const { sid } = await server.verifyAccessToken('x')
    return { user, client, sid }
  }
  assert.deepEqual([typeof calls, typeof claims], ['function', 'function'])
})

test('the client exports one function and the errors', () => {
  assert.deepEqual(Object.keys(client).sort(), [
    'AuthError',
    'AuthServiceUnavailable',
    'InvalidAuthorizationHeader',
    'InvalidToken',
    'NotAuthenticated',
    'createClient',
  ])
})
