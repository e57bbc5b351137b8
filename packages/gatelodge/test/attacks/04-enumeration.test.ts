import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deactivateUser } from '../../src/domain/account-removal.ts'
import { systemActor } from '../../src/kernel/actor.ts'
import type { UserId } from '../../src/kernel/ids.ts'
import { transact } from '../../src/store/unit-of-work.ts'
import { forEachDatabase, type TestApp, testApp } from '../support/app.ts'
import { likeness } from '../support/attack.ts'
import { type SeenPage, Visitor } from '../support/visitor.ts'

/** Returns one address in each state that an attacker might distinguish. */
async function addresses(app: TestApp): Promise<readonly string[]> {
  const owner = await app.user({ email: 'owner@example.com' })
  const stopped = await app.user({ email: 'stops@example.com' })
  await transact(app.deps, systemActor('command', 'test'), (work) => deactivateUser(work, stopped.id as UserId))
  const moved = await app.user({ email: 'moved@example.com' })
  const { access } = await app.tokens(moved)
  await app.post('/change-email', { new_email: 'later@example.com', password: moved.password }, { bearer: access })
  await app.post('/change-email/confirm', { token: (await app.lastMail('later@example.com')).token })
  await app.post('/signup', { email: 'waits@example.com', password: 'quiet harbour 52' })
  return ['ghost@example.com', owner.email, stopped.email, moved.email, 'later@example.com', 'waits@example.com']
}

/** Returns a page byte by byte, except for what is new each time. */
function bytesOf(page: SeenPage): unknown {
  const named = [...page.headers].filter(([name]) => !['x-request-id', 'date', 'set-cookie'].includes(name))
  const html = page.html.replace(/(name="form_token" value=")[\w-]+/g, '$1')
  return { status: page.status, at: page.at, named, html }
}

forEachDatabase('04 enumeration', (engine) => {
  test('every anonymous route gives one answer for unused, registered, deactivated, former, changed and pending addresses', async () => {
    await using app = await testApp({ engine })
    const all = await addresses(app)

    for (const [path, bodyOf] of [
      ['/signin', (email: string) => ({ email, password: 'wrong harbour 1' })],
      ['/signin', (email: string) => ({ identifier: email, password: 'wrong harbour 1' })],
      [
        '/signin',
        (email: string) => ({ identifier: email, password: 'wrong harbour 1', session: 'cookie', remember: true }),
      ],
      ['/forgot-password', (email: string) => ({ email })],
      ['/verify-email/resend', (email: string) => ({ email })],
      ['/signup', (email: string) => ({ email, password: 'planted harbour 9' })],
    ] as const) {
      const told = []
      for (const email of all) told.push(await app.post(path, bodyOf(email)))
      for (const answer of told) assert.deepEqual(likeness(answer), likeness(told[0] ?? answer), path)
      assert.equal(new Set(told.map(({ text }) => text.length)).size, 1, path)
    }
  })

  test('what anybody may ask about the service is the same while mails for a known or an unknown address wait, fail or hang', async () => {
    const paths = ['/healthz', '/readyz', '/openapi.json', '/docs', '/.well-known/jwks.json']
    await using app = await testApp({ engine })
    const all = await addresses(app)
    const seen = new Set<string>()
    for (const state of ['requested', 'sending', 'failed'] as const) {
      for (const email of all) {
        for (const path of ['/forgot-password', '/verify-email/resend', '/signup'])
          await app.post(path, { email, ...(path === '/signup' && { password: 'planted harbour 9' }) })
        await app.composition.deliverMail()
        // Emails stay undelivered, as they do while a mail server is slow or unavailable.
        const delay = {
          state,
          next_attempt_at: app.clock.now(),
          finished_at: state === 'failed' ? app.clock.now() : null,
        }
        await transact(app.deps, systemActor('command', 'test'), (work) =>
          work.db.updateTable('mails').set(delay).where('state', '=', 'delivered').execute(),
        )
        app.clock.advance(5 * 60_000)
        const told = await Promise.all(paths.map((path) => app.get(path)))
        seen.add(JSON.stringify(told.map(({ status, text }) => [status, text])))
        app.clock.advance(3 * 86_400_000)
      }
    }
    assert.equal(seen.size, 1)
  })

  test('budgets run out alike: the limits tell no more than the answers', async () => {
    await using app = await testApp({ engine })
    const all = await addresses(app)
    for (const [path, extra] of [
      ['/signin', { password: 'wrong harbour 1' }],
      ['/forgot-password', {}],
      ['/verify-email/resend', {}],
    ] as const) {
      const histories = []
      for (const [at, email] of all.entries()) {
        const history = []
        for (let round = 0; round < 14; round += 1) {
          const told = await app.post(path, { email, ...extra }, { ip: `203.0.113.${at * 20 + round}` })
          history.push([told.status, told.code, told.headers.get('retry-after')])
        }
        histories.push(JSON.stringify(history))
      }
      assert.equal(new Set(histories).size, 1, path)
    }
  })

  test('links requested for an address with an account are sent to its stored address only', async () => {
    await using app = await testApp({ engine })
    const all = await addresses(app)
    for (const email of all) await app.post('/forgot-password', { email: email.toUpperCase() })
    await app.composition.deliverMail()
    const reset = (app.deps.mailbox?.entries() ?? [])
      .filter(({ kind }) => kind === 'password_reset')
      .map(({ to }) => to)
    assert.deepEqual(reset.sort(), ['later@example.com', 'owner@example.com', 'waits@example.com'])
  })

  test('pages are the same to the last byte for unused, registered, deactivated, former, changed and pending addresses', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_RATE_LIMITS: 'off' } })
    const all = await addresses(app)
    const planted = { password: 'planted harbour 9', password_confirmation: 'planted harbour 9' }
    for (const [path, field, values] of [
      ['/register', 'email', planted],
      ['/verify-email/resend', 'email', {}],
      ['/forgot-password', 'email', {}],
    ] as const) {
      const seen = []
      for (const email of all) {
        const visitor = new Visitor(app)
        const page = await visitor.fill(path, { ...values, [field]: email })
        const cookies = ['', '-signup', '-device', '-form', '-flash', '-link'].map(
          (name) => visitor.cookie(`gatelodge${name}`)?.length,
        )
        seen.push({ page: bytesOf(page), cookies })
      }
      for (const each of seen) assert.deepEqual(each, seen[0], path)
    }

    const failed = []
    for (const email of all) {
      const page = await new Visitor(app).fill('/login', { identifier: email, password: 'wrong harbour 1' })
      assert.equal(page.form('/login').identifier, email)
      failed.push(
        bytesOf({ ...page, html: page.html.replaceAll(email.replace('@', '&#64;'), '').replaceAll(email, '') }),
      )
    }
    for (const page of failed) assert.deepEqual(page, failed[0])
  })
})
