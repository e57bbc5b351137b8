import assert from 'node:assert/strict'
import { openSite, type Site, type Sitting } from './browser.ts'
import { freshPostgresDatabase } from './postgres.ts'
import { tcpProxy } from './tcp-proxy.ts'

const password = 'quiet harbour 52'

/** The pages that `everyPage` stops at, in order. */
export const stops = [
  'login',
  'login-refused',
  'register',
  'register-refused',
  'verify-email-sent',
  'verify-email-resend',
  'verify-email',
  'verify-email-elsewhere',
  'login-after-confirmation',
  'verify-email-expired',
  'forgot-password',
  'reset-password',
  'reset-password-expired',
  'new-password',
  'account',
  'account-refused',
  'avatar-refused',
  'email-refused',
  'change-email',
  'change-email-expired',
  'change-email-undo',
  'undo-expired',
  'security-undo',
  'security-undo-expired',
  'password-refused',
  'sessions',
  'token-refused',
  'tokens',
  'data',
  'delete-refused',
  'reauthenticate',
  'logout',
  'cross-site',
  'not-found',
] as const

export type Stop = (typeof stops)[number]

/** Leads a visitor without an account over every page and yields at each, so that the caller can inspect the page before requesting the next. */
export async function* everyPage(sitting: Sitting, site: Site, name: string): AsyncGenerator<Stop> {
  yield* everyPageOfStrangers(sitting, site, name)

  const newcomer = `initial-${name}@example.org`
  const create = `user create --email ${newcomer} --password-stdin --must-change-password`
  assert.equal((await site.folder.run(create, { input: password })).status, 0)
  await sitting.open('/login')
  await sitting.send('/login', { identifier: newcomer, password })
  assert.equal(sitting.path(), '/login/new-password')
  yield 'new-password'

  await sitting.open('/login')
  await sitting.send('/login', { identifier: `${name}@example.org`, password })
  yield* everyPageOfAccounts(sitting, site, name)
}

/** The pages that `everyRefusal` stops at, in order. */
export const refusals = ['register-closed', 'rate-limited', 'unavailable'] as const

export type Refusal = (typeof refusals)[number]

/** A server that is closed for sign-ups, has the default limits, and whose database can be taken away. */
export interface StrictSite extends Site {
  loseDatabase(): Promise<void>
}

/** Starts one on PostgreSQL. Disposing of it releases the database. */
export async function openStrictSite(): Promise<StrictSite> {
  const database = await freshPostgresDatabase()
  const proxy = await tcpProxy(database.url)
  const env = { GATELODGE_DATABASE: proxy.via(database.url), GATELODGE_REGISTRATION: 'closed' }
  const site = await openSite(env)
  let isAway: Promise<void> | undefined
  const loseDatabase = () => {
    isAway ??= proxy.close()
    return isAway
  }
  return {
    ...site,
    loseDatabase,
    async [Symbol.asyncDispose]() {
      await site[Symbol.asyncDispose]()
      await loseDatabase()
      await database.release()
    },
  }
}

/** Leads visitors over the pages of a server that rejects what they request, and yields at each. At the end its database is unavailable. */
export async function* everyRefusal(
  sittings: readonly Sitting[],
  site: StrictSite,
): AsyncGenerator<readonly [Refusal, Sitting]> {
  for (const sitting of sittings) {
    await sitting.open('/register')
    assert.equal(await sitting.page.locator('form[action="/register"]').count(), 0)
    yield ['register-closed', sitting]
  }
  for (const sitting of sittings) {
    await untilRateLimited(sitting)
    yield ['rate-limited', sitting]
  }
  await site.loseDatabase()
  for (const sitting of sittings) {
    assert.equal(await statusOfSending(sitting, () => askForReset(sitting)), 503)
    yield ['unavailable', sitting]
  }
}

async function untilRateLimited(sitting: Sitting): Promise<void> {
  for (let tries = 0; tries < 40; tries += 1) {
    if ((await statusOfSending(sitting, () => askForReset(sitting))) === 429) return
  }
  assert.fail('nothing was limited')
}

async function statusOfSending(sitting: Sitting, send: () => Promise<void>): Promise<number> {
  const answered = sitting.page.waitForResponse((response) => response.request().method() === 'POST')
  await send()
  return (await answered).status()
}

async function askForReset(sitting: Sitting): Promise<void> {
  await sitting.open('/forgot-password')
  await sitting.send('/forgot-password', { email: 'nobody@example.org' })
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
  await sitting.page.context().clearCookies({ name: 'gatelodge-signup' })
  await sitting.page.goto(await site.linkTo(email, '/verify-email'))
  yield 'verify-email-elsewhere'
  await sitting.send('/verify-email', { password })
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
  await sitting.send('/account/password', {
    old_password: password,
    new_password: `${password}!`,
    password_confirmation: `${password}!`,
  })
  await sitting.page.goto(await site.linkTo(`new-${name}@example.org`, '/security/undo'))
  yield 'security-undo'
  await sitting.open('/security/undo?token=0123456789abcdef.spent')
  yield 'security-undo-expired'

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
  const action = `${site.origin}/account/sessions/end-others`
  const foreign = `<form method="post" action="${action}"><button type="submit">You won</button></form>`
  await sitting.page.goto(`data:text/html,${encodeURIComponent(foreign)}`)
  assert.equal(await statusOfSending(sitting, () => sitting.send(action)), 403)
  yield 'cross-site'
  await sitting.open('/nowhere')
  yield 'not-found'
}
