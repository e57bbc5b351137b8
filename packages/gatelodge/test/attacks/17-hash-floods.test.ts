import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hashKey } from '../../src/domain/passwords/hash-key.ts'
import { systemActor } from '../../src/kernel/actor.ts'
import { forEachDatabase, type TestApp, testApp } from '../support/app.ts'
import { turn } from '../support/attack.ts'

/** Where the strangers of a flood come from. */
const floods = {
  'in one /48': (at: number) => `2001:db8:1:${hex(at)}::1`,
  'in one /32': (at: number) => `2001:db8:${hex(at)}:1::1`,
  'in one /16 of IPv4': (at: number) => `203.0.${(at >> 8) & 255}.${at & 255}`,
  'spread over many /32': (at: number) => `${hex(0x2400 + (at & 4_095))}:${hex(at)}:1:1::1`,
}

const hex = (value: number) => (value & 65_535).toString(16)

forEachDatabase('17 hash load', (engine) => {
  for (const [place, floodFrom] of Object.entries(floods)) {
    test(`a flood from fresh networks ${place} leaves a known device, a session and a mailed link their turns`, async () => {
      await using app = await testApp({ engine, passwordHash: { memoryKiB: 1_024, passes: 2, lanes: 1 } })
      const [ada, bob] = [await app.user(), await app.user()]
      const first = await app.post('/signin', { email: ada.email, password: ada.password, session: 'cookie' })
      const device = { headers: { cookie: `gatelodge-device=${first.cookie('gatelodge-device')}` } }
      let cookie = first.cookie('gatelodge') ?? ''

      await using _ = flood(app, floodFrom)
      for (let round = 0; round < 5; round += 1) {
        const right = { email: ada.email, password: ada.password }
        assert.equal((await app.post('/signin', right, device)).status, 200, `sign-in ${round}`)
        const proved = await app.post('/reauthenticate', { password: ada.password }, { cookie })
        assert.equal(proved.status, 200, `proof ${round}`)
        cookie = proved.cookie('gatelodge') ?? ''
      }
      const change = { old_password: ada.password, new_password: 'another harbour 53' }
      assert.equal((await app.post('/change-password', change, { cookie })).status, 200)
      await app.post('/forgot-password', { email: bob.email })
      const { token } = await app.lastMail(bob.email)
      assert.equal((await app.post('/reset-password', { token, new_password: 'another harbour 53' })).status, 200)
    })
  }

  test('a newcomer loses no place to a network that floods from ever new parts of it', async () => {
    for (const place of ['in one /48', 'in one /32', 'in one /16 of IPv4'] as const) {
      await using app = await testApp({ engine, passwordHash: { memoryKiB: 1_024, passes: 2, lanes: 1 } })
      await using _ = flood(app, floods[place])
      for (const ip of ['2001:db9::1', '198.51.100.7', '2001:db9::1', '198.51.100.7', '192.0.2.9'])
        assert.equal((await app.post('/signin', { email: 'n@example.com', password: 'wrong' }, { ip })).status, 401)
    }
  })
})

/** Keeps the line for hashes full of what strangers ask for, each from where none came from before, until it is disposed of. */
function flood(app: TestApp, floodFrom: (at: number) => string): AsyncDisposable {
  const { hasher } = app.deps
  const asked: Promise<unknown>[] = []
  let isOver = false
  const refill = () => {
    for (const { refused } = hasher.load(); hasher.load().refused === refused; ) {
      const key = hashKey({ ...systemActor('library', 'test'), ip: floodFrom(asked.length) })
      asked.push(hasher.verify(null, 'wrong harbour', key).catch(() => false))
    }
  }
  refill()
  const going = (async () => {
    while (!isOver) {
      await turn()
      refill()
    }
  })()
  return {
    async [Symbol.asyncDispose]() {
      isOver = true
      await going
      await Promise.all(asked)
    },
  }
}
