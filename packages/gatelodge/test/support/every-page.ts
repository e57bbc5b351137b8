import assert from 'node:assert/strict'
import type { Site, Sitting } from './browser.ts'

const password = 'quiet harbour 52'

/** The pages that `everyPage` stops at, in its order. */
export const stops = [
  'login',
  'login-refused',
  'register',
  'register-refused',
  'verify-email-sent',
  'verify-email-resend',
  'verify-email',
  'login-after-confirmation',
  'verify-email-expired',
  'forgot-password',
  'reset-password',
  'reset-password-expired',
  'account',
  'account-refused',
  'avatar-refused',
  'email-refused',
  'change-email',
  'change-email-expired',
  'change-email-undo',
  'undo-expired',
  'password-refused',
  'sessions',
  'token-refused',
  'tokens',
  'data',
  'delete-refused',
  'reauthenticate',
  'logout',
  'not-found',
] as const

export type Stop = (typeof stops)[number]

/** Leads a person without account over every page there is, and waits at each: whoever asks for the next one may look around first. */
export async function* everyPage(sitting: Sitting, site: Site, name: string): AsyncGenerator<Stop> {
  yield* everyPageOfStrangers(sitting, site, name)

  await sitting.open('/login')
  await sitting.send('/login', { identifier: `${name}@example.org`, password })
  yield* everyPageOfAccounts(sitting, site, name)
}

/** Asks for a reset link until the server has had enough. */
export async function untilRateLimited(sitting: Sitting): Promise<void> {
  for (let tries = 0; tries < 40; tries += 1) {
    await sitting.open('/forgot-password')
    await sitting.send('/forgot-password', { email: 'nobody@example.org' })
    if (sitting.path() === '/forgot-password') return
  }
  assert.fail('nothing was limited')
}

async function* everyPageOfStrangers(sitting: Sitting, site: Site, name: string): AsyncGenerator<Stop> {
  const email = `${name}@example.org`
  await sitting.open('/login')
  yield 'login'
  await sitting.send('/login', { identifier: `nobody-${email}`, password: 'wrong' })
  yield 'login-refused'

  await sitting.open('/register')
  yield 'register'
  await sitting.send('/register', { email: 'no address', password: 'password', password_confirmation: 'passw0rd' })
  yield 'register-refused'
  await sitting.open('/register')
  const names = { username: name, first_name: 'Ada', last_name: 'Lovelace' }
  await sitting.send('/register', { email, ...names, password, password_confirmation: password })
  assert.equal(sitting.path(), '/verify-email')
  yield 'verify-email-sent'
  await sitting.open('/verify-email/resend')
  yield 'verify-email-resend'
  await sitting.page.goto(await site.linkTo(email, '/verify-email'))
  yield 'verify-email'
  await sitting.send('/verify-email')
  assert.equal(sitting.path(), '/login')
  yield 'login-after-confirmation'
  await sitting.open('/verify-email?token=0123456789abcdef.spent')
  yield 'verify-email-expired'

  await sitting.open('/forgot-password')
  yield 'forgot-password'
  await sitting.send('/forgot-password', { email })
  await sitting.page.goto(await site.linkTo(email, '/reset-password'))
  yield 'reset-password'
  await sitting.open('/reset-password?token=0123456789abcdef.spent')
  await sitting.send('/reset-password', { new_password: password, password_confirmation: password })
  yield 'reset-password-expired'
}

async function* everyPageOfAccounts(sitting: Sitting, site: Site, name: string): AsyncGenerator<Stop> {
  assert.equal(sitting.path(), '/account')
  yield 'account'
  await sitting.send('/account', { website: 'no address', birth_date: '' })
  yield 'account-refused'
  await sitting.open('/account/avatar')
  await sitting.send('/account/avatar')
  yield 'avatar-refused'
  await sitting.open('/account/email')
  await sitting.send('/account/email', { new_email: `new-${name}@example.org`, password: 'wrong' })
  yield 'email-refused'

  await sitting.send('/account/email', { new_email: `new-${name}@example.org`, password })
  await sitting.page.goto(await site.linkTo(`new-${name}@example.org`, '/change-email'))
  yield 'change-email'
  await sitting.open('/change-email?token=0123456789abcdef.spent')
  yield 'change-email-expired'
  await sitting.page.goto(await site.linkTo(`new-${name}@example.org`, '/change-email'))
  await sitting.send('/change-email')
  assert.equal(sitting.path(), '/account')
  await sitting.page.goto(await site.linkTo(`${name}@example.org`, '/change-email/undo'))
  yield 'change-email-undo'
  await sitting.open('/change-email/undo?token=0123456789abcdef.spent')
  yield 'undo-expired'

  await sitting.open('/account/password')
  await sitting.send('/account/password', { old_password: 'wrong', new_password: 'x', password_confirmation: 'x' })
  yield 'password-refused'
  await sitting.open('/account/sessions')
  yield 'sessions'
  await sitting.open('/account/tokens/new')
  await sitting.send('/account/tokens/new', { scopes: 'files:read' })
  yield 'token-refused'
  await sitting.send('/account/tokens/new', { name: 'backup script' })
  assert.equal(sitting.path(), '/account/tokens')
  yield 'tokens'
  await sitting.open('/account/data')
  await sitting.page.locator('summary').click()
  yield 'data'
  await sitting.send('/account/data/delete', { password: 'wrong' })
  yield 'delete-refused'
  await sitting.open('/account/reauthenticate?next=/account/data')
  yield 'reauthenticate'
  await sitting.open('/logout')
  yield 'logout'
  await sitting.open('/nowhere')
  yield 'not-found'
}
