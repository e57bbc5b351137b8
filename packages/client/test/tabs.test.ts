import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { forEachDatabase, type TestApp, testApp } from '../../gatelodge/test/support/app.ts'
import { type ClientOptions, createClientOn } from '../src/client.ts'
import { browserOf, fetchOf, type RecordingFetch, slowStorage, tab, webLocks } from './support/around.ts'

/** Opens tabs of one browser, with the real BroadcastChannel. */
function openTabs(app: TestApp, network: RecordingFetch, options: ClientOptions) {
  const channels: BroadcastChannel[] = []
  const openTab = () => {
    const platform = tab({
      fetch: network.fetch,
      now: app.clock.now,
      locks: webLocks(),
      openChannel(name) {
        const channel = new BroadcastChannel(`${process.pid} ${name}`)
        channels.push(channel)
        return channel
      },
    })
    const client = createClientOn(platform, options)
    const events: string[] = []
    /** Resolves with the next event in this tab. */
    const next = () =>
      new Promise<string>((resolve) => {
        for (const event of ['signed-in', 'signed-out', 'user-changed'] as const)
          client.on(event, (user) => resolve(user ? `${event} ${user.email} ${user.first_name}` : event))
      })
    client.on('signed-in', () => events.push('signed-in'))
    client.on('signed-out', () => events.push('signed-out'))
    return { client, next, events }
  }
  return {
    openTab,
    channels,
    [Symbol.dispose]() {
      for (const channel of channels) channel.close()
    },
  }
}

forEachDatabase('tabs', (engine) => {
  for (const session of ['cookie', 'token'] as const) {
    test(`other tabs are notified of sign-in, changes and sign-out (${session})`, async () => {
      await using app = await testApp({ engine })
      const network = session === 'cookie' ? browserOf(app) : fetchOf(app)
      using tabs = openTabs(app, network, { session, storage: slowStorage() })
      const [one, two] = [tabs.openTab(), tabs.openTab()]
      const { email, password } = await app.user()
      assert.equal(await two.client.session(), null)

      const signedIn = two.next()
      await one.client.signIn({ email, password })
      assert.equal(await signedIn, `signed-in ${email} `)
      assert.equal((await two.client.me()).email, email)

      const changed = one.next()
      await two.client.updateMe({ first_name: 'Ada' })
      assert.equal(await changed, `user-changed ${email} Ada`)

      const signedOut = one.next()
      await two.client.signOut()
      assert.equal(await signedOut, 'signed-out')
      assert.equal(await one.client.session(), null)
      assert.deepEqual([one.events, two.events], Array(2).fill(['signed-in', 'signed-out']))
    })
  }

  test('tabs with separate tokens do not notify each other', async () => {
    await using app = await testApp({ engine })
    using tabs = openTabs(app, fetchOf(app), { session: 'token', storage: 'memory' })
    tabs.openTab()
    assert.equal(tabs.channels.length, 0)
  })

  test('messages from another tab that contradict the stored tokens are ignored, and so are other messages', async () => {
    await using app = await testApp({ engine })
    using tabs = openTabs(app, fetchOf(app), { session: 'token', storage: slowStorage() })
    const { client, next, events } = tabs.openTab()
    const person = await app.user()
    await client.signIn({ email: person.email, password: person.password })
    const [channel] = tabs.channels
    assert.ok(channel)
    const stranger = new BroadcastChannel(channel.name)
    const heard = next()
    for (const message of ['signed-out', {}, { user: 'x' }, { user: { id: 1, email: 2 } }, { user: null }])
      stranger.postMessage(message)
    stranger.postMessage({ user: { ...(await client.me()), first_name: 'the last' } })
    assert.equal(await heard, `user-changed ${person.email} the last`)
    assert.deepEqual(events, ['signed-in'])
    stranger.close()
  })

  test('a closed client neither receives nor sends notifications, and its calls still work', async () => {
    await using app = await testApp({ engine })
    using tabs = openTabs(app, browserOf(app), {})
    const [closed, one, two] = [tabs.openTab(), tabs.openTab(), tabs.openTab()]
    const { email, password } = await app.user()
    closed.client.on('user-changed', () => closed.events.push('user-changed'))
    closed.client.close()
    closed.client.close()
    const signedIn = two.next()
    await one.client.signIn({ email, password })
    assert.equal(await signedIn, `signed-in ${email} `)
    assert.equal((await closed.client.me()).email, email)
    await closed.client.updateMe({ first_name: 'untold' })

    const signedOut = two.next()
    await one.client.signOut()
    assert.equal(await signedOut, 'signed-out')
    assert.deepEqual([closed.events, two.events], [[], ['signed-in', 'signed-out']])
  })
})

test('a client does not keep Node.js alive when it simulates a page', () => {
  const entry = new URL('../src/index.ts', import.meta.url).href
  const code = `globalThis.document = {}
    const { createClient } = await import('${entry}')
    createClient({ baseUrl: 'http://localhost:3000' }).on('signed-in', () => {})
    console.log('made')`
  const { status, stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', code], { timeout: 20_000 })
  assert.deepEqual([status, String(stdout)], [0, 'made\n'])
})
