import type { LiveSession } from '../domain/session-cache.ts'
import { AuthError } from '../kernel/errors.ts'
import { sameText } from '../kernel/ids.ts'
import type { Keyring } from '../kernel/sealing.ts'
import type { FormValues } from './route.ts'

/** The hidden field that carries it. */
export const formTokenField = 'form_token'

/** What a form of ours must carry: bound to the session, or for strangers to a random cookie of the browser, so that no row is needed. */
export function formToken(keyring: Keyring, me: LiveSession | undefined, browser: string): string {
  return keyring.mac('form', me ? `session ${me.session.id}` : `browser ${browser}`)
}

/** @throws cross_site when a form does not carry the token of its session or browser */
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
