import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, testApp } from '../../test/support/app.ts'
import { type MailTest, mailTest } from '../../test/support/mail.ts'
import type { MailKind, MailRequests } from '../domain/outbox.ts'
import type { SessionId, UserId } from '../kernel/ids.ts'
import type { Language } from '../kernel/languages.ts'

const ada = 'ada@example.org'
const unsupportedLocales = ['ja', 'xx-invalid', 'de_AT', '', null]

/** Returns the language of the email that a request leads to, as its HTML declares it. */
async function languageOfMail<Kind extends MailKind>(
  mail: MailTest,
  kind: Kind,
  request: MailRequests[Kind],
  asked?: Language,
): Promise<string | undefined> {
  const before = mail.server.received.length
  await mail.request(kind, request, asked)
  await mail.delivery.runDue()
  return languageOfLast(mail, before)
}

function languageOfLast({ server }: MailTest, before: number): string | undefined {
  assert.equal(server.received.length, before + 1)
  return /<html lang="([^"]*)"/.exec(server.received.at(-1)?.parsed.html ?? '')?.[1]
}

/** Returns a request for every email to the owner of an account. `warns` says that the email may report an intruder. */
async function requestsTo(
  mail: MailTest,
  userId: UserId,
): Promise<readonly { kind: MailKind; request: MailRequests[MailKind]; warns: boolean }[]> {
  const at = mail.clock.now()
  const expires = { email: 'former@example.org', user_id: userId, expires_at: at + 1_000_000 }
  await mail.store.migrationDb.insertInto('email_reservations').values(expires).execute()
  await mail.store.migrationDb.updateTable('users').set({ recovery_since: at }).where('id', '=', userId).execute()
  const device = { userId, sessionId: 's' as SessionId, device: 'Firefox', ip: null, at }
  return [
    { kind: 'signup', request: { email: ada, signupId: 'one' }, warns: false },
    { kind: 'welcome', request: { userId }, warns: false },
    { kind: 'password_reset', request: { email: ada }, warns: false },
    { kind: 'email_restored', request: { userId, email: ada }, warns: false },
    { kind: 'recovery_started', request: { userId }, warns: false },
    { kind: 'password_changed', request: { userId, at }, warns: true },
    { kind: 'email_change_requested', request: { userId, newEmail: 'new@example.org', at }, warns: true },
    { kind: 'api_token_created', request: { userId, at, expiresAt: at }, warns: true },
    { kind: 'password_disabled', request: { userId }, warns: true },
    { kind: 'new_device', request: device, warns: true },
    { kind: 'email_changed', request: { userId, formerEmail: 'former@example.org', newEmail: ada }, warns: true },
  ]
}

forEachDatabase('languages of mails', (engine) => {
  test('an email to the owner of an account is in the language of the profile, whatever the requester’s', async (t) => {
    const mail = await mailTest(t, { engine })
    const { id } = await mail.addUser({ locale: 'de-AT' })
    for (const { kind, request } of await requestsTo(mail, id)) {
      assert.equal(await languageOfMail(mail, kind, request, 'fr'), 'de', kind)
    }
  })

  test('without a supported language in the profile, the request decides, except for warnings, which the request may be the cause of', async (t) => {
    const mail = await mailTest(t, { engine })
    const { id } = await mail.addUser()
    const requests = await requestsTo(mail, id)
    for (const { kind, request, warns } of requests) {
      assert.equal(await languageOfMail(mail, kind, request, 'ar'), warns ? 'en' : 'ar', kind)
      assert.equal(await languageOfMail(mail, kind, request), 'en', kind)
    }
    for (const locale of unsupportedLocales) {
      await mail.store.migrationDb.updateTable('profiles').set({ locale }).where('user_id', '=', id).execute()
      assert.equal(await languageOfMail(mail, 'password_reset', { email: ada }, 'es'), 'es')
    }
  })

  test('an unconfirmed account, a new address and the owner of a requested address read their own language', async (t) => {
    const mail = await mailTest(t, { engine })
    const { id } = await mail.addUser({ emailVerifiedAt: null, locale: 'es' })
    await mail.addUser({ email: 'owner@example.org', locale: 'ar' })
    const session = await addSession(mail, id)
    const asked = { userId: id, sessionId: session, passwordChangedAt: null }

    assert.equal(await languageOfMail(mail, 'verification', { email: ada, signupId: null }, 'fr'), 'es')
    assert.equal(await languageOfMail(mail, 'email_change', { ...asked, email: 'new@example.org' }, 'fr'), 'es')
    assert.equal(await languageOfMail(mail, 'email_change', { ...asked, email: 'owner@example.org' }, 'fr'), 'ar')
  })

  test('where there is no account, the language is that of the sign-up, else that of the asker', async (t) => {
    const mail = await mailTest(t, { engine })
    const kinds = [
      ['signup', { email: ada, signupId: 'one' }],
      ['verification', { email: ada, signupId: null }],
      ['password_reset', { email: ada }],
    ] as const
    await addSignUp(mail, 'de')
    for (const [kind, request] of kinds) assert.equal(await languageOfMail(mail, kind, request, 'fr'), 'de', kind)

    await mail.store.migrationDb.updateTable('pending_signups').set({ language: null }).execute()
    for (const [kind, request] of kinds) {
      assert.equal(await languageOfMail(mail, kind, request, 'fr'), 'fr', kind)
      assert.equal(await languageOfMail(mail, kind, request), 'en', kind)
    }
    assert.equal(await languageOfMail(mail, 'test', { email: ada }, 'ar'), 'ar')
  })

  test('a request that an older version stored, without a language, is answered in English', async (t) => {
    const mail = await mailTest(t, { engine })
    await mail.addUser()
    await mail.request('password_reset', { email: ada }, 'fr')
    const [row] = await mail.rows()
    const sealed = mail.deps.keyring.seal('mail', JSON.stringify({ email: ada }), row?.id ?? '')
    await mail.store.migrationDb.updateTable('mails').set({ sealed }).execute()
    await mail.delivery.runDue()

    assert.equal(languageOfLast(mail, 0), 'en')
  })

  test('an email of a host program is sent as it was written', async (t) => {
    const mail = await mailTest(t, { engine })
    const written = { subject: 'Hej', text: 'Hej\n', html: '<html lang="sv"><p>Hej</p></html>' }

    assert.equal(await languageOfMail(mail, 'message', { email: ada, ...written }, 'de'), 'sv')
  })
})

