import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, testApp } from '../support/app.ts'

const victim = 'victim@k-ex.com'
const lookalikes = [
  'VICTIM@K-EX.COM',
  'Victim@k-ex.com',
  'victim\uff20k-ex.com',
  '\uff56ictim@k-ex.com',
  'v\u0131ctim@k-ex.com',
  'v\u0130ctim@k-ex.com',
  'victim@\u212a-ex.com',
  'vict\u200bim@k-ex.com',
  'victim@k-ex\u200b.com',
  'victim@k-ex\u00ad.com',
  'victim\u202e@k-ex.com',
  'victim@k-ex.com.',
  'victim@k-ex\u3002com',
  'victim@k-ex\uff0ecom',
  'victim@k\u2010ex.com',
  'v\u0456ctim@k-ex.com',
  'victim@k-\u0435x.com',
  ' victim@k-ex.com ',
  '\tvictim@k-ex.com',
  'victim@k-ex.com\n',
  'victim(comment)@k-ex.com',
  '"victim"@k-ex.com',
  'victim@k-ex.com@k-ex.com',
  'victim@k-ex%2ecom',
  'victim@[127.0.0.1]',
  'victim@xn--k-ex.com',
]

forEachDatabase('14 email collision', (engine) => {
  test('no spelling of an address makes a second account that looks like its own, and mails reach the stored address only', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_RATE_LIMITS: 'off' } })
    await app.user({ email: victim })
    const inbox = (await app.mails(victim)).length

    let sent = 0
    for (const email of lookalikes) {
      const forgot = await app.post('/forgot-password', { email })
      const signUp = await app.post('/signup', { email, password: 'planted harbour 9' })
      assert.equal(forgot.status === 200, signUp.status === 201, JSON.stringify(email))
      assert.ok([200, 400].includes(forgot.status), JSON.stringify(email))
      if (forgot.status === 200) sent += 2
    }
    await app.composition.deliverMail()
    const recipients = new Set((app.deps.mailbox?.entries() ?? []).map(({ to }) => to))
    assert.deepEqual([...recipients], [victim])
    assert.equal((await app.mails(victim)).length, inbox + sent)
    assert.equal((await app.rows('users')).length, 1)
    for (const row of await app.rows('pending_signups')) assert.equal(row.email, victim)
  })

  test('an internationalised domain and its A-label are one address', async () => {
    await using app = await testApp({ engine })
    await app.user({ email: 'ada@xn--bcher-kva.example' })
    assert.equal((await app.post('/signin', { email: 'ADA@BÜCHER.example', password: 'quiet harbour 52' })).status, 200)
    await app.post('/signup', { email: 'ada@bücher.example', password: 'planted harbour 9' })
    const mail = await app.lastMail('ada@xn--bcher-kva.example')
    assert.equal(mail.subject, 'You already have an account at Gatelodge')
  })

  test('no spelling of a username takes or resembles another’s', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_RATE_LIMITS: 'off' } })
    await app.user({ username: 'kim' })
    for (const username of ['KIM', 'Kim', '\u212aim', 'k\u0130m', '\uff4bim', 'ki\u200bm', 'k\u0456m', ' kim ']) {
      const told = await app.post('/signup', { email: 'other@example.com', password: 'quiet harbour 52', username })
      assert.ok(
        told.code === 'username_taken' || told.code === 'input_invalid',
        `${JSON.stringify(username)}: ${told.status}`,
      )
    }
  })

  test('forms of a mailbox with a +tag share budgets only: they are accounts of their own, and each gets its own mails', async () => {
    await using app = await testApp({ engine })
    const [plain, tagged] = ['eve@example.com', 'eve+shop@example.com']
    await app.user({ email: plain })
    await app.user({ email: tagged })
    const counts = async () => [(await app.mails(plain)).length, (await app.mails(tagged)).length]
    const [plains = 0, taggeds = 0] = await counts()
    assert.equal((await app.post('/forgot-password', { email: tagged })).status, 200)
    assert.deepEqual(await counts(), [plains, taggeds + 1])
    const { token } = await app.lastMail(tagged)
    const fresh = 'another harbour 53'
    assert.equal((await app.post('/reset-password', { token, new_password: fresh })).status, 200)
    assert.equal((await app.post('/signin', { email: plain, password: fresh })).code, 'invalid_credentials')
    assert.equal(
      (await app.post('/signin', { email: 'eve+other@example.com', password: fresh })).code,
      'invalid_credentials',
    )
    assert.equal((await app.post('/signin', { email: tagged, password: fresh })).status, 200)
  })
})
