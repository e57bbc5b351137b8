import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createAccount } from '../../src/admin/users/create-user.ts'
import { systemActor } from '../../src/kernel/actor.ts'
import { isAuthError } from '../../src/kernel/errors.ts'
import { forEachDatabase, type TestApp, type Told, testApp } from '../support/app.ts'
import { inParallel, linkOf } from '../support/attack.ts'
import { crowd, linkToMove, outcomes, turns, unlimited } from '../support/races.ts'

const password = 'quiet harbour 52'
const wanted = 'wanted@example.com'

async function whoHas(app: TestApp, email: string): Promise<unknown[]> {
  return (await app.rows('users')).filter((user) => user.email === email).map(({ id }) => id)
}

forEachDatabase('10 races for one key', (engine) => {
  test('fifty accounts that confirm one new address at once: one has it, the rest token_invalid', async () => {
    await using app = await testApp({ engine, env: unlimited })
    const people = await crowd(app, 50)
    const tokens: string[] = []
    for (const person of people) tokens.push(await linkToMove(app, person, wanted))

    const told = await Promise.all(tokens.map((token) => app.post('/change-email/confirm', { token })))
    assert.deepEqual(outcomes(told), { 200: 1, token_invalid: 49 })
    const winner = told.find(({ status }) => status === 200)?.json.user.id
    assert.deepEqual(await whoHas(app, wanted), [winner])
    assert.equal((await app.events()).filter((name) => name === 'email.changed').length, 1)
    assert.equal((await app.rows('email_reservations')).length, 1)
    const late = await inParallel(50, (index) => app.post('/change-email/confirm', { token: tokens[index] }))
    assert.deepEqual(outcomes(late), { token_invalid: 50 })
  })

  test('a sign-up, a change of address and an administrator want one address at once: one has it, late links are token_invalid', async () => {
    await using app = await testApp({ engine, env: unlimited })
    const people = await crowd(app, 8)
    for (const [round, person] of people.entries()) {
      const email = `wanted${round}@example.com`
      const headers = await signUp(app, email)
      const token = (await app.lastMail(email)).token
      const move = await linkToMove(app, person, email)
      const [made, ...told] = await Promise.all([
        turns(round).then(() => madeByAdministrator(app, email)),
        ...(await inParallel(5, async (index) =>
          turns(index + (round % 3)).then(() => app.post('/verify-email', { token }, { headers })),
        )),
        ...(await inParallel(5, async (index) =>
          turns(index).then(() => app.post('/change-email/confirm', { token: move })),
        )),
      ])
      const succeeded = told.filter(({ status }) => status === 200).length + (made ? 1 : 0)
      assert.equal(succeeded, 1)
      assert.deepEqual(outcomes(told.filter(({ status }) => status !== 200)), { token_invalid: made ? 10 : 9 })
      assert.equal((await whoHas(app, email)).length, 1)
    }
  })

  test('an undo restores the address even if another user holds a link to it or requests it at the same moment', async () => {
    await using app = await testApp({ engine, env: unlimited })
    for (let round = 0; round < 8; round += 1) {
      const [former, next] = [`old${round}@example.com`, `new${round}@example.com`]
      const [rival] = await crowd(app, 1)
      assert.ok(rival)
      const rivalLink = await linkToMove(app, rival, former) // from before any account had the address
      const owner = await app.user({ email: former })
      const { access } = await app.tokens(owner)
      const move = await linkToMove(app, { ...owner, access }, next)

      const steps = (token: string, path: string) =>
        Promise.all([
          turns(round).then(() => app.post(path, { token })),
          turns(7 - round).then(() => app.post('/change-email/confirm', { token: rivalLink })),
          turns(round % 4).then(() => madeByAdministrator(app, former)),
        ])
      const [moved, tooEarly, made] = await steps(move, '/change-email/confirm')
      assert.deepEqual([moved.status, tooEarly.code, made], [200, 'token_invalid', false], `round ${round}`)
      const undo = (await app.mails(former)).filter(({ kind }) => kind === 'email_changed').at(-1)?.text ?? ''
      const [undone, tooLate, again] = await steps(linkOf(undo).token, '/change-email/undo')
      assert.deepEqual([undone.status, tooLate.code, again], [200, 'token_invalid', false], `round ${round}`)
      assert.deepEqual(await whoHas(app, former), [owner.id])
    }
  })

  test('of fifty accounts that take one username at the same time, one gets it', async () => {
    await using app = await testApp({ engine, env: unlimited })
    const people = await crowd(app, 50)
    const told = await Promise.all(
      people.map(({ access }) => app.patch('/me', { username: 'wanted' }, { bearer: access })),
    )
    assert.deepEqual(outcomes(told), { 200: 1, username_taken: 49 })
    assert.equal((await app.rows('users')).filter(({ username }) => username === 'wanted').length, 1)
  })

  test('one account that takes twenty usernames at once has one, and the others are free', async () => {
    await using app = await testApp({ engine, env: unlimited })
    const [person] = await crowd(app, 1)
    const told = await inParallel(20, (index) =>
      app.patch('/me', { username: `name${index}` }, { bearer: person?.access ?? '' }),
    )
    assert.deepEqual(outcomes(told), { 200: 20 })
    const [names, users] = [await app.rows('usernames'), await app.rows('users')]
    assert.deepEqual(
      names.map(({ username }) => username),
      users.map(({ username }) => username),
    )
  })

  test('an account that is deleted while it is used: every request is answered or refused, and nothing is left of it', async () => {
    await using app = await testApp({ engine, env: unlimited })
    const told: [name: string, answers: Record<string, number>][] = []
    for (const name of Object.keys(uses) as (keyof typeof uses)[]) {
      const answers: Told[] = []
      for (let round = 0; round < 4; round += 1) answers.push(...(await deletedInUse(app, name, round)))
      told.push([name, outcomes(answers)])
      for (const table of ['users', 'sessions', 'usernames', 'api_tokens', 'one_time_tokens'] as const)
        assert.deepEqual(await app.rows(table), [], `${table} after ${name}`)
    }
    const unforeseen = told.filter(([, answers]) => answers.internal || answers.database_busy)
    assert.deepEqual(unforeseen, [], JSON.stringify(app.logged))
  })

  test('fifty parallel deletions of one account have one success', async () => {
    await using app = await testApp({ engine, env: unlimited })
    const [person] = await crowd(app, 1)
    const told = await inParallel(50, () => app.delete('/me', { bearer: person?.access ?? '' }, { password }))
    assert.deepEqual(outcomes(told), { 204: 1, token_invalid: 49 })
    assert.equal((await app.events()).filter((name) => name === 'user.deleted').length, 1)
  })
})

