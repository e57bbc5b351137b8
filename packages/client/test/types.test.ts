import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Routes, Session, TokenResponse, User } from '../src/index.ts'

// What is claimed here is claimed to the compiler: `npm run check` fails when it does not hold.

type SignIn = Routes['POST /api/v1/auth/signin']
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
type All<Claims extends readonly true[]> = Claims

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

test('bodies are typed: what is optional may be left out, what is unknown may not be given', () => {
  const claims: Claims['length'] = 11
  const body: SignIn['body'] = { email: 'ada@example.org', password: 'quiet harbour 52', session: 'cookie' }
  // @ts-expect-error a password is needed
  const missing: SignIn['body'] = { email: 'ada@example.org' }
  // @ts-expect-error no such field
  const unknown: SignIn['body'] = { ...body, is_staff: true, isStaff: true }
  assert.ok(claims && body && missing && unknown)
})

test('the client exports types only', async () => {
  assert.deepEqual(Object.keys(await import('../src/index.ts')), [])
})
