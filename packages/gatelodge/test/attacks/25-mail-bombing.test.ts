import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, testApp } from '../support/app.ts'
import { likeness } from '../support/attack.ts'

const victim = 'victim@example.com'

forEachDatabase('25 mail bombing', (engine) => {
  test('a day of requests of every kind over many addresses sends a victim ten mails and a reset link an hour, and answers all of them alike', async () => {
    for (const known of [true, false]) {
      await using app = await testApp({ engine })
      if (known) await app.user({ email: victim })
      const mallory = await app.user({ password: 'planted harbour 9' })
      const { refresh } = await app.tokens(mallory)
      let { access } = await app.tokens(mallory)
      let spare = refresh
      const before = (await app.mails(victim)).length

      const answers: Record<string, Set<string>> = {}
      for (let round = 0; round < 120; round += 1) {
        const ask = { ip: `203.0.113.${round}` }
        const email = round % 2 ? victim : victim.toUpperCase()
        for (const [path, body, bearer] of [
          ['/forgot-password', { email }, undefined],
          ['/verify-email/resend', { email }, undefined],
          ['/signup', { email, password: 'planted harbour 9' }, undefined],
          ['/change-email', { new_email: email, password: mallory.password }, access],
        ] as const) {
          const told = await app.post(path, body, { ...ask, ...(bearer !== undefined && { bearer }) })
          answers[path] = (answers[path] ?? new Set()).add(JSON.stringify(likeness(told)))
        }
        app.clock.advance(11 * 60_000)
        const renewed = await app.post('/refresh', { refresh_token: spare })
        spare = renewed.json.refresh_token
        access = renewed.json.access_token
        if (round === 3) assert.ok((await app.mails(victim)).length - before <= 9)
      }
      assert.deepEqual(
        Object.values(answers).map((set) => set.size),
        [1, 1, 1, 1],
      )
      const mails = (await app.mails(victim)).length - before
      assert.ok(mails <= 10 + 22, `${mails} mails`)
      assert.ok(mails >= 4, `${mails} mails`)
      const links = (await app.mails(victim)).slice(before).filter(({ kind }) => kind === 'password_reset')
      assert.ok(!known || mails - links.length <= 10, `${mails - links.length} other mails`)
    }
  })

  test('an account mails ten strangers an hour by changes of its address, whatever its sessions and however fast', async () => {
    await using app = await testApp({ engine })
    const mallory = await app.user()
    const sessions = await Promise.all([1, 2, 3].map(() => app.tokens(mallory)))
    const strangers = Array.from({ length: 60 }, (_, index) => `stranger${index}@example.org`)
    const ask = (email: string, index: number) =>
      app.post(
        '/change-email',
        { new_email: email, password: mallory.password },
        { bearer: sessions[index % 3]?.access ?? '', ip: `203.0.113.${index}` },
      )
    const reached = async () => {
      const counts = await Promise.all(strangers.map(async (email) => (await app.mails(email)).length))
      return counts.reduce((sum, count) => sum + count, 0)
    }
    const wrong = await app.post(
      '/change-email',
      { new_email: 'x@example.org', password: 'wrong' },
      { bearer: sessions[0]?.access ?? '' },
    )
    assert.equal(wrong.code, 'incorrect_password')
    for (const [index, email] of strangers.slice(0, 10).entries()) assert.equal((await ask(email, index)).status, 202)
    const late = await Promise.all(strangers.slice(10).map(ask))
    for (const told of late) {
      assert.deepEqual([told.status, told.code], [429, 'rate_limited'])
      assert.ok(Number(told.headers.get('retry-after')) > 0)
    }
    assert.equal(await reached(), 10)

    const ada = await app.user()
    const { access } = await app.tokens(ada)
    const other = await app.post(
      '/change-email',
      { new_email: 'ada@example.org', password: ada.password },
      { bearer: access },
    )
    assert.equal(other.status, 202, 'accounts are counted apart')
    app.clock.advance(3_600_000)
    sessions[0] = await app.tokens(mallory)
    assert.equal((await ask(strangers[11] ?? '', 0)).status, 202)
  })

  test('the forms of one mailbox with a +tag share its budgets, and are addresses of their own for all else', async () => {
    await using app = await testApp({ engine })
    const tagged = Array.from({ length: 30 }, (_, index) => `victim+${index}@example.com`)
    for (const [index, email] of tagged.entries()) {
      const told = await app.post('/signup', { email, password: 'planted harbour 9' }, { ip: `203.0.113.${index}` })
      assert.equal(told.status, 201)
      await app.post('/verify-email/resend', { email }, { ip: `203.0.113.${index}` })
      app.clock.advance(10 * 60_000)
    }
    const counts = await Promise.all([victim, ...tagged].map(async (email) => (await app.mails(email)).length))
    assert.equal(
      counts.reduce((sum, count) => sum + count, 0),
      10,
    )

    // Beyond the budgets, reset links do not reach forms of it without an account either.
    for (const email of tagged) await app.post('/forgot-password', { email }, { ip: '203.0.113.99' })
    const after = await Promise.all([victim, ...tagged].map(async (email) => (await app.mails(email)).length))
    assert.deepEqual(after, counts)

    // A reset link counts by the whole address: requests for an address without an account do not use up the owner's.
    app.clock.advance(86_400_000)
    const owner = await app.user({ email: victim })
    const tag = await app.user({ email: 'victim+own@example.com' })
    assert.notEqual(owner.id, tag.id)
    app.clock.advance(86_400_000)
    for (const email of tagged) await app.post('/forgot-password', { email }, { ip: '203.0.113.99' })
    await app.post('/forgot-password', { email: victim })
    assert.equal((await app.lastMail(victim)).kind, 'password_reset')
    await app.post('/forgot-password', { email: tag.email })
    assert.deepEqual((await app.mails(tag.email)).at(-1)?.kind, 'password_reset')
  })

  test('accounts that are made at once with the forms of one mailbox mail it no more than other strangers do', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_REGISTRATION: 'instant' } })
    const tagged = Array.from({ length: 12 }, (_, index) => `victim+${index}@example.com`)
    for (const [index, email] of tagged.entries()) {
      const told = await app.post('/signup', { email, password: 'planted harbour 9' }, { ip: `203.0.113.${index}` })
      assert.equal(told.status, 201)
    }
    const kinds = await Promise.all(tagged.map(async (email) => (await app.mails(email)).map(({ kind }) => kind)))
    assert.equal(kinds.flat().length, 6, 'a welcome and a link to each of three')
  })

  test('a burst of a hundred parallel requests causes three emails', async () => {
    await using app = await testApp({ engine })
    await app.user({ email: victim })
    app.clock.advance(86_400_000)
    const before = (await app.mails(victim)).length
    const told = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        app.post('/forgot-password', { email: victim }, { ip: `203.0.113.${index}` }),
      ),
    )
    assert.equal(new Set(told.map((answer) => JSON.stringify(likeness(answer)))).size, 1)
    assert.equal((await app.mails(victim)).length - before, 3)
  })

  test('a burst does not use up the day: the owner gets a link a quarter of an hour later', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user({ email: victim })
    for (let round = 0; round < 40; round += 1)
      await app.post('/forgot-password', { email: victim }, { ip: `203.0.113.${round}` })
    const before = (await app.mails(ada.email)).length
    app.clock.advance(15 * 60_000)
    await app.post('/forgot-password', { email: victim })
    assert.equal((await app.mails(ada.email)).length, before + 1)
  })

  test('the cookie of a known device gets ten links a day beyond those of strangers, three in a quarter of an hour', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user({ email: victim })
    const signedIn = await app.post('/signin', { email: ada.email, password: ada.password })
    const headers = { cookie: `gatelodge-device=${signedIn.cookie('gatelodge-device')}` }
    app.clock.advance(86_400_000)
    const ask = async (times: number, extra = {}) => {
      const before = (await app.mails(victim)).length
      for (let round = 0; round < times; round += 1)
        await app.post('/forgot-password', { email: victim }, { ip: `203.0.${times}.${round}`, ...extra })
      return (await app.mails(victim)).length - before
    }
    assert.equal(await ask(40), 3)
    assert.equal(await ask(10, { headers }), 3)
    let mails = 0
    for (let quarter = 0; quarter < 8; quarter += 1) {
      app.clock.advance(15 * 60_000)
      await ask(4)
      mails += await ask(4, { headers })
    }
    assert.ok(mails >= 7 && mails <= 9, `${mails} mails`) // seven of the device's day, and what the hours of strangers leave
    for (const forged of [`${'A'.repeat(22)}.${'B'.repeat(43)}`, 'nonsense']) {
      assert.equal(await ask(2, { headers: { cookie: `gatelodge-device=${forged}` } }), 0)
    }
  })

  test('one client cannot ask for mails to ever new addresses without end', async () => {
    await using app = await testApp({ engine })
    for (const [path, most] of [
      ['/forgot-password', 30],
      ['/signup', 60],
    ] as const) {
      const statuses = []
      for (let round = 0; round < most + 5; round += 1) {
        statuses.push(
          (
            await app.post(path, {
              email: `p${round}@example.com`,
              ...(path === '/signup' && { password: 'quiet harbour 52' }),
            })
          ).status,
        )
      }
      assert.equal(statuses.filter((status) => status === 429).length, 5, path)
    }
  })
})
