import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cleanUp } from '../src/jobs/clean-up.ts'
import { storeLastSeen } from '../src/jobs/last-seen.ts'
import { day, hour, minute, second } from '../src/kernel/clock.ts'
import { forEachDatabase, type Person, type TestApp, testApp } from './support/app.ts'

const jumps = [-day, -hour, hour, day] as const

async function failTimes(app: TestApp, ada: Person, times: number): Promise<void> {
  for (let round = 0; round < times; round += 1) {
    await app.post('/signin', { email: ada.email, password: 'wrong harbour' }, { ip: `203.0.113.${round}` })
  }
}

forEachDatabase('the clock jumps', (engine) => {
  for (const jump of jumps) {
    test(`by ${jump / hour} hours: sessions, tokens and devices go on, and their uses are stored`, async () => {
      await using app = await testApp({ engine })
      const ada = await app.user()
      const cookie = await app.cookie(ada)
      const { refresh, session } = await app.tokens(ada)
      app.clock.advance(2 * minute)
      assert.equal((await app.get('/session', { cookie })).status, 200)
      await storeLastSeen(app.deps)
      const seen = async () => (await app.rows('sessions')).map(({ last_seen_at }) => Number(last_seen_at))
      const before = await seen()

      app.clock.advance(jump)
      assert.equal((await app.get('/session', { cookie })).status, 200)
      const next = await app.post('/refresh', { refresh_token: refresh })
      assert.equal(next.status, 200, next.text)
      assert.equal((await app.get('/session', { bearer: next.json.access_token })).status, 200)
      assert.equal((await app.post('/signin', { email: ada.email, password: ada.password })).status, 200)
      await storeLastSeen(app.deps)
      await cleanUp(app.deps)
      assert.ok((await app.rows('sessions')).some(({ id }) => id === session))
      // A last use is never moved back, except by a refresh.
      assert.ok(Math.max(...(await seen())) >= Math.max(...before))
    })
  }

  test('backwards: no one is locked out for longer than the longest wait, and failures are not forgotten', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const signIn = () => app.post('/signin', { email: ada.email, password: ada.password }, { ip: '198.51.100.77' })
    await failTimes(app, ada, 11)
    assert.equal((await signIn()).code, 'rate_limited')

    app.clock.advance(-day)
    await failTimes(app, ada, 1)
    const told = await signIn()
    assert.equal(told.code, 'rate_limited')
    assert.ok(Number(told.headers.get('retry-after')) <= (15 * minute) / second)
    app.clock.advance(15 * minute)
    assert.equal((await signIn()).status, 200)

    await failTimes(app, ada, 11)
    app.clock.advance(-hour)
    assert.equal((await signIn()).status, 200)
  })

  test('backwards: a budget that is used up is given again after one window of it at most', async () => {
    await using app = await testApp({ engine })
    const ask = (round: number) =>
      app.post('/signin', { email: `nobody${round}@example.com`, password: 'wrong harbour' })
    for (let round = 0; round < 30; round += 1) assert.equal((await ask(round)).code, 'invalid_credentials')
    assert.equal((await ask(30)).code, 'rate_limited')

    app.clock.advance(-day)
    assert.equal((await ask(31)).code, 'invalid_credentials') // checked, and counted in addition to the 30
    const told = await ask(32)
    assert.deepEqual([told.code, told.headers.get('retry-after')], ['rate_limited', '60'])
    app.clock.advance(minute)
    assert.equal((await ask(33)).code, 'invalid_credentials')
  })

  test('backwards: mails for an address are budgeted as ever', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const resets = async () => (await app.mails(ada.email)).filter(({ kind }) => kind === 'password_reset').length
    for (let round = 0; round < 5; round += 1) await app.post('/forgot-password', { email: ada.email })
    const sent = await resets()
    assert.ok(sent <= 3)
    app.clock.advance(-day)
    await app.post('/forgot-password', { email: ada.email })
    assert.equal(await resets(), sent)
    app.clock.advance(day + 15 * minute)
    await app.post('/forgot-password', { email: ada.email })
    assert.equal(await resets(), sent + 1)
  })

  test('backwards: a spent link stays spent, and a live one works', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    await app.post('/forgot-password', { email: ada.email })
    const { token } = await app.lastMail(ada.email)
    app.clock.advance(-day)
    const use = (new_password: string) => app.post('/reset-password', { token, new_password })
    assert.equal((await use('calm lagoon 7 tides')).status, 200)
    app.clock.advance(-day)
    assert.equal((await use('calm lagoon 8 tides')).code, 'token_invalid')
  })

  test('backwards: the grace of a refresh token and a fresh proof are not stretched', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const { refresh, access } = await app.tokens(ada)
    const other = await app.cookie(ada)
    await app.post('/refresh', { refresh_token: refresh })
    app.clock.advance(-5 * second)
    assert.equal((await app.post('/refresh', { refresh_token: refresh })).status, 200) // the clocks of two machines may differ by this much

    app.clock.advance(-hour)
    assert.equal((await app.get('/me/export', { cookie: other })).code, 'reauthentication_required')
    assert.equal((await app.post('/refresh', { refresh_token: refresh })).code, 'token_invalid')
    assert.equal((await app.get('/session', { bearer: access })).status, 401)
    assert.equal((await app.events()).filter((name) => name === 'refresh.reused').length, 1)
  })

  test('backwards: sealed successors are erased all the same', async () => {
    await using app = await testApp({ engine })
    const { refresh } = await app.tokens(await app.user())
    await app.post('/refresh', { refresh_token: refresh })
    app.clock.advance(-hour)
    await cleanUp(app.deps)
    assert.deepEqual(
      (await app.rows('refresh_tokens')).map(({ successor_sealed }) => successor_sealed),
      [null],
    )
  })

  test('backwards: ids and events keep the order of their making', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    await app.tokens(ada)
    const before = await app.events()
    app.clock.advance(-day)
    await app.post('/signin', { email: ada.email, password: 'wrong harbour' })
    await app.tokens(ada)
    const after = await app.events()
    assert.deepEqual(after.slice(0, before.length), before)
    assert.deepEqual(after.slice(before.length), ['signin.failed', 'session.started'])
  })
})
