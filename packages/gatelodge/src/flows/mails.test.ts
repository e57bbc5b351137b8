import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase } from '../../test/support/app.ts'
import { type MailTest, mailTest } from '../../test/support/mail.ts'
import { findValidToken } from '../domain/one-time-tokens.ts'
import type { MailKind, MailRequests } from '../domain/outbox.ts'
import { day, hour, minute } from '../kernel/clock.ts'
import type { SessionId, UserId } from '../kernel/ids.ts'
import type { OneTimeTokenRow, TokenPurpose } from '../store/schema.ts'

const ada = 'ada@example.org'
const missingId = '00000000-0000-7000-8000-000000000000' as UserId

interface Mailed {
  readonly to: string
  readonly subject: string
  readonly links: readonly string[]
  readonly text: string
}

/** Runs a request and returns the email as its reader receives it, or null if there is none. */
async function mailed<Kind extends MailKind>(mail: MailTest, kind: Kind, request: MailRequests[Kind]) {
  const before = mail.server.received.length
  await mail.request(kind, request)
  await mail.delivery.runDue()
  const sent = mail.server.received.slice(before)
  assert.ok(sent.length <= 1)
  const [received] = sent
  assert.equal((await mail.rows()).at(-1)?.state, received ? 'delivered' : 'dropped')
  if (!received) return null

  const text = received.parsed.text ?? ''
  const links = text.split('\n').filter((line) => line.startsWith('http'))
  return { to: received.recipients.join(), subject: received.parsed.subject ?? '', links, text } satisfies Mailed
}

/** Returns the stored token of an email's link, after opening the link's page. */
async function tokenOf(
  { deps }: MailTest,
  mail: Mailed | null,
  path: string,
  purpose: TokenPurpose,
): Promise<OneTimeTokenRow> {
  const url = new URL(mail?.links[0] ?? '')
  assert.equal(url.origin + url.pathname, `http://localhost:3000${path}`)
  return findValidToken(deps, [purpose], url.searchParams.get('token') ?? '')
}

async function addSignUp({ store, clock }: MailTest, id: string, email: string, life = day): Promise<void> {
  const now = clock.now()
  const row = { id, email, password_hash: 'x', username: null, first_name: 'Grace', last_name: '', browser_hash: 'x' }
  await store.migrationDb
    .insertInto('pending_signups')
    .values({ ...row, created_at: now, expires_at: now + life })
    .execute()
}

async function reserve({ store, clock }: MailTest, email: string, userId: UserId): Promise<void> {
  const values = { email, user_id: userId, expires_at: clock.now() + 72 * hour }
  await store.migrationDb.insertInto('email_reservations').values(values).execute()
}

