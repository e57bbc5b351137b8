import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, testApp } from '../support/app.ts'
import { inParallel, tally } from '../support/attack.ts'

forEachDatabase('09 refresh replay', (engine) => {
  test('a replay after the grace kills the whole lineage, however far it went on, with its access tokens', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const other = await app.cookie(ada)
    const first = await app.tokens(ada)
    const lineage = [first.refresh]
    let { access } = first
    for (let round = 0; round < 4; round += 1) {
      const told = await app.post('/refresh', { refresh_token: lineage.at(-1) })
      lineage.push(told.json.refresh_token)
      access = told.json.access_token
    }
    assert.equal((await app.get('/session', { bearer: access })).status, 200)

    app.clock.advance(10_000)
    assert.equal((await app.post('/refresh', { refresh_token: first.refresh })).code, 'token_invalid')
    for (const token of lineage.toReversed()) {
      assert.equal((await app.post('/refresh', { refresh_token: token })).code, 'token_invalid')
    }
    assert.equal((await app.get('/session', { bearer: access })).code, 'token_invalid')
    assert.equal((await app.get('/session', { cookie: other })).status, 200)
    assert.equal((await app.events()).filter((name) => name === 'refresh.reused').length, 1)
  })

  test('the grace ends on the millisecond and is not renewed by use', async () => {
    await using app = await testApp({ engine })
    const { refresh } = await app.tokens(await app.user())
    const first = await app.post('/refresh', { refresh_token: refresh })
    for (const pause of [5_000, 4_999]) {
      app.clock.advance(pause)
      const again = await app.post('/refresh', { refresh_token: refresh })
      assert.equal(again.json.refresh_token, first.json.refresh_token)
    }
    app.clock.advance(1)
    assert.equal((await app.post('/refresh', { refresh_token: refresh })).code, 'token_invalid')
  })

  test('fifty parallel replays after the grace give nothing and end the session once', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_RATE_LIMITS: 'off' } })
    const { refresh } = await app.tokens(await app.user())
    const { json } = await app.post('/refresh', { refresh_token: refresh })
    app.clock.advance(10_000)
    const told = await inParallel(50, () => app.post('/refresh', { refresh_token: refresh }))
    assert.deepEqual(tally(told.map(({ code }) => code)), { token_invalid: 50 })
    assert.equal((await app.post('/refresh', { refresh_token: json.refresh_token })).code, 'token_invalid')
    assert.equal((await app.events()).filter((name) => name === 'refresh.reused').length, 1)
  })

  test('refreshes that race a sign-out leave nothing alive', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_RATE_LIMITS: 'off' } })
    const ada = await app.user()
    for (let round = 0; round < 2; round += 1) {
      const { access, refresh } = await app.tokens(ada)
      const refreshes = inParallel(10, () => app.post('/refresh', { refresh_token: refresh }))
      const [told, out] = await Promise.all([refreshes, app.post('/signout', { refresh_token: refresh })])
      assert.equal(out.json.username, ada.username)
      for (const bearer of [access, ...told.map(({ json }) => json.access_token).filter(Boolean)]) {
        assert.equal((await app.get('/session', { bearer })).code, 'token_invalid')
      }
    }
    assert.deepEqual(await app.rows('refresh_tokens'), [])
  })

  test('a refresh never outlives the absolute end of its session', async () => {
    await using app = await testApp({ engine })
    let { refresh } = await app.tokens(await app.user())
    for (let days = 0; days < 30; days += 6) {
      refresh = (await app.post('/refresh', { refresh_token: refresh })).json.refresh_token
      app.clock.advance(6 * 86_400_000)
    }
    assert.equal((await app.post('/refresh', { refresh_token: refresh })).code, 'token_invalid')
  })
})
