import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, type Person, type TestApp, testApp } from '../../../test/support/app.ts'
import { inParallel } from '../../../test/support/attack.ts'
import { until } from '../../../test/support/until.ts'
import { attemptWithin } from '../../domain/limits.ts'
import { signInDelay } from '../../domain/password-limits.ts'
import { hashKey } from '../../domain/passwords/hash-key.ts'
import { systemActor } from '../../kernel/actor.ts'
import type { UserId } from '../../kernel/ids.ts'
import { transact } from '../../store/unit-of-work.ts'

async function setUser(
  app: TestApp,
  person: Person,
  columns: { is_active?: 0 | 1; email_verified_at?: null; password_hash?: string },
) {
  await transact(app.deps, systemActor('command', 'test'), async (work) => {
    work.allowRemoval()
    await work.db
      .updateTable('users')
      .set(columns)
      .where('id', '=', person.id as UserId)
      .execute()
    work.changed('all')
  })
}

forEachDatabase('sign-in', (engine) => {
  test('users can sign in with identifier, email address or username, in any letter case', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user({ email: 'ada@example.com', username: 'ada' })

    for (const name of [
      { identifier: 'ADA@Example.com' },
      { identifier: 'Ada' },
      { email: 'Ada@EXAMPLE.com' },
      { username: 'ADA' },
    ]) {
      const told = await app.post('/signin', { ...name, password: ada.password })
      assert.equal(told.status, 200, JSON.stringify(name))
      assert.equal(told.json.token_type, 'Bearer')
      assert.equal(told.json.expires_in, 900)
      assert.equal(told.json.user.id, ada.id)
    }
  })

  test('none or several of the three names is a fault', async () => {
    await using app = await testApp({ engine })
    assert.equal((await app.post('/signin', { password: 'x' })).code, 'input_invalid')
    assert.equal(
      (await app.post('/signin', { email: 'a@b.example', username: 'a', password: 'x' })).code,
      'input_invalid',
    )
  })

  test('wrong, unknown and malformed answer alike', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()

    const answers = []
    for (const body of [
      { email: ada.email, password: 'wrong harbour' },
      { email: 'nobody@example.com', password: 'wrong harbour' },
      { identifier: 'no such @ address', password: 'wrong harbour' },
      { username: '???', password: 'wrong harbour' },
    ]) {
      const { status, json } = await app.post('/signin', body)
      answers.push(JSON.stringify({ status, ...json, instance: null }))
    }
    assert.equal(new Set(answers).size, 1)
    assert.match(answers[0] ?? '', /Invalid email or password/)
    assert.deepEqual((await app.events()).filter((name) => name === 'signin.failed').length, 4)
  })

  test('inactive and unverified are told only after the right password', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const eve = await app.user()
    await setUser(app, ada, { is_active: 0 })
    await setUser(app, eve, { email_verified_at: null })

    assert.equal(
      (await app.post('/signin', { email: ada.email, password: 'wrong harbour' })).code,
      'invalid_credentials',
    )
    const inactive = await app.post('/signin', { email: ada.email, password: ada.password })
    assert.deepEqual(
      [inactive.status, inactive.code, inactive.json.detail],
      [403, 'account_inactive', 'User account is inactive'],
    )
    assert.equal((await app.post('/signin', { email: eve.email, password: eve.password })).code, 'email_unverified')
    assert.deepEqual(await app.rows('sessions'), [])
  })

  test('a cookie session has the attributes of its wish', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()

    const short = await app.post('/signin', { email: ada.email, password: ada.password, session: 'cookie' })
    const cookie = short.setCookies.find((text) => text.startsWith('gatelodge='))
    assert.match(cookie ?? '', /^gatelodge=[\w-]{22}\.[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/)
    assert.equal(short.json.session.current, true)
    assert.equal(short.json.access_token, undefined)

    const long = await app.post('/signin', {
      email: ada.email,
      password: ada.password,
      session: 'cookie',
      remember: true,
    })
    assert.match(long.setCookies.find((text) => text.startsWith('gatelodge=')) ?? '', /; Max-Age=\d{6}/)
  })

  test('over https the cookies carry the __Host- prefix and Secure', async () => {
    await using app = await testApp({
      engine,
      env: { GATELODGE_PUBLIC_URL: 'https://auth.example', GATELODGE_INSECURE_HTTP: 'yes' },
    })
    const ada = await app.user()
    const told = await app.post('/signin', { email: ada.email, password: ada.password, session: 'cookie' })
    assert.match(told.setCookies[0] ?? '', /^__Host-gatelodge=\S+; Path=\/; HttpOnly; SameSite=Lax; Secure$/)
    assert.match(told.headers.get('strict-transport-security') ?? '', /max-age=63072000/)
  })

  test('a sign-in with a live session ends that session; a planted cookie is never adopted', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const first = await app.cookie(ada)
    const second = await app.cookie(ada, { cookie: first })
    assert.notEqual(first, second)
    assert.equal((await app.get('/session', { cookie: first })).status, 401)

    const planted = `${'A'.repeat(22)}.${'B'.repeat(43)}`
    const third = await app.cookie(ada, { cookie: planted })
    assert.notEqual(third, planted)
    assert.equal((await app.get('/session', { cookie: planted })).status, 401)
  })

  test('a hash of lower cost is renewed at sign-in', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    // argon2id with 7 KiB... made by the hasher itself with lower parameters
    const { createHasher } = await import('../../domain/passwords/hasher.ts')
    const weak = createHasher({ parameters: { memoryKiB: 8, passes: 1, lanes: 1 }, threads: 1 })
    const strong = createHasher({ parameters: { memoryKiB: 16, passes: 1, lanes: 1 }, threads: 1 })
    const before = await weak.hash(ada.password, hashKey(systemActor('library', 'test')))
    await setUser(app, ada, { password_hash: before })
    assert.equal(strong.needsRehash(before), true)

    const deps = { ...app.deps, hasher: strong }
    const { signIn } = await import('./sign-in.ts')
    await signIn(deps, systemActor('library', 'test'), {
      email: ada.email,
      password: ada.password,
      kind: 'cookie',
      remember: false,
    })
    const [user] = await app.rows('users')
    assert.notEqual(user?.password_hash, before)
    assert.match(String(user?.password_hash), /m=16,/)
    assert.equal((await app.events()).includes('password.rehashed'), true)
    await Promise.all([weak.close(), strong.close()])
  })

  test('of parallel sign-ins whose hash has to be renewed one renews it, and all succeed', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const { createHasher } = await import('../../domain/passwords/hasher.ts')
    const strong = createHasher({ parameters: { memoryKiB: 16, passes: 1, lanes: 1 }, threads: 1 })
    const { signIn } = await import('./sign-in.ts')
    const input = { email: ada.email, password: ada.password, kind: 'cookie', remember: false } as const
    const deps = { ...app.deps, hasher: strong }
    const made = await inParallel(8, () => signIn(deps, systemActor('library', 'test'), input))

    assert.equal(new Set(made.map((outcome) => outcome.status === 'signed_in' && outcome.session.id)).size, 8)
    assert.ok(made.every(({ status }) => status === 'signed_in'))
    assert.equal((await app.events()).filter((name) => name === 'password.rehashed').length, 1)
    assert.equal((await app.events()).includes('signin.failed'), false)
    await strong.close()
  })

  test('after ten failures the wait grows, for a known and an unknown address alike', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()

    for (const email of [ada.email, 'nobody@example.com']) {
      for (let round = 0; round < 10; round += 1) {
        const ip = `203.0.113.${round}`
        assert.equal(
          (await app.post('/signin', { email, password: `wrong ${round}` }, { ip })).code,
          'invalid_credentials',
        )
      }
      const waits = []
      for (let round = 0; round < 3; round += 1) {
        const told = await app.post('/signin', { email, password: 'wrong' }, { ip: '203.0.113.99' })
        assert.equal(told.code, 'rate_limited')
        const wait = Number(told.headers.get('retry-after'))
        waits.push(wait)
        app.clock.advance(wait * 1000)
        assert.equal(
          (await app.post('/signin', { email, password: 'wrong' }, { ip: '203.0.113.98' })).code,
          'invalid_credentials',
        )
      }
      assert.deepEqual(waits, [1, 2, 4])
    }
  })

  test('a known device keeps its way in while strangers fail', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const first = await app.post('/signin', { email: ada.email, password: ada.password, session: 'cookie' })
    const device = { headers: { cookie: `gatelodge-device=${first.cookie('gatelodge-device')}` } }
    for (let round = 0; round < 12; round += 1) {
      await app.post('/signin', { email: ada.email, password: `wrong ${round}` }, { ip: `203.0.113.${round}` })
    }

    assert.equal((await app.post('/signin', { email: ada.email, password: ada.password })).code, 'rate_limited')
    assert.equal((await app.post('/signin', { email: ada.email, password: ada.password }, device)).status, 200)
    const forged = { headers: { cookie: `gatelodge-device=${'A'.repeat(22)}.${'A'.repeat(43)}` } }
    assert.equal((await app.post('/signin', { email: ada.email, password: ada.password }, forged)).code, 'rate_limited')
  })

  test('after a hundred failures in a row the password must be reset, and the owner is told once', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    for (let round = 0; round < 100; round += 1) {
      app.clock.advance(16 * 60_000)
      const told = await app.post('/signin', { email: ada.email, password: `wrong ${round}` })
      assert.equal(told.code, 'invalid_credentials')
    }
    app.clock.advance(16 * 60_000)
    assert.equal((await app.post('/signin', { email: ada.email, password: ada.password })).code, 'invalid_credentials')
    assert.equal((await app.mails(ada.email)).filter(({ kind }) => kind === 'password_disabled').length, 1)

    app.clock.advance(60 * 60_000)
    await app.post('/forgot-password', { email: ada.email })
    const { token } = await app.lastMail(ada.email)
    assert.equal((await app.post('/reset-password', { token, new_password: 'another harbour 53' })).status, 200)
    assert.equal((await app.post('/signin', { email: ada.email, password: 'another harbour 53' })).status, 200)
  })

  test('an account counts once: what one identifier failed at delays the other, of which no answer tells', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const [mine, other] = [{ username: ada.username }, { username: 'no-such-name' }]
    const ask = (names: object, password: string, round = 0) =>
      app.post('/signin', { ...names, password }, { ip: `203.0.113.${round}` })
    for (let round = 0; round < 8; round += 1) await ask(round % 2 ? { email: ada.email } : mine, 'wrong', round)
    for (let round = 0; round < 4; round += 1) await ask(other, 'wrong', 50 + round)
    assert.equal((await ask({ email: ada.email }, ada.password, 20)).status, 200)

    for (let round = 0; round < 9; round += 1) await ask({ email: ada.email.toUpperCase() }, 'wrong', round)
    for (let round = 0; round < 2; round += 1) {
      const [seen, unseen] = [await ask(mine, 'wrong', 30 + round), await ask(other, 'wrong', 60 + round)]
      assert.deepEqual([seen.status, seen.code], [unseen.status, unseen.code])
    }
    assert.equal((await ask(mine, ada.password, 40)).code, 'invalid_credentials')
    app.clock.advance(5_000)
    assert.equal((await ask(mine, ada.password, 41)).status, 200)
  })

  test('attempts under way by one identifier leave the other no guess, of which no answer tells', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const { promise, resolve } = Promise.withResolvers<void>()
    const use = { limit: signInDelay, subject: `email ${ada.email}`, isFailure: () => false }
    const actor = systemActor('library', 'test')
    const underWay = Array.from({ length: 10 }, () => attemptWithin(app.deps, actor, use, () => promise))
    await until(() => app.deps.limitsInFlight.attempts.values().next().value === 10)

    const ask = { username: ada.username, password: ada.password }
    assert.equal((await app.post('/signin', ask)).code, 'invalid_credentials')
    resolve()
    await Promise.all(underWay)
    assert.equal((await app.post('/signin', ask)).status, 200)
  })

  test('strangers who use up their hundred failures switch the password off for strangers only', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const first = await app.post('/signin', { email: ada.email, password: ada.password, session: 'cookie' })
    const device = { headers: { cookie: `gatelodge-device=${first.cookie('gatelodge-device')}` } }
    const cookie = first.cookie('gatelodge') ?? ''
    for (let round = 0; round < 100; round += 1) {
      app.clock.advance(16 * 60_000)
      await app.post('/signin', {
        ...(round % 2 ? { email: ada.email } : { username: ada.username }),
        password: 'wrong',
      })
      // The owner comes every day: it takes nothing back of what strangers failed at.
      if (round % 30 === 0)
        assert.equal((await app.post('/signin', { email: ada.email, password: ada.password }, device)).status, 200)
    }
    app.clock.advance(16 * 60_000)
    const ask = { email: ada.email, password: ada.password }
    assert.equal((await app.post('/signin', ask)).code, 'invalid_credentials')
    assert.equal((await app.post('/reauthenticate', { password: ada.password }, { cookie })).status, 200)
    const again = await app.post('/signin', ask, device)
    assert.equal(again.status, 200)
    const { access_token: bearer } = again.json
    const change = { old_password: ada.password, new_password: 'another harbour 53' }
    assert.equal((await app.post('/change-password', change, { bearer })).status, 200)
    app.clock.advance(16 * 60_000)
    assert.equal((await app.post('/signin', { email: ada.email, password: 'another harbour 53' })).status, 200)
  })

  test('a known device that fails a hundred times loses the password until a reset, and no other device does', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const right = { email: ada.email, password: ada.password }
    const signIn = async (ask = {}) => {
      const told = await app.post('/signin', right, ask)
      return { headers: { cookie: `gatelodge-device=${told.cookie('gatelodge-device')}` } }
    }
    const [lost, kept] = [await signIn({ ip: '198.51.100.1' }), await signIn({ ip: '203.0.113.1' })]
    for (let round = 0; round < 100; round += 1) {
      app.clock.advance(16 * 60_000)
      const told = await app.post('/signin', { ...right, password: `wrong ${round}` }, lost)
      assert.equal(told.code, 'invalid_credentials')
    }
    app.clock.advance(16 * 60_000)
    assert.equal((await app.post('/signin', right, lost)).code, 'invalid_credentials')
    for (const ask of [{}, kept]) assert.equal((await app.post('/signin', right, ask)).status, 200)
    const notices = (await app.mails(ada.email)).filter(({ kind }) => kind === 'password_disabled')
    assert.equal(notices.length, 1)
    assert.match(notices[0]?.text ?? '', /no longer works on that device/)

    await app.post('/forgot-password', { email: ada.email })
    const { token } = await app.lastMail(ada.email)
    await app.post('/reset-password', { token, new_password: 'another harbour 53' })
    const fresh = { ...right, password: 'another harbour 53' }
    assert.equal((await app.post('/signin', fresh, lost)).status, 200)
    assert.equal((await app.post('/signin', fresh, lost)).status, 200)
  })

  test('a right password takes ten failures back, so that coming again does not renew a hundred', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const right = { email: ada.email, password: ada.password }
    const { setCookies } = await app.post('/signin', right)
    const device = { headers: { cookie: setCookies[0]?.split(';')[0] ?? '' } }
    for (const ask of [{}, device]) {
      for (let round = 0; round < 106; round += 1) {
        app.clock.advance(16 * 60_000)
        await app.post('/signin', { ...right, password: `wrong ${round}` }, ask)
        if (round !== 60) continue
        app.clock.advance(16 * 60_000)
        assert.equal((await app.post('/signin', right, ask)).status, 200)
      }
      app.clock.advance(16 * 60_000)
      assert.equal((await app.post('/signin', right, ask)).status, 200)
      for (let round = 0; round < 14; round += 1) {
        app.clock.advance(16 * 60_000)
        await app.post('/signin', { ...right, password: `wrong ${round}` }, ask)
      }
      app.clock.advance(16 * 60_000)
      assert.equal((await app.post('/signin', right, ask)).code, 'invalid_credentials')
    }
  })

  test('a thief in one session delays and stops its proofs only, not those of the owner’s session', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const [theirs, own] = [await app.cookie(ada), await app.cookie(ada)]
    const prove = (cookie: string, password: string) => app.post('/reauthenticate', { password }, { cookie })
    for (let round = 0; round < 100; round += 1) {
      app.clock.advance(16 * 60_000)
      assert.equal((await prove(theirs, `wrong ${round}`)).code, 'incorrect_password')
    }
    assert.equal((await prove(theirs, 'wrong')).code, 'rate_limited')
    app.clock.advance(16 * 60_000)
    assert.equal((await prove(theirs, ada.password)).code, 'incorrect_password')
    assert.equal((await prove(own, ada.password)).status, 200)
    assert.equal((await app.post('/signin', { email: ada.email, password: ada.password })).status, 200)
  })

  test('an account trusts the twenty devices seen last', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const right = { email: ada.email, password: ada.password }
    const cookies = []
    for (let round = 0; round < 22; round += 1) {
      app.clock.advance(60_000)
      cookies.push((await app.post('/signin', right, { ip: `203.0.${round}.1` })).cookie('gatelodge-device'))
    }
    for (let round = 0; round < 12; round += 1)
      await app.post('/signin', { ...right, password: 'wrong' }, { ip: `198.51.100.${round}` })
    const codes = []
    for (const device of cookies)
      codes.push((await app.post('/signin', right, { headers: { cookie: `gatelodge-device=${device}` } })).code)
    assert.deepEqual(codes, [...Array(2).fill('rate_limited'), ...Array(20).fill(undefined)])
  })

  test('with rate limits off nothing is counted', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_RATE_LIMITS: 'off' } })
    const ada = await app.user()
    for (let round = 0; round < 40; round += 1) {
      assert.equal(
        (await app.post('/signin', { email: ada.email, password: `wrong ${round}` })).code,
        'invalid_credentials',
      )
    }
    assert.equal((await app.post('/signin', { email: ada.email, password: ada.password })).status, 200)
    assert.deepEqual(await app.rows('limit_counters'), [])
  })

  test('a new device is told by mail: not at the first sign-in, not from the same place, once a day', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const firefox = {
      headers: { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0' },
      ip: '203.0.113.7',
    }
    const notices = async () => (await app.mails(ada.email)).filter(({ kind }) => kind === 'new_device')

    await app.cookie(ada)
    await app.cookie(ada, { ip: '192.0.2.77' })
    assert.equal((await notices()).length, 0)

    await app.cookie(ada, firefox)
    const [notice] = await notices()
    assert.match(notice?.text ?? '', /Firefox on Linux/)
    await app.cookie(ada, { ip: '198.18.0.1' })
    assert.equal((await notices()).length, 1)
    app.clock.advance(25 * 3_600_000)
    await app.cookie(ada, { ip: '2001:db8:1:2:3::4' })
    assert.equal((await notices()).length, 2)
  })

  test('re-authentication gives a new id and a fresh proof, and the old session ends', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const cookie = await app.cookie(ada)
    app.clock.advance(16 * 60_000)
    assert.equal((await app.get('/me/export', { cookie })).code, 'reauthentication_required')

    assert.equal(
      (await app.post('/reauthenticate', { password: 'wrong harbour' }, { cookie })).code,
      'incorrect_password',
    )
    const told = await app.post('/reauthenticate', { password: ada.password }, { cookie })
    const fresh = told.cookie('gatelodge') ?? ''
    assert.notEqual(fresh, cookie)
    assert.equal((await app.get('/session', { cookie })).status, 401)
    assert.equal((await app.get('/me/export', { cookie: fresh })).status, 200)

    const { access } = await app.tokens(ada)
    const tokens = await app.post('/reauthenticate', { password: ada.password }, { bearer: access })
    assert.ok(tokens.json.refresh_token)
    assert.equal((await app.get('/session', { bearer: access })).status, 401)
  })
})
