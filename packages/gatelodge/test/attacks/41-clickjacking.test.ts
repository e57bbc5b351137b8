import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, type Told, testApp } from '../support/app.ts'
import { askEveryRoute } from '../support/attack.ts'

function assertGuarded(told: Told, name: string): void {
  const policy = told.headers.get('content-security-policy') ?? ''
  assert.match(policy, /frame-ancestors 'none'/, name)
  assert.match(policy, /default-src 'none'/, name)
  assert.doesNotMatch(policy, /unsafe-inline|unsafe-eval|\*/, name)
  assert.equal(told.headers.get('x-content-type-options'), 'nosniff', name)
  assert.equal(told.headers.get('referrer-policy'), 'no-referrer', name)
}

forEachDatabase('41 clickjacking', (engine) => {
  test('every answer forbids frames, sniffing and referrers: all routes, failures, preflights and what is not there', async () => {
    await using app = await testApp({ engine })
    const { access } = await app.tokens(await app.user())
    for (const ask of [{}, { bearer: access }]) {
      for (const told of await askEveryRoute(app, () => ask)) assertGuarded(told, told.name)
    }
    assertGuarded(await app.get('/nowhere'), 'nowhere')
    assertGuarded(await app.get('/signin'), 'wrong method')
    assertGuarded(await app.ask('OPTIONS', '/signin'), 'preflight')
    assertGuarded(await app.ask('HEAD', '/docs'), 'HEAD')
    const [, asset = ''] = /href="(\/assets\/[^"]+)"/.exec((await app.get('/docs')).text) ?? []
    assertGuarded(await app.get(asset), asset)
  })

  test('the one framed page is the HTML of a development mail: only by ourselves, without script', async () => {
    await using app = await testApp({ engine })
    await app.user()
    const id = app.deps.mailbox?.entries()[0]?.id
    const ask = { ip: '127.0.0.1', headers: { host: 'localhost:3000' } }
    const told = await app.get(`/dev/mailbox/${id}/html`, ask)
    assert.equal(told.status, 200)
    const policy = told.headers.get('content-security-policy') ?? ''
    assert.match(policy, /frame-ancestors 'self'/)
    assert.match(policy, /default-src 'none'/)
    assert.match(policy, /sandbox/)
    assert.doesNotMatch(policy, /script-src|allow-scripts|allow-same-origin/)
    assertGuarded(await app.get(`/dev/mailbox/${id}`, ask), 'mail')
  })
})
