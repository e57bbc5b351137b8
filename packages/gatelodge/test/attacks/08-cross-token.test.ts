import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, type TestApp, testApp } from '../support/app.ts'
import { linkOf, stored } from '../support/attack.ts'

/** Returns one live credential of every kind that the program issues, all of the same user except the sign-up's. */
async function everyKind(app: TestApp): Promise<Record<string, string>> {
  const ada = await app.user({ email: 'old@example.com' })
  const first = await app.tokens(ada)
  await app.post('/change-email', { new_email: 'mid@example.com', password: ada.password }, { bearer: first.access })
  await app.post(
    '/change-email/confirm',
    { token: (await app.lastMail('mid@example.com')).token },
    { bearer: first.access },
  )
  const undo = (await app.lastMail('old@example.com')).token

  await app.post('/change-email', { new_email: 'new@example.com', password: ada.password }, { bearer: first.access })
  const change = (await app.lastMail('new@example.com')).token
  await app.post('/forgot-password', { email: 'mid@example.com' })
  const reset = (await app.lastMail('mid@example.com')).token
  const signIn = { email: 'mid@example.com', password: ada.password }
  const byCookie = await app.post('/signin', { ...signIn, session: 'cookie' })
  const signUp = await app.post('/signup', { email: 'eve@example.com', password: 'planted harbour 9' })
  const verify = linkOf((await app.lastMail('eve@example.com')).text).token
  const apiToken = await app.post('/me/tokens', { name: 'x', scopes: ['a'] }, { bearer: first.access })
  const client = await app.client()
  const ofClient = await app.form('/oauth2/token', { grant_type: 'client_credentials' }, client)
  const [cookieId, cookieSecret] = (byCookie.cookie('gatelodge') ?? '').split('.')
  const [, refreshSecret] = first.refresh.split('.')
  return {
    apiToken: apiToken.json.token,
    apiTokenWithoutPrefix: apiToken.json.token.replace('gatelodge_pat_', ''),
    clientToken: ofClient.json.access_token,
    clientSecret: client.secret,
    clientPair: `${client.id.replace('client_', '')}.${client.secret.replace('gatelodge_secret_', '')}`,
    access: first.access,
    refresh: first.refresh,
    cookie: byCookie.cookie('gatelodge') ?? '',
    device: byCookie.cookie('gatelodge-device') ?? '',
    signUp: signUp.cookie('gatelodge-signup') ?? '',
    verify,
    change,
    undo,
    reset,
    // Ids combined with the secret of something else.
    cookieBySecretOfRefresh: `${cookieId}.${refreshSecret}`,
    sessionBySecretOfCookie: `${first.session}.${cookieSecret}`,
  }
}

const places: Record<string, (app: TestApp, text: string) => Promise<{ status: number; code: string | undefined }>> = {
  access: (app, bearer) => app.get('/me/sessions', { bearer }),
  cookie: (app, cookie) => app.get('/session', { cookie }),
  refresh: (app, text) => app.post('/refresh', { refresh_token: text }),
  verify: (app, token) => app.post('/verify-email', { token, password: 'planted harbour 9' }),
  reset: (app, token) => app.post('/reset-password', { token, new_password: 'another harbour 53' }),
  change: (app, token) => app.post('/change-email/confirm', { token }),
  undo: (app, token) => app.post('/change-email/undo', { token }),
}

forEachDatabase('08 cross-token confusion', (engine) => {
  test('no credential is accepted as one of another kind, and the attempt does not consume it', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_RATE_LIMITS: 'off' } })
    const kinds = await everyKind(app)
    const { headers } = await app.client('another')
    const before = await stored(app)

    for (const [place, use] of Object.entries(places)) {
      for (const [kind, text] of Object.entries(kinds)) {
        assert.notEqual(text, '', kind)
        if (kind === place) continue
        const told = await use(app, text)
        if (kind === 'apiToken' && place === 'access') {
          assert.deepEqual([told.status, told.code], [403, 'insufficient_scope'])
          continue
        }
        const isLong = text.length > 256 && place !== 'access' && place !== 'cookie' // no token in a body is that long
        const expected = isLong
          ? [400, 'input_invalid']
          : [place in { access: 0, cookie: 0, refresh: 0 } ? 401 : 400, 'token_invalid']
        assert.deepEqual([told.status, told.code], expected, `${kind} as ${place}`)
      }
    }
    const active = ['apiToken', 'clientToken', 'access']
    for (const [kind, text] of Object.entries(kinds))
      assert.equal((await app.introspect(text, headers)).active, active.includes(kind), `${kind} at introspection`)
    assert.deepEqual(await stored(app), before)
    for (const place of ['access', 'cookie', 'refresh', 'verify', 'change']) {
      assert.equal((await places[place]?.(app, kinds[place] ?? ''))?.status, 200, place)
    }
  })

  test('a signed-up browser’s cookie confirms its own sign-up only', async () => {
    await using app = await testApp({ engine })
    await app.post('/signup', { email: 'victim@example.com', password: 'quiet harbour 52' })
    const { token } = await app.lastMail('victim@example.com')
    const mallory = await app.post('/signup', { email: 'victim@example.com', password: 'planted harbour 9' })
    const headers = { cookie: `gatelodge-signup=${mallory.cookie('gatelodge-signup')}` }
    assert.equal((await app.post('/verify-email', { token }, { headers })).code, 'password_required')
    const device = { cookie: `gatelodge-signup=${mallory.cookie('gatelodge-signup')?.split('.')[0]}.${'A'.repeat(43)}` }
    assert.equal((await app.post('/verify-email', { token }, { headers: device })).code, 'password_required')
  })
})
