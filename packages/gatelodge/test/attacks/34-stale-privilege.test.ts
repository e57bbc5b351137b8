import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deactivateUser, deleteUser, lockForDeletion } from '../../src/domain/account-removal.ts'
import { systemActor } from '../../src/kernel/actor.ts'
import type { UserId } from '../../src/kernel/ids.ts'
import { transact, type Work } from '../../src/store/unit-of-work.ts'
import { composeTest, forEachDatabase, type Person, TestApp, testApp } from '../support/app.ts'
import { turn } from '../support/attack.ts'
import { freshDatabase } from '../support/databases.ts'
import { testClock } from '../support/deps.ts'

const actor = systemActor('command', 'test')

async function holdings(app: TestApp, person: Person) {
  const cookie = await app.cookie(person)
  const { access, refresh } = await app.tokens(person)
  await app.post('/forgot-password', { email: person.email })
  const { token } = await app.lastMail(person.email)
  assert.equal((await app.get('/session', { cookie })).status, 200)
  assert.equal((await app.get('/session', { bearer: access })).status, 200)
  return { cookie, access, refresh, token }
}

async function assertLockedOut(
  app: TestApp,
  person: Person,
  held: Awaited<ReturnType<typeof holdings>>,
): Promise<void> {
  assert.equal((await app.get('/session', { cookie: held.cookie })).code, 'token_invalid')
  assert.equal((await app.get('/validate', { bearer: held.access })).code, 'token_invalid')
  assert.equal((await app.patch('/me', { first_name: 'x' }, { cookie: held.cookie })).code, 'token_invalid')
  assert.equal((await app.post('/refresh', { refresh_token: held.refresh })).code, 'token_invalid')
  assert.equal(
    (await app.post('/reset-password', { token: held.token, new_password: 'another harbour 53' })).code,
    'token_invalid',
  )
  assert.notEqual((await app.post('/signin', { email: person.email, password: person.password })).status, 200)
}

forEachDatabase('34 stale privilege', (engine) => {
  test('the next request after a deactivation or a deletion is refused, whatever memory knew', async () => {
    await using app = await testApp({ engine })
    for (const end of [
      (work: Work, id: UserId) => deactivateUser(work, id),
      async (work: Work, id: UserId) => deleteUser(work, id, 'administrator', await lockForDeletion(work, id)),
    ]) {
      const ada = await app.user()
      const held = await holdings(app, ada)
      await transact(app.deps, actor, (work) => end(work, ada.id as UserId))
      await assertLockedOut(app, ada, held)
    }
  })

  test('an address change of a deactivated account is void, and its undo does not reactivate it', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user({ email: 'old@example.com' })
    const { access } = await app.tokens(ada)
    await app.post('/change-email', { new_email: 'new@example.com', password: ada.password }, { bearer: access })
    await app.post(
      '/change-email/confirm',
      { token: (await app.lastMail('new@example.com')).token },
      { bearer: access },
    )
    const undo = (await app.lastMail('old@example.com')).token
    await app.post('/change-email', { new_email: 'next@example.com', password: ada.password }, { bearer: access })
    const change = (await app.lastMail('next@example.com')).token
    await transact(app.deps, actor, (work) => deactivateUser(work, ada.id as UserId))

    assert.equal((await app.post('/change-email/confirm', { token: change })).code, 'token_invalid')
    await app.post('/change-email/undo', { token: undo })
    assert.deepEqual(
      (await app.mails('old@example.com')).filter(({ kind }) => kind === 'email_restored'),
      [],
    )
    assert.equal((await app.rows('users'))[0]?.['is_active'], 0)
  })

  test('a role given or taken is seen by the next request, while the token says otherwise', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const { access } = await app.tokens(ada)
    const roles = async () => (await app.get('/session', { bearer: access })).json.user.roles
    assert.deepEqual(await roles(), [])
    for (const wanted of [['administrator'], []]) {
      await transact(app.deps, actor, async (work) => {
        work.allowRemoval()
        if (wanted.length > 0)
          await work.db
            .insertInto('user_roles')
            .values({ user_id: ada.id as UserId, role: 'administrator' })
            .execute()
        else
          await work.db
            .deleteFrom('user_roles')
            .where('user_id', '=', ada.id as UserId)
            .execute()
        work.changed([ada.id as UserId])
      })
      assert.deepEqual(await roles(), wanted)
    }
  })

  test('a command that runs next to the server locks an account out from its next request on', async () => {
    const database = await freshDatabase(engine)
    const clock = testClock()
    await using app = new TestApp(
      await composeTest({ database: database.location }, clock, []),
      clock,
      [],
      database.release,
    )
    const ada = await app.user()
    const held = await holdings(app, ada)
    const command = await composeTest({ database: database.location, isCommand: true }, clock, [])
    await transact(command.deps, actor, (work) => deactivateUser(work, ada.id as UserId))
    await command.close()
    await turn()
    await assertLockedOut(app, ada, held)
  })
})
