import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { sql } from 'kysely'
import { migrateUp } from '../../src/store/migrate.ts'
import { migrations } from '../../src/store/migrations/index.ts'
import { basic, type Engine, type TestApp } from './app.ts'
import { bareDatabase, openLocation } from './databases.ts'

/** Every version of the schema that was ever released, oldest first. */
export const schemaVersions = Object.keys(migrations)

/** The instant at which the populated database was left. */
export const populatedAt = 1795169120000

/** The credentials of its users in clear: a cookie, tokens and emailed links, all valid at `populatedAt`. */
export const held = {
  password: 'quiet harbour 52',
  /** Ada, an administrator. */
  adaId: '01a1f86a-a0e0-7006-9c59-cef1c2c93b1e',
  adaCookie: 'vdfQfvwxob0RSWEf4bcAXA.5-DJlXQFCBTArAcZUFp_dQCbJDhObKCT1hD4zusuo8s',
  /** Grace, who moved from grace@example.com to grace.new@example.com. The row of her used token contains its sealed successor. */
  graceSpentRefresh: 'YQE9QyWtKCHCNzpHTJemPg.OBUmDFX6pWl5atUw6MYiUTlSA52WK6RqKj55E3d6KlY',
  graceRefresh: 'k_AXHICX_whWzfILiupwMA.SWMoT8L0h80UyMCljdbf-ynhh30qgVyQvi7Y7G2r_5Y',
  graceUndo: 'UQdsTdmMxS1Sg6gSSheElg.k2zUG6elcvrosfsXXSkcHwfvQsAcihlQdrDfUehvVJg',
  /** Bob forgot his password, Carol has her link, Dora's sign-up waits for its email, and Eve's password was guessed at 14 times. */
  bobReset: '-32TC6BlTWVO0wz8N9R6Mw.JT5Mi_brRb6T4_oPe-vXrF8c0BZpKYozk8UYNhQ2v0Y',
  carolVerify: 'piRbbM53XSrKsej42GGuLw.LEvZaD4nnr1qAvTrJ9t2R_dmnwh1TjiwubrocWEcO0Q',
  /** Since step 0004. */
  client: {
    id: 'client_Rml4dHVyZUNsaWVudElkMQ',
    secret: 'gatelodge_secret_Q2xpZW50U2VjcmV0T2ZUaGVVcGdyYWRlRml4dHVyZTE',
  },
  /** Since step 0005: Ada's change of address, and the link of a notice that she received before. */
  adaEmailChange: 'Rml4dHVyZUNoYW5nZTAwMQ.Q2hhbmdlU2VjcmV0T2ZUaGVVcGdyYWRlRml4dHVyZTE',
  adaNotice: 'Rml4dHVyZVVuZG8wMDAwMQ.Tm90aWNlU2VjcmV0T2ZUaGVVcGdyYWRlRml4dHVyZTE',
  adaApiToken: 'gatelodge_pat_Rml4dHVyZUFwaVRva2VuSQ.QVBJVG9rZW5TZWNyZXRPZlRoZVVwZ3JhZGVGaXh0dXI',
} as const

/**
 * Creates a database as that version of the program left it. Each step is followed by its file in `test/fixtures/upgrade`, which fills what the step added, in
 * SQL that both engines accept.
 */
export async function populatedDatabase(engine: Engine, version = schemaVersions.at(-1)) {
  const database = await bareDatabase(engine)
  const store = await openLocation(database.location)
  const versions = schemaVersions.slice(0, schemaVersions.indexOf(version ?? '') + 1)
  for (const [index, name] of versions.entries()) {
    await migrateUp(store, Object.fromEntries(Object.entries(migrations).slice(0, index + 1)))
    for (const statement of statementsOf(name)) await sql.raw(statement).execute(store.migrationDb)
  }
  await store.close()
  return database
}

