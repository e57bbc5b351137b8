import { z } from 'zod'
import type { SignInOutcome, StepRequired } from '../domain/authentication.ts'
import { deviceMemory } from '../domain/devices.ts'
import type { CookieJar } from './cookies.ts'
import type { Answer } from './route.ts'
import { sessionSchema, sessionToWire, tokenResponseSchema, userSchema, userToWire } from './wire.ts'

/** The answer of every way to sign in: a TokenResponse; with a cookie, user and session; or the step that is required before there is a session. */
export const signInSchema = z.union([
  tokenResponseSchema,
  z.strictObject({ user: userSchema, session: sessionSchema }).meta({ id: 'CookieSignIn' }),
  z
    .strictObject({
      status: z.literal('password_change_required'),
      change_token: z.string().meta({ description: 'For `/signin/new-password`. It is not a session.' }),
      expires_in: z.int().meta({ description: 'Seconds' }),
    })
    .meta({ id: 'PasswordChangeRequired' }),
])

/** What the ticket of each step is called. */
const ticketNames: Readonly<Record<StepRequired['status'], string>> = { password_change_required: 'change_token' }

const deviceCookieAge = deviceMemory / 1000

/** Returns the answer of a sign-in: its session as its kind requires, or the step that is missing, with 200. */
export function signInAnswer(cookies: CookieJar, outcome: SignInOutcome, status = 200): Answer {
  if (outcome.status !== 'signed_in') {
    const { status: step, ticket, expiresIn } = outcome
    return { status: 200, json: { status: step, [ticketNames[step]]: ticket, expires_in: expiresIn } }
  }

  const { credential, session } = outcome
  const device = setDeviceCookie(cookies, outcome.deviceCookie)
  const user = userToWire(outcome.user)
  if (credential.kind === 'token') {
    return {
      status,
      cookies: [device],
      json: {
        access_token: credential.accessToken,
        token_type: 'Bearer',
        expires_in: credential.expiresIn,
        refresh_token: credential.refreshToken,
        session_id: session.id,
        user,
      },
    }
  }

  // The cookie of a remembered session outlives the browser; the server ends the session in time whatever the cookie says.
  const age = outcome.remember ? (session.expiresAt - session.createdAt) / 1000 : undefined
  return {
    status,
    cookies: [cookies.session.set(credential.text, age), device],
    json: { user, session: sessionToWire(session, session.id) },
  }
}

/** Returns the Set-Cookie value of a device that the account knows. */
export function setDeviceCookie(cookies: CookieJar, deviceCookie: string): string {
  return cookies.device.set(deviceCookie, deviceCookieAge)
}