forEachDatabase('mails of flows', (engine) => {
  test('a sign-up is mailed a link that ends no later than the sign-up', async (t) => {
    const mail = await mailTest(t, { engine })
    await addSignUp(mail, 'one', ada)
    mail.clock.advance(23 * hour)
    const sent = await mailed(mail, 'signup', { email: ada, signupId: 'one' })

    assert.equal(sent?.to, ada)
    assert.match(sent?.text ?? '', /^Hello Grace,\n.*expires in 1 hour, on/s)
    const token = await tokenOf(mail, sent, '/verify-email', 'verify_signup')
    assert.deepEqual([token.signup_id, token.email], ['one', ada])
    assert.equal(token.expires_at, mail.clock.now() + hour)
  })

  test('a sign-up that is gone, expired or for another address sends no email', async (t) => {
    const mail = await mailTest(t, { engine })
    await addSignUp(mail, 'one', ada, minute)

    assert.equal(await mailed(mail, 'signup', { email: 'eve@example.org', signupId: 'one' }), null)
    mail.clock.advance(minute)
    assert.equal(await mailed(mail, 'signup', { email: ada, signupId: 'one' }), null)
    assert.equal(await mailed(mail, 'signup', { email: ada, signupId: 'two' }), null)
  })

  test('the owner of a known address is notified of a sign-up at the account’s address, unless the account is suspended', async (t) => {
    const mail = await mailTest(t, { engine })
    const { id } = await mail.addUser()
    await reserve(mail, 'former@example.org', id)
    await addSignUp(mail, 'one', 'former@example.org')

    for (const email of [ada, 'former@example.org']) {
      const sent = await mailed(mail, 'signup', { email, signupId: 'one' })
      assert.equal(sent?.to, ada)
      assert.equal(sent?.subject, 'You already have an account at Gatelodge')
      assert.deepEqual(sent?.links, ['http://localhost:3000/login', 'http://localhost:3000/forgot-password'])
    }
    await suspend(mail, id)
    assert.equal(await mailed(mail, 'signup', { email: ada, signupId: 'one' }), null)
  })

  test('links in mails lead to the front end when one is set', async (t) => {
    const mail = await mailTest(t, { engine, env: { GATELODGE_FRONTEND_URL: 'https://app.example.org/auth' } })
    await mail.addUser()
    const sent = await mailed(mail, 'signup', { email: ada, signupId: 'one' })

    assert.deepEqual(sent?.links, [
      'https://app.example.org/auth/login',
      'https://app.example.org/auth/forgot-password',
    ])
  })

  test('an unverified account is mailed a fresh link, and the former one is void', async (t) => {
    const mail = await mailTest(t, { engine })
    const { id } = await mail.addUser({ emailVerifiedAt: null })
    const first = await mailed(mail, 'verification', { email: ada, signupId: null })
    const second = await mailed(mail, 'verification', { email: ada, signupId: null })

    assert.equal((await tokenOf(mail, second, '/verify-email', 'verify_email')).user_id, id)
    await assert.rejects(tokenOf(mail, first, '/verify-email', 'verify_email'), { code: 'token_invalid' })
  })

  test('a verified, suspended or reserved address is mailed no verification link, whatever signed up with it', async (t) => {
    const mail = await mailTest(t, { engine })
    const { id } = await mail.addUser()
    await mail.addUser({ email: 'off@example.org', emailVerifiedAt: null }, { is_active: 0 })
    await reserve(mail, 'former@example.org', id)
    for (const email of [ada, 'off@example.org', 'former@example.org', 'unknown@example.org']) {
      if (!email.startsWith('unknown')) await addSignUp(mail, `of ${email}`.slice(0, 22), email)
      assert.equal(await mailed(mail, 'verification', { email, signupId: null }), null)
    }
  })

  test('a resent link is for the asking browser’s sign-up, else for the newest of the address', async (t) => {
    const mail = await mailTest(t, { engine })
    await addSignUp(mail, 'first', ada)
    mail.clock.advance(minute)
    await addSignUp(mail, 'second', ada)
    await addSignUp(mail, 'other', 'eve@example.org')

    for (const [signupId, expected] of [
      ['first', 'first'],
      [null, 'second'],
      ['other', 'second'],
    ] as const) {
      const sent = await mailed(mail, 'verification', { email: ada, signupId })
      assert.equal((await tokenOf(mail, sent, '/verify-email', 'verify_signup')).signup_id, expected)
    }
  })

  test('a new account is welcomed', async (t) => {
    const mail = await mailTest(t, { engine })
    const { id } = await mail.addUser()

    const sent = await mailed(mail, 'welcome', { userId: id })
    assert.deepEqual([sent?.to, sent?.links], [ada, ['http://localhost:3000/login']])
  })

  test('an account is mailed a reset link, also an unverified one', async (t) => {
    const mail = await mailTest(t, { engine })
    const { id } = await mail.addUser({ emailVerifiedAt: null })
    const sent = await mailed(mail, 'password_reset', { email: ada })

    const token = await tokenOf(mail, sent, '/reset-password', 'password_reset')
    assert.deepEqual([token.user_id, token.email, token.expires_at], [id, ada, mail.clock.now() + 30 * minute])
  })

  test('an address with only pending sign-ups is mailed the way to an account; a suspended or reserved one nothing', async (t) => {
    const mail = await mailTest(t, { engine })
    await addSignUp(mail, 'one', 'grace@example.org', hour)
    const { id } = await mail.addUser()
    await reserve(mail, 'former@example.org', id)
    await addSignUp(mail, 'two', 'former@example.org')
    await suspend(mail, (await mail.addUser({ email: 'off@example.org' })).id)

    const sent = await mailed(mail, 'password_reset', { email: 'grace@example.org' })
    assert.deepEqual([sent?.to, sent?.links], ['grace@example.org', ['http://localhost:3000/register']])
    mail.clock.advance(hour)
    for (const email of ['grace@example.org', 'former@example.org', 'off@example.org', 'unknown@example.org']) {
      assert.equal(await mailed(mail, 'password_reset', { email }), null)
    }
  })

  test('an owner is notified of a changed password, a disabled password and a new device', async (t) => {
    const mail = await mailTest(t, { engine })
    const { id: userId } = await mail.addUser()
    const at = mail.clock.now()
    const forgot = 'http://localhost:3000/forgot-password'
    const sessions = 'http://localhost:3000/account/sessions'
    const device = { userId, sessionId: 's' as SessionId, device: 'Firefox on Linux', at }

    const changed = await mailed(mail, 'password_changed', { userId, at })
    const undo = await tokenOf(mail, changed, '/security/undo', 'security_undo')
    assert.deepEqual([changed?.to, undo.user_id, undo.email, undo.since], [ada, userId, ada, at])
    assert.equal(undo.expires_at, mail.clock.now() + 72 * hour)
    assert.match(changed?.text ?? '', /November 20, 2026 at 10:05 AM UTC/)
    const disabled = []
    for (const claimant of [undefined, 'stranger', 'device', 'session'] as const) {
      const told = await mailed(mail, 'password_disabled', { userId, ...(claimant && { for: claimant }) })
      assert.deepEqual(told?.links, [forgot])
      disabled.push(told?.text)
    }
    assert.deepEqual(disabled, [disabled[0], disabled[0], disabled[2], disabled[2]])
    assert.notEqual(disabled[0], disabled[2])
    const seen = await mailed(mail, 'new_device', { ...device, ip: '203.0.113.7' })
    assert.deepEqual([seen?.to, seen?.links[1]], [ada, sessions])
    assert.match(seen?.links[0] ?? '', /\/security\/undo\?token=/)
    assert.match(seen?.text ?? '', /Firefox on Linux\nIP address: 203\.0\.113\.7/)
    assert.match((await mailed(mail, 'new_device', { ...device, ip: null }))?.text ?? '', /IP address: unknown/)
  })

  test('a new address receives a link of its own', async (t) => {
    const mail = await mailTest(t, { engine })
    const { id } = await mail.addUser()
    const sent = await mailed(mail, 'email_change', { ...(await askedBy(mail, id)), email: 'new@example.org' })

    assert.equal(sent?.to, 'new@example.org')
    const token = await tokenOf(mail, sent, '/change-email', 'email_change')
    assert.deepEqual([token.user_id, token.email], [id, 'new@example.org'])
  })

  test('a newer password, the end of the requesting session, and already having the address void an email change', async (t) => {
    const mail = await mailTest(t, { engine })
    const { id } = await mail.addUser({}, { password_changed_at: 7 })
    const asked = { ...(await askedBy(mail, id)), email: 'new@example.org', passwordChangedAt: 7 }

    assert.ok(await mailed(mail, 'email_change', asked))
    assert.equal(await mailed(mail, 'email_change', { ...asked, passwordChangedAt: 6 }), null)
    assert.equal(await mailed(mail, 'email_change', { ...asked, email: ada }), null)
    assert.equal(await mailed(mail, 'email_change', { ...asked, sessionId: 'ended' as SessionId }), null)
  })

  test('the owner of an address is notified that someone wanted it, and a user’s own former address may return', async (t) => {
    const mail = await mailTest(t, { engine })
    const asked = await askedBy(mail, (await mail.addUser()).id)
    const owner = await mail.addUser({ email: 'owner@example.org', firstName: 'Grace' })
    await reserve(mail, 'former@example.org', owner.id)

    for (const email of ['owner@example.org', 'former@example.org']) {
      const sent = await mailed(mail, 'email_change', { ...asked, email })
      assert.deepEqual([sent?.to, sent?.links], ['owner@example.org', []])
      assert.match(sent?.text ?? '', /^Hello Grace,/)
    }
    const back = await mailed(mail, 'email_change', { ...(await askedBy(mail, owner.id)), email: 'former@example.org' })
    assert.equal(back?.to, 'former@example.org')
    await suspend(mail, owner.id)
    assert.equal(await mailed(mail, 'email_change', { ...asked, email: 'owner@example.org' }), null)
  })

  test('the former address is sent an undo link while it is reserved, which a later change leaves valid', async (t) => {
    const mail = await mailTest(t, { engine })
    const { id: userId } = await mail.addUser({ email: 'third@example.org' })
    await reserve(mail, ada, userId)
    await reserve(mail, 'second@example.org', userId)
    mail.clock.advance(hour)
    const first = await mailed(mail, 'email_changed', { userId, formerEmail: ada, newEmail: 'second@example.org' })
    await mailed(mail, 'email_changed', { userId, formerEmail: 'second@example.org', newEmail: 'third@example.org' })

    assert.equal(first?.to, ada)
    assert.match(first?.text ?? '', /s\*\*\*@example\.org/)
    assert.doesNotMatch(first?.text ?? '', /second@/)
    const token = await tokenOf(mail, first, '/change-email/undo', 'email_change_undo')
    assert.deepEqual([token.user_id, token.email, token.expires_at], [userId, ada, mail.clock.now() + 71 * hour])
  })

  test('an address that is no longer reserved is sent no undo link', async (t) => {
    const mail = await mailTest(t, { engine })
    const { id: userId } = await mail.addUser()

    assert.equal(await mailed(mail, 'email_changed', { userId, formerEmail: ada, newEmail: 'new@example.org' }), null)
  })

  test('a restored address is sent a reset link', async (t) => {
    const mail = await mailTest(t, { engine })
    const { id: userId } = await mail.addUser({}, { recovery_since: 7 })
    const sent = await mailed(mail, 'email_restored', { userId, email: ada })

    assert.equal(sent?.to, ada)
    assert.equal((await tokenOf(mail, sent, '/reset-password', 'recovery')).user_id, userId)
    assert.equal(await mailed(mail, 'email_restored', { userId, email: 'moved@example.org' }), null)
  })

  test('an account in recovery is sent the link that opens it, also when its password is forgotten, until it is open', async (t) => {
    const mail = await mailTest(t, { engine })
    const { id: userId } = await mail.addUser({}, { recovery_since: 7 })
    for (const [kind, request] of [
      ['recovery_started', { userId }],
      ['password_reset', { email: ada }],
    ] as const) {
      const sent = await mailed(mail, kind, request)
      assert.equal(sent?.to, ada)
      assert.equal((await tokenOf(mail, sent, '/reset-password', 'recovery')).user_id, userId)
    }

    await mail.store.migrationDb.updateTable('users').set({ recovery_since: null }).execute()
    assert.equal(await mailed(mail, 'recovery_started', { userId }), null)
    assert.equal(await mailed(mail, 'email_restored', { userId, email: ada }), null)
  })

  test('the current address is notified of a requested change, without a token, until the change is made', async (t) => {
    const mail = await mailTest(t, { engine })
    const { id: userId } = await mail.addUser()
    const asked = { userId, newEmail: 'new@example.org', at: mail.clock.now() }
    const sent = await mailed(mail, 'email_change_requested', asked)

    assert.deepEqual([sent?.to, sent?.links], [ada, ['http://localhost:3000/forgot-password']])
    assert.match(sent?.text ?? '', /n\*\*\*@example\.org/)
    assert.equal(await mailed(mail, 'email_change_requested', { ...asked, newEmail: ada }), null)
  })

  test('an account that is deleted or suspended receives no email', async (t) => {
    const mail = await mailTest(t, { engine })
    const { id } = await mail.addUser({}, { is_active: 0 })
    const at = mail.clock.now()
    for (const userId of [id, missingId]) {
      assert.equal(await mailed(mail, 'welcome', { userId }), null)
      assert.equal(await mailed(mail, 'password_changed', { userId, at }), null)
      assert.equal(await mailed(mail, 'password_disabled', { userId }), null)
      assert.equal(await mailed(mail, 'recovery_started', { userId }), null)
      assert.equal(await mailed(mail, 'email_change_requested', { userId, newEmail: ada, at }), null)
      const change = { userId, sessionId: 's' as SessionId, email: 'new@example.org', passwordChangedAt: null }
      assert.equal(await mailed(mail, 'email_change', change), null)
      assert.equal(await mailed(mail, 'email_restored', { userId, email: ada }), null)
      const seen = { userId, sessionId: 's' as SessionId, device: 'x', ip: null, at }
      assert.equal(await mailed(mail, 'new_device', seen), null)
    }
    const change = { userId: missingId, formerEmail: ada, newEmail: 'new@example.org' }
    assert.equal(await mailed(mail, 'email_changed', change), null)
  })

  test('a test email is sent to any address', async (t) => {
    const sent = await mailed(await mailTest(t, { engine }), 'test', { email: 'operator@example.org' })

    assert.deepEqual([sent?.to, sent?.subject], ['operator@example.org', 'Test mail from Gatelodge'])
  })
})

/** Requests a change of address from a new live session. */
async function askedBy({ store, clock }: MailTest, userId: UserId) {
  const now = clock.now()
  const session = {
    id: userId.slice(-22) as SessionId,
    user_id: userId,
    kind: 'token',
    secret_hash: null,
    created_at: now,
    last_seen_at: now,
    expires_at: now + day,
    authenticated_at: now,
    methods: '["pwd"]',
    assurance: 'aal1',
    remember: 0,
    ip: null,
    user_agent: null,
  } as const
  await store.migrationDb.insertInto('sessions').values(session).execute()
  return { userId, sessionId: session.id, passwordChangedAt: null }
}

async function suspend({ store }: MailTest, id: UserId): Promise<void> {
  await store.migrationDb.updateTable('users').set({ is_active: 0 }).where('id', '=', id).execute()
}