function statementsOf(version: string): string[] {
  const file = new URL(`../fixtures/upgrade/${version}.sql`, import.meta.url)
  const text = readFileSync(file, 'utf8').replace(/^--.*\n/gm, '')
  return text.split(/;\n/).filter((statement) => statement !== '')
}

/** Uses over HTTP every credential of the users of the populated database. */
export async function assertPeopleGoOn(app: TestApp): Promise<void> {
  const session = await app.get('/session', { cookie: held.adaCookie })
  assert.equal(session.status, 200, session.text)
  assert.equal(session.json.user.id, held.adaId)
  assert.deepEqual(session.json.user.roles, ['administrator'])
  const me = await app.get('/me', { cookie: held.adaCookie })
  assert.equal(me.json.first_name, "Ada d'Arc")
  assert.equal(me.json.profile.website, 'https://example.com/ada')
  const past = await app.get('/me/events', { cookie: held.adaCookie })
  assert.ok(past.json.events.some(({ name }: { name: string }) => name === 'email.verified'))

  if ((await app.rows('service_clients')).length > 0) {
    const headers = { authorization: basic(held.client.id, held.client.secret) }
    assert.equal((await app.introspect(held.adaApiToken, headers)).sub, held.adaId)
  }

  const again = await app.post('/refresh', { refresh_token: held.graceSpentRefresh })
  assert.equal(again.json.refresh_token, held.graceRefresh)
  const rotated = await app.post('/refresh', { refresh_token: held.graceRefresh })
  assert.equal(rotated.status, 200, rotated.text)
  assert.equal((await app.get('/session', { bearer: rotated.json.access_token })).status, 200)
  assert.equal((await app.post('/signin', { identifier: 'ada', password: held.password })).status, 200)

  // Before step 0007 the hash of a sign-up cookie marked an unproved account that may sign in.
  for (const { email, may_sign_in_unverified } of await app.rows('users')) {
    if (may_sign_in_unverified !== 1) continue
    assert.equal((await app.post('/signin', { email, password: held.password })).status, 200, String(email))
  }
  for (const { email, must_change_password } of await app.rows('users')) {
    if (must_change_password !== 1) continue
    const { json } = await app.post('/signin', { email, password: held.password })
    assert.equal(json.status, 'password_change_required', String(email))
  }
  assert.equal((await app.post('/signin', { email: 'frank@example.com', password: held.password })).status, 200)

  const early = await app.post('/signin', { email: 'eve@example.com', password: held.password }, { ip: '203.0.113.7' })
  assert.equal(early.code, 'rate_limited')
  const late = { email: 'new@example.com', password: held.password, username: 'carol' }
  assert.equal((await app.post('/signup', late)).code, 'username_taken')

  const carol = await app.post('/verify-email', { token: held.carolVerify, password: held.password })
  assert.equal(carol.status, 200, carol.text)
  const { token } = await app.lastMail('dora@example.com')
  assert.equal((await app.post('/verify-email', { token, password: held.password })).status, 200)
  const reset = await app.post('/reset-password', { token: held.bobReset, new_password: 'calm lagoon 7 tides' })
  assert.equal(reset.status, 200, reset.text)
  assert.equal((await app.post('/change-email/undo', { token: held.graceUndo })).status, 200)
  const [notice] = held.adaNotice.split('.')
  if ((await app.rows('one_time_tokens')).some(({ id }) => id === notice)) await assertAdaRecovers(app)
}

async function assertAdaRecovers(app: TestApp): Promise<void> {
  const moved = await app.post('/change-email/confirm', { token: held.adaEmailChange }, { cookie: held.adaCookie })
  assert.equal(moved.json.user?.email, 'ada.new@example.com', moved.text)
  assert.equal((await app.post('/security/undo', { token: held.adaNotice })).status, 200)
  assert.equal((await app.get('/session', { cookie: held.adaCookie })).status, 401)
  const { token } = await app.lastMail('ada@example.com')
  assert.equal((await app.post('/reset-password', { token, new_password: 'calm lagoon 8 tides' })).status, 200)
}
