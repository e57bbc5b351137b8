import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { composeTest, forEachDatabase, testApp } from '../../test/support/app.ts'
import { inParallel } from '../../test/support/attack.ts'
import { freshDatabase } from '../../test/support/databases.ts'
import { testClock } from '../../test/support/deps.ts'
import { deadlocksOf } from '../../test/support/races.ts'
import { cleanUp } from '../jobs/clean-up.ts'
import { systemActor } from '../kernel/actor.ts'
import { day, hour, minute } from '../kernel/clock.ts'
import { readSigningKeys, rotateSigningKey, rotateSigningKeyByAge } from './signing-keys.ts'

const actor = systemActor('command', 'test')
type App = Awaited<ReturnType<typeof testApp>>

const published = async (app: App): Promise<string[]> =>
  (await app.get('/.well-known/jwks.json')).json.keys.map(({ kid }: { kid: string }) => kid)
const headerOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString())
const rotate = (app: App, compromised = false) => rotateSigningKey(app.deps, actor, app.deps.config, { compromised })

const subject = { userId: '01999999-0000-7000-8000-000000000000' as never, sessionId: 's' as never, roles: [] }

forEachDatabase('signing keys', (engine) => {
  test('a new key is published for an hour before it signs, and the old one until its last token has expired', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const [first] = await published(app)
    await rotate(app)
    const [next, ...others] = await published(app)
    assert.deepEqual(others, [first])

    app.clock.advance(hour - 1)
    const last = await app.tokens(ada)
    assert.equal(headerOf(last.access).kid, first)
    app.clock.advance(1)
    const { access } = await app.tokens(ada)
    assert.equal(headerOf(access).kid, next)

    app.clock.advance(14 * minute)
    for (const bearer of [last.access, access]) assert.equal((await app.get('/session', { bearer })).status, 200)
    assert.deepEqual(await published(app), [next, first])
    app.clock.advance(2 * minute)
    assert.deepEqual(await published(app), [next])
    await cleanUp(app.deps)
    assert.deepEqual(
      (await app.rows('signing_keys')).map(({ kid }) => kid),
      [next],
    )
  })

  test('a key that is old enough gets one successor, however many ask', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_KEY_ROTATION: '30d' } })
    const byAge = () => rotateSigningKeyByAge(app.deps, actor, app.deps.config)
    app.clock.advance(30 * day - 1)
    assert.equal(await byAge(), false)
    app.clock.advance(1)
    const told = await Promise.all(Array.from({ length: 50 }, byAge))
    assert.equal(told.filter(Boolean).length, 1)
    assert.equal((await published(app)).length, 2)
    app.clock.advance(30 * day)
    assert.equal(await byAge(), false) // counted from when it began to sign
    app.clock.advance(hour)
    assert.equal(await byAge(), true)
  })

  test('a waiting successor remains the next key, and two concurrent rotations create one', async () => {
    await using app = await testApp({ engine })
    await Promise.all([rotate(app), rotate(app), rotate(app)])
    const keys = await published(app)
    assert.equal(keys.length, 2)
    await rotate(app)
    assert.deepEqual(await published(app), keys)
  })

  test('a compromised key is withdrawn immediately with everything it signed, and no user has to sign in again', async () => {
    await using app = await testApp({ engine })
    const { access, refresh } = await app.tokens(await app.user())
    assert.equal((await app.get('/session', { bearer: access })).status, 200)
    const before = await published(app)
    await rotate(app)
    await rotate(app, true)
    const [key, ...others] = await published(app)
    assert.deepEqual([others, before.includes(key ?? '')], [[], false])
    assert.equal((await app.get('/session', { bearer: access })).code, 'token_invalid')

    const refreshed = await app.post('/refresh', { refresh_token: refresh })
    assert.equal(headerOf(refreshed.json.access_token).kid, key)
    assert.equal((await app.get('/session', { bearer: refreshed.json.access_token })).status, 200)
    const names = (await app.rows('events')).map(({ name }) => name)
    assert.equal(names.filter((name) => name === 'key.withdrawn').length, 2)
  })

  test('another process signs with the new key and rejects the withdrawn one from its next request', async () => {
    const database = await freshDatabase(engine)
    const clock = testClock()
    const first = await composeTest({ database: database.location }, clock, [])
    const second = await composeTest({ database: database.location }, clock, [])
    for (const { deps } of [first, second]) await deps.accessTokens.jwks()
    const { text } = await first.deps.accessTokens.sign(subject)
    await second.deps.accessTokens.verify(text)

    await rotateSigningKey(first.deps, actor, first.deps.config, { compromised: true })
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(second.deps.accessTokens.recall(text), undefined)
    await assert.rejects(second.deps.accessTokens.verify(text), { code: 'token_invalid' })
    assert.equal(
      (await second.deps.accessTokens.sign(subject)).text.split('.')[0],
      (await first.deps.accessTokens.sign(subject)).text.split('.')[0],
    )
    await first.close()
    await second.close()
    await database.release()
  })

  test('another algorithm has a separate key, which takes over without interruption', async () => {
    const database = await freshDatabase(engine)
    const clock = testClock()
    let before: { text: string } | undefined
    for (const alg of ['EdDSA', 'ES256', 'RS256']) {
      const env = { GATELODGE_TOKEN_ALGORITHM: alg }
      const server = await composeTest({ env, database: database.location }, clock, [])
      const { accessTokens } = server.deps
      const meanwhile = await accessTokens.sign(subject)
      assert.equal(headerOf(meanwhile.text).alg, before ? headerOf(before.text).alg : alg)
      clock.advance(hour)
      const signed = await accessTokens.sign(subject)
      const keys = createLocalJWKSet((await accessTokens.jwks()) as never)
      for (const [{ text }, expected] of [
        [meanwhile, before ? headerOf(before.text).alg : alg],
        [signed, alg],
      ] as const) {
        const { protectedHeader } = await jwtVerify(text, keys, {
          typ: 'at+jwt',
          currentDate: new Date(clock.now() - hour),
        })
        assert.equal(protectedHeader.alg, expected)
      }
      assert.equal((await accessTokens.verify(signed.text)).sid, 's')
      before = signed
      await server.close()
    }
    await database.release()
  })

  test('a clock that was set back behind every key signs with the oldest', async () => {
    await using app = await testApp({ engine })
    const [first] = await published(app)
    await rotate(app)
    app.clock.advance(-day)
    assert.equal(headerOf((await app.deps.accessTokens.sign(subject)).text).kid, first)
  })

  test('a command run next to the server leaves the algorithm unchanged, even when it rotates the keys', async () => {
    const database = await freshDatabase(engine)
    const clock = testClock()
    const env = { GATELODGE_TOKEN_ALGORITHM: 'RS256' }
    const server = await composeTest({ env, database: database.location }, clock, [])
    const command = await composeTest({ database: database.location, isCommand: true }, clock, [])
    const { deps } = command
    const algorithms = async () => (await readSigningKeys(deps)).map(({ alg }) => alg)
    assert.deepEqual(await algorithms(), ['RS256'])
    await rotateSigningKey(deps, actor, deps.config, { compromised: false })
    assert.deepEqual(await algorithms(), ['RS256', 'RS256'])
    await rotateSigningKey(deps, actor, deps.config, { compromised: true })
    assert.deepEqual(await algorithms(), ['RS256'])
    await command.close()
    await server.close()
    await database.release()
  })

  test('no token outlives its key, also when the life of tokens was made longer meanwhile', async () => {
    const database = await freshDatabase(engine)
    const clock = testClock()
    const short = await composeTest({ database: database.location }, clock, [])
    await rotateSigningKey(short.deps, actor, short.deps.config, { compromised: false })
    await short.close()
    const env = { GATELODGE_ACCESS_TOKEN_TTL: '24h' }
    const long = await composeTest({ env, database: database.location }, clock, [])
    assert.equal((await long.deps.accessTokens.sign(subject)).expiresIn, (hour + 16 * minute) / 1000)
    clock.advance(hour)
    assert.equal((await long.deps.accessTokens.sign(subject)).expiresIn, day / 1000)
    await long.close()
    await database.release()
  })
})

test('concurrent rotations never deadlock', async () => {
  const app = await testApp({ engine: 'postgres', env: { GATELODGE_KEY_ROTATION: '1d' } })
  const broken = await deadlocksOf(app, async () => {
    for (let wave = 0; wave < 20; wave += 1) {
      app.clock.advance(2 * day)
      const told = await inParallel(50, () => rotateSigningKeyByAge(app.deps, actor, app.deps.config))
      assert.equal(told.filter(Boolean).length, 1)
    }
  })
  assert.equal(broken, 0)
})
