import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testApp } from '../../../test/support/app.ts'
import { inParallel, tally } from '../../../test/support/attack.ts'
import { crowd, deadlocksOf, linkToMove, turns, unlimited, waitingIn } from '../../../test/support/races.ts'
import { createAccount } from '../../admin/users/create-user.ts'
import { forgetSignupsOf, lockSignupsOf } from '../../domain/pending-signups.ts'
import { systemActor } from '../../kernel/actor.ts'
import { isAuthError } from '../../kernel/errors.ts'
import { transact } from '../../store/unit-of-work.ts'

// PostgreSQL only: SQLite has a single writer.

test('a refresh that meets a sign-out or a revocation never locks it in a circle', async () => {
  const app = await testApp({ engine: 'postgres', env: unlimited })
  const ada = await app.user()
  const cookie = await app.cookie(ada)

  const statuses: number[] = []
  const broken = await deadlocksOf(app, async () => {
    for (let wave = 0; wave < 24; wave += 2) {
      const four = await inParallel(4, () => app.tokens(ada))
      await inParallel(4, async (index) => {
        const { access, refresh, session } = four[index] ?? assert.fail()
        const refreshing = app.post('/refresh', { refresh_token: refresh })
        await turns(wave)
        if (index % 2) await app.post('/signout', {}, { bearer: access })
        else await app.delete(`/me/sessions/${session}`, { cookie })
        statuses.push((await refreshing).status)
      })
    }
  })
  assert.deepEqual(Object.keys(tally(statuses)), ['200', '401'], 'some came before the end and some after')
  assert.equal(broken, 0)
})

test('links, changes, sign-ups and deletions of the same account and address never lock each other in a circle', async () => {
  const app = await testApp({ engine: 'postgres', env: unlimited })
  const people = await crowd(app, 12)
  const broken = await deadlocksOf(app, async () => {
    for (const [wave, person] of people.entries()) {
      const wanted = `wanted${wave}@example.com`
      const { access: bearer, password } = person
      const username = `wanted${wave}`
      const signedUp = await app.post('/signup', { email: wanted, password, username })
      const headers = { cookie: `gatelodge-signup=${signedUp.cookie('gatelodge-signup')}` }
      const signUp = (await app.lastMail(wanted)).token
      const move = await linkToMove(app, person, wanted)
      await app.post('/forgot-password', { email: person.email })
      const reset = (await app.lastMail(person.email)).token
      const asks: (() => Promise<unknown>)[] = [
        () => app.post('/verify-email', { token: signUp, password }),
        () => app.post('/change-email/confirm', { token: move }),
        () => createAccount(app.deps, systemActor('command', 'test'), { email: wanted }).catch(assertTaken),
        () => app.post('/reset-password', { token: reset, new_password: 'recovered harbour 1' }),
        () => app.post('/change-password', { old_password: password, new_password: 'another harbour 2' }, { bearer }),
        () => app.patch('/me', { username: `another${wave}`, first_name: 'Ada' }, { bearer }),
        () => app.patch('/me', { username: `second${wave}` }, { bearer }),
        () => app.delete('/me', { bearer }, { password }),
        () => app.post('/signup', { email: wanted, password, username: `more${wave}` }),
        () => app.post('/signup', { email: wanted, password, username }, { headers }),
        () => app.post('/signup', { email: person.email, password, username }, { headers }),
      ]
      await Promise.all(asks.map((ask, place) => turns((place * wave) % asks.length).then(ask)))
    }
  })
  assert.equal(broken, 0)
})

test('a deletion that meets a change of address begins again, so that it locks the sign-ups of the new address before the account', async () => {
  const app = await testApp({ engine: 'postgres', env: unlimited })
  const { store } = app.deps
  const [ada] = await crowd(app, 1)
  assert.ok(ada)
  const email = 'wanted@example.com'
  await app.post('/signup', { email, password: ada.password })
  const [moved, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]

  const broken = await deadlocksOf(app, async () => {
    const moving = store.transaction(async (db) => {
      await db.updateTable('users').set({ email }).where('email', '=', ada.email).execute()
      moved.resolve()
      await goOn.promise
    })
    await moved.promise
    const deleting = app.delete('/me', { bearer: ada.access }, { password: ada.password })
    while ((await waitingIn(store)) < 1) await turns(1)
    const signingUp = transact(app.deps, systemActor('command', 'test'), async (work) => {
      await lockSignupsOf(work, email)
      await forgetSignupsOf(work, [email])
      await work.db.updateTable('users').set({ is_active: 1 }).where('email', '=', ada.email).execute()
      work.changed([])
    })
    while ((await waitingIn(store)) < 2) await turns(1)
    goOn.resolve()
    await Promise.all([moving, signingUp])
    assert.equal((await deleting).status, 204)
    assert.deepEqual([await app.rows('users'), await app.rows('pending_signups')], [[], []])
  })
  assert.equal(broken, 0)
})

test('units of work that want one address take turns, also while it has no sign-up', async () => {
  await using app = await testApp({ engine: 'postgres', env: unlimited })
  const { store } = app.deps
  const email = 'wanted@example.com'
  const order: string[] = []
  const [held, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const first = transact(app.deps, systemActor('command', 'test'), async (work) => {
    await lockSignupsOf(work, email)
    held.resolve()
    await goOn.promise
    order.push('first')
  })
  await held.promise
  const second = createAccount(app.deps, systemActor('command', 'test'), { email }).then(() => order.push('second'))
  while ((await waitingIn(store)) < 1 && order.length === 0) await turns(1)
  goOn.resolve()
  await Promise.all([first, second])
  assert.deepEqual(order, ['first', 'second'])
})

function assertTaken(error: unknown): void {
  assert.ok(isAuthError(error, 'email_taken'), String(error))
}
