import { z } from 'zod'
import type { SignedIn } from '../domain/authentication.ts'
import { deviceMemory } from '../domain/devices.ts'
import type { CookieJar } from './cookies.ts'
import type { Answer } from './route.ts'
import { sessionSchema, sessionToWire, tokenResponseSchema, userSchema, userToWire } from './wire.ts'

/** The answer of every way to sign in: a TokenResponse, or user and session beside the cookie. */
export const signInSchema = z.union([
  tokenResponseSchema,
  z.strictObject({ user: userSchema, session: sessionSchema }).meta({ id: 'CookieSignIn' }),
])

const deviceCookieAge = deviceMemory / 1000

/** Prints a sign-in as its session's kind asks. */
export function signInAnswer(cookies: CookieJar, signedIn: SignedIn, status = 200): Answer {
  const { credential, session } = signedIn
  const device = setDeviceCookie(cookies, signedIn.deviceCookie)
  const user = userToWire(signedIn.user)
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
  const age = signedIn.remember ? (session.expiresAt - session.createdAt) / 1000 : undefined
  return {
    status,
    cookies: [cookies.session.set(credential.text, age), device],
    json: { user, session: sessionToWire(session, session.id) },
  }
}

/** The Set-Cookie value of a device that its account knows. */
export function setDeviceCookie(cookies: CookieJar, deviceCookie: string): string {
  return cookies.device.set(deviceCookie, deviceCookieAge)
}