forEachDatabase('language of a sign-up', (engine) => {
  const person = { email: ada, password: 'quiet harbour 52' }

  test('becomes the locale of the account and the language of its mails, whichever browser confirms', async () => {
    await using app = await testApp({ engine })
    await app.post('/signup', person, { headers: { 'accept-language': 'ar-EG, en;q=0.5' } })
    const mailed = await app.lastMail(ada)
    assert.match(mailed.html, /^<!doctype html>\n<html lang="ar" dir="rtl">/)

    const german = { headers: { 'accept-language': 'de' } }
    const confirmed = await app.post('/verify-email', { token: mailed.token, password: person.password }, german)
    assert.equal(confirmed.json.user.profile.locale, 'ar')
    assert.match((await app.lastMail(ada)).html, /<html lang="ar"/)
  })

  test('is not stored when the browser names no supported language', async () => {
    await using app = await testApp({ engine })
    await app.post('/signup', person, { headers: { 'accept-language': 'ja' } })
    const mailed = await app.lastMail(ada)
    const confirmed = await app.post('/verify-email', { token: mailed.token, password: person.password })
    assert.equal(confirmed.json.user.profile.locale, null)
  })

  test('is the locale at once in mode `instant`, and a profile takes any language tag afterwards', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_REGISTRATION: 'instant' } })
    const told = await app.post('/signup', person, { headers: { 'accept-language': 'fr-CH' } })
    assert.equal(told.json.user.profile.locale, 'fr')
    for (const { html } of await app.mails(ada)) assert.match(html, /<html lang="fr"/)

    const bearer = told.json.access_token
    const changed = await app.patch('/me', { profile: { locale: 'gsw-u-sd-chzh' } }, { bearer })
    assert.equal(changed.json.profile.locale, 'gsw-u-sd-chzh')
  })
})

async function addSignUp({ store, clock }: MailTest, language: Language): Promise<void> {
  const now = clock.now()
  const names = { username: null, first_name: 'Grace', last_name: '' }
  await store.migrationDb
    .insertInto('pending_signups')
    .values({
      id: 'one',
      email: ada,
      password_hash: 'x',
      ...names,
      browser_hash: 'x',
      language,
      created_at: now,
      expires_at: now + 1_000_000,
    })
    .execute()
}

async function addSession({ store, clock }: MailTest, userId: UserId): Promise<SessionId> {
  const now = clock.now()
  const session = {
    id: userId.slice(-22) as SessionId,
    user_id: userId,
    kind: 'token',
    secret_hash: null,
    created_at: now,
    last_seen_at: now,
    expires_at: now + 1_000_000,
    authenticated_at: now,
    methods: '["pwd"]',
    assurance: 'aal1',
    remember: 0,
    ip: null,
    user_agent: null,
  } as const
  await store.migrationDb.insertInto('sessions').values(session).execute()
  return session.id
}
