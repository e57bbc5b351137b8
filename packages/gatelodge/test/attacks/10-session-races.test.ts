import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setActive } from '../../src/admin/users/set-active.ts'
import { systemActor } from '../../src/kernel/actor.ts'
import { forEachDatabase, type TestApp, testApp } from '../support/app.ts'
import { askPage, inParallel, tally } from '../support/attack.ts'
import { outcomes, turns, unlimited } from '../support/races.ts'

const password = 'quiet harbour 52'

/** Returns a user signed in by cookie, with a request that proves identity again. */
async function signedIn(app: TestApp) {
  const person = await app.user()
  const cookie = await app.cookie(person)
  const prove = () => app.post('/reauthenticate', { password }, { cookie })
  return { person, cookie, prove }
}

async function sessionIds(app: TestApp): Promise<unknown[]> {
  return (await app.rows('sessions')).map(({ id }) => id)
}

forEachDatabase('10 races for one session', (engine) => {
  for (const kind of ['cookie', 'token'] as const) {
    test(`fifty parallel proofs of one ${kind} session replace it once`, async () => {
      await using app = await testApp({ engine, env: unlimited })
      const { person, cookie } = await signedIn(app)
      const ask = kind === 'cookie' ? { cookie } : { bearer: (await app.tokens(person)).access }
      const before = await sessionIds(app)

      const told = await inParallel(50, () => app.post('/reauthenticate', { password }, ask))
      assert.deepEqual(outcomes(told), { 200: 1, token_invalid: 49 })
      assert.deepEqual(new Set(told.map(({ status }) => status)), new Set([200, 401]))
      const won = told.find(({ status }) => status === 200)
      const made = kind === 'cookie' ? won?.json.session.id : won?.json.session_id
      const after = await sessionIds(app)
      assert.equal(after.length, before.length)
      assert.deepEqual(
        after.filter((id) => !before.includes(id)),
        [made],
      )
      assert.equal((await app.events()).filter((name) => name === 'reauthentication.succeeded').length, 1)
    })
  }

  test('fifty parallel proofs on the page replace the session once, and the others are led to sign in', async () => {
    await using app = await testApp({ engine, env: unlimited })
    const { cookie } = await signedIn(app)
    const headers = { cookie: `gatelodge=${cookie}`, 'sec-fetch-site': 'same-origin' }
    const page = await (await askPage(app, 'GET', '/account/reauthenticate', headers)).text()
    const form_token = /name="form_token" value="([^"]+)"/.exec(page)?.[1] ?? ''
    const told = await inParallel(50, () =>
      askPage(app, 'POST', '/account/reauthenticate', headers, { form_token, password }),
    )
    const places = told.map((response) => response.headers.get('location')?.split('?', 1)[0])
    assert.deepEqual(tally(places), { '/account': 1, '/login': 49 })
    assert.equal((await sessionIds(app)).length, 1)
  })

  test('fifty parallel sign-ins that carry one session end it once and have a session each', async () => {
    await using app = await testApp({ engine, env: unlimited })
    const { person, cookie } = await signedIn(app)
    const told = await inParallel(50, () =>
      app.post('/signin', { email: person.email, password, session: 'cookie' }, { cookie }),
    )
    assert.deepEqual(outcomes(told), { 200: 50 })
    assert.equal((await app.get('/session', { cookie })).code, 'token_invalid')
    assert.deepEqual((await sessionIds(app)).sort(), told.map(({ json }) => json.session.id).sort())
    const ended = (await app.rows('events')).filter(({ name }) => name === 'session.ended')
    assert.deepEqual(
      ended.map(({ data }) => JSON.parse(String(data)).reason),
      ['replaced'],
    )
  })

  test('a proof that races a sign-out or a revocation never outlives one that ended its session', async () => {
    await using app = await testApp({ engine, env: unlimited })
    for (let round = 0; round < 16; round += 1) {
      const { person, cookie, prove } = await signedIn(app)
      const owner = (await app.tokens(person)).access
      const { id } = (await app.get('/session', { cookie })).json.session
      const signsOut = round % 2 === 0
      const [ended, proved] = await Promise.all([
        turns(round).then(() =>
          signsOut ? app.post('/signout', {}, { cookie }) : app.delete(`/me/sessions/${id}`, { bearer: owner }),
        ),
        prove(),
      ])
      const isEnded = signsOut ? ended.json.username !== null : ended.status === 204
      assert.equal(proved.code ?? proved.status, isEnded ? 'token_invalid' : 200, `round ${round}`)
      await app.delete('/me', { bearer: owner }, {})
    }
  })

  test('a reauthentication that races the revocation of all other sessions leaves only the session that requested it', async () => {
    await using app = await testApp({ engine, env: unlimited })
    for (let round = 0; round < 16; round += 1) {
      const { person, prove } = await signedIn(app)
      const { access: bearer, session } = await app.tokens(person)
      const [ended] = await Promise.all([
        turns(round).then(() => app.delete('/me/sessions', { bearer })),
        ...(await inParallel(3, async (index) => turns(index * 4).then(prove))),
      ])
      assert.equal(ended.status, 204)
      assert.deepEqual(await sessionIds(app), [session], `round ${round}`)
      await app.delete('/me', { bearer }, {})
    }
  })

  test('a proof or a deletion by the old password that races a reset leaves no session, and the account', async () => {
    await using app = await testApp({ engine, env: unlimited })
    for (let round = 0; round < 12; round += 1) {
      const { person, cookie, prove } = await signedIn(app)
      await app.post('/forgot-password', { email: person.email })
      const { token } = await app.lastMail(person.email)
      const [reset, deleted] = await Promise.all([
        turns(round).then(() => app.post('/reset-password', { token, new_password: 'recovered harbour 1' })),
        turns(12 - round).then(() => app.delete('/me', { cookie }, { password })),
        prove(),
        prove(),
      ])
      assert.equal(Number(reset.status === 200) + Number(deleted.status === 204), 1, `round ${round}`)
      assert.deepEqual(await sessionIds(app), [])
      assert.equal(
        (await app.rows('users')).some(({ id }) => id === person.id),
        reset.status === 200,
      )
    }
  })

  test('a proof that races the stop of its account leaves no session', async () => {
    await using app = await testApp({ engine, env: unlimited })
    for (let round = 0; round < 8; round += 1) {
      const { person, prove } = await signedIn(app)
      const [, ...told] = await Promise.all([
        turns(round * 2).then(() =>
          setActive(app.deps, systemActor('command', 'test'), { who: person.id, active: false }),
        ),
        prove(),
        prove(),
      ])
      assert.deepEqual(await sessionIds(app), [], JSON.stringify(outcomes(told)))
    }
  })
})
