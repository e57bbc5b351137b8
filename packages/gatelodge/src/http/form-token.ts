import type { LiveSession } from '../domain/session-cache.ts'
import { AuthError } from '../kernel/errors.ts'
import { sameText } from '../kernel/ids.ts'
import type { Keyring } from '../kernel/sealing.ts'
import type { FormValues } from './route.ts'

/** The name of the hidden field that carries the form token. */
export const formTokenField = 'form_token'

/**
 * Returns the token that each of our forms must carry. It is bound to the session or, for visitors who are not signed in, to a random cookie, so no row is
 * stored.
 */
export function formToken(keyring: Keyring, me: LiveSession | undefined, browser: string): string {
  return keyring.mac('form', me ? `session ${me.session.id}` : `browser ${browser}`)
}

/** Checks the form token. @throws cross_site if the form does not carry the token of its session or browser */
export function assertFormToken(
  keyring: Keyring,
  me: LiveSession | undefined,
  browser: string | undefined,
  form: FormValues,
): void {
  const isBound = me !== undefined || browser !== undefined
  if (!isBound || !sameText(form[formTokenField] ?? '', formToken(keyring, me, browser ?? '')))
    throw new AuthError('cross_site')
}