async function signUp(app: TestApp, email: string): Promise<{ cookie: string }> {
  const told = await app.post('/signup', { email, password })
  return { cookie: `gatelodge-signup=${told.cookie('gatelodge-signup')}` }
}

/** Returns whether an administrator could create the account. Only `email_taken` may prevent it. */
async function madeByAdministrator(app: TestApp, email: string): Promise<boolean> {
  try {
    await createAccount(app.deps, systemActor('command', 'test'), { email, password: 'another harbour 7' })
    return true
  } catch (error) {
    if (!isAuthError(error, 'email_taken')) throw error
    return false
  }
}

interface Held {
  readonly bearer: string
  readonly refresh: string
  readonly email: string
}

/** Ways to write to an account and to read it. `index` makes names unique where they must be. */
const uses = {
  username: (app, { bearer }, index) => app.patch('/me', { username: `another${index}` }, { bearer }),
  profile: (app, { bearer }) => app.patch('/me', { first_name: 'Ada', profile: { locale: 'fr' } }, { bearer }),
  avatar: (app, { bearer }) => app.delete('/me/avatar', { bearer }),
  apiToken: (app, { bearer }) => app.post('/me/tokens', { name: 'a', scopes: ['read'], expires_in: 3600 }, { bearer }),
  email: (app, { bearer }, index) =>
    app.post('/change-email', { new_email: `n${index}@example.com`, password }, { bearer }),
  refresh: (app, { refresh }) => app.post('/refresh', { refresh_token: refresh }),
  proof: (app, { bearer }) => app.post('/reauthenticate', { password }, { bearer }),
  signIn: (app, { email }) => app.post('/signin', { email, password }),
  otherSessions: (app, { bearer }) => app.delete('/me/sessions', { bearer }),
  export: (app, { bearer }) => app.get('/me/export', { bearer }),
  session: (app, { bearer }) => app.get('/session', { bearer }),
} as const satisfies Record<string, (app: TestApp, held: Held, index: number) => Promise<Told>>

/** Uses an account at the moment of its deletion, which must succeed, now or with a remaining session. */
async function deletedInUse(app: TestApp, name: keyof typeof uses, round: number): Promise<Told[]> {
  const person = await app.user()
  const { access: bearer, refresh } = await app.tokens(person)
  const other = await app.tokens(person)
  const deleting = turns(round * 2).then(() => app.delete('/me', { bearer: other.access }, {}))
  const told = await inParallel(8, async (index) => {
    await turns(index)
    return uses[name](app, { bearer, refresh, email: person.email }, index)
  })
  const deleted = await deleting
  if (deleted.status === 204) return told
  const { access } = await app.tokens(person) // actions that end other sessions may have come first
  return [...told, await app.delete('/me', { bearer: access }, {})]
}
