import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, testApp } from '../../test/support/app.ts'
import { day } from '../kernel/clock.ts'
import { recordUntrustedPeer } from './untrusted-peers.ts'

forEachDatabase('untrusted peers', (engine) => {
  test('an untrusted peer that sends forwarding headers is recorded once a day, with its own address', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_TRUSTED_PROXIES: '192.0.2.1' } })
    const ask = (peer: string) =>
      app.composition.fetch(
        new Request('http://localhost:3000/api/v1/auth/username-available?username=ada', {
          headers: { 'x-forwarded-for': '203.0.113.9' },
        }),
        { peer },
      )
    const recorded = async () => {
      await recordUntrustedPeer(app.deps)
      return (await app.rows('events')).filter(({ name }) => name === 'proxy.untrusted').map(({ data }) => data)
    }
    await ask('192.0.2.1')
    assert.deepEqual(await recorded(), [])
    for (const peer of ['192.0.2.7', '192.0.2.8']) await ask(peer)
    assert.deepEqual(await recorded(), ['{"peer":"192.0.2.7"}'])
    assert.deepEqual(await recorded(), ['{"peer":"192.0.2.7"}'])
    app.clock.advance(day)
    await ask('192.0.2.8')
    assert.equal((await recorded()).length, 2)
    assert.equal(app.logged.filter(({ message }) => message.startsWith('forwarding header')).length, 2)
  })
})
