import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newId, newToken } from '../../src/kernel/ids.ts'
import { systemRandom } from '../../src/kernel/random.ts'
import { forEachDatabase, testApp } from '../support/app.ts'
import { linkOf } from '../support/attack.ts'

/** Asserts that every bit of equally long texts is set about half of the time: within five standard deviations of a fair coin. */
function assertFairBits(texts: readonly string[], bytes: number, name: string): void {
  const bits = new Uint32Array(bytes * 8)
  for (const text of texts) {
    const raw = Buffer.from(text, 'base64url')
    assert.equal(raw.length, bytes, name)
    for (let at = 0; at < bits.length; at += 1) bits[at] = (bits[at] ?? 0) + ((raw.readUInt8(at >> 3) >> (at & 7)) & 1)
  }
  const tolerance = 5.5 * Math.sqrt(texts.length / 4)
  for (const [at, count] of bits.entries()) {
    assert.ok(Math.abs(count - texts.length / 2) < tolerance, `${name}: bit ${at} is set ${count} times`)
  }
}

test('10,000 tokens of either kind repeat nothing, carry no time, and every bit of their 128 or 256 is fair', () => {
  const tokens = Array.from({ length: 10_000 }, () => newToken(systemRandom))
  const ids = [...tokens.map(({ id }) => id), ...Array.from({ length: 10_000 }, () => newId(systemRandom))]
  const secrets = tokens.map(({ secret }) => secret)
  assert.equal(new Set(ids).size, 20_000)
  assert.equal(new Set(secrets).size, 10_000)
  assertFairBits(ids, 16, 'ids')
  assertFairBits(secrets, 32, 'secrets')
  // In order of creation they neither rise nor fall.
  const rising = secrets.filter((secret, at) => at > 0 && secret > (secrets[at - 1] ?? '')).length
  assert.ok(rising > 4_700 && rising < 5_300, `${rising} rising`)
})

forEachDatabase('44 token strength', (engine) => {
  test('every kind that the program gives out is such a token', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_RATE_LIMITS: 'off' } })
    const ada = await app.user()
    const kinds: Record<string, string[]> = {
      session: [],
      refresh: [],
      device: [],
      signUp: [],
      verify: [],
      reset: [],
      jti: [],
      apiToken: [],
      clientSecret: [],
    }
    for (let round = 0; round < 15; round += 1) {
      const body = { email: ada.email, password: ada.password, session: 'cookie' }
      const byCookie = await app.post('/signin', body, { headers: { 'user-agent': `browser ${round}` } })
      const { access, refresh } = await app.tokens(ada)
      const signUp = await app.post('/signup', { email: `s${round}@example.com`, password: 'quiet harbour 52' })
      const verify = await app.lastMail(`s${round}@example.com`)
      await app.post('/forgot-password', { email: ada.email })
      const reset = (await app.mails(ada.email)).filter(({ kind }) => kind === 'password_reset').at(-1)
      kinds['session']?.push(byCookie.cookie('gatelodge') ?? '')
      kinds['device']?.push(byCookie.cookie('gatelodge-device') ?? '')
      kinds['refresh']?.push(refresh)
      kinds['signUp']?.push(signUp.cookie('gatelodge-signup') ?? '')
      kinds['verify']?.push(verify.token)
      kinds['reset']?.push(linkOf(reset?.text ?? '').token)
      const made = await app.post('/me/tokens', { name: 'x' }, { bearer: access })
      kinds['apiToken']?.push(made.json.token.replace('gatelodge_pat_', ''))
      const client = await app.client(`client ${round}`)
      kinds['clientSecret']?.push(
        `${client.id.replace('client_', '')}.${client.secret.replace('gatelodge_secret_', '')}`,
      )
      kinds['jti']?.push(JSON.parse(Buffer.from(access.split('.')[1] ?? '', 'base64url').toString()).jti)
    }
    for (const [kind, texts] of Object.entries(kinds)) {
      assert.equal(new Set(texts).size, 15, kind)
      for (const text of texts) assert.match(text, kind === 'jti' ? /^[\w-]{22}$/ : /^[\w-]{22}\.[\w-]{43}$/, kind)
      const secrets = texts.map((text) => text.split('.').at(-1)?.slice(0, 3) ?? '')
      assert.ok(new Set(secrets).size >= 13, `${kind} begins alike`)
    }
  })
})
